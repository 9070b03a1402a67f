/** Prometheus's web configuration file: https://prometheus.io/docs/prometheus/latest/configuration/https/ */

import { dirname } from 'node:path';
import { z } from 'zod';
import { problemsOf } from './check.ts';
import { readTree } from './document.ts';
import { switchField } from './fields.ts';
import { readConfigFile } from './file.ts';
import { type NamedFiles, namedFiles } from './named-files.ts';
import { withFilesFrom } from './normalised-discovery.ts';
import { formatProblems } from './problem.ts';
import { basicAuthUsersField } from './web-auth-fields.ts';
import type { WebTlsConfig } from './web-config.ts';
import { responseHeadersField } from './web-fields.ts';
import { webTlsField } from './web-tls-fields.ts';

const webFileSchema = z.strictObject({
  tls_server_config: webTlsField().optional(),
  http_server_config: z
    .strictObject({ http2: switchField().optional(), headers: responseHeadersField().optional() })
    .optional(),
  basic_auth_users: basicAuthUsersField().optional(),
});

export interface WebFile {
  readonly tls?: WebTlsConfig;
  /** Of passwords, by name. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly namedFiles: NamedFiles;
}

/** What the file at `path` says, with paths relative to it made absolute, or what is wrong with it, in one line each. */
export function readWebFile(path: string): WebFile | { readonly errors: string[] } {
  const read = readConfigFile(path);
  if ('error' in read) return { errors: [read.error] };
  const tree = readTree(read.text, path);
  if ('errors' in tree) return tree;
  const result = webFileSchema.safeParse(tree.value);
  const issues = result.success ? [] : result.error.issues;
  const problems = [...tree.problems, ...issues.flatMap((issue) => problemsOf(issue, tree.value, webFileSchema))];
  if (!result.success || problems.length > 0) return { errors: formatProblems(problems, tree.origins) };
  const { tls_server_config: tls, http_server_config: http, basic_auth_users: users } = result.data;
  return {
    ...(tls && { tls: withFilesFrom(dirname(path), tls) }),
    hashes: users ?? {},
    headers: http?.headers ?? {},
    namedFiles: namedFiles(tree),
  };
}
