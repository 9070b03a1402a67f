import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { COUNTER_INDEX, requestCount } from '../../server/model/flow.ts';
import type { ScrapeRecord, StoredTotals } from '../../server/model/scrape-record.ts';
import { framesOf } from '../../server/store/sqlite/growth-frames.ts';
import { unpackText } from '../../server/store/sqlite/packed-bytes.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SCHEMA_VERSION } from '../../server/store/sqlite/schema.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import type { Threads } from '../../server/store/sqlite/threads.ts';
import type { Group, StoreOptions, SumQuery } from '../../server/store/store.ts';
import { grownBy } from './growth.ts';
import { storeOptions } from './options.ts';
import { failedScrape, goodScrape, identity, type RecordSpec } from './records.ts';
import { temporaryFolder } from './temporary-folder.ts';

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A whole minute. */
const MINUTES = START - (START % MINUTE);
const QUERY: SumQuery = { from: 0, to: 0, direction: 'inbound', match: {}, by: [], bins: false };
let path: string;

beforeEach(() => {
  path = join(temporaryFolder(), 'deep', 'in', 'sidelight.db');
});

async function openStore(options: Partial<StoreOptions> = {}): Promise<SqliteStore> {
  const store = await SqliteStore.open(storeOptions(path, options));
  onTestFinished(() => store.close());
  return store;
}

/** The thread that writes. */
const writerOf = (store: SqliteStore): Threads => Reflect.get(store, 'writer');

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
  expect(await store.loadTargets()).toMatchObject(expected);
  await store.close();
  expect(await (await openStore()).loadTargets()).toMatchObject(expected);
});

test('what a target that is gone had grown by lies with it as one, however long the log was', async () => {
  const store = await openStore({ intervalMs: MINUTE });
  for (let minute = 0; minute < 120; minute++) {
    const told = { shape: '[]', sequence: minute + 1 };
    const gone: StoredTotals =
      minute === 0 ? { ...told, values: Uint8Array.of(1) } : { ...told, values: grownBy(minute), isGrowth: true };
    await store.append([
      scrape(minute, 1, { findings: { totals: gone } }),
      scrape(minute, 1, { target: 'other', identity: { instance: 'shop-2' } }),
    ]);
    if (minute % 13 === 0) await upkeep(store, START + (minute + 1) * MINUTE);
  }
  await upkeep(store, START + 6 * HOUR);
  const database = new Database(path, { readonly: true });
  onTestFinished(() => void database.close());
  expect(database.prepare('SELECT count(*) FROM log').pluck().get()).toBe(1);
  const kept = database.prepare("SELECT growth FROM targets WHERE address = '127.0.0.1:9901'").pluck().get();
  const all = grownBy((119 * 120) / 2);
  expect(framesOf(kept as Uint8Array)).toEqual([Buffer.from(all)]);
  expect(await store.loadTargets()).toContainEqual(
    expect.objectContaining({
      lastScrape: START + 120 * MINUTE,
      totals: { shape: '[]', values: Uint8Array.of(1), growth: [all] },
    }),
  );
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
  await store.append(round, 7);
  await store.append(round, 7);
  expect(await requestsByMinute(store, 2)).toEqual({ shop: [5, 7] });
});

test('a round counts once under its id, whatever is in it by then', async () => {
  const store = await openStore();
  await store.append([scrape(0, 5), scrape(1, 7)], 41);
  await store.append([scrape(0, 12, { to: START + 2 * MINUTE + 1 })], 41);
  await store.close();
  const again = await openStore();
  await again.append([scrape(0, 12, { to: START + 2 * MINUTE + 1 })], 41);
  await again.append([scrape(2, 9)], 42);
  expect(await requestsByMinute(again, 3)).toEqual({ shop: [5, 7, 9] });
});

test('a writer that dies over a round: it is not known what became of it, and given again it counts once', async () => {
  const store = await openStore();
  await store.append([scrape(0, 5)], 1);
  const round = [scrape(1, 7), scrape(2, 9)];
  const appended = store.append(round, 2);
  await store.upkeep(START);
  await appended;
  const again = store.append([scrape(3, 1)], 3).catch((error: unknown) => error);
  await Promise.resolve();
  await store.threads.writer[0]?.terminate();
  expect([undefined, 'UnsureError']).toContain(((await again) as Error | undefined)?.name);
  await store.append([scrape(3, 1)], 3);
  expect(await requestsByMinute(store, 4)).toEqual({ shop: [5, 7, 9, 1] });
});

test('a round of a thousand targets leaves the main thread to others again and again', async () => {
  const store = await openStore();
  const flows = [
    { counters: { '2xx': 3 }, latency: { 12: 3 } },
    ...Array.from(
      { length: 10 },
      (_, peer) => ({ direction: 'outbound', peer: `peer-${peer}`, counters: { '2xx': 1 } }) as const,
    ),
  ];
  const round = Array.from({ length: 1000 }, (_, target) => scrape(0, 0, { target: `t-${target}`, flows }));
  let turns = 0;
  let isSent = false;
  const turn = () => {
    if (isSent) return;
    turns++;
    setImmediate(turn);
  };
  setImmediate(turn);
  const encoding = new RoundEncoder().encode(round);
  let pieces = 1;
  while (!encoding.next().done) pieces++;
  expect(11_000 / pieces).toBeLessThan(1600);
  const run = vi.spyOn(writerOf(store), 'run').mockImplementation(() => {
    isSent = true;
    return Promise.resolve(undefined);
  });
  await store.append(round);
  run.mockRestore();
  expect(turns).toBeGreaterThanOrEqual(pieces - 1);
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

test('a series at rest takes no room in blocks', async () => {
  const store = await openStore();
  const flows = [{}, { direction: 'outbound', peer: 'idle' }] as const;
  await store.append(Array.from({ length: 50 }, (_, minute) => scrape(minute, 0, { flows })));
  await upkeep(store, START + DAY);
  expect(ask('SELECT count(*) AS n FROM log')).toEqual([{ n: 1 }]);
  expect(ask('SELECT count(*) AS n FROM blocks_1m')).toEqual([{ n: 0 }]);
  expect(await requestsByMinute(store, 3)).toEqual({ shop: [0, 0, 0] });
});

test('a flow that only stands open takes a few bytes in ten minutes', async () => {
  const store = await openStore();
  const standing = { direction: 'outbound', gauges: { active_connections: 4 } } as const;
  const flows = Array.from({ length: 100 }, (_, peer) => ({ ...standing, peer: `peer-${peer}` }));
  const at = (step: number) => ({ from: MINUTES + step * 10_000, to: MINUTES + (step + 1) * 10_000 });
  await store.append(Array.from({ length: 60 }, (_, step) => scrape(0, 0, { ...at(step), flows })));
  await upkeep(store, MINUTES + HOUR);
  expect(
    ask('SELECT sum(length(data)) < 100 * 10 AS isSmall FROM blocks_raw JOIN units ON units.id = unit WHERE kind = 0'),
  ).toEqual([{ isSmall: 1 }]);
});

test('what is packed is put together once it is rolled up, and a target with many flows lies in several blocks', async () => {
  const store = await openStore({ intervalMs: MINUTE });
  const flows = Array.from({ length: 60 }, (_, peer) => ({
    direction: 'outbound' as const,
    peer: `peer-${peer}`,
    counters: { '2xx': peer + 1 },
  }));
  for (let minute = 0; minute < 600; minute += 60) {
    await store.append(Array.from({ length: 60 }, (_, step) => scrape(minute + step, 0, { flows })));
    await upkeep(store, START + (minute + 60) * MINUTE);
  }
  await upkeep(store, START + 15 * HOUR);
  const [blocks] = ask(
    `SELECT count(*) AS n, count(DISTINCT t0) AS times FROM blocks_1m JOIN units ON units.id = unit
     WHERE kind = 0 AND NOT EXISTS (SELECT 1 FROM pending WHERE tier = 1 AND block = blocks_1m.id)`,
  ) as [{ n: number; times: number }];
  expect(blocks.n).toBe(3 * blocks.times);
  expect(blocks.times).toBeLessThanOrEqual(7);
  const { groups } = await store.sums({
    ...QUERY,
    from: START - DAY,
    to: START + DAY,
    direction: 'outbound',
    by: ['peer'],
  });
  expect(
    new Set(
      groups.map(
        ({ labels: { peer = '' }, cells: [cell] }) => requestCount(cell?.counters ?? []) / (Number(peer.slice(5)) + 1),
      ),
    ),
  ).toEqual(new Set([600]));
});

test('what is old is forgotten tier by tier, rounds come in between, and no request is lost before its time', async () => {
  const retentionMs = { raw: 2 * HOUR, '1m': 6 * HOUR, '10m': DAY, '1h': 400 * DAY };
  const store = await openStore({ retentionMs, intervalMs: MINUTE });
  await store.append(Array.from({ length: 2880 }, (_, minute) => scrape(minute, minute + 1)));
  const order: string[] = [];
  const end = START + 2 * DAY;
  await Promise.all([
    upkeep(store, end).then(() => order.push('done')),
    store.append([scrape(2880, 500)]).then(() => order.push('appended')),
  ]);
  expect(order).toEqual(['appended', 'done']);
  const whole = { from: START - (START % HOUR), to: START + 2881 * MINUTE, stepMs: undefined };
  const { groups, tiers } = await store.sums({ ...QUERY, from: whole.from, to: whole.to });
  expect(groups.map(countsOf)).toEqual([[(2880 * 2881) / 2 + 500]]);
  expect(tiers).toEqual(['raw', '1m', '10m', '1h']);
  const status = await store.status();
  for (const [name, keptMs] of Object.entries(retentionMs)) {
    const tier = status.tiers.find((one) => one.name === name);
    expect(tier?.oldest, name).toBeGreaterThanOrEqual(Math.max(whole.from, end - keptMs - 8 * HOUR));
    expect(tier?.keptMs, name).toBe(keptMs);
  }
  expect(await store.loadTargets()).toMatchObject([{ lastScrape: START + 2881 * MINUTE }]);
});

test("names of stats that no target's totals go by any more are forgotten with the rest", async () => {
  const store = await openStore();
  for (let minute = 0; minute < 5; minute++)
    await store.append([scrape(minute, 1, { findings: { totals: totals(`["shape ${minute}"]`) } })]);
  await upkeep(store, START + 4 * MINUTE);
  const kept = ask('SELECT text FROM shapes') as { text: Uint8Array }[];
  expect(kept.map(({ text }) => unpackText(text))).toEqual(['["shape 4"]']);
  await store.append([scrape(5, 1, { findings: { totals: totals('["shape 0"]', 8) } })]);
  expect(await store.loadTargets()).toMatchObject([{ totals: totals('["shape 0"]', 8) }]);
});

test('instances that are gone leave nothing of their own behind, and no request is lost', async () => {
  const store = await openStore({ intervalMs: MINUTE });
  const pods = Array.from({ length: 30 }, (_, pod) => ({ target: `pod-${pod}`, identity: { instance: `pod-${pod}` } }));
  await store.append(pods.map((pod, index) => scrape(index, 2, pod)));
  await upkeep(store, START + 3 * DAY);
  await upkeep(store, START + 40 * DAY);
  await store.append([scrape(40 * 1440, 5, { target: 'pod-3', identity: { instance: 'pod-3' } })]);
  await upkeep(store, START + 40 * DAY + HOUR);
  expect(ask('SELECT count(*) AS n FROM units WHERE kind = 0')).toEqual([{ n: 1 }]);
  expect(ask('SELECT count(*) AS n FROM targets')).toEqual([{ n: 1 }]);
  const { groups } = await store.sums({ ...QUERY, from: START - DAY, to: START + 41 * DAY, by: ['service'] });
  expect(groups.map(countsOf)).toEqual([[65]]);
});

const LIVING = { target: 'living', identity: { instance: 'living' } };

test('totals of instances that are gone are kept no longer than what else is known of instances', async () => {
  const store = await openStore({ intervalMs: MINUTE });
  const pods = Array.from({ length: 30 }, (_, pod) => ({ target: `pod-${pod}`, identity: { instance: `pod-${pod}` } }));
  await store.append(pods.map((pod) => scrape(0, 2, pod)));
  const days = [0.5, 1, 1.5, 1.9].map((day) => day * 1440);
  for (const minute of days) {
    await store.append([scrape(minute, 1, LIVING)]);
    await upkeep(store, START + minute * MINUTE);
  }
  expect(ask('SELECT count(*) AS n FROM targets')).toEqual([{ n: 31 }]);
  await store.append([scrape(3 * 1440, 1, LIVING)]);
  await upkeep(store, START + 3 * DAY + MINUTE);
  await upkeep(store, START + 3 * DAY + HOUR);
  expect(ask('SELECT address FROM targets')).toEqual([{ address: 'living' }]);
  expect(ask('SELECT instance FROM units WHERE kind = 0')).toEqual([{ instance: 'living' }]);
});

test('after a pause, however long, what was counted before it goes on when targets are seen again', async () => {
  const first = await openStore({ intervalMs: MINUTE });
  await first.append([scrape(0, 2, LIVING)]);
  await upkeep(first, START + MINUTE);
  await first.close();
  const store = await openStore({ intervalMs: MINUTE });
  for (const minute of [0, 5, 9]) await upkeep(store, START + 9 * DAY + minute * MINUTE);
  expect(await store.loadTargets()).toMatchObject([{ target: 'living' }]);
});

test('a pod that was there for a moment does not keep the log of all others waiting', async () => {
  const store = await openStore();
  const flows = Array.from({ length: 100 }, (_, peer) => ({
    direction: 'outbound' as const,
    peer: `peer-${peer}`,
    counters: { '2xx': 300 + peer, bytes_rx: 70_000 + peer, bytes_tx: 80_000 + peer },
  }));
  const at = (step: number) => ({ from: MINUTES + step * 10_000, to: MINUTES + (step + 1) * 10_000 });
  await store.append([scrape(0, 1, { target: 'pod', ...at(0) })]);
  for (let step = 0; step < 150; step++) await store.append([scrape(0, 0, { ...LIVING, ...at(step), flows })]);
  await upkeep(store, MINUTES + 25 * MINUTE);
  const [log] = ask('SELECT count(*) AS rows FROM log') as [{ rows: number }];
  expect(log.rows).toBeLessThan(100);
});

test('what a target is called is told once, and again when it was not scraped for long', () => {
  const encoder = new RoundEncoder();
  const pod = (minute: number) => scrape(minute, 1, { target: 'pod' });
  const told = (...round: ScrapeRecord[]) => {
    const encoding = encoder.encode(round);
    for (;;) {
      const { done, value } = encoding.next();
      if (done) return [value.layouts.map(({ address }) => address), value.gone];
    }
  };
  expect(told(pod(0), scrape(0, 1, LIVING))).toEqual([['pod', 'living'], []]);
  expect(told(pod(1), scrape(1, 1, LIVING))).toEqual([[], []]);
  expect(told(scrape(20, 1, LIVING))).toEqual([[], []]);
  expect(told(scrape(22, 1, LIVING))).toEqual([[], ['pod']]);
  expect(told(pod(23), scrape(23, 1, LIVING))).toEqual([['pod'], []]);
});

test('a target that comes back after an hour, and when the clock was put back, counts on', async () => {
  const store = await openStore({ intervalMs: MINUTE });
  for (const minute of [1, 2, 62, 63, 10]) {
    await store.append([scrape(minute, 1)]);
    await store.append([scrape(minute, 1, LIVING)]);
    if (minute < 3) continue;
    await store.append([scrape(minute + 1, 1, { target: 'pod' })]);
  }
  const { groups } = await store.sums({ ...QUERY, from: START - DAY, to: START + DAY });
  expect(groups.map(countsOf)).toEqual([[13]]);
});

test('forgetting the names of pods that are gone leaves the totals of those that live', async () => {
  const store = await openStore({ intervalMs: MINUTE, retentionMs: { raw: HOUR, '1m': HOUR, '10m': DAY, '1h': DAY } });
  const wholeEvery = 25;
  const minutes = 299;
  for (let minute = 0; minute <= minutes; minute++) {
    const told = { shape: '[]', sequence: minute + 1 };
    const isWhole = minute % wholeEvery === 0;
    const totals = isWhole
      ? { ...told, values: Uint8Array.of(minute) }
      : { ...told, values: grownBy(1), isGrowth: true };
    await store.append([scrape(minute, 1, { ...LIVING, findings: { totals } })]);
    if (minute % 5 === 0) await store.append([scrape(minute, 1, { target: `pod-${minute}` })]);
    if (minute % 12 === 0) await upkeep(store, START + minute * MINUTE);
  }
  const [{ first }] = ask("SELECT min(id) AS first FROM units WHERE kind = 0 AND instance <> 'living'") as [
    { first: number },
  ];
  expect(first).toBeGreaterThan(20);
  const stored = (await store.loadTargets()).find(({ target }) => target === 'living');
  const whole = minutes - (minutes % wholeEvery);
  expect(stored?.totals).toMatchObject({ values: Uint8Array.of(whole), growth: [grownBy(minutes - whole)] });
});

test('plain SQL finds counts and percentiles of every minute of a service', async () => {
  const store = await openStore();
  const place = { region: 'eu', zone: 'eu-1', namespace: 'prod' };
  await store.append([
    scrape(0, 4, { from: MINUTES, to: MINUTES + MINUTE, identity: place }),
    scrape(0, 0, {
      target: 'other',
      from: MINUTES,
      to: MINUTES + MINUTE,
      identity: { ...place, instance: 'shop-2' },
      flows: [{ counters: { '2xx': 5, '5xx': 1 }, latency: { 12: 6 } }],
    }),
  ]);
  await upkeep(store, MINUTES + DAY);
  expect(ask('SELECT * FROM service_minutes')).toEqual([
    {
      service: 'shop',
      namespace: 'prod',
      minute: MINUTES,
      requests: 10,
      requests_2xx: 9,
      requests_3xx: 0,
      requests_4xx: 0,
      requests_5xx: 1,
      failures: 1,
      p50_ms: 12.5,
      p95_ms: 12.95,
      p99_ms: 12.99,
    },
  ]);
  expect(ask('SELECT hour, requests FROM service_hours')).toEqual([{ hour: MINUTES - (MINUTES % HOUR), requests: 10 }]);
  expect(ask('SELECT service, instance FROM targets_seen ORDER BY instance')).toEqual([
    { service: 'shop', instance: 'shop-1' },
    { service: 'shop', instance: 'shop-2' },
  ]);
});

test('minutes for plain SQL go with those that are kept, of services that are gone, too', async () => {
  const store = await openStore();
  const services = Array.from({ length: 25 }, (_, index) => ({
    service: `shop-${index % 13}`,
    namespace: `n${index}`,
  }));
  const round = (minute: number) =>
    services.map((identity, index) => scrape(minute, 1, { target: `10.0.0.${index}:9901`, identity }));
  await store.append(round(0));
  await upkeep(store, START + HOUR);
  expect(ask('SELECT count(*) AS rows FROM service_minutes')).toEqual([{ rows: services.length }]);
  await upkeep(store, START + 2 * DAY - 20 * MINUTE);
  expect(ask('SELECT count(*) AS rows FROM service_minutes')).toEqual([{ rows: services.length }]);
  await upkeep(store, START + 2 * DAY + 20 * MINUTE);
  expect(ask('SELECT count(*) AS rows FROM service_minutes')).toEqual([{ rows: 0 }]);
});

test('other limits count at once, for every thread', async () => {
  const store = await openStore();
  for (let minute = 0; minute < 60; minute++) await store.append([scrape(minute, 1)]);
  await upkeep(store, START + 3 * HOUR);
  const oldest = async (tier: string) => (await store.status()).tiers.find(({ name }) => name === tier)?.oldest;
  expect(await oldest('1m')).toBeLessThanOrEqual(START);
  const retentionMs = { raw: 30 * MINUTE, '1m': HOUR, '10m': DAY, '1h': 400 * DAY };
  store.limit({ retentionMs, maxBytes: 2 ** 30 });
  await upkeep(store, START + 3 * HOUR + 2 * MINUTE);
  expect([await oldest('1m'), await oldest('10m')]).toEqual([null, expect.any(Number)]);
  const { tiers, maxBytes } = await store.status();
  expect([maxBytes, tiers.map((tier) => tier.retentionMs)]).toEqual([2 ** 30, Object.values(retentionMs)]);
  const whole = { from: START - HOUR, to: START + 2 * HOUR, stepMs: 3 * HOUR };
  expect(await requestsByMinute(store, 60, whole)).toEqual({ shop: [60] });
});

test('status tells the file, its size and how far it goes back', async () => {
  const store = await openStore();
  expect(await store.status()).toMatchObject({
    path,
    bytes: expect.any(Number),
    usedBytes: expect.any(Number),
    maxBytes: 10 * 2 ** 30,
    schemaVersion: SCHEMA_VERSION,
    oldest: null,
    logRows: 0,
    notice: '',
    tiers: [
      { name: 'raw', stepMs: 10_000, retentionMs: 2 * HOUR, keptMs: 2 * HOUR, oldest: null, newest: null, bytes: 0 },
      { name: '1m', stepMs: MINUTE },
      { name: '10m', stepMs: 10 * MINUTE },
      { name: '1h', stepMs: HOUR },
    ],
  });
  await store.append([scrape(3, 1), scrape(4, 1)]);
  const status = await store.status();
  expect(status.oldest).toBe(START + 3 * MINUTE);
  expect(status.tiers[0]).toMatchObject({ oldest: START + 3 * MINUTE, newest: START + 5 * MINUTE });
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
