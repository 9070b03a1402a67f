import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { WebTlsConfig } from '../config/web-config.ts';
import { NamedFileError } from '../model/named-file-error.ts';

/** What a server's TLS is made of, tried out. */
export interface TlsMaterial {
  readonly options: SecureContextOptions;
  /** When the server's certificate ends, Unix milliseconds. */
  readonly endsAt: number;
}

/** Suites of TLS 1.3 are always on. */
const TLS13_SUITES = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

/** Reads the files and checks that they fit each other. @throws NamedFileError */
export function readTlsMaterial(tls: WebTlsConfig): TlsMaterial {
  const cert = pem(tls.certFile, 'CERTIFICATE');
  const options: SecureContextOptions = {
    cert,
    key: pem(tls.keyFile, 'PRIVATE KEY'),
    ...(tls.clientCaFile === undefined ? {} : { ca: pem(tls.clientCaFile, 'CERTIFICATE') }),
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    ...(tls.cipherSuites.length > 0 && { ciphers: [...TLS13_SUITES, ...tls.cipherSuites].join(':') }),
    ...(tls.curves.length > 0 && { ecdhCurve: tls.curves.join(':') }),
    honorCipherOrder: tls.preferServerCiphers,
  };
  try {
    createSecureContext(options);
    return { options, endsAt: Date.parse(new X509Certificate(cert).validTo) };
  } catch (error) {
    throw new NamedFileError(tls.certFile, `and ${tls.keyFile} can not be used: ${reasonOf(error)}`);
  }
}

/** Files that are to be looked at for changes. */
export function tlsFilesOf(tls: WebTlsConfig): string[] {
  return [tls.certFile, tls.keyFile, ...(tls.clientCaFile === undefined ? [] : [tls.clientCaFile])];
}

function pem(path: string, label: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new NamedFileError(path, `cannot be read (${code}): check the path and its permissions`);
  }
  if (new RegExp(`-----BEGIN [A-Z ]*${label}-----`).test(text)) return text;
  throw new NamedFileError(path, `is not a PEM file of a ${label.toLowerCase()}: it has no such -----BEGIN line`);
}

/** OpenSSL's words, without the parts that say where in its source. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/key values mismatch/i.test(message)) return 'the key is not that of the certificate';
  return message.replace(/^error:[0-9A-F]+:[^:]*:[^:]*:/i, '');
}
