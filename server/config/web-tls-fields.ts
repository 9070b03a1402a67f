import { z } from 'zod';
import { choiceField, field, type Parsed, switchField, textField } from './fields.ts';
import { described } from './problem.ts';
import type { ClientAuthType, TlsVersion, WebTlsConfig } from './web-config.ts';
import { fileField } from './web-fields.ts';

/** Go's names, by which Prometheus knows them, and OpenSSL's. TLS 1.3 has suites of its own, which are always on. */
const CIPHER_SUITES: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
};

const CURVES: Readonly<Record<string, string>> = {
  X25519: 'X25519',
  CurveP256: 'prime256v1',
  CurveP384: 'secp384r1',
  CurveP521: 'secp521r1',
};

const CLIENT_AUTH = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const satisfies readonly ClientAuthType[];

/** What a client's certificate is checked against an authority for. */
const VERIFYING: readonly ClientAuthType[] = ['VerifyClientCertIfGiven', 'RequireAndVerifyClientCert'];

/** TLS of the product's own port, named as Prometheus's `tls_server_config`. */
export function webTlsField() {
  const written = z.strictObject({
    cert_file: fileField('server.crt').describe(
      'PEM file of the server’s certificate, with those that lead to its authority.',
    ),
    key_file: fileField('server.key').describe('PEM file of its key.'),
    client_auth_type: choiceField(...CLIENT_AUTH)
      .prefault('NoClientCert')
      .describe('Whether clients show a certificate, and whether it is verified; as in Prometheus.'),
    client_ca_file: fileField('clients.crt')
      .optional()
      .describe('PEM file of the authorities that clients’ certificates are verified against.'),
    client_allowed_sans: z
      .array(textField('a name', (text) => ({ value: text })))
      .prefault([])
      .describe(
        'If there are any: a client’s certificate must be for one of these names (DNS, IP address, e-mail, URI).',
      ),
    min_version: versionField().prefault('TLS12').describe('Least version: TLS12 or TLS13.'),
    max_version: versionField().prefault('TLS13').describe('Highest version.'),
    cipher_suites: z
      .array(knownField(CIPHER_SUITES))
      .prefault([])
      .describe('Suites of TLS 1.2, by Go’s names; by default Node’s.'),
    curve_preferences: z
      .array(knownField(CURVES))
      .prefault([])
      .describe('Curves: X25519, CurveP256, CurveP384, CurveP521.'),
    prefer_server_cipher_suites: switchField()
      .prefault(true)
      .describe('Whether the order of our suites counts, not that of the client’s.'),
  });
  return written.transform((tls, context): WebTlsConfig => {
    const problem = tlsProblem({
      type: tls.client_auth_type,
      caFile: tls.client_ca_file,
      sans: tls.client_allowed_sans,
      versions: [tls.min_version, tls.max_version],
    });
    if (problem !== undefined) context.issues.push({ code: 'custom', message: problem, input: tls });
    return {
      certFile: tls.cert_file,
      keyFile: tls.key_file,
      clientAuthType: tls.client_auth_type,
      ...(tls.client_ca_file === undefined ? {} : { clientCaFile: tls.client_ca_file }),
      clientAllowedSans: tls.client_allowed_sans,
      minVersion: tls.min_version,
      maxVersion: tls.max_version,
      cipherSuites: tls.cipher_suites,
      curves: tls.curve_preferences,
      preferServerCiphers: tls.prefer_server_cipher_suites,
    };
  });
}

interface ClientRules {
  readonly type: ClientAuthType;
  readonly caFile: string | undefined;
  readonly sans: readonly string[];
  readonly versions: readonly [min: TlsVersion, max: TlsVersion];
}

function tlsProblem({ type, caFile, sans, versions: [min, max] }: ClientRules): string | undefined {
  const verifies = VERIFYING.includes(type);
  if (verifies && caFile === undefined) return `client_auth_type: ${type} needs client_ca_file`;
  if (!verifies && caFile !== undefined)
    return `client_ca_file is for client_auth_type: ${VERIFYING.join(' or ')}; add that, or leave the file out`;
  if (!verifies && sans.length > 0)
    return `client_allowed_sans is for client_auth_type: ${VERIFYING.join(' or ')}; add that, or leave the names out`;
  return min > max ? 'min_version is above max_version; swap them' : undefined;
}

function versionField() {
  return field((written): Parsed<TlsVersion> => {
    if (written === 'TLS12') return { value: 'TLSv1.2' };
    if (written === 'TLS13') return { value: 'TLSv1.3' };
    if (written === 'TLS10' || written === 'TLS11')
      return { error: `${written} is not safe, so it is not offered; write TLS12 or TLS13` };
    return { error: `expected TLS12 or TLS13, found ${described(written)}` };
  });
}

/** One of the names of a table; gives what stands there. */
function knownField(table: Readonly<Record<string, string>>) {
  return field((written): Parsed<string> => {
    const value = typeof written === 'string' && Object.hasOwn(table, written) ? table[written] : undefined;
    if (value !== undefined) return { value };
    return { error: `${described(written)} is not one of ${Object.keys(table).join(', ')}` };
  });
}
