/** A secret in every place of the configuration that takes one, and servers that give back what they are sent: no output tells any. */

import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { hashSync } from 'bcrypt';
import { expect, onTestFinished, test } from 'vitest';
import { openApi } from '../../server/api/openapi.ts';
import { runSidelight, Sidelight } from '../cli/sidelight.ts';
import { eventually } from '../scrape/eventually.ts';
import { healthy, startFakeAdmin } from '../scrape/fake-admin.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

const canary = (place: string) => `canary-${place}-7Zq3`;

/** A fake server that refuses everything, with all that it was sent in the first line of its answer. */
async function startEcho() {
  const asked = new Set<string>();
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.add(`${request.url?.split('?')[0]}`);
    response.statusCode = request.url?.includes('/stats') ? 403 : 500;
    response.end(`no: ${request.url} ${JSON.stringify(request.headers)}`);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

test('no secret of the configuration comes out anywhere', async () => {
  const folder = temporaryFolder();
  const { port, asked } = await startEcho();
  const admin = await startFakeAdmin(healthy);
  onTestFinished(() => admin.stop());
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const hash = hashSync(canary('user'), 4);
  put(
    'kubeconfig',
    `apiVersion: v1
kind: Config
clusters: [ { name: a, cluster: { server: "http://127.0.0.1:${port}" } } ]
users: [ { name: a, user: { token: ${canary('kubeconfig')} } } ]
contexts: [ { name: a, context: { cluster: a, user: a } } ]
current-context: a
`,
  );
  put('password', canary('password-file'));
  put('token', canary('web-token-file'));
  put('hook.secret', canary('hook-secret'));
  put(
    'sidelight.yaml',
    `
scrape: { interval: 1s, timeout: 1s, auth: { username: scraper, password: ${canary('scrape-password')} } }
discovery:
  static:
    - { targets: ["${admin.text}"] }
    - { targets: ["127.0.0.1:${port}"], auth: { bearer_token: ${canary('bearer')} } }
    - { targets: ["localhost:${port}"], auth: { username: a, password_file: password } }
  http:
    - { url: "http://127.0.0.1:${port}/sd?key=${canary('sd-query')}", source_auth: { username: a, password: ${canary('sd-password')} } }
    - { url: "http://127.0.0.1:${port}/sd2", source_auth: { bearer_token: ${canary('sd-bearer')} } }
  kubernetes: [ { kubeconfig: kubeconfig } ]
alerts:
  interval: 1s
  rules: [ { name: Quiet, signal: request_rate, below: 1000/s, window: 10s } ]
  alertmanagers: [ { url: "http://127.0.0.1:${port}/am", headers: { authorization: "Bearer ${canary('alertmanager')}" } } ]
  webhooks: [ { url: "http://127.0.0.1:${port}/hook/${canary('hook-path')}?k=${canary('hook-query')}",
                headers: { x-key: ${canary('hook-header')} }, secret_file: hook.secret } ]
web:
  listen: 127.0.0.1:0
  auth:
    basic_auth_users: { admin: "${hash}" }
    roles: { admin: reload }
    bearer_tokens: [ { name: a, token_file: token }, { name: b, token_sha256: ${'ab'.repeat(32)} } ]
storage: { path: sidelight.db }
log: { level: trace, format: json }
`,
  );
  put(
    'bad.yaml',
    `scrape: { auth: { bearer_token: [${canary('bad')}] } }
alerts: { webhooks: [ { url: "http://a:${canary('bad')}@b/", headers: { a: { ${canary('bad')}: 1 } } } ], alertmanagers: [ { url: "hooks.example.com/${canary('bad')}" } ] }
discovery: { http: [ { url: "http://a:${canary('bad')}@b/" } ] }
web: { auth: { basic_auth_users: { a: ${canary('bad')} }, bearer_tokens: [ { name: a, token_sha256: ${canary('bad')} } ] } }
`,
  );
  const places = [
    'user',
    'kubeconfig',
    'password-file',
    'web-token-file',
    'hook-secret',
    'scrape-password',
    'bearer',
    'sd-query',
    'sd-password',
    'sd-bearer',
    'alertmanager',
    'hook-path',
    'hook-query',
    'hook-header',
    'bad',
    'guess',
  ].map(canary);
  const encoded = ['scraper:', 'a:', 'admin:'].flatMap((name) =>
    places.map((place) => Buffer.from(name + place).toString('base64')),
  );
  const secrets = [...places, ...encoded, hash, hash.slice(-31), 'ab'.repeat(32)];
  const told = (text: string) => secrets.filter((secret) => text.includes(secret));

  const collector = new Sidelight(['serve', '--config.file=sidelight.yaml'], folder);
  onTestFinished(() => collector.kill('SIGKILL'));
  await eventually(() => collector.err).toMatch(/listening on http/);
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(/listening on [^"]+/.exec(collector.err)?.[0] ?? '') ?? [];
  const authorization = `Bearer ${canary('web-token-file')}`;
  const ask = async (path: string, headers: Record<string, string> = { authorization }) => {
    const response = await fetch(url + path, { headers });
    return `${path.split('?')[0]} ${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`;
  };
  await eventually(() => [...asked]).toEqual(
    expect.arrayContaining(['/sd', '/sd2', '/am/api/v2/alerts', `/hook/${canary('hook-path')}`, '/api/v1/pods']),
  );
  await eventually(() => collector.err).toMatch(/webhook .* was not told/);
  const paths = Object.keys(openApi.paths).filter((path) => !path.endsWith('/events') && path !== '/-/reload');
  const answers = [
    ...(await Promise.all(paths.map((path) => ask(path.replace('{service}', 'checkout'))))),
    await ask(`/api/v1/status?token=${canary('guess')}`, {}),
    await ask('/metrics', { authorization: `Basic ${Buffer.from(`admin:${canary('guess')}`).toString('base64')}` }),
  ];
  for (const answer of answers) expect(told(answer), answer.slice(0, 60)).toEqual([]);
  expect(answers.join('\n')).toContain('[hidden]');

  const commands = [
    ['check-config', 'sidelight.yaml'],
    ['check-config', 'bad.yaml'],
    ['targets', '--config.file=sidelight.yaml', '--output=json'],
    ['rules', '--config.file=sidelight.yaml'],
    ['explain', `127.0.0.1:${port}`, '--config.file=sidelight.yaml'],
    ['explain', admin.text, '--config.file=sidelight.yaml', '--output=json', '--all'],
    ['stat', `--url=${url}`],
    ['stat', `--url=http://admin:${canary('user')}@127.0.0.1:1`],
  ];
  for (const command of commands) {
    const { out, err } = await runSidelight(command, folder);
    const said = [...out, ...err].join('\n');
    expect(said, command.join(' ')).not.toBe('');
    expect(told(said), `${command.join(' ')}: ${said.slice(0, 2000)}`).toEqual([]);
  }
  collector.kill('SIGTERM');
  await collector.ended;
  expect(
    told(collector.err),
    collector.err
      .split('\n')
      .filter((line) => told(line).length > 0)
      .slice(0, 5)
      .join('\n'),
  ).toEqual([]);
}, 120_000);
