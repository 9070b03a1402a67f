/** A simulated Envoy under random traffic, scrapes, restarts and updates: what is counted equals what it counted. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CODE_CLASSES, COUNTER_INDEX } from '../../server/model/flow.ts';
import { binBounds } from '../../server/model/histogram.ts';
import type { ScrapeFindings } from '../../server/model/scrape-record.ts';
import type { EnvoyStats } from '../envoy/stats-body.ts';
import { ScrapedTarget } from './scraped-target.ts';

type Counts = Map<string | number, number>;

function add(counts: Counts, key: string | number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** Counts requests as Envoy does: classes at once, latencies with the next flush. */
class SimulatedEnvoy {
  started: number;
  readonly classes: Counts = new Map();
  readonly bins: Counts = new Map();
  private readonly unflushed: Counts = new Map();

  constructor(started: number) {
    this.started = started;
  }

  request(codeClass: string, latencyMs: number, count: number): void {
    add(this.classes, codeClass, count);
    add(this.unflushed, latencyMs, count);
  }

  flush(): void {
    for (const [bin, count] of this.unflushed) add(this.bins, bin, count);
    this.unflushed.clear();
  }

  restart(at: number): void {
    this.started = at;
    for (const counts of [this.classes, this.bins, this.unflushed]) counts.clear();
  }

  stats(): EnvoyStats {
    let completed = 0;
    const scalars: Record<string, number> = { 'cluster.b.membership_total': 1 };
    for (const [codeClass, count] of this.classes) {
      scalars[`cluster.b.upstream_rq_${codeClass}`] = count;
      completed += count;
    }
    if (completed > 0) scalars['cluster.b.upstream_rq_completed'] = completed;
    return this.bins.size > 0
      ? { scalars, histograms: { 'cluster.b.upstream_rq_time': Object.fromEntries(this.bins) } }
      : { scalars };
  }
}

/** What must have been counted: at each scrape, what grew since the last scrape of the same life. */
class Ledger {
  readonly counted: Counts = new Map();
  private before: Counts | undefined;

  scraped(envoy: SimulatedEnvoy): void {
    const now: Counts = new Map([...envoy.classes, ...envoy.bins]);
    if (this.before) for (const [key, count] of now) add(this.counted, key, count - (this.before.get(key) ?? 0));
    this.before = now;
  }

  restarted(): void {
    if (this.before) this.before = new Map();
  }
}

/** Sums of increments and the collector's own totals. */
class Observed {
  readonly increments: Counts = new Map();
  lastTo: number | undefined;

  take({ observation, flowTotals }: ScrapeFindings): Counts {
    const [flow] = observation.flows;
    if (!flow) throw new Error('no flow');
    const increments = countsOf(flow.counters, flow.bins);
    for (const [key, count] of increments) {
      expect(count).toBeGreaterThanOrEqual(0);
      add(this.increments, key, count);
    }
    if (this.lastTo !== undefined) expect(observation.from).toBeGreaterThanOrEqual(this.lastTo);
    this.lastTo = observation.to;
    const [total] = flowTotals;
    return total ? countsOf(total.counters, total.bins) : new Map();
  }
}

function countsOf(counters: Float64Array, bins: { keys: readonly number[]; counts: readonly number[] }): Counts {
  const counts: Counts = new Map();
  for (const name of CODE_CLASSES) add(counts, name, counters[COUNTER_INDEX[name]] ?? 0);
  bins.keys.forEach((key, index) => {
    add(counts, binBounds(key)[0], bins.counts[index] ?? 0);
  });
  return counts;
}

function nonZero(counts: Counts): Record<string, number> {
  return Object.fromEntries(
    [...counts].filter(([, count]) => count !== 0).sort(([a], [b]) => String(a).localeCompare(String(b))),
  );
}

interface World {
  readonly envoy: SimulatedEnvoy;
  readonly target: ScrapedTarget;
  readonly ledger: Ledger;
  readonly observed: Observed;
  now: number;
  /** Whether the next scrape goes over a new connection, so that /server_info is asked. */
  connectionIsNew: boolean;
  toldStart: number;
}

type Step = (world: World) => void;

const scrape: Step = (world) => {
  const { envoy, target, ledger, observed } = world;
  world.now += 1;
  // Between two connections the answer of the first one stands, with its time.
  if (world.connectionIsNew) world.toldStart = envoy.started;
  world.connectionIsNew = false;
  const findings = target.scrape({
    at: world.now,
    stats: envoy.stats(),
    started: world.toldStart,
    previousRound: null,
  });
  ledger.scraped(envoy);
  const totals = observed.take(findings);
  expect(nonZero(observed.increments)).toEqual(nonZero(ledger.counted));
  expect(nonZero(totals)).toEqual(nonZero(ledger.counted));
};

const traffic = fc
  .tuple(
    fc.constantFrom(...CODE_CLASSES),
    fc.constantFrom(0, 1, 3, 20, 99, 100, 250, 3000),
    fc.integer({ min: 1, max: 50 }),
  )
  .map(
    ([codeClass, latencyMs, count]): Step =>
      ({ envoy }) =>
        envoy.request(codeClass, latencyMs, count),
  );

const time = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 60_000 })).map(
  (ms): Step =>
    (world) => {
      world.now += ms;
    },
);

/** A life is at least 3 s long: whole seconds tell no shorter one apart. */
const envoyRestart = fc.integer({ min: 0, max: 5000 }).map(
  (downMs): Step =>
    (world) => {
      world.now = Math.max(world.now, world.envoy.started + 3000) + downMs;
      world.envoy.restart(world.now);
      world.ledger.restarted();
      world.connectionIsNew = true;
    },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: traffic },
  { weight: 3, arbitrary: fc.constant<Step>(({ envoy }) => envoy.flush()) },
  { weight: 4, arbitrary: time },
  { weight: 5, arbitrary: fc.constant(scrape) },
  { weight: 1, arbitrary: envoyRestart },
  {
    weight: 1,
    arbitrary: fc.constant<Step>((world) => {
      world.connectionIsNew = true;
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>((world) => {
      world.target.restartCollector();
      world.connectionIsNew = true;
    }),
  },
);

function newWorld(age: number): World {
  const now = 1_800_000_000_000;
  return {
    envoy: new SimulatedEnvoy(now - age),
    target: new ScrapedTarget({ labels: { service: 'a' } }),
    ledger: new Ledger(),
    observed: new Observed(),
    now,
    connectionIsNew: true,
    toldStart: now - age,
  };
}

test('restarts of Envoy and of the collector lose and repeat nothing that was scraped', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.array(step, { minLength: 5, maxLength: 120 }), (age, steps) => {
      const world = newWorld(age);
      for (const take of steps) take(world);
      world.envoy.flush();
      scrape(world);
    }),
    { numRuns: 400 },
  );
});

/** Resets that Envoy does not tell: they may hide requests, but never make one up. */
const untoldReset: fc.Arbitrary<Step> = fc.constantFrom<Step>(
  ({ envoy }) => envoy.restart(envoy.started),
  ({ envoy }) => envoy.classes.clear(),
  ({ envoy }) => envoy.bins.clear(),
);

test('clusters that are updated, removed and added again never give more than was sent', () => {
  const steps = fc.array(fc.oneof({ weight: 9, arbitrary: step }, { weight: 2, arbitrary: untoldReset }), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(steps, (taken) => {
      const world = newWorld(5000);
      const everything: Counts = new Map();
      const request = world.envoy.request.bind(world.envoy);
      world.envoy.request = (codeClass, latencyMs, count) => {
        add(everything, codeClass, count);
        add(everything, latencyMs, count);
        request(codeClass, latencyMs, count);
      };
      for (const take of taken) {
        if (take !== scrape) take(world);
        else {
          world.now += 1;
          world.observed.take(
            world.target.scrape({
              at: world.now,
              stats: world.envoy.stats(),
              started: world.envoy.started,
              previousRound: null,
            }),
          );
        }
        for (const [key, count] of world.observed.increments)
          expect(count).toBeLessThanOrEqual(everything.get(key) ?? 0);
      }
    }),
    { numRuns: 300 },
  );
});
