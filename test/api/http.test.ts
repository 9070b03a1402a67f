/** How the API behaves as an HTTP server, whatever it is asked for. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { piecesOf } from '../../server/api/slices.ts';
import { type QueryLimits, QueryStoppedError, type SumAnswer, type SumQuery } from '../../server/store/store.ts';
import { eventually } from '../scrape/eventually.ts';
import { validatorOf } from './described.ts';
import { MIXED } from './meshes.ts';
import { type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sidelight-web-'));
  const webFolder = join(folder, '.hidden', 'dist');
  mkdirSync(join(webFolder, 'assets'), { recursive: true });
  writeFileSync(join(webFolder, 'index.html'), '<!doctype html><title>Sidelight</title>');
  writeFileSync(join(webFolder, 'assets', 'app-1a2b.js'), 'export {};');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  api = await startApi(MIXED, { webFolder });
});
afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

const fetched = (path: string, options?: RequestInit) => fetch(api.url + path, options);

/** A request as it is, with a path that a client library would tidy up. */
async function rawRequest(line: string): Promise<string> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  socket.end(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`);
  return text(socket);
}

test.each(['GET', 'HEAD'])('%s of /-/healthy and /-/ready', async (method) => {
  for (const [path, body] of [
    ['/-/healthy', 'Sidelight is healthy.\n'],
    ['/-/ready', 'Sidelight is ready.\n'],
  ] as const) {
    const response = await fetched(path, { method });
    expect([response.status, await response.text()]).toEqual([200, method === 'GET' ? body : '']);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  }
});

test('while it is not ready, it says why, and is healthy all the same', async () => {
  const starting = await startApi(undefined, { notReady: () => 'no scrape has ended yet' });
  onTestFinished(() => starting.stop());
  const response = await fetch(`${starting.url}/-/ready`);
  expect([response.status, await response.text()]).toEqual([503, 'Not ready: no scrape has ended yet.\n']);
  expect((await fetch(`${starting.url}/-/healthy`)).status).toBe(200);
});

test('/metrics has the content type of the exposition', async () => {
  const response = await fetched('/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toBe('up 1\n');
});

test.each(['/api/v1/services', '/api/v1/nothing', '/', '/metrics', '/-/healthy', '/assets/app-1a2b.js'])(
  '%s has security headers',
  async (path) => {
    const { headers } = await fetched(path);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'self';img-src 'self' data:;style-src 'self';object-src 'none';base-uri 'none';form-action 'self';frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-powered-by')).toBeNull();
  },
);

test.each(['/api/v1/status', '/api/v1/services?windw=5m', '/api/v1/nothing'])(
  'the answer of %s is kept by no cache',
  async (path) => {
    expect((await fetched(path)).headers.get('cache-control')).toBe('no-store');
  },
);

test.each(['/api', '/api/', '/api/v1', '/api/v1/nothing', '/api/v2/services', '/api/v1/services/a/b'])(
  '%s is unknown',
  async (path) => {
    const response = await fetched(`${path}?x=1`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual({
      error: { code: 'not_found', message: `there is no ${path}: see /api/v1/openapi.json` },
    });
  },
);

test.each([
  ['POST', '/api/v1/services'],
  ['PUT', '/api/v1/services/shop'],
  ['DELETE', '/api/v1/targets'],
  ['PATCH', '/api/v1/nothing'],
  ['POST', '/'],
  ['POST', '/metrics'],
  ['POST', '/-/healthy'],
  ['POST', '/services/shop'],
])('%s of %s is not possible', async (method, path) => {
  const response = await fetched(path, { method, body: '{"a":' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(await response.json()).toEqual({
    error: { code: 'not_allowed', message: `${method} is not possible here: everything is read with GET` },
  });
});

test.each([
  '/api/v1/services/%',
  '/api/v1/services/%E0%A4%A',
  '/api/v1/services/%ff',
  '/%',
  '/%c0%ae%c0%ae/secret.txt',
  '/assets/%E0%A4%A',
])('%s can not be read', async (path) => {
  const response = await fetched(path);
  expect([response.status, await response.json()]).toEqual([
    400,
    { error: { code: 'bad_request', message: 'the address can not be read' } },
  ]);
});

test('a percent sign that stands alone in a query is taken as it is', async () => {
  const response = await fetched('/api/v1/services?service=100%&service=%E0');
  expect([response.status, (await response.json()).services]).toEqual([200, []]);
});

test.each([
  '/../secret.txt',
  '/..%2f..%2fsecret.txt',
  '/assets/../../../secret.txt',
  '/assets/..%2f..%2f..%2fsecret.txt',
])('nothing outside of the web folder is given away: %s', async (path) => {
  expect(await rawRequest(`GET ${path} HTTP/1.1`)).not.toContain('\r\n\r\nsecret');
});

test.each(['/', '/services/shop', '/targets?x=1', '/index.html', '/anything/else'])(
  '%s is the web app',
  async (path) => {
    const response = await fetched(path);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await response.text()).toContain('<title>Sidelight</title>');
  },
);

test('assets are kept for ever by caches, the page never', async () => {
  expect((await fetched('/assets/app-1a2b.js')).headers.get('cache-control')).toBe(
    'public, max-age=31536000, immutable',
  );
  expect((await fetched('/')).headers.get('cache-control')).toBe('no-cache');
});

test('an asset that is not there is told so, not answered with the page', async () => {
  const response = await fetched('/assets/app-old.js');
  expect([response.status, await response.json()]).toEqual([
    404,
    { error: { code: 'not_found', message: 'there is no such file' } },
  ]);
});

test('without a built web app, the page says what to do', async () => {
  const bare = await startApi();
  onTestFinished(() => bare.stop());
  const response = await fetch(bare.url);
  expect([response.status, await response.json()]).toEqual([
    503,
    { error: { code: 'not_built', message: 'the dashboard is not built: run "npm run build"' } },
  ]);
});

test('when an answer can not be worked out, the log knows why, and the caller sees no stack trace', async () => {
  const broken = await startApi(undefined, {
    store: {
      async sums() {
        throw new TypeError('oops at /secret/place.ts:7');
      },
    },
  });
  onTestFinished(() => broken.stop());
  const response = await fetch(`${broken.url}/api/v1/services`);
  expect([response.status, await response.json()]).toEqual([
    500,
    { error: { code: 'internal', message: 'the answer could not be worked out: the log says why' } },
  ]);
  expect(broken.failures).toEqual([new TypeError('oops at /secret/place.ts:7')]);
});

test('what is asked for as JSON is rendered as JSON.stringify would', () => {
  const answers = [
    { a: 1, b: undefined, c: null, d: [], e: {}, f: [1, 2], g: 'ü"\\', h: Number.NaN },
    { list: [{ labels: { a: 'b' }, points: Array.from({ length: 1001 }, (_, i) => [i, i % 7 === 0 ? null : i / 3]) }] },
    [],
    null,
    'text',
    { deep: [[[[{ a: [{ b: { c: [{ d: 1 }] } }] }]]]] },
  ];
  for (const answer of answers) expect([...piecesOf(answer, 0)].join('')).toBe(JSON.stringify(answer));
});

test('so many queries at once are answered with 503, and when to come again', async () => {
  const answers = Promise.withResolvers<SumAnswer>();
  let asked = 0;
  const store = {
    sums() {
      asked++;
      return answers.promise;
    },
  };
  const crowded = await startApi(undefined, { store, limits: { maxAsking: 1 } });
  onTestFinished(() => crowded.stop());
  const first = fetch(`${crowded.url}/api/v1/topology`);
  await eventually(() => asked).toBe(1);
  const second = await fetch(`${crowded.url}/api/v1/topology?window=1m`);
  expect([second.status, second.headers.get('retry-after'), await second.json()]).toEqual([
    503,
    '1',
    { error: { code: 'busy', message: '1 queries are being answered already: try again in a second' } },
  ]);
  answers.resolve({ groups: [], other: null, subtotals: [], tiers: [] });
  expect((await first).status).toBe(200);
  expect((await fetch(`${crowded.url}/api/v1/topology`)).status).toBe(200);
  expect(crowded.failures).toEqual([]);
});

test('a query has a deadline, and ends with the request that asked for it', async () => {
  const limits: QueryLimits[] = [];
  const store = {
    sums(query: SumQuery) {
      if (query.limits) limits.push(query.limits);
      return limits.length === 1
        ? Promise.reject(new QueryStoppedError('the query took too long: filter'))
        : new Promise<SumAnswer>(() => {});
    },
  };
  const slow = await startApi(undefined, { store, limits: { deadlineMs: 5000 } });
  onTestFinished(() => slow.stop());
  const before = Date.now();
  const response = await fetch(`${slow.url}/api/v1/topology`);
  expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
    503,
    '10',
    { error: { code: 'timeout', message: 'the query took too long: filter' } },
  ]);
  expect(limits[0]?.deadline).toBeGreaterThanOrEqual(before + 5000);
  const leaving = new AbortController();
  const left = fetch(`${slow.url}/api/v1/topology`, { signal: leaving.signal }).catch(() => 'left');
  await eventually(() => limits.length).toBe(2);
  expect(limits[1]?.cancelled[0]).toBe(0);
  leaving.abort();
  expect(await left).toBe('left');
  await eventually(() => limits[1]?.cancelled[0]).toBe(1);
  expect(slow.failures).toEqual([]);
});

describe('events', () => {
  const tick = {
    at: 1_700_000_000_000,
    intervalMs: 10_000,
    targets: { up: 5, down: 1, total: 7 },
    alerts: { firing: 2 },
  };

  async function listen() {
    const leaving = new AbortController();
    const response = await fetched('/api/v1/events', { signal: leaving.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let received = '';
    const until = async (part: string) => {
      while (!received.includes(part)) received += (await reader?.read())?.value ?? '';
      return received;
    };
    return { response, leaving, until };
  }

  test('a tick arrives, and a browser that has gone is forgotten', async () => {
    const { response, leaving, until } = await listen();
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    await until('retry: 2000\n\n');
    expect(api.events.listening).toBe(1);
    api.events.tick(tick);
    const sent = `event: tick\ndata: ${JSON.stringify(tick)}\n\n`;
    expect(await until(sent)).toBe(`retry: 2000\n\n${sent}`);
    expect(validatorOf({ $ref: '#/components/schemas/Tick' })(tick)).toBe(true);
    leaving.abort();
    await eventually(() => api.events.listening).toBe(0);
    api.events.tick(tick);
  });

  test('HEAD ends at once', async () => {
    const response = await fetched('/api/v1/events', { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(api.events.listening).toBe(0);
  });

  test('a browser that does not read is dropped', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.pause();
    await eventually(() => api.events.listening).toBe(1);
    await eventually(() => {
      for (let i = 0; i < 20_000; i++) api.events.tick(tick);
      return api.events.listening;
    }).toBe(0);
    socket.destroy();
  });

  test('when the collector stops, streams end', async () => {
    const stopping = await startApi();
    const response = await fetch(`${stopping.url}/api/v1/events`);
    const body = response.text();
    stopping.events.close();
    expect(await body).toBe('retry: 2000\n\n');
    await stopping.stop();
  });
});
