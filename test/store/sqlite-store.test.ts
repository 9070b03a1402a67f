import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { COUNTER_INDEX, requestCount } from '../../server/model/flow.ts';
import type { StoredTotals } from '../../server/model/scrape-record.ts';
import { SCHEMA_VERSION } from '../../server/store/sqlite/schema.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { Group, SumQuery } from '../../server/store/store.ts';
import { storeOptions } from './options.ts';
import { failedScrape, goodScrape, identity, type RecordSpec } from './records.ts';
import { temporaryFolder } from './temporary-folder.ts';

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const NO_RETENTION = { retentionMs: { raw: 0, '1m': 0, '10m': 0, '1h': 0 } };
let path: string;

beforeEach(() => {
  path = join(temporaryFolder(), 'deep', 'in', 'sidelight.db');
});

async function openStore(): Promise<SqliteStore> {
  const store = await SqliteStore.open(storeOptions(path, NO_RETENTION));
  onTestFinished(() => store.close());
  return store;
}

/** Everything that is to be done at `now`. */
async function upkeep(store: SqliteStore, now: number): Promise<void> {
  while (await store.upkeep(now));
}

/** The target's scrape in minute `minute`, with so many requests. */
const scrape = (minute: number, requests: number, spec: Partial<RecordSpec> = {}) =>
  goodScrape({
    target: '127.0.0.1:9901',
    from: START + minute * MINUTE,
    to: START + (minute + 1) * MINUTE,
    flows: [{ counters: { '2xx': requests }, latency: requests > 0 ? { 12: requests } : {} }],
    ...spec,
  });

const totals = (shape: string, ...bytes: number[]): StoredTotals => ({ shape, values: Uint8Array.from(bytes) });

/** Requests by minute from the start. */
async function requestsByMinute(store: SqliteStore, minutes: number, query: Partial<SumQuery> = {}) {
  const { groups } = await store.sums({
    from: START,
    to: START + minutes * MINUTE,
    stepMs: MINUTE,
    direction: 'inbound',
    match: {},
    by: ['service'],
    bins: false,
    ...query,
  });
  return Object.fromEntries(groups.map((group) => [group.labels.service ?? '', countsOf(group)]));
}

const countsOf = ({ cells }: Group) => cells.map((cell) => cell && requestCount(cell.counters));

/** Rows of a question in plain SQL, as a user would ask it. */
function ask(sql: string): unknown[] {
  const database = new Database(path, { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

test('a round is there once it was appended, and after the file was opened again', async () => {
  const store = await openStore();
  await store.append([scrape(0, 5)]);
  await store.append([scrape(1, 7), scrape(2, 0), failedScrape('127.0.0.1:9901', START + 4 * MINUTE, 'no')]);
  expect(await requestsByMinute(store, 4)).toEqual({ shop: [5, 7, 0, null] });
  await store.close();
  const again = await openStore();
  await again.append([scrape(3, 9)]);
  expect(await requestsByMinute(again, 4)).toEqual({ shop: [5, 7, 0, 9] });
});

test('cells come with everything that was put in', async () => {
  const store = await openStore();
  await store.append([
    scrape(0, 0, {
      flows: [
        { counters: { '2xx': 3, '5xx': 1, grpc_failed: 2, bytes_rx: 2 ** 40 }, gauges: { active_requests: 4 } },
        { direction: 'outbound', peer: 'cart', counters: { timed_out: 2 }, latency: { 0: 1, 12: 5, 900: 2 } },
      ],
    }),
  ]);
  const query = { from: START, to: START + MINUTE, match: {}, by: [], bins: true };
  const [inbound] = (await store.sums({ ...query, direction: 'inbound' })).groups;
  expect(inbound?.cells[0]).toMatchObject({
    gauges: Float64Array.of(4, 0),
    measured: [{ from: START, to: START + MINUTE }],
    timeoutsWithoutSample: 0,
  });
  const counters = inbound?.cells[0]?.counters ?? [];
  expect(['2xx', '5xx', 'grpc_failed', 'bytes_rx'].map((name) => counters[COUNTER_INDEX[name as '2xx']])).toEqual([
    3,
    1,
    2,
    2 ** 40,
  ]);
  const [outbound] = (await store.sums({ ...query, direction: 'outbound' })).groups;
  expect(outbound?.cells[0]).toMatchObject({
    bins: { keys: [0, 93, 261], counts: [1, 5, 2] },
    timeoutsWithoutSample: 2,
    upstreamSamples: 8,
  });
});

test("the targets' newest totals, identity and start come back as they were", async () => {
  const store = await openStore();
  const before = identity({ service: 'old' });
  const after = identity({ service: 'new', namespace: 'n', region: 'eu', zone: 'eu-1', role: 'gateway' });
  const findings = { totals: totals('["a"]', 1, 2), startedAt: null, inbound: false };
  await store.append([scrape(0, 1, { identity: before, findings })]);
  await store.append([
    scrape(1, 1, { identity: after, findings: { totals: totals('["a","b"]', 255, 0, 7), startedAt: START - 5 } }),
    scrape(1, 1, { target: 'unix:/run/é.sock', identity: before, findings }),
  ]);
  await store.append([failedScrape('127.0.0.1:9901', START + 3 * MINUTE, 'no')]);
  const expected = [
    {
      target: '127.0.0.1:9901',
      lastScrape: START + 2 * MINUTE,
      startedAt: START - 5,
      inbound: true,
      identity: after,
      totals: totals('["a","b"]', 255, 0, 7),
    },
    {
      target: 'unix:/run/é.sock',
      lastScrape: START + 2 * MINUTE,
      startedAt: null,
      inbound: false,
      identity: before,
      totals: totals('["a"]', 1, 2),
    },
  ];
  expect(await store.loadTargets()).toEqual(expected);
  await store.close();
  expect(await (await openStore()).loadTargets()).toEqual(expected);
});

test('a baseline is remembered, but nothing counts as measured by it', async () => {
  const store = await openStore();
  await store.append([scrape(0, 0, { from: START, to: START, findings: { totals: totals('[]', 9) } })]);
  expect(await store.loadTargets()).toMatchObject([{ lastScrape: START, totals: totals('[]', 9) }]);
  expect(await requestsByMinute(store, 1)).toEqual({});
});

test('a round that is stored again counts once', async () => {
  const store = await openStore();
  const round = [scrape(0, 5), scrape(1, 7)];
  await store.append(round);
  await store.append(round);
  expect(await requestsByMinute(store, 2)).toEqual({ shop: [5, 7] });
});

test('a round that can not be stored leaves nothing behind', async () => {
  const store = await openStore();
  await store.append([scrape(0, 1, { flows: [{ gauges: { active_requests: 3 } }] })]);
  const cart = { target: 'cart', identity: { service: 'cart' } };
  const broken = scrape(1, Number.NaN, { target: 'broken', identity: { service: 'broken' } });
  const round = [scrape(1, 0), scrape(1, 6, cart)];
  await expect(store.append([...round, broken])).rejects.toMatchObject({
    name: 'StoreError',
    message: expect.stringContaining(`storage.path ${path}: `),
  });
  expect(await requestsByMinute(store, 2)).toEqual({ shop: [0, null] });
  await store.append(round);
  await store.append([scrape(1, 4, { target: 'new', identity: { service: 'new' } })]);
  expect(await requestsByMinute(store, 2)).toEqual({ shop: [0, 0], cart: [null, 6], new: [null, 4] });
  const {
    groups: [shop],
  } = await store.sums({
    from: START,
    to: START + 2 * MINUTE,
    direction: 'inbound',
    match: { service: ['shop'] },
    by: [],
    bins: false,
  });
  expect(shop?.cells[0]?.gauges?.[0]).toBe(0);
});

test('a series at rest takes no room', async () => {
  const store = await openStore();
  const flows = [{}, { direction: 'outbound', peer: 'idle' }] as const;
  await store.append(Array.from({ length: 50 }, (_, minute) => scrape(minute, 0, { flows })));
  expect(ask('SELECT count(*) AS n FROM raw')).toEqual([{ n: 2 }]);
  expect(await requestsByMinute(store, 3)).toEqual({ shop: [0, 0, 0] });
});

test('what is old is forgotten, in slices that let rounds through, and nothing else', async () => {
  const store = await openStore();
  await store.append(Array.from({ length: 120 }, (_, minute) => scrape(minute, minute + 1)));
  const order: string[] = [];
  await Promise.all([
    upkeep(store, START + 100 * MINUTE).then(() => order.push('expired')),
    store.append([scrape(120, 500)]).then(() => order.push('appended')),
  ]);
  expect(order).toEqual(['appended', 'expired']);
  const left = Array.from({ length: 121 }, (_, minute) => (minute < 99 ? null : minute < 120 ? minute + 1 : 500));
  expect(await requestsByMinute(store, 121)).toEqual({ shop: left });
  expect(ask('SELECT count(*) AS n FROM raw')).toEqual([{ n: 22 }]);
  expect(ask('SELECT count(*) AS n FROM scrapes')).toEqual([{ n: 22 }]);
  expect(await store.loadTargets()).toMatchObject([{ lastScrape: START + 121 * MINUTE }]);
  expect(await store.status()).toMatchObject({ oldest: START + 99 * MINUTE });
});

test('one slice is at most as long as it may be', () => {
  const file = join(temporaryFolder(), 'sidelight.db');
  const writer = new SqliteWriter(storeOptions(file, NO_RETENTION));
  onTestFinished(() => writer.close());
  writer.append(Array.from({ length: 60 }, (_, minute) => scrape(minute, 1)));
  const slices: boolean[] = [];
  do slices.push(writer.upkeep(START + 40 * MINUTE));
  while (slices.at(-1));
  expect(slices).toEqual([true, true, false]);
  expect(writer.upkeep(START + 40 * MINUTE)).toBe(false);
});

test("names of stats that no target's totals go by any more are forgotten with the rest", async () => {
  const store = await openStore();
  for (let minute = 0; minute < 5; minute++)
    await store.append([scrape(minute, 1, { findings: { totals: totals(`["shape ${minute}"]`) } })]);
  await upkeep(store, START + 4 * MINUTE);
  expect(ask('SELECT text FROM shapes')).toEqual([{ text: '["shape 4"]' }]);
  await store.append([scrape(5, 1, { findings: { totals: totals('["shape 0"]', 8) } })]);
  expect(await store.loadTargets()).toMatchObject([{ totals: totals('["shape 0"]', 8) }]);
});

test('the view "traffic" gives the same counts by plain SQL', async () => {
  const store = await openStore();
  const place = { region: 'eu', zone: 'eu-1', namespace: 'prod' };
  await store.append([
    scrape(0, 4, { identity: place }),
    scrape(1, 6, { identity: place }),
    scrape(1, 0, {
      target: 'cart',
      identity: { service: 'cart' },
      flows: [{ direction: 'outbound', peer: 'shop', counters: { '2xx': 3, '5xx': 2, retries: 1 } }],
    }),
  ]);
  expect(
    ask(
      `SELECT service, namespace, instance, region, zone, direction, peer, min(from_ms) AS from_ms, max(to_ms) AS to_ms,
         sum(requests_2xx) AS ok, sum(requests_5xx) AS failed, sum(retries) AS retries
       FROM traffic GROUP BY service, direction ORDER BY service`,
    ),
  ).toEqual([
    {
      service: 'cart',
      namespace: '',
      instance: 'shop-1',
      region: '',
      zone: '',
      direction: 'outbound',
      peer: 'shop',
      from_ms: START + MINUTE,
      to_ms: START + 2 * MINUTE,
      ok: 3,
      failed: 2,
      retries: 1,
    },
    {
      service: 'shop',
      namespace: 'prod',
      instance: 'shop-1',
      region: 'eu',
      zone: 'eu-1',
      direction: 'inbound',
      peer: '',
      from_ms: START,
      to_ms: START + 2 * MINUTE,
      ok: 10,
      failed: 0,
      retries: 0,
    },
  ]);
});

test('status tells the file, its size and how far it goes back', async () => {
  const store = await openStore();
  expect(await store.status()).toEqual({
    path,
    bytes: expect.any(Number),
    usedBytes: expect.any(Number),
    maxBytes: 10 * 2 ** 30,
    tiers: [],
    logRows: 0,
    notice: '',
    schemaVersion: SCHEMA_VERSION,
    oldest: null,
  });
  await store.append([scrape(3, 1), scrape(4, 1)]);
  const status = await store.status();
  expect(status.oldest).toBe(START + 3 * MINUTE);
  expect(status.bytes).toBeGreaterThan(4096);
});

test('text of any kind in names comes back as it was', async () => {
  const store = await openStore();
  const names = ["o'brien", 'a"b', 'ü/ö %', '日本', 'x\ny', "'; DROP TABLE raw; --"];
  await store.append(
    names.map((service, index) => scrape(0, index + 1, { target: service, identity: { service, instance: service } })),
  );
  expect(await requestsByMinute(store, 1)).toEqual(
    Object.fromEntries(names.map((service, index) => [service, [index + 1]])),
  );
  expect(await requestsByMinute(store, 1, { match: { service: names.slice(4) } })).toEqual({
    'x\ny': [5],
    "'; DROP TABLE raw; --": [6],
  });
  expect(await requestsByMinute(store, 1, { match: { service: [] } })).toEqual({});
});
