/** Answers that many ask for are worked out once, and never longer than they hold. */

import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { QueryLimits, SumAnswer, SumQuery } from '../../server/store/store.ts';
import { eventually } from '../scrape/eventually.ts';
import { goodScrape } from '../store/records.ts';
import { MIXED, NOW } from './meshes.ts';
import { NO_ALERTS, type RunningApi, startApi } from './running-api.ts';

/** Answers when it is told to, and counts what it is asked. */
class FakeStore {
  asked: QueryLimits[] = [];
  answers = Promise.withResolvers<SumAnswer>();

  sums({ limits }: SumQuery): Promise<SumAnswer> {
    if (limits) this.asked.push(limits);
    return this.answers.promise;
  }

  answer(): void {
    this.answers.resolve({ groups: [], other: null, tiers: [], subtotals: [] });
  }
}

let store: FakeStore;
let now: number;
beforeEach(() => {
  store = new FakeStore();
  now = NOW;
});

async function started(alerts: Map<string, { firing: number; pending: number }> = new Map()): Promise<RunningApi> {
  const view = { ...NO_ALERTS, counts: () => alerts };
  const api = await startApi(MIXED, { store, now: () => now, alerts: view });
  onTestFinished(() => api.stop());
  return api;
}

const TOPOLOGY = '/api/v1/topology';

test('those who ask for the same at once share one answer; another one is worked out by itself', async () => {
  const api = await started();
  const same = Array.from({ length: 20 }, () => fetch(api.url + TOPOLOGY));
  await eventually(() => store.asked.length).toBeGreaterThan(0);
  const alone = store.asked.length;
  store.answer();
  const texts = await Promise.all(same.map(async (each) => (await each).text()));
  expect(new Set(texts).size).toBe(1);
  expect(store.asked).toHaveLength(alone);
  await fetch(api.url + TOPOLOGY);
  expect(store.asked).toHaveLength(alone);
  await fetch(`${api.url}${TOPOLOGY}?window=1h`);
  expect(store.asked.length).toBeGreaterThan(alone);
});

test.each<[name: string, change: (api: RunningApi, alerts: Map<string, { firing: number; pending: number }>) => void]>([
  ['a round of scrapes', (api) => api.live.apply([goodScrape({ target: 'x:1', from: NOW - 1000, to: NOW })])],
  ['other targets', (api) => api.live.setTargets([])],
  ['a step of time', () => (now += 10_000)],
  ['an alert', (_, alerts) => alerts.set('shop', { firing: 1, pending: 0 })],
])('after %s it is worked out anew', async (_, change) => {
  const alerts = new Map<string, { firing: number; pending: number }>();
  const api = await started(alerts);
  store.answer();
  await fetch(api.url + TOPOLOGY);
  const before = store.asked.length;
  change(api, alerts);
  await fetch(api.url + TOPOLOGY);
  expect(store.asked.length).toBeGreaterThan(before);
});

test('what failed is asked for again', async () => {
  const api = await started();
  const failing = fetch(api.url + TOPOLOGY);
  await eventually(() => store.asked.length).toBeGreaterThan(0);
  store.answers.reject(new Error('the disk is gone'));
  expect((await failing).status).toBe(500);
  store.answers = Promise.withResolvers();
  store.answer();
  expect((await fetch(api.url + TOPOLOGY)).status).toBe(200);
});

test('a query goes on while one of those who asked waits, and is given up with the last', async () => {
  const api = await started();
  const [one, two] = [new AbortController(), new AbortController()];
  const left = [one, two].map(({ signal }) => fetch(api.url + TOPOLOGY, { signal }).catch(() => 'left'));
  await eventually(() => store.asked.length).toBeGreaterThan(0);
  one.abort();
  await left[0];
  const three = fetch(api.url + TOPOLOGY).catch(() => 'left');
  expect(store.asked[0]?.cancelled[0]).toBe(0);
  two.abort();
  await left[1];
  store.answer();
  expect(await three).toMatchObject({ status: 200 });
});

test('when the last one has gone, the query ends, and the next asker starts another', async () => {
  const api = await started();
  const leaving = new AbortController();
  const left = fetch(api.url + TOPOLOGY, { signal: leaving.signal }).catch(() => 'left');
  await eventually(() => store.asked.length).toBeGreaterThan(0);
  const before = store.asked.length;
  leaving.abort();
  await left;
  await eventually(() => store.asked[0]?.cancelled[0]).toBe(1);
  store.answer();
  expect((await fetch(api.url + TOPOLOGY)).status).toBe(200);
  expect(store.asked.length).toBeGreaterThan(before);
});

/** As it comes over the wire: fetch would unpack it. */
function raw(url: string, headers: Record<string, string>) {
  return new Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
    (resolve, reject) => {
      request(url, { headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      })
        .on('error', reject)
        .end();
    },
  );
}

test('an answer is packed for those who can unpack it, and not sent again to those who have it', async () => {
  const api = await startApi(MIXED);
  onTestFinished(() => api.stop());
  const address = `${api.url}/api/v1/services`;
  const plain = await raw(address, {});
  expect(plain.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'private, no-cache',
    vary: 'accept-encoding',
    'content-length': String(plain.body.length),
  });
  expect(plain.headers['content-encoding']).toBeUndefined();
  const packed = await raw(address, { 'accept-encoding': 'gzip, br' });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(packed.body)).toEqual(plain.body);
  expect(packed.body.length).toBeLessThan(plain.body.length / 3);
  const etag = String(plain.headers.etag);
  expect(await raw(address, { 'if-none-match': etag })).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  expect((await raw(address, { 'if-none-match': 'W/"other"' })).status).toBe(200);
  expect((await raw(address, { 'accept-encoding': 'gzip;q=0' })).headers['content-encoding']).toBeUndefined();
});

test('other fields of the same services are another answer, with a mark of its own', async () => {
  const api = await startApi(MIXED);
  onTestFinished(() => api.stop());
  const address = (fields: string) => `${api.url}/api/v1/services?window=1m&fields=${fields}`;
  const [some, others] = [address('requestRate'), address('requestRate,latencyMs.p99')];
  const [first, second] = [await raw(some, {}), await raw(others, {})];
  expect([first.status, second.status]).toEqual([200, 200]);
  expect(first.body.equals(second.body)).toBe(false);
  const [own, foreign] = [String(first.headers.etag), String(second.headers.etag)];
  expect(own).toMatch(/^W\/".+"$/);
  expect(foreign).not.toBe(own);
  expect(await raw(some, { 'if-none-match': own })).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  expect(await raw(others, { 'if-none-match': foreign, 'accept-encoding': 'gzip' })).toMatchObject({ status: 304 });
  expect(await raw(some, { 'if-none-match': foreign })).toMatchObject({ status: 200, body: first.body });
  expect(await raw(others, { 'if-none-match': own })).toMatchObject({ status: 200, body: second.body });
});
