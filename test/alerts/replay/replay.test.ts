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
    - { name: FastEnough, slo: { objective: 90%, good: "latency < 100ms" }, by: [] }
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
