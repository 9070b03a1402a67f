/** Names under which pages of other sites can't ask, and how much one client may ask at once. */

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { clientLimits } from '../../server/api/client-limits.ts';
import { type HostRules, hostGuard, isAllowedHost } from '../../server/api/guard.ts';
import { eventually } from '../scrape/eventually.ts';
import { type RunningApi, startApi } from './running-api.ts';

const LOOPBACK: HostRules = { address: '127.0.0.1', allowedHosts: [], externalUrl: 'https://mesh.example.com:8443/a' };
const OPEN: HostRules = { address: '::', allowedHosts: [], externalUrl: '' };
const NAMED: HostRules = { address: '0.0.0.0', allowedHosts: ['side.example.com', '*.mesh.test'], externalUrl: '' };

test.each<[host: string, loopback: boolean, open: boolean, named: boolean]>([
  ['localhost', true, true, true],
  ['localhost:9191', true, true, true],
  ['LOCALHOST.', true, true, true],
  ['127.0.0.1:1', true, true, true],
  ['127.8.9.1', true, true, true],
  ['[::1]:9191', true, true, true],
  ['10.0.0.9:9191', true, true, true],
  ['10.0.0.8', false, true, false],
  ['mesh.example.com', true, true, false],
  ['mesh.example.com:99999', true, true, false],
  ['side.example.com', false, true, true],
  ['Side.Example.com:80', false, true, true],
  ['a.side.example.com', false, true, false],
  ['a.mesh.test', false, true, true],
  ['mesh.test', false, true, false],
  ['evilmesh.test', false, true, false],
  ['evil.example', false, true, false],
  ['localhost.evil.example', false, true, false],
  ['127.0.0.1.evil.example', false, true, false],
  ['evil.example#localhost', false, false, false],
  ['evil@localhost', false, false, false],
  ['[localhost]', false, false, false],
  ['[::1', false, false, false],
  ['a b', false, false, false],
  ['', false, false, false],
])('the host %s is known at a loopback address: %s, at all: %s, with names: %s', (host, ...expected) => {
  expect([LOOPBACK, OPEN, NAMED].map((rules) => isAllowedHost(host, rules, '::ffff:10.0.0.9'))).toEqual(expected);
});

test('all names are allowed by *', () => {
  expect(isAllowedHost('evil.example', { ...LOOPBACK, allowedHosts: ['*'] })).toBe(true);
});

let api: RunningApi;
beforeAll(async () => {
  api = await startApi(undefined, { entrance: [hostGuard(() => LOOPBACK)] });
});
afterAll(() => api.stop());

async function raw(url: string, head: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`${head}\r\nconnection: close\r\n\r\n`);
  return text(socket);
}

test.each([
  ['GET /api/v1/status HTTP/1.1\r\nhost: evil.example', 421],
  ['GET /-/healthy HTTP/1.1\r\nhost: evil.example', 421],
  ['GET http://localhost/api/v1/status HTTP/1.1\r\nhost: evil.example', 421],
  ['GET /api/v1/status HTTP/1.1\r\nhost: localhost', 200],
  ['GET /api/v1/status HTTP/1.0', 200],
  ['GET /api/v1/status HTTP/1.1', 400],
])('%s is answered with %i', async (head, status) => {
  const answer = await raw(api.url, head);
  expect(answer.split('\r\n')[0]).toContain(` ${status} `);
  if (status === 421)
    expect(answer).toContain(
      String.raw`{"error":{"code":"wrong_host","message":"Sidelight does not go by the name \"evil.example\": ask for localhost, or add the name to web.allowed_hosts"}}`,
    );
});

test.each<[headers: Record<string, string>, status: number]>([
  [{}, 200],
  [{ 'sec-fetch-site': 'same-origin' }, 200],
  [{ 'sec-fetch-site': 'same-site' }, 403],
  [{ 'sec-fetch-site': 'cross-site' }, 403],
  [{ origin: 'https://evil.example' }, 403],
  [{ origin: 'null' }, 403],
  [{ origin: 'own' }, 200],
])('a reload with %j is answered with %i', async (headers, status) => {
  const sent = headers.origin === 'own' ? { origin: api.url } : headers;
  expect((await fetch(`${api.url}/-/reload`, { method: 'POST', headers: sent })).status).toBe(status);
});

test('one client has so many answers and streams at once, and one more when one has ended', async () => {
  const limits = { connections: 100, requestsPerClient: 2, streamsPerClient: 1 };
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const api = await startApi(undefined, {
    entrance: [clientLimits(() => limits)],
    metrics: async () => {
      await held;
      return { contentType: 'text/plain', pieces: ['up 1\n'].values() };
    },
  });
  onTestFinished(() => api.stop());
  let answered = 0;
  const waiting = [1, 2].map(() => fetch(`${api.url}/metrics`).then(() => answered++));
  const stream = new AbortController();
  expect((await fetch(`${api.url}/api/v1/events`, { signal: stream.signal })).status).toBe(200);
  await eventually(async () => (await fetch(`${api.url}/api/v1/status`)).status).toBe(429);
  const refused = await fetch(`${api.url}/api/v1/events`);
  expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
    429,
    '1',
    {
      error: { code: 'too_many', message: '1 event streams are open for your address already: try again in a second' },
    },
  ]);
  expect((await fetch(`${api.url}/-/healthy`)).status).toBe(200);
  release();
  await Promise.all(waiting);
  expect(answered).toBe(2);
  await eventually(async () => (await fetch(`${api.url}/api/v1/status`)).status).toBe(200);
  stream.abort();
  await eventually(async () => {
    const again = await fetch(`${api.url}/api/v1/events`);
    await again.body?.cancel();
    return again.status;
  }).toBe(200);
});
