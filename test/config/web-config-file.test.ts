/** Prometheus's web configuration file, beside the configuration and from the flag. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../server/config/load.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

const HASH = `$2y$10$${'a'.repeat(53)}`;
const TLS = 'tls_server_config: { cert_file: a.crt, key_file: a.key }\n';

function loaded(web: string, config = '') {
  const folder = temporaryFolder();
  const file = join(folder, 'web.yml');
  writeFileSync(file, web);
  const result = parseConfig(config, join(folder, 'conf.yaml'), { webConfigFile: file });
  return { folder, file, result };
}

test('TLS, users and headers of it count, with paths relative to it, and roles from the configuration', () => {
  const { folder, result } = loaded(
    `${TLS}basic_auth_users: { a: "${HASH}", b: "${HASH}" }\nhttp_server_config: { http2: false, headers: { X-Frame-Options: deny } }\n`,
    'web: { auth: { roles: { b: reload }, open_probes: true } }',
  );
  expect(result).toMatchObject({
    config: {
      web: {
        tls: { certFile: join(folder, 'a.crt'), keyFile: join(folder, 'a.key'), clientAuthType: 'NoClientCert' },
        auth: {
          users: [
            { name: 'a', role: 'read' },
            { name: 'b', role: 'reload' },
          ],
          tokens: [],
          openProbes: true,
        },
        headers: { 'X-Frame-Options': 'deny' },
      },
    },
  });
});

test('an empty one lets everybody in over plain HTTP, as in Prometheus', () => {
  const { result } = loaded('');
  expect(result).toMatchObject({ config: { web: { headers: {} } } });
  if ('config' in result) expect([result.config.web.tls, result.config.web.auth]).toEqual([undefined, undefined]);
});

test.each<[web: string, config: string, error: string]>([
  ['tls_server_config: [', '', 'FILE:1:21: not valid YAML: a [ is not closed with ]'],
  ['basic_auth_user: {}', '', 'FILE:1: basic_auth_user: unknown key; did you mean `basic_auth_users`?'],
  ['\nbasic_auth_users: { a: hunter2 }', '', 'FILE:2: basic_auth_users.a: not a bcrypt hash; make one with'],
  [TLS, 'web: { tls: { cert_file: a, key_file: b } }', 'FILE: web.tls stands in the configuration too; remove one'],
  [
    `basic_auth_users: { a: "${HASH}" }`,
    `web: { auth: { basic_auth_users: { b: "${HASH}" } } }`,
    'FILE: web.auth.basic_auth_users stands in the configuration too; remove one',
  ],
])('%j beside %j is told', (web, config, error) => {
  const { file, result } = loaded(web, config);
  expect('errors' in result && result.errors[0]?.replace(file, 'FILE')).toContain(error);
  expect(JSON.stringify(result)).not.toContain('hunter2');
});
