import type { TLSSocket } from 'node:tls';
import type { WebTlsConfig } from '../config/web-config.ts';

type Rules = Pick<WebTlsConfig, 'clientAuthType' | 'clientAllowedSans'>;

/** How Node's TLS is to ask clients for certificates. */
export function askingOptions({ clientAuthType }: Rules): { requestCert: boolean; rejectUnauthorized: boolean } {
  return {
    requestCert: clientAuthType !== 'NoClientCert',
    rejectUnauthorized: clientAuthType === 'RequireAndVerifyClientCert',
  };
}

/** Whether a client that has shown its certificate, or none, may go on. */
export function isLetIn(socket: TLSSocket, { clientAuthType, clientAllowedSans }: Rules): boolean {
  const certificate = clientAuthType === 'NoClientCert' ? undefined : socket.getPeerX509Certificate();
  if (certificate === undefined) return !REQUIRES_ONE.includes(clientAuthType);
  if (clientAuthType === 'VerifyClientCertIfGiven' && !socket.authorized) return false;
  return (
    clientAllowedSans.length === 0 ||
    namesOf(certificate.subjectAltName).some((name) => clientAllowedSans.includes(name))
  );
}

const REQUIRES_ONE = ['RequireAnyClientCert', 'RequireAndVerifyClientCert'];

/** `DNS:a, IP Address:10.0.0.1, URI:"spiffe://a,b"` without the kinds; values with commas are quoted as in JSON. */
export function namesOf(subjectAltName: string | undefined): string[] {
  const entries = (subjectAltName ?? '').matchAll(/(?:^|, )[^:,]+:("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return [...entries].map(([, value = '']) => (value.startsWith('"') ? String(JSON.parse(value)) : value));
}
