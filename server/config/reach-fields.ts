import { z } from 'zod';
import type { AuthSettings, TlsSettings } from '../model/reach.ts';
import { type Parsed, secretField, switchField, textField } from './fields.ts';
import { fileField } from './web-fields.ts';

/** TLS towards a server, named as Prometheus's `tls_config`. */
export function tlsField() {
  const written = z.strictObject({
    ca_file: fileField('ca.crt')
      .optional()
      .describe('PEM file of the authorities that are trusted, in place of the system’s.'),
    cert_file: fileField('client.crt').optional().describe('PEM file of the client certificate.'),
    key_file: fileField('client.key').optional().describe('PEM file of its key.'),
    server_name: headerText('envoy.example.com')
      .optional()
      .describe('Name that the server’s certificate must have; by default the host of the address.'),
    insecure_skip_verify: switchField().optional().describe('Take any certificate.'),
  });
  return written.transform((tls, context): TlsSettings => {
    if ((tls.cert_file === undefined) !== (tls.key_file === undefined)) {
      const missing = tls.cert_file === undefined ? 'cert_file' : 'key_file';
      const given = tls.cert_file === undefined ? 'key_file' : 'cert_file';
      context.issues.push({ code: 'custom', message: `${given} without ${missing}; give both or none`, input: tls });
    }
    return {
      ...(tls.ca_file === undefined ? {} : { caFile: tls.ca_file }),
      ...(tls.cert_file === undefined ? {} : { certFile: tls.cert_file }),
      ...(tls.key_file === undefined ? {} : { keyFile: tls.key_file }),
      ...(tls.server_name === undefined ? {} : { serverName: tls.server_name }),
      ...(tls.insecure_skip_verify === undefined ? {} : { insecureSkipVerify: tls.insecure_skip_verify }),
    };
  });
}

/** A bearer token, or a name with a password. */
export function authField() {
  const written = z.strictObject({
    bearer_token: secretText('a token').optional().describe('Token that is sent as Authorization: Bearer.'),
    bearer_token_file: fileField('token').optional().describe('File of that token; read again when it changes.'),
    username: headerText('a name').optional().describe('Name for HTTP basic authentication.'),
    password: secretText('a password').optional().describe('Its password.'),
    password_file: fileField('password').optional().describe('File of its password; read again when it changes.'),
  });
  return written.transform((auth, context): AuthSettings => {
    const problem = authProblem(auth);
    if (problem !== undefined) context.issues.push({ code: 'custom', message: problem, input: auth });
    return {
      ...(auth.bearer_token === undefined ? {} : { bearerToken: auth.bearer_token }),
      ...(auth.bearer_token_file === undefined ? {} : { bearerTokenFile: auth.bearer_token_file }),
      ...(auth.username === undefined ? {} : { username: auth.username }),
      ...(auth.password === undefined ? {} : { password: auth.password }),
      ...(auth.password_file === undefined ? {} : { passwordFile: auth.password_file }),
    };
  });
}

function authProblem(auth: Readonly<Record<string, string | undefined>>): string | undefined {
  const given = Object.keys(auth).filter((key) => auth[key] !== undefined);
  const both = (a: string, b: string) => given.includes(a) && given.includes(b);
  if (both('bearer_token', 'bearer_token_file')) return 'bearer_token and bearer_token_file; give one of them';
  if (both('password', 'password_file')) return 'password and password_file; give one of them';
  const bearer = given.some((key) => key.startsWith('bearer'));
  if (bearer && given.length > 1) return 'a bearer token and a name or a password; give one kind only';
  if (!bearer && given.length > 0 && !given.includes('username')) return 'a password without username; give both';
  return undefined;
}

/** Text that may stand in a header: on one line, not empty. */
function headerText(example: string) {
  return textField(example, (text) => headerValue(text, example));
}

/** The same, of something that no message may show. */
export function secretText(example: string) {
  return secretField(example, (text) => headerValue(text, example));
}

function headerValue(text: string, example: string): Parsed<string> {
  if (text === '') return { error: `empty; write ${example}, or leave the key out` };
  return /^[\x20-\x7e]+$/.test(text) ? { value: text } : { error: 'only printable ASCII characters are possible' };
}
