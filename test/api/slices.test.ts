/** However much an answer is made of, other work of the main thread comes in between. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Sources } from '../../server/api/asking.ts';
import { parseParams, timeRange } from '../../server/api/params.ts';
import { QUERY_PARAMS, querySignal } from '../../server/api/query.ts';
import { describeRegions } from '../../server/api/regions.ts';
import { describeService, listServices } from '../../server/api/services.ts';
import { describeTopology } from '../../server/api/topology.ts';
import { ServiceDirectory } from '../../server/live/services.ts';
import { ZoneRegions } from '../../server/live/zones.ts';
import { COUNTERS } from '../../server/model/flow.ts';
import type { Cell, Group, SeriesLabel, Store, SumQuery } from '../../server/store/store.ts';

/** Groups of every answer; each takes so long to look at. */
const GROUPS = 1000;
const GROUP_MS = 1;
const LONGEST_MS = 20;
const clock = { ms: 0 };
const CLOCK = { now: 1_700_000_000_000, slotMs: 10_000, measuredTo: 1_700_000_000_000 };
const params = (search: string) => parseParams(search, [...QUERY_PARAMS]);
const range = () => timeRange(params('window=5m'), CLOCK);

beforeEach(() => {
  clock.ms = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => clock.ms);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const CELL: Cell = {
  counters: new Float64Array(COUNTERS.length).fill(1),
  rates: new Float64Array(COUNTERS.length).fill(1),
  gauges: null,
  bins: { keys: [100], counts: [1] },
  quantiles: [],
  meanMs: 1,
  timeoutsWithoutSample: 0,
  downstreamSamples: 1,
  upstreamSamples: 0,
  measured: [{ from: 0, to: 1000 }],
};

/** A group that costs time when its cells are looked at for the first time. */
function fakeGroup(by: readonly SeriesLabel[], index: number, service: string | undefined): Group {
  let isSeen = false;
  const values: Partial<Record<SeriesLabel, string | undefined>> = { service, namespace: '' };
  return {
    labels: Object.fromEntries(by.map((label) => [label, values[label] ?? String(index)])),
    get cells() {
      if (!isSeen) clock.ms += GROUP_MS;
      isSeen = true;
      return [CELL];
    },
  };
}

const NAMED: Partial<Record<SeriesLabel, true>> = { service: true, namespace: true };

const fakeStore: Pick<Store, 'sums'> = {
  async sums({ by, subtotals = [], match }: SumQuery) {
    const isOfOneService = match.service?.length === 1 && by.every((label) => label in NAMED);
    const length = isOfOneService ? 1 : GROUPS;
    const groups = Array.from({ length }, (_, index) => fakeGroup(by, index, match.service?.[0]));
    return { groups, other: null, tiers: ['raw'], subtotals: subtotals.map(() => []) };
  },
};

const sources: Sources = {
  store: fakeStore,
  directory: new ServiceDirectory([]),
  alerts: new Map(),
  tiers: () => ['raw'],
};

/** Longest time, by the fake clock, between two turns of the event loop while something is worked out. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let [longest, last, isDone] = [0, clock.ms, false];
  const look = () => {
    longest = Math.max(longest, clock.ms - last);
    last = clock.ms;
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  await work();
  isDone = true;
  return Math.max(longest, clock.ms - last);
}

const ANSWERS: readonly [name: string, work: () => Promise<unknown>][] = [
  ['services', () => listServices(sources, range(), {})],
  ['a service', () => describeService(sources, { service: 's', namespace: '' }, range(), {})],
  ['topology', () => describeTopology(sources, { range: range(), filters: {} })],
  [
    'regions',
    () =>
      describeRegions(
        { ...sources, zones: new ZoneRegions([]) },
        { range: range(), filters: {}, direction: 'inbound' },
      ),
  ],
  ['a rate by service', () => querySignal(sources, params('signal=request_rate&by=service'), CLOCK)],
  ['the top of it', () => querySignal(sources, params('signal=request_rate&by=service&top=5'), CLOCK)],
  ['a latency by instance', () => querySignal(sources, params('signal=latency_p99&by=instance'), CLOCK)],
  [
    'a latency by peer, sent',
    () => querySignal(sources, params('signal=latency_p99&by=peer&direction=outbound'), CLOCK),
  ],
];

test.each(ANSWERS)('%s', async (_, work) => {
  const longest = await longestTurn(work);
  expect(clock.ms).toBeGreaterThanOrEqual(GROUPS * GROUP_MS);
  expect(longest).toBeLessThanOrEqual(LONGEST_MS);
});
