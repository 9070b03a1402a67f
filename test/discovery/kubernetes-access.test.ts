/** Who we are to the API server: service accounts and kubeconfigs, on a stand-in for it. */

import { once } from 'node:events';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { execPlugin } from '../../server/discovery/kubeconfig-exec.ts';
import { ApiServer } from '../../server/discovery/kubernetes-api.ts';
import { type AccessOptions, openAccess } from '../../server/discovery/kubernetes-open.ts';
import { tlsFile } from '../scrape/fake-tls-admin.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { fakeApiServer } from './fake-api-server.ts';
import { podManifest } from './pod-manifest.ts';

const CERTIFICATE = {
  cert: readFileSync(tlsFile('server.crt'), 'utf8'),
  key: readFileSync(tlsFile('server.key'), 'utf8'),
};
const PEM = (text: string) => Buffer.from(text).toString('base64');

async function serving(tls?: typeof CERTIFICATE) {
  const folder = temporaryFolder();
  const server = await fakeApiServer(folder, tls);
  onTestFinished(() => server.close());
  server.put(podManifest());
  return { folder, server, port: new URL(server.url).port };
}

/** Lists the pods, and gives their number. */
async function listedBy(api: ApiServer, signal = new AbortController().signal): Promise<number> {
  let pods = 0;
  const asked = { verb: 'list', resource: 'pods', namespace: '' } as const;
  const asking = { path: '/api/v1/pods?limit=500', accept: 'application/json', asked, timeoutMs: 10_000, signal };
  await api.list(asking, () => pods++);
  return pods;
}

function apiServer(options: Partial<AccessOptions>): ApiServer {
  const api = new ApiServer({ kubeconfig: undefined, now: Date.now, environment: {}, ...options });
  onTestFinished(() => api.close());
  return api;
}

/** A pod's service account, for this stand-in. */
async function account() {
  const { server, folder, port } = await serving(CERTIFICATE);
  copyFileSync(tlsFile('ca.crt'), join(folder, 'ca.crt'));
  const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port };
  return { server, folder, options: { environment, accountFolder: folder } };
}

test("a pod's service account: its authority, its token, and the next token without a refusal", async () => {
  const { server, options } = await account();
  let now = 0;
  const api = apiServer({ ...options, now: () => now });
  expect(await listedBy(api)).toBe(1);
  server.tokens.add('second');
  writeFileSync(server.tokenFile, 'second\n');
  now += 60_000;
  server.tokens.delete('first');
  expect(await listedBy(api)).toBe(1);
});

test.each<[about: string, change: (folder: string) => void, error: RegExp]>([
  ['of another cluster', (folder) => copyFileSync(tlsFile('client.crt'), join(folder, 'ca.crt')), /its certificate is/],
  [
    'without an authority',
    (folder) => writeFileSync(join(folder, 'ca.crt'), ''),
    /ca.crt is not a PEM file: it has no -----BEGIN line/,
  ],
  ['with an empty token', (folder) => writeFileSync(join(folder, 'token'), '\n'), /token holds no secret: it is empty/],
  ['whose token is refused', (folder) => writeFileSync(join(folder, 'token'), 'x'), /does not know us \(401\)/],
])('a service account %s', async (_about, change, error) => {
  const { folder, options } = await account();
  change(folder);
  await expect(listedBy(apiServer(options))).rejects.toThrow(error);
});

test('the address of the API server in a cluster, and what is said where there is none', async () => {
  const { options } = await account();
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1' };
  const access = await openAccess({ kubeconfig: undefined, now: Date.now, ...options, environment });
  expect(access.server).toBe('https://[fd00::1]:443');
  access.close();
  const nowhere = { kubeconfig: undefined, now: Date.now, accountFolder: '/none', environment: { KUBECONFIG: '/no' } };
  await expect(openAccess(nowhere)).rejects.toThrow(
    'there is neither a service account (/none) nor a kubeconfig (/no): set discovery.kubernetes[].kubeconfig',
  );
});

/** A kubeconfig for `server`, in a folder with the files `token` and `plugin`. */
function kubeconfigIn(
  folder: string,
  server: string,
  { user = {}, cluster = {} }: { user?: object; cluster?: object },
) {
  const path = join(folder, 'other');
  const text = {
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster: { server, 'insecure-skip-tls-verify': true, ...cluster } }],
    users: [{ name: 'a', user }],
  };
  writeFileSync(path, JSON.stringify(text));
  return path;
}

/** A program that answers with this text, and notes each run in the file `runs`. */
function plugin(folder: string, script: string): void {
  writeFileSync(join(folder, 'plugin'), `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> '${folder}/runs'\n${script}\n`);
  chmodSync(join(folder, 'plugin'), 0o755);
}
const gives = (status: object) =>
  `echo '${JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })}'`;
const runs = (folder: string) => readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n');
const EXEC = { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin' };

test.each<[about: string, user: object, token: string]>([
  ['a token', { token: ' first ' }, 'first'],
  ['a file of a token, which counts before a token', { tokenFile: 'token', token: 'old' }, 'first'],
  ['a name and a password', { username: 'me', password: 'pass' }, `Basic ${PEM('me:pass')}`],
  ['a program', { exec: { ...EXEC, env: [{ name: 'GIVEN', value: 'by-program' }] } }, 'by-program'],
  ['an auth provider', { 'auth-provider': { name: 'a', config: { tokenFile: 'FOLDER/token' } } }, 'first'],
])('a kubeconfig whose user has %s', async (_about, user, token) => {
  const { folder, server } = await serving();
  plugin(folder, `printf '{"status":{"token":"%s"}}' "$GIVEN"`);
  server.tokens.clear();
  server.tokens.add(token);
  const written = JSON.parse(JSON.stringify(user).replace('FOLDER', folder));
  const api = apiServer({ kubeconfig: kubeconfigIn(folder, server.url, { user: written }) });
  expect(await listedBy(api)).toBe(1);
});

test.each<[about: string, authority: (folder: string) => object]>([
  ['text', () => ({ 'certificate-authority-data': PEM(readFileSync(tlsFile('ca.crt'), 'utf8')) })],
  [
    'a file beside it',
    (folder) => {
      copyFileSync(tlsFile('ca.crt'), join(folder, 'ca.crt'));
      return { 'certificate-authority': 'ca.crt' };
    },
  ],
])('a kubeconfig with its authority as %s, a client certificate and another user', async (_about, authority) => {
  const { folder, server } = await serving(CERTIFICATE);
  const cluster = { 'insecure-skip-tls-verify': false, 'tls-server-name': 'envoy.test', ...authority(folder) };
  const user = {
    ...{ token: 'first', as: 'someone' },
    ...{ 'client-certificate-data': PEM('-----BEGIN A'), 'client-key': '/keys/a' },
  };
  const { token, as } = user;
  const api = apiServer({ kubeconfig: kubeconfigIn(folder, server.url, { cluster, user: { token, as } }) });
  expect(await listedBy(api)).toBe(1);
  expect(api.current?.tls).toMatchObject({ serverName: 'envoy.test' });
  expect(await api.current?.headers()).toEqual({ authorization: 'Bearer first', 'impersonate-user': 'someone' });
  const unread = apiServer({ kubeconfig: kubeconfigIn(folder, server.url, { cluster, user }) });
  await expect(listedBy(unread)).rejects.toThrow(/^kubeconfig \S+\/other: \/keys\/a cannot be read \(ENOENT\)/);
});

test('several kubeconfigs count together: the first one that has a name counts, with files beside it', async () => {
  const folders = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  const [first = '', second = '', none = ''] = folders.map((folder) => join(folder, 'config'));
  const named = (name: string, kind: string, value: object) => ({ name, [kind]: value });
  const server = 'https://127.0.0.1:6443';
  writeFileSync(
    first,
    JSON.stringify({ 'current-context': 'a', users: [named('a', 'user', { tokenFile: 'token' })], clusters: [] }),
  );
  writeFileSync(
    second,
    JSON.stringify({
      'current-context': 'b',
      contexts: [named('a', 'context', { cluster: 'a', user: 'a' })],
      users: [named('a', 'user', { token: 'of the second' })],
      clusters: [named('a', 'cluster', { server, 'certificate-authority': 'ca.crt' })],
    }),
  );
  writeFileSync(join(folders[0] ?? '', 'token'), 'of the first');
  copyFileSync(tlsFile('ca.crt'), join(folders[1] ?? '', 'ca.crt'));
  const environment = { KUBECONFIG: [none, '', first, second].join(delimiter) };
  const access = await openAccess({ kubeconfig: undefined, now: Date.now, accountFolder: '/none', environment });
  expect(access).toMatchObject({ server, tls: { caFile: join(folders[1] ?? '', 'ca.crt') } });
  expect(await access.headers()).toEqual({ authorization: 'Bearer of the first' });
  access.close();
});

test('a program is run once for all who ask, and again when what it gave has expired', async () => {
  const folder = temporaryFolder();
  plugin(folder, gives({ token: 'a', expirationTimestamp: '2026-01-01T00:00:00Z' }));
  let now = Date.parse('2025-12-31T23:59:59Z');
  const credential = execPlugin({ ...EXEC, provideClusterInfo: true }, { cluster: { a: 1 }, folder, now: () => now });
  await Promise.all([credential(), credential()]);
  expect((await credential()).headers).toEqual({ authorization: 'Bearer a' });
  expect(runs(folder).map((info) => JSON.parse(info))).toEqual([
    { apiVersion: EXEC.apiVersion, kind: 'ExecCredential', spec: { interactive: false, cluster: { a: 1 } } },
  ]);
  now += 1000;
  await credential();
  expect(runs(folder)).toHaveLength(2);
});

test.each<[about: string, script: string, settings: object, error: RegExp]>([
  ['fails', "echo >&2; echo 'not  signed in' >&2; exit 3", {}, /^\.\/plugin failed: not signed in$/],
  ['fails without a word', 'exit 3', {}, /^\.\/plugin failed: 3$/],
  ['gives no JSON', 'echo welcome', {}, /gave no ExecCredential with a token or a client certificate/],
  ['gives half a certificate', gives({ clientCertificateData: 'x' }), {}, /gave no ExecCredential/],
  ['gives a token of two lines', gives({ token: 'a\\nb: c' }), {}, /gave no ExecCredential/],
  ['gives too much', 'yes', {}, /^\.\/plugin failed: /],
  ['waits', 'exec sleep 60', {}, /has not answered within 0.5 s: does it wait for a sign-in\?/],
  ['is not there', '', { command: 'no-such-plugin', installHint: 'from x' }, /\(ENOENT\): install it from x$/],
  ['has no name', '', { command: '' }, /^user.exec has no command$/],
])('a program that %s', async (_about, script, settings, error) => {
  const folder = temporaryFolder();
  plugin(folder, script);
  const credential = execPlugin(
    { ...EXEC, ...settings },
    { cluster: {}, folder, now: Date.now, timeoutMs: script.startsWith('exec') ? 500 : 20_000 },
  );
  await expect(credential()).rejects.toThrow(error);
  await expect(credential()).rejects.toThrow(error);
});

test('a client certificate from a program', async () => {
  const folder = temporaryFolder();
  plugin(folder, gives({ clientCertificateData: 'c', clientKeyData: 'k' }));
  const credential = await execPlugin(EXEC, { cluster: {}, folder, now: Date.now })();
  expect(credential).toEqual({ headers: {}, cert: 'c', key: 'k', expiresAt: Number.POSITIVE_INFINITY });
});

test('a program that waits does not keep a stop waiting', async () => {
  const { folder, server } = await serving();
  plugin(folder, 'exec sleep 5');
  const stopping = new AbortController();
  const listing = listedBy(
    apiServer({ kubeconfig: kubeconfigIn(folder, server.url, { user: { exec: EXEC } }) }),
    stopping.signal,
  );
  const ended = expect(listing).rejects.toThrow();
  stopping.abort();
  await ended;
});

test("a kubeconfig's proxy-url is used, but for asking pods", async () => {
  const { folder, server } = await serving();
  const seen: string[] = [];
  const proxy = createServer().on('connect', ({ url = '' }, socket: Socket) => {
    seen.push(url);
    const through = connect(Number(new URL(`http://${url}`).port), '127.0.0.1', () =>
      socket.write('HTTP/1.1 200 OK\r\n\r\n'),
    );
    socket.pipe(through).pipe(socket);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const cluster = { 'proxy-url': `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const kubeconfig = kubeconfigIn(folder, server.url, { cluster, user: { token: 'first' } });
  expect(await listedBy(apiServer({ kubeconfig }))).toBe(1);
  expect(seen).toEqual([new URL(server.url).host]);
  await expect(listedBy(apiServer({ kubeconfig, asksPods: true }))).rejects.toThrow(
    /^kubeconfig \S+\/other: access: proxy cannot go by the proxy-url of the cluster; take access: direct/,
  );
});
