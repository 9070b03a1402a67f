/** The collector behind TLS and a login, by Prometheus's web configuration. */

import { copyFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { hashSync } from 'bcrypt';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startCollector } from '../../server/collector.ts';
import { loadConfig } from '../../server/config/load.ts';
import { runSidelight } from '../cli/sidelight.ts';
import { eventually } from '../scrape/eventually.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { fixture, fixtureText } from '../web-server/tls-fixtures.ts';

const WEB = `tls_server_config: { cert_file: server.crt, key_file: server.key }
basic_auth_users: { admin: "${hashSync('secret', 4)}", reader: "${hashSync('reading', 4)}" }
http_server_config: { http2: true, headers: { Strict-Transport-Security: max-age=3600, X-Frame-Options: SAMEORIGIN } }
`;

async function running(web = WEB) {
  const folder = temporaryFolder();
  const file = join(folder, 'sidelight.yaml');
  const put = (name: string, content: string) => writeFileSync(join(folder, name), content);
  const configure = (auth: string) =>
    put(
      'sidelight.yaml',
      `web: { listen: "127.0.0.1:0", config_file: web.yml, auth: ${auth} }\nstorage: { path: ":memory:" }\n`,
    );
  for (const name of ['server.crt', 'server.key']) copyFileSync(fixture(name), join(folder, name));
  put('ci.token', 'first-token\n');
  put('web.yml', web);
  configure('{ roles: { admin: reload }, bearer_tokens: [ { name: ci, token_file: ci.token } ] }');
  const loaded = loadConfig(file);
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => lines.push(line) });
  const collector = await startCollector(loaded.config, log, (config) => loadConfig(file, {}, config));
  onTestFinished(() => collector.stop());
  const ask = (path: string, { auth = 'admin:secret', method = 'GET', servername = 'envoy.test', token = '' } = {}) =>
    new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
      const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
      const options = { ca: fixtureText('ca.crt'), servername, method, agent: false, headers };
      request(
        `${collector.url}${path}`,
        { ...options, ...(token === '' && auth !== '' && { auth }) },
        async (response) =>
          resolve({ status: response.statusCode ?? 0, body: await text(response), headers: response.headers }),
      )
        .on('error', reject)
        .end();
    });
  return { folder, put, configure, collector, lines, ask };
}

test('everything is behind TLS and the login, with roles and headers', async () => {
  const { collector, ask } = await running();
  expect(collector.url).toMatch(/^https:\/\/127\.0\.0\.1:/);
  const statuses = [ask('/metrics', { auth: '' }), ask('/metrics'), ask('/metrics', { token: 'first-token' })];
  expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([401, 200, 200]);
  expect((await ask('/-/reload', { auth: 'reader:reading', method: 'POST' })).status).toBe(403);
  expect((await ask('/-/reload', { method: 'POST' })).status).toBe(200);
  const { headers } = await ask('/-/healthy');
  expect(headers).toMatchObject({ 'strict-transport-security': 'max-age=3600', 'x-frame-options': 'SAMEORIGIN' });
  expect((await ask('/api/v1/status')).body).not.toContain('$2b$');
});

test('certificates and tokens are read again, and bad ones change nothing', async () => {
  const { folder, put, lines, ask, configure } = await running();
  const reload = async () => JSON.parse((await ask('/-/reload', { method: 'POST' })).body).error.message;
  put('server.crt', 'no certificate');
  expect(await reload()).toMatch(
    /^\S+web\.yml:1: tls_server_config\.cert_file: \S+server\.crt is not a PEM file of a certificate/,
  );
  expect((await ask('/metrics')).status).toBe(200);
  await eventually(() => lines.join('')).toContain('what was read before still counts');
  copyFileSync(fixture('named.crt'), join(folder, 'server.crt'));
  put('ci.token', 'second-token');
  await eventually(
    async () =>
      (await ask('/metrics', { servername: 'elsewhere.test', token: 'second-token' }).catch(() => undefined))?.status,
  ).toBe(200);
  expect(lines.join('')).toContain('a new certificate counts');
  const named = { servername: 'elsewhere.test' };
  expect((await ask('/metrics', { ...named, token: 'first-token' })).status).toBe(401);
  configure('{ bearer_tokens: [ { name: ci, token_file: nowhere } ], roles: { admin: reload } }');
  expect((await ask('/-/reload', { ...named, method: 'POST' })).body).toContain('nowhere cannot be read (ENOENT)');
  expect((await ask('/metrics', { ...named, token: 'second-token' })).status).toBe(200);
}, 40_000);

test('the terminal signs in by a file', async () => {
  const { collector, folder, put } = await running();
  put(
    'client.yml',
    `basic_auth: { username: reader, password: reading }\ntls_config: { ca_file: ${fixture('ca.crt')} }\n`,
  );
  put('password', 'reading\n');
  put(
    'file.yml',
    `basic_auth: { username: reader, password_file: password }\ntls_config: { ca_file: ${fixture('ca.crt')} }\n`,
  );
  put('token.yml', `authorization: { credentials: wrong }\ntls_config: { ca_file: ${fixture('ca.crt')} }\n`);
  const stat = (file: string) => runSidelight(['stat', `--url=${collector.url}`, `--http.config.file=${file}`], folder);
  const [good, also, bad, none] = await Promise.all(['client.yml', 'file.yml', 'token.yml', 'nowhere.yml'].map(stat));
  expect([good?.code, good?.err, also?.code]).toEqual([0, [], 0]);
  expect([bad?.code, bad?.err]).toEqual([
    1,
    [
      `${collector.url} lets only some in: write name and password, or a token, in a file and give it by --http.config.file`,
    ],
  ]);
  expect(none?.err).toEqual(['error: nowhere.yml: no such file; check the path']);
  const inUrl = await runSidelight(['stat', '--url=http://admin:canary@127.0.0.1:1'], folder);
  expect(inUrl.err).toEqual(['--url: leave out user and password; write them in the file of --http.config.file']);
});
