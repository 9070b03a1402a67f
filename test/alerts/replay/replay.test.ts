/** Rules tried on the past find what the running collector found, on the same stored data. */

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type ReplayResult, replay } from '../../../server/alerts/replay/replay.ts';
import type { NewAlertEvent } from '../../../server/model/alert.ts';
import { MEMORY_PATH, MemoryStore } from '../../../server/store/memory-store.ts';
import { SqliteStore } from '../../../server/store/sqlite/sqlite-store.ts';
import { QueryStoppedError, QueryTooLargeError, type Store } from '../../../server/store/store.ts';
import { storeOptions } from '../../store/options.ts';
import { temporaryFolder } from '../../store/temporary-folder.ts';
import { type Behaviour, MINUTE, rules, Simulation, START, STEP, traffic } from '../simulated.ts';

const RULES = `
  rules:
    - { name: Failing, signal: error_rate, above: 10%, clear_at: 5%, window: 1m, for: 30s, keep_firing_for: 1m, min_requests: 50 }
    - { name: Slow, signal: latency_p99, above: 300ms, window: 5m, for: 1m }
    - { name: Mean, signal: latency_mean, above: 100ms, window: 90s, by: [service, instance] }
    - { name: Idle, signal: request_rate, below: 2/s, window: 2m, for: 1m, match: { service: "sh.*" } }
    - { name: Everything, signal: requests, above: 1000, window: 1m, by: [] }
    - { name: Slower, signal: latency_p95, against: 10m, factor: 2, floor: 50ms, window: 1m }
    - { name: Fewer, signal: request_rate, against: 10m, factor: 0.5, window: 1m }
    - { name: Budget, slo: { objective: 99%, good: success }, min_requests: 100 }
    - { name: FastEnough, slo: { objective: 98%, good: "latency < 100ms" }, by: [] }
`;
/** The longest `for` and `keep_firing_for` lead up to the time: so windows are asked for at the same moments. */
const LEAD = 90_000;

const STORES: Readonly<Record<string, () => Promise<Store>>> = {
  memory: async () => new MemoryStore(storeOptions(MEMORY_PATH)),
  SQLite: () => SqliteStore.open(storeOptions(join(temporaryFolder(), 'sidelight.db'))),
};

/** Two services whose days are not alike. */
async function live(one: Simulation): Promise<void> {
  const shop: readonly Behaviour[] = [
    traffic(100, { latencyMs: 40 }),
    traffic(120, { latencyMs: 400, failed: 6 }),
    traffic(80, { latencyMs: 40, failed: 40 }),
    traffic(3, { latencyMs: 900, failed: 3 }),
    traffic(0),
    traffic(150, { latencyMs: 95, failed: 20 }),
  ];
  const cart: readonly Behaviour[] = [traffic(10), traffic(200, { latencyMs: 130 }), traffic(60, { failed: 5 })];
  one.setTargets('shop', 'cart');
  for (let round = 0; round < 18; round++) {
    const [a, b] = [shop[round % shop.length] ?? [], cart[round % cart.length] ?? []];
    // The last service is gone for good in the end: there is nothing that the next scrape could make up for.
    await one.run((2 + (round % 3)) * MINUTE, { shop: a, ...(round < 12 ? { cart: b } : {}) });
  }
}

const line = ({ at, rule, labels, phase, value, threshold, requests }: NewAlertEvent) =>
  `${(at - START) / 1000} ${rule} ${labels.instance ?? labels.service ?? '*'} ${phase} ${digits(value)} ${digits(threshold)} ${digits(requests)}`;
const digits = (value: number | null) => value?.toPrecision(9) ?? '-';

const limits = () => ({ deadline: Number.POSITIVE_INFINITY, cancelled: new Int32Array(new SharedArrayBuffer(4)) });

async function tried(
  one: Simulation,
  { yaml = RULES, from = START + LEAD, to = one.now, maxAlerts = 5 } = {},
): Promise<{ result: ReplayResult; events: NewAlertEvent[] }> {
  const events: NewAlertEvent[] = [];
  const result = await replay({
    store: one.store,
    tiers: (await one.store.status()).tiers,
    targets: one.live.all(),
    exists: () => true,
    rules: rules(yaml),
    from,
    to,
    intervalMs: STEP,
    maxAlerts,
    limits: limits(),
    onEvent: (event) => events.push(event),
  });
  return { result, events };
}

test.each(Object.keys(STORES))(
  'what fires on the past is what fired then, transition by transition (%s)',
  async (name) => {
    const store = (await STORES[name]?.()) ?? new MemoryStore(storeOptions(MEMORY_PATH));
    onTestFinished(() => store.close());
    const one = await new Simulation(store).start(RULES);
    await live(one);
    const lived = (await store.alertEvents({ after: 0, most: 9999 })).map(line);
    const { result, events } = await tried(one);
    const kinds = new Set(lived.map((text) => text.split(' ')[1]));
    expect([...kinds].sort()).toEqual(
      ['Budget', 'Everything', 'Failing', 'FastEnough', 'Fewer', 'Idle', 'Mean', 'Slow', 'Slower'].sort(),
    );
    expect(events.map(line).sort()).toEqual(lived.sort());
    const fired = Map.groupBy(
      lived.filter((text) => text.includes(' firing ')),
      (text) => text.split(' ')[1],
    );
    for (const { name: rule, alerts } of result.rules) expect(alerts, rule).toBe(fired.get(rule)?.length ?? 0);
  },
);

const DAY_OF_SHOP = async (yaml: string): Promise<Simulation> => {
  const one = await new Simulation().start(yaml);
  one.setTargets('shop', 'cart');
  for (const latencyMs of [50, 450, 50, 350, 60, 850, 50]) {
    await one.run(5 * MINUTE, { shop: traffic(100, { latencyMs }), cart: traffic(5) });
  }
  return one;
};

const ONE = `
  rules:
    - { name: Slow, signal: latency_p99, above: 200ms, window: 1m, for: 1m, match: { service: shop } }
    - { name: Thin, signal: latency_p99, above: 1s, window: 1m, min_requests: 100 }
`;

test('a threshold that would have fired less is told as it is written, and does what it says', async () => {
  const one = await DAY_OF_SHOP(ONE);
  const firingsOf = async (yaml: string) => (await tried(one, { yaml })).result.rules[0];
  for (const [most, text] of [
    [2, /^above: (36\d|37\d|3[6-9]0)ms$/],
    [1, /^above: 4[6-9]0ms$/],
    [0, /^above: 8[6-9]0ms$/],
  ] as const) {
    const [slow] = (await tried(one, { yaml: ONE, maxAlerts: most })).result.rules;
    expect(slow).toMatchObject({ alerts: 3, suggestion: { text: expect.stringMatching(text) } });
    const again = await firingsOf(ONE.replace('above: 200ms', slow?.suggestion?.text ?? ''));
    expect(again?.alerts).toBe(slow?.suggestion?.alerts);
    expect(again?.alerts).toBeLessThanOrEqual(most);
  }
});

test('each time is told with its labels, and how often there was too little data', async () => {
  const one = await DAY_OF_SHOP(ONE);
  const { result } = await tried(one, { yaml: ONE });
  const [slow, thin] = result.rules;
  const [series] = slow?.series ?? [];
  expect(series?.labels).toEqual({ service: 'shop' });
  expect(series?.firings.map(({ from, to }) => to !== null && from < to)).toEqual([true, true, true]);
  expect(slow?.firingMs).toBe(series?.firings.reduce((sum, { from, to }) => sum + (to ?? result.to) - from, 0));
  expect(series?.firings[0]).toMatchObject({ thresholdText: '200 ms', requests: 600 });
  expect(thin?.alerts).toBe(0);
  // Every ten seconds of cart have five requests: never a hundred in a minute.
  const [cart] = thin?.series ?? [];
  expect(cart?.labels.service).toBe('cart');
  expect(cart?.evaluations.tooLittleData).toBe(cart?.evaluations.total);
  expect(result.parts).toEqual([{ tier: 'raw', from: START + LEAD, to: one.now, stepMs: STEP, slotMs: STEP }]);
});

test('older parts are tried in the steps that they are kept in, and what those can not tell is said', async () => {
  const HOUR = 60 * MINUTE;
  const yaml = `
  rules:
    - { name: Slow, signal: latency_p99, above: 200ms, window: 5m, for: 2m }
    - { name: ByInstance, signal: latency_p99, above: 200ms, window: 5m, by: [service, instance] }
    - { name: SidecarDown, signal: request_rate, below: 1/s }
  defaults: true
`;
  const store = new MemoryStore(
    storeOptions(MEMORY_PATH, { retentionMs: { raw: HOUR, '1m': 2 * HOUR, '10m': 90 * HOUR, '1h': 900 * HOUR } }),
  );
  const one = await new Simulation(store).start(yaml);
  one.setTargets('shop');
  for (let hour = 0; hour < 4; hour++) {
    await one.run(40 * MINUTE, { shop: traffic(50, { latencyMs: 50 }) });
    await one.run(20 * MINUTE, { shop: traffic(50, { latencyMs: 450 }) });
    while (await store.upkeep(one.now));
  }
  const { result } = await tried(one, { yaml, from: START });
  expect(result.parts.map(({ tier, stepMs, slotMs }) => [tier, stepMs, slotMs])).toEqual([
    ['10m', 10 * MINUTE, 10 * MINUTE],
    ['1m', MINUTE, MINUTE],
    ['raw', STEP, STEP],
  ]);
  const named = (name: string) => result.rules.find((rule) => rule.name === name);
  expect(named('Slow')).toMatchObject({ alerts: 4, notes: ['in steps of 10m, 5m is taken as 10m'] });
  expect(named('ByInstance')).toMatchObject({
    alerts: 2,
    notes: ['not tried in steps of 10m, where instances are not told apart'],
    series: [{ labels: { service: 'shop', instance: 'shop-1' } }],
  });
  expect(named('ServiceSilent')).toMatchObject({
    alerts: 0,
    series: [],
    notTried: expect.stringContaining('not kept'),
  });
});

test('it ends when it is cancelled, when it takes too long, and when the store fails', async () => {
  const one = await new Simulation().start(ONE);
  one.setTargets('shop');
  await one.run(5 * MINUTE, { shop: traffic(10) });
  const asked = {
    tiers: (await one.store.status()).tiers,
    targets: one.live.all(),
    exists: () => true,
    rules: rules(ONE),
    from: START,
    to: one.now,
    intervalMs: STEP,
    maxAlerts: 5,
  };
  const cancelled = limits();
  const onProgress = () => void Atomics.store(cancelled.cancelled, 0, 1);
  await expect(replay({ ...asked, store: one.store, limits: cancelled, onProgress })).rejects.toThrow('cancelled');
  await expect(replay({ ...asked, store: one.store, limits: { ...limits(), deadline: 1 } })).rejects.toThrow(
    QueryStoppedError,
  );
  const failing = { sums: () => Promise.reject(new QueryTooLargeError('too much')) };
  await expect(replay({ ...asked, store: failing, limits: limits() })).rejects.toThrow('too much');
});
