/** How the commands sign in to a Sidelight that asks for it: a file as promtool's --http.config.file. */

import { dirname } from 'node:path';
import { Agent, fetch as undiciFetch } from 'undici';
import { z } from 'zod';
import { problemsOf } from '../config/check.ts';
import { readTree } from '../config/document.ts';
import { readConfigFile } from '../config/file.ts';
import { withFilesFrom } from '../config/normalised-discovery.ts';
import { formatProblems } from '../config/problem.ts';
import { secretText, tlsField } from '../config/reach-fields.ts';
import { fileField } from '../config/web-fields.ts';
import type { AuthSettings, TlsSettings } from '../model/reach.ts';
import { connectorOf } from '../reach/connect.ts';
import { authorization, SecretFiles } from '../reach/credentials.ts';
import { PlainError } from './plain-error.ts';
import type { Fetch } from './stat.ts';

const schema = z.strictObject({
  basic_auth: z
    .strictObject({
      username: secretText('a name'),
      password: secretText('a password').optional(),
      password_file: fileField('password').optional(),
    })
    .optional(),
  authorization: z
    .strictObject({
      credentials: secretText('a token').optional(),
      credentials_file: fileField('token').optional(),
    })
    .optional(),
  tls_config: tlsField().optional(),
});

interface HttpConfig {
  readonly auth?: AuthSettings;
  readonly tls?: TlsSettings;
}

const CONNECT_MS = 10_000;

/** A fetch that signs in by the file at `path`. @throws PlainError when the file can't be used. */
export function fetchBy(path: string): Fetch {
  const { auth, tls } = readHttpConfig(path);
  const secrets = new SecretFiles(Date.now);
  const dispatcher = new Agent({ connect: connectorOf({ tls, timeoutMs: CONNECT_MS, allowLinkLocal: true }) });
  return async (address, options) => {
    const signedIn = await authorization(auth, secrets);
    const headers = { ...options.headers, ...(signedIn === undefined ? {} : { authorization: signedIn }) };
    return undiciFetch(address, { ...options, headers, dispatcher, redirect: 'manual' });
  };
}

function readHttpConfig(path: string): HttpConfig {
  const read = readConfigFile(path);
  if ('error' in read) throw new PlainError(read.error);
  const tree = readTree(read.text, path);
  if ('errors' in tree) throw new PlainError(tree.errors.join('\n'));
  const result = schema.safeParse(tree.value);
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => problemsOf(issue, tree.value, schema));
    throw new PlainError(formatProblems(problems, tree.origins).join('\n'));
  }
  const { basic_auth: basic, authorization: bearer, tls_config: tls } = result.data;
  if (basic && bearer) throw new PlainError(`${path}: basic_auth and authorization; give one of them`);
  const auth: AuthSettings | undefined = basic
    ? {
        username: basic.username,
        ...(basic.password === undefined ? {} : { password: basic.password }),
        ...(basic.password_file === undefined ? {} : { passwordFile: basic.password_file }),
      }
    : bearer && {
        ...(bearer.credentials === undefined ? {} : { bearerToken: bearer.credentials }),
        ...(bearer.credentials_file === undefined ? {} : { bearerTokenFile: bearer.credentials_file }),
      };
  const from = dirname(path);
  return { ...(auth && { auth: withFilesFrom(from, auth) }), ...(tls && { tls: withFilesFrom(from, tls) }) };
}
