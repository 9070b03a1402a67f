/** Who is let in, and what guessing costs. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcrypt';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Authentication, readLetIn } from '../../server/api/authentication.ts';
import { clientKey } from '../../server/api/client-address.ts';
import { FailedLogins } from '../../server/api/failed-logins.ts';
import { Passwords } from '../../server/api/passwords.ts';
import type { WebAuthConfig } from '../../server/config/web-config.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { type RunningApi, startApi } from './running-api.ts';

const sha256 = (token: string) => createHash('sha256').update(token).digest('hex');

const AUTH: WebAuthConfig = {
  users: [
    { name: 'reader', hash: hashSync('päss:word', 4), role: 'read' },
    { name: 'admin', hash: hashSync('secret', 4).replace('$2b', '$2y'), role: 'reload' },
  ],
  tokens: [
    { name: 'prometheus', sha256: sha256('reading-token'), role: 'read' },
    { name: 'ci', sha256: sha256('reloading-token'), role: 'reload' },
  ],
  openProbes: false,
};

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function closed(auth: WebAuthConfig = AUTH, now = () => Date.now()) {
  const authentication = new Authentication({ now });
  authentication.configure(readLetIn(auth));
  const api = await startApi(undefined, { entrance: [authentication.handler] });
  onTestFinished(() => api.stop());
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(api.url + path, { headers, method });
  return { api, authentication, ask };
}

/** Time goes by quickly, so that no guesser waits. */
let clock = 0;
const guarded = new Authentication({ now: () => (clock += 60_000) });
let api: RunningApi;
beforeAll(async () => {
  api = await startApi(undefined, { entrance: [guarded.handler] });
});
afterAll(() => api.stop());

test.each<[who: string, headers: Record<string, string>, read: number, reload: number]>([
  ['nobody', {}, 401, 401],
  ['a reader', basic('reader:päss:word'), 200, 403],
  ['an admin, whose hash is by htpasswd', basic('admin:secret'), 200, 200],
  [
    'a scheme in capitals',
    {
      authorization:
        basic('admin:secret').authorization.toUpperCase().slice(0, 6) + basic('admin:secret').authorization.slice(6),
    },
    200,
    200,
  ],
  ['a wrong password', basic('admin:Secret'), 401, 401],
  ['no password', basic('admin:'), 401, 401],
  ['a name alone', basic('admin'), 401, 401],
  ['an unknown name', basic('root:secret'), 401, 401],
  ['a name of an object', basic('__proto__:secret'), 401, 401],
  ['a hash as the password', basic(`admin:${AUTH.users[1]?.hash}`), 401, 401],
  ['a reading token', bearer('reading-token'), 200, 403],
  ['a reloading token', bearer('reloading-token'), 200, 200],
  ['a wrong token', bearer('reading-token2'), 401, 401],
  ['the hash of a token', bearer(sha256('reading-token')), 401, 401],
  ['an empty token', { authorization: 'Bearer ' }, 401, 401],
  ['another scheme', { authorization: 'Digest username="admin"' }, 401, 401],
  ['no base64', { authorization: 'Basic !!!' }, 401, 401],
])('%s', async (_, headers, read, reload) => {
  guarded.configure(readLetIn(AUTH));
  const ask = (path: string, method = 'GET') => fetch(api.url + path, { headers, method });
  for (const path of ['/api/v1/status', '/metrics', '/-/healthy', '/-/ready'])
    expect([path, (await ask(path)).status]).toEqual([path, read]);
  expect((await ask('/-/reload', 'POST')).status).toBe(reload);
});

test('what is refused says how to come in, in words of the API', async () => {
  const { ask } = await closed();
  const answer = await ask('/');
  expect(answer.headers.get('www-authenticate')).toBe(
    'Basic realm="Sidelight", charset="UTF-8", Bearer realm="Sidelight"',
  );
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await answer.json()).toEqual({
    error: { code: 'unauthorized', message: 'this takes a name and password, or a token' },
  });
});

test('probes answer everybody where that is configured, and nothing else does', async () => {
  const { ask } = await closed({ ...AUTH, openProbes: true });
  const statuses = ['/-/healthy', '/-/ready', '/-/healthy/', '/-/healthy/../reload', '/metrics', '/'].map(
    async (path) => [path, (await ask(path)).status],
  );
  expect(await Promise.all(statuses)).toEqual([
    ['/-/healthy', 200],
    ['/-/ready', 200],
    ['/-/healthy/', 401],
    ['/-/healthy/../reload', 401],
    ['/metrics', 401],
    ['/', 401],
  ]);
  expect((await ask('/-/ready', {}, 'POST')).status).toBe(401);
});

test('who guesses waits, and who has signed in before does not', async () => {
  let now = 1_000_000;
  const { ask } = await closed(AUTH, () => now);
  expect((await ask('/metrics', basic('admin:secret'))).status).toBe(200);
  const guesses = await Promise.all(Array.from({ length: 30 }, (_, index) => ask('/metrics', basic(`admin:${index}`))));
  expect(guesses.filter(({ status }) => status === 401)).toHaveLength(10);
  const refused = guesses.filter(({ status }) => status === 429);
  expect(refused.map(({ headers }) => headers.get('retry-after'))).toEqual(Array.from({ length: 20 }, () => '6'));
  expect((await ask('/metrics', basic('reader:päss:word'))).status).toBe(429);
  expect((await ask('/metrics', bearer('wrong'))).status).toBe(429);
  expect((await ask('/metrics', basic('admin:secret'))).status).toBe(200);
  expect((await ask('/metrics', bearer('reading-token'))).status).toBe(200);
  now += 6000;
  expect((await ask('/metrics', basic('reader:päss:word'))).status).toBe(200);
});

test('a user who is gone is not let in on what was remembered', async () => {
  const { ask, authentication } = await closed();
  expect((await ask('/metrics', basic('admin:secret'))).status).toBe(200);
  authentication.configure(readLetIn({ ...AUTH, users: AUTH.users.slice(0, 1) }));
  expect((await ask('/metrics', basic('admin:secret'))).status).toBe(401);
  authentication.configure(undefined);
  expect((await ask('/metrics')).status).toBe(200);
});

test('a right password is worked out once, and an unknown name costs as much as a known one', async () => {
  const costs: string[] = [];
  const passwords = new Passwords({
    now: () => 0,
    compare: async (password, hash) => {
      costs.push(hash.slice(0, 7));
      return password === 'right' && hash.startsWith('$2b$12$known');
    },
  });
  const user = (name: string, hash: string) => ({ name, hash, role: 'read' as const });
  passwords.configure([user('a', '$2y$12$known'), user('b', '$2b$05$other')]);
  const same = await Promise.all([passwords.check('a', 'right'), passwords.check('a', 'right')]);
  expect(same.map((found) => found?.name)).toEqual(['a', 'a']);
  expect(passwords.remembered('a', 'right')?.name).toBe('a');
  expect(passwords.remembered('a', 'wrong')).toBeUndefined();
  expect(await passwords.check('nobody', 'right')).toBeUndefined();
  expect(costs).toEqual(['$2b$12$', '$2b$12$']);
});

test('tokens in files are read, and files that hold none are told', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.token');
  const read = () => readLetIn({ ...AUTH, tokens: [{ name: 'a', tokenFile: file, role: 'read' }] });
  expect(read).toThrow(`${file} cannot be read (ENOENT): check the path and its permissions`);
  for (const text of ['', '\n', 'two words', 'two\nlines'])
    expect(() => {
      writeFileSync(file, text);
      read();
    }).toThrow(`${file} holds no token of "a": write one line of printable characters`);
  writeFileSync(file, 'a-token\n');
  expect(read().tokens.map(({ digest }) => digest.toString('hex'))).toEqual([sha256('a-token')]);
});

test('only so many guessers are remembered', () => {
  const failed = new FailedLogins(() => 0);
  for (let attempt = 0; attempt < 10; attempt++) failed.attempt('first');
  expect(failed.wait('first')).toBe(6);
  for (let client = 0; client < 10_000; client++) failed.attempt(String(client));
  expect(failed.wait('first')).toBe(0);
});

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', ''],
])('the client at %s is %s', (address, client) => {
  expect(clientKey(address)).toBe(client);
});
