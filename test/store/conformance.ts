/**
 * What every engine of the store has to answer, as a table: scrapes in, cells out. Each scenario is asked as the rounds
 * were appended, after all upkeep, and after the store was opened again; the answers are the same.
 */

import { describe, expect, test } from 'vitest';
import { COUNTER_INDEX, type Counter, requestCount, STORED_GAUGES } from '../../server/model/flow.ts';
import { foldGrowth } from '../../server/model/growth.ts';
import {
  type Cell,
  type Group,
  QueryStoppedError,
  QueryTooLargeError,
  type Store,
  type SumQuery,
} from '../../server/store/store.ts';
import { allUpkeep, appendAll, type Engine, opened, START } from './conformance-engine.ts';
import { describeTiers } from './conformance-tiers.ts';
import { grownBy } from './growth.ts';
import { type FlowSpec, failedScrape, goodScrape, type RecordSpec } from './records.ts';

/** All times of the table are seconds after {@link START}. */
const at = (seconds: number): number => START + seconds * 1000;

/** One scrape: target, begin and end, and what its inbound flow counted; `s` spells the rest out. */
interface Scrape {
  readonly target?: string;
  readonly from: number;
  readonly to: number;
  readonly count?: number;
  readonly active?: number;
  /** Samples by millisecond; default: `count` of 20 ms. */
  readonly latency?: Readonly<Record<number, number>>;
  readonly flows?: readonly FlowSpec[];
  readonly identity?: RecordSpec['identity'];
  readonly failed?: boolean;
}

function recordOf({ target = 'a', from, to, count = 0, active = 0, latency, flows, identity, failed }: Scrape) {
  if (failed) return failedScrape(target, at(to), 'no');
  const inbound: FlowSpec = {
    counters: { '2xx': count },
    gauges: { active_requests: active },
    latency: latency ?? (count > 0 ? { 20: count } : {}),
  };
  return goodScrape({
    target,
    from: at(from),
    to: at(to),
    identity: { service: 'shop', instance: `shop-${target}`, ...identity },
    flows: flows ?? [inbound],
  });
}

/** A target that counts `perSecond` and is scraped every 10 s. */
function steady(target: string, { from = 0, until = 60, perSecond = 1, active = 0 } = {}): Scrape[] {
  const scrapes: Scrape[] = [];
  for (let time = from; time + 10 <= until; time += 10)
    scrapes.push({ target, from: time, to: time + 10, count: perSecond * 10, active });
  return scrapes;
}

type Values = readonly (number | null)[];

interface Expected {
  readonly requests?: Values;
  readonly rates?: Values;
  readonly active?: Values;
  readonly samples?: Values;
  readonly quantiles?: readonly (readonly (number | null)[] | null)[];
  readonly bins?: readonly (Readonly<Record<number, number>> | null)[];
  readonly measured?: Values;
  readonly counter?: readonly [Counter, Values];
  readonly timeoutsWithoutSample?: Values;
}

interface Scenario {
  readonly name: string;
  /** Rounds of scrapes. */
  readonly rounds: readonly (readonly Scrape[])[];
  /** When upkeep is done; default: two hours after the start. */
  readonly upkeepAt?: number;
  readonly ask: { from: number; to: number; step?: number } & Partial<Omit<SumQuery, 'from' | 'to' | 'stepMs'>>;
  /** By the labels' values in the order of `by`, joined by a slash; the group of all others is `*`. */
  readonly expected: Readonly<Record<string, Expected>>;
}

const rounds = (...scrapes: Scrape[][]): Scrape[][] =>
  [...Map.groupBy(scrapes.flat(), ({ to }) => to)].sort(([a], [b]) => a - b).map(([, round]) => round);

const calls = (peer: string, spec: FlowSpec): FlowSpec => ({ direction: 'outbound', peer, ...spec });
const place = (region: string, zone: string) => ({ region, zone });

const SCENARIOS: readonly Scenario[] = [
  { name: 'nothing at all', rounds: [], ask: { from: 0, to: 60, step: 10 }, expected: {} },
  {
    name: 'whole intervals in whole cells',
    rounds: rounds(steady('a', { until: 30 })),
    ask: { from: 0, to: 30, step: 10 },
    expected: { '': { requests: [10, 10, 10], rates: [1, 1, 1], measured: [10, 10, 10] } },
  },
  {
    name: 'one cell when no step is given',
    rounds: rounds(steady('a', { until: 30, perSecond: 2 })),
    ask: { from: 0, to: 30 },
    expected: { '': { requests: [60], rates: [2] } },
  },
  {
    name: 'an interval that two slots share is spread by time, and nothing is lost',
    rounds: [[{ from: 5, to: 15, count: 11 }]],
    ask: { from: 0, to: 20, step: 10 },
    expected: { '': { requests: [6, 5], measured: [5, 5] } },
  },
  {
    name: 'a known zero is 0, a gap is null',
    rounds: rounds(steady('a', { until: 20 }), [{ from: 20, to: 30 }], steady('a', { from: 50, until: 60 })),
    ask: { from: 0, to: 60, step: 10 },
    expected: { '': { requests: [10, 10, 0, null, null, 10], rates: [1, 1, 0, null, null, 1] } },
  },
  {
    name: 'a failed scrape is a gap until the next good one tells what came in it',
    rounds: [
      ...rounds(steady('a', { until: 20 })),
      [{ from: 20, to: 30, failed: true }],
      [{ from: 20, to: 40, count: 20 }],
    ],
    ask: { from: 0, to: 40, step: 10 },
    expected: { '': { requests: [10, 10, 10, 10] } },
  },
  {
    name: 'the time to come is unknown',
    rounds: rounds(steady('a', { until: 20 })),
    ask: { from: 0, to: 40, step: 10 },
    expected: { '': { requests: [10, 10, null, null] } },
  },
  {
    name: 'instances by instance and together',
    rounds: rounds(steady('a', { until: 20 }), steady('b', { until: 20, perSecond: 3 })),
    ask: { from: 0, to: 20, step: 10, by: ['instance'] },
    expected: { 'shop-a': { requests: [10, 10] }, 'shop-b': { requests: [30, 30], rates: [3, 3] } },
  },
  {
    name: 'a filter keeps what has one of its values',
    rounds: rounds(steady('a', { until: 20 }), steady('b', { until: 20, perSecond: 3 })),
    ask: { from: 0, to: 20, match: { instance: ['shop-b', 'shop-z'] }, by: ['service'] },
    expected: { shop: { requests: [60] } },
  },
  {
    name: 'a filter that nothing passes',
    rounds: rounds(steady('a', { until: 20 })),
    ask: { from: 0, to: 20, match: { service: ['cart'] } },
    expected: {},
  },
  {
    name: 'a filter without a value',
    rounds: rounds(steady('a', { until: 20 })),
    ask: { from: 0, to: 20, match: { service: [] } },
    expected: {},
  },
  {
    name: 'peers, outbound',
    rounds: [
      [
        {
          from: 0,
          to: 10,
          flows: [
            { counters: { '2xx': 7 } },
            calls('cart', { counters: { '2xx': 3, '5xx': 1, retries: 2, timed_out: 1 }, latency: { 4: 3 } }),
            calls('db', { peerNamespace: 'data', counters: { '2xx': 5 }, latency: { 2: 5 } }),
          ],
        },
      ],
    ],
    ask: { from: 0, to: 10, direction: 'outbound', by: ['service', 'peer', 'peer_namespace'] },
    expected: {
      'shop/cart/': { requests: [4], counter: ['retries', [2]], timeoutsWithoutSample: [1], samples: [3] },
      'shop/db/data': { requests: [5], timeoutsWithoutSample: [0], samples: [5] },
    },
  },
  {
    name: 'regions and zones',
    rounds: [
      [
        { target: 'a', from: 0, to: 10, count: 1, identity: place('eu', 'eu-1') },
        { target: 'b', from: 0, to: 10, count: 2, identity: place('eu', 'eu-2') },
        { target: 'c', from: 0, to: 10, count: 4, identity: place('us', 'us-1') },
      ],
    ],
    ask: { from: 0, to: 10, by: ['region'] },
    expected: { eu: { requests: [3] }, us: { requests: [4] } },
  },
  {
    name: 'gauges are those at the end of a cell, of all instances; they end with their target',
    rounds: rounds(steady('a', { until: 20, active: 3 }), steady('b', { until: 60, active: 4 })),
    ask: { from: 0, to: 60, step: 20 },
    expected: { '': { active: [7, 4, 4] } },
  },
  {
    name: 'a gauge that falls back to 0',
    rounds: [[{ from: 0, to: 10, active: 2 }], [{ from: 10, to: 20 }], [{ from: 20, to: 30, active: 5 }]],
    ask: { from: 0, to: 40, step: 10 },
    expected: { '': { active: [2, 0, 5, null] } },
  },
  {
    name: 'targets scraped one after the other do not make the newest rate sag',
    rounds: rounds(steady('a', { until: 60 }), steady('b', { from: 3, until: 60 })),
    upkeepAt: 61,
    ask: { from: 20, to: 60, step: 20 },
    expected: { '': { rates: [2, 2] } },
  },
  {
    name: 'the rate of a target goes on until its next scrape is due',
    rounds: rounds(steady('a', { until: 60 }), steady('b', { from: 2, until: 63 })),
    upkeepAt: 70,
    ask: { from: 50, to: 70, step: 10 },
    expected: { '': { requests: [20, 2], rates: [2, 2] } },
  },
  {
    name: 'and no longer',
    rounds: rounds(steady('a', { until: 20 }), steady('b', { until: 60 })),
    ask: { from: 0, to: 60, step: 20 },
    expected: { '': { requests: [40, 20, 20], rates: [2, 1, 1] } },
  },
  {
    name: 'a clock that was put back by whole intervals: what comes at the same times again adds up',
    rounds: [[{ from: 0, to: 10, count: 5 }], [{ from: 10, to: 20, count: 7 }], [{ from: 0, to: 10, count: 4 }]],
    ask: { from: 0, to: 20, step: 10 },
    expected: { '': { requests: [9, 7], samples: [9, 7] } },
  },
  {
    name: 'gauges do not: each moment has those that were told of it first',
    rounds: [
      [{ from: 0, to: 10, count: 5, active: 2 }],
      [{ from: 10, to: 20, active: 3 }],
      [{ from: 0, to: 10, count: 4, active: 4 }],
      [{ from: 10, to: 20, count: 1, active: 9 }],
      [{ from: 20, to: 30, active: 7 }],
    ],
    ask: { from: 0, to: 30, step: 10 },
    expected: { '': { requests: [9, 1, 0], active: [2, 3, 7] } },
  },
  {
    name: 'the same of a clock that was put back by a part of an interval more',
    rounds: [
      [{ from: 0, to: 10, active: 2 }],
      [{ from: 10, to: 20, count: 10, active: 3 }],
      [{ from: 7, to: 8, active: 4 }],
      [{ from: 8, to: 18, count: 20, active: 5 }],
      [{ from: 18, to: 30, count: 12, latency: { 1: 6, 20: 6 }, active: 6 }],
    ],
    ask: { from: 0, to: 30, step: 10 },
    expected: { '': { requests: [4, 28, 10], samples: [4, 28, 10], active: [2, 3, 6] } },
  },
  {
    name: 'and of all instances together',
    rounds: [
      [
        { target: 'a', from: 0, to: 10, active: 2 },
        { target: 'b', from: 0, to: 10, active: 4 },
      ],
      [
        { target: 'a', from: 0, to: 10, active: 3 },
        { target: 'b', from: 0, to: 10, active: 1 },
      ],
      [
        { target: 'a', from: 10, to: 20, active: 1 },
        { target: 'b', from: 10, to: 20, active: 1 },
      ],
    ],
    ask: { from: 0, to: 20, step: 10, by: ['service'] },
    expected: { shop: { active: [6, 2] } },
  },
  {
    name: 'rounds in the wrong order',
    rounds: [
      [{ from: 20, to: 30, count: 3 }],
      [{ from: 0, to: 10, count: 1 }],
      [{ from: 30, to: 40, count: 4 }],
      [{ from: 10, to: 20, count: 2 }],
    ],
    ask: { from: 0, to: 40, step: 10 },
    expected: { '': { requests: [1, 2, 3, 4], measured: [10, 10, 10, 10] } },
  },
  {
    name: 'a round that comes late, when others are well ahead',
    rounds: [...rounds(steady('b', { until: 300 })), [{ target: 'a', from: 0, to: 30, count: 30 }]],
    ask: { from: 0, to: 60, step: 30, by: ['instance'] },
    expected: { 'shop-a': { requests: [30, null] }, 'shop-b': { requests: [30, 30] } },
  },
  {
    name: 'what comes late does not end what is told of now',
    rounds: [...rounds(steady('b', { until: 300, active: 4 })), [{ target: 'a', from: 0, to: 30, count: 30 }]],
    ask: { from: 240, to: 300, step: 30, by: ['instance'] },
    expected: { 'shop-b': { requests: [30, 30], active: [4, 4] } },
  },
  {
    name: 'what was counted before a gap stays before it, however it is cut',
    rounds: [[{ from: 0, to: 14, count: 14 }], ...rounds(steady('a', { from: 900, until: 960 }))],
    upkeepAt: 7200,
    ask: { from: 0, to: 20, step: 5 },
    expected: { '': { requests: [5, 5, 4, null], samples: [5, 5, 4, null] } },
  },
  {
    name: 'and where the query cuts it',
    rounds: [[{ from: 0, to: 14, count: 14 }], ...rounds(steady('a', { from: 900, until: 960 }))],
    upkeepAt: 7200,
    ask: { from: 5, to: 12 },
    expected: { '': { requests: [7] } },
  },
  {
    name: 'a clock that was set back: what overlaps adds up, and nothing is negative',
    rounds: [[{ from: 0, to: 10, count: 10 }], [{ from: 10, to: 20, count: 10 }], [{ from: 5, to: 15, count: 10 }]],
    ask: { from: 0, to: 20, step: 10 },
    expected: { '': { requests: [15, 15], measured: [10, 10] } },
  },
  {
    name: 'a clock that leapt ahead, a laptop that slept: one long interval',
    rounds: [[{ from: 0, to: 10, count: 10 }], [{ from: 10, to: 3610, count: 3600 }]],
    ask: { from: 0, to: 3600, step: 600 },
    expected: { '': { requests: [600, 600, 600, 600, 600, 600], rates: [1, 1, 1, 1, 1, 1] } },
  },
  {
    name: 'an interval that changes from 10 s to 5 s to 30 s',
    rounds: [
      [{ from: 0, to: 10, count: 10 }],
      [{ from: 10, to: 15, count: 5 }],
      [{ from: 15, to: 20, count: 5 }],
      [{ from: 20, to: 50, count: 30 }],
    ],
    ask: { from: 0, to: 60, step: 10 },
    expected: { '': { requests: [10, 10, 10, 10, 10, null] } },
  },
  {
    name: 'a baseline has no length and measures nothing',
    rounds: [[{ from: 0, to: 0 }], [{ from: 0, to: 10, count: 4 }]],
    ask: { from: -10, to: 10, step: 10 },
    expected: { '': { requests: [null, 4] } },
  },
  {
    name: 'a target that became another instance',
    rounds: [[{ from: 0, to: 10, count: 4 }], [{ from: 10, to: 20, count: 6, identity: { instance: 'shop-new' } }]],
    ask: { from: 0, to: 20, by: ['instance'] },
    expected: { 'shop-a': { requests: [4] }, 'shop-new': { requests: [6] } },
  },
  {
    name: 'bins add up over instances and time',
    rounds: [
      [
        { target: 'a', from: 0, to: 10, count: 6, latency: { 0: 1, 12: 3, 900: 2 } },
        { target: 'b', from: 0, to: 10, count: 5, latency: { 12: 4, 44: 1 } },
      ],
      [{ target: 'a', from: 10, to: 20, count: 1, latency: { 900: 1 } }],
    ],
    ask: { from: 0, to: 20 },
    expected: { '': { bins: [{ 0: 1, 93: 7, 125: 1, 261: 3 }], samples: [12] } },
  },
  {
    name: 'quantiles come from merged bins, timeouts without a sample slower than all',
    rounds: [
      [
        {
          from: 0,
          to: 10,
          flows: [calls('cart', { counters: { '2xx': 9, '5xx': 1, timed_out: 1 }, latency: { 10: 4, 20: 4, 30: 1 } })],
        },
      ],
    ],
    ask: { from: 0, to: 10, direction: 'outbound', quantiles: [0.4, 0.5, 0.99] },
    expected: { '': { quantiles: [[11, 20.25, 31]], samples: [9] } },
  },
  {
    name: 'quantiles of a cell without a sample',
    rounds: [[{ from: 0, to: 10 }]],
    ask: { from: 0, to: 20, step: 10, quantiles: [0.5] },
    expected: { '': { quantiles: [[null], null] } },
  },
  {
    name: 'the groups with the most requests, and all others as one',
    rounds: [
      ['a', 'b', 'c', 'd'].map((target, index) => ({ target, from: 0, to: 10, count: [5, 40, 3, 20][index] ?? 0 })),
    ],
    ask: { from: 0, to: 10, by: ['instance'], top: 2, quantiles: [0.5] },
    expected: {
      'shop-b': { requests: [40] },
      'shop-d': { requests: [20] },
      '*': { requests: [8], rates: [0.8], samples: [8] },
    },
  },
  {
    name: 'with room for all there are no others',
    rounds: [['a', 'b'].map((target) => ({ target, from: 0, to: 10, count: 5 }))],
    ask: { from: 0, to: 10, by: ['instance'], top: 2 },
    expected: { 'shop-a': { requests: [5] }, 'shop-b': { requests: [5] } },
  },
  {
    name: 'hours of steady traffic',
    rounds: rounds(steady('a', { until: 7200 })),
    ask: { from: 0, to: 7200, step: 1800 },
    expected: { '': { requests: [1800, 1800, 1800, 1800], rates: [1, 1, 1, 1], samples: [1800, 1800, 1800, 1800] } },
  },
  {
    name: 'hours of it by the minute, from the middle',
    rounds: rounds(steady('a', { until: 7200 })),
    ask: { from: 1800, to: 2040, step: 60 },
    expected: { '': { requests: [60, 60, 60, 60] } },
  },
  {
    name: 'text of any kind in names',
    rounds: [
      ["o'brien", 'a"b', 'ü/ö %', '日本', 'x\ny'].map((target, index) => ({
        target,
        from: 0,
        to: 10,
        count: index + 1,
        identity: { service: target },
      })),
    ],
    ask: { from: 0, to: 10, by: ['service'], match: { service: ["o'brien", '日本', 'x\ny'] } },
    expected: { "o'brien": { requests: [1] }, 日本: { requests: [4] }, 'x\ny': { requests: [5] } },
  },
];

/** Declares the whole suite for an engine. */
export function describeEngine(engine: Engine): void {
  describe(engine.name, () => {
    scenarios(engine);
    describeLimits(engine);
    describeTargets(engine);
    describeTiers(engine);
  });
}

function scenarios(engine: Engine): void {
  test('a round that comes twice counts once', async () => {
    const one = await opened(engine);
    const rounds = [
      { from: 0, to: 10, count: 5 },
      { from: 10, to: 20, count: 7 },
    ].map((spec) => [recordOf(spec)]);
    for (const [index, round] of rounds.entries())
      for (const _ of ['once', 'twice']) await one.store.append(round, index + 1);
    const scenario = { ask: { from: 0, to: 20, step: 10 }, expected: { '': { requests: [5, 7], samples: [5, 7] } } };
    await expectAnswer(one.store, { name: '', rounds: [], ...scenario }, 'as appended');
    await allUpkeep(one.store, at(7200));
    await expectAnswer(one.store, { name: '', rounds: [], ...scenario }, 'after upkeep');
  });

  test.each(SCENARIOS)('$name', async (scenario) => {
    const one = await opened(engine);
    await appendAll(
      one.store,
      scenario.rounds.map((round) => round.map(recordOf)),
    );
    await expectAnswer(one.store, scenario, 'as appended');
    await expectAnswer(await one.again(), scenario, 'after a restart');
    await allUpkeep(one.store, at(scenario.upkeepAt ?? 7200));
    await expectAnswer(one.store, scenario, 'after upkeep');
    await expectAnswer(await one.again(), scenario, 'after upkeep and a restart');
  });
}

async function expectAnswer(store: Store, { ask, expected }: Scenario, stage: string): Promise<void> {
  const { from, to, step, ...rest } = ask;
  const query: SumQuery = {
    direction: 'inbound',
    match: {},
    by: [],
    bins: true,
    ...rest,
    from: at(from),
    to: at(to),
    ...(step === undefined ? {} : { stepMs: step * 1000 }),
  };
  const { groups, other } = await store.sums(query);
  const found = new Map(groups.map((group) => [query.by.map((label) => group.labels[label] ?? '').join('/'), group]));
  if (other) found.set('*', other);
  expect([...found.keys()].sort(), stage).toEqual(Object.keys(expected).sort());
  for (const [key, values] of Object.entries(expected)) expectGroup(found.get(key), values, `${stage}, ${key}`);
}

function expectGroup(group: Group | undefined, expected: Expected, stage: string): void {
  const cells = group?.cells ?? [];
  const of = <T>(value: (cell: Cell) => T) => cells.map((cell) => cell && value(cell));
  const shown: Record<keyof Expected, () => unknown> = {
    requests: () => of(({ counters }) => requestCount(counters)),
    rates: () => of(({ rates }) => rounded(requestCount(rates))),
    active: () => of(({ gauges }) => gauges?.[STORED_GAUGES.indexOf('active_requests')] ?? null),
    samples: () => of(({ downstreamSamples, upstreamSamples }) => downstreamSamples + upstreamSamples),
    quantiles: () => of(({ quantiles }) => quantiles.map(({ valueMs }) => valueMs)),
    bins: () => of(({ bins }) => Object.fromEntries(bins.keys.map((key, index) => [key, bins.counts[index]]))),
    measured: () => of(({ measured }) => measured.reduce((sum, part) => sum + part.to - part.from, 0) / 1000),
    counter: () => [
      expected.counter?.[0],
      of(({ counters }) => counters[COUNTER_INDEX[expected.counter?.[0] ?? '2xx']]),
    ],
    timeoutsWithoutSample: () => of((cell) => cell.timeoutsWithoutSample),
  };
  for (const name of Object.keys(expected) as (keyof Expected)[])
    expect(shown[name](), `${stage}: ${name}`).toEqual(expected[name]);
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

function describeLimits(engine: Engine): void {
  const minute: SumQuery = { from: START, to: at(60), direction: 'inbound', match: {}, by: [], bins: false };
  const limits = (deadline: number, cancelled: number) => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    flag[0] = cancelled;
    return { deadline, cancelled: flag };
  };

  test.each<[name: string, limits: () => NonNullable<SumQuery['limits']>]>([
    ['was cancelled', () => limits(Date.now() + 60_000, 1)],
    ['is past its deadline', () => limits(Date.now() - 1, 0)],
  ])('a query that %s is given up', async (_, given) => {
    const { store } = await opened(engine);
    await appendAll(store, [steady('a').map(recordOf)]);
    await expect(store.sums({ ...minute, limits: given() })).rejects.toBeInstanceOf(QueryStoppedError);
    expect((await store.sums({ ...minute, limits: limits(Date.now() + 60_000, 0) })).groups).toHaveLength(1);
  });

  test('an answer that would not fit in memory is refused', async () => {
    const { store } = await opened(engine);
    const targets = Array.from({ length: 120 }, (_, index) => ({ target: `t${index}`, from: 0, to: 10, count: 1 }));
    await store.append(targets.map(recordOf));
    const query: SumQuery = { ...minute, to: at(10_000), stepMs: 1000, by: ['instance'] };
    const error = await store.sums(query).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(QueryTooLargeError);
    expect(String(error)).toMatch(/points: use a longer step, filter, or group by fewer labels/);
  });
}

function describeTargets(engine: Engine): void {
  test('the newest totals of every target come back, failed scrapes aside', async () => {
    const one = await opened(engine);
    const totals = (byte: number) => ({ shape: `["${byte % 2}"]`, values: Uint8Array.of(byte, 255) });
    const scrape = (target: string, to: number, byte: number) =>
      goodScrape({ target, from: at(to - 10), to: at(to), findings: { totals: totals(byte), startedAt: at(-5) } });
    await appendAll(one.store, [
      [scrape('a', 10, 1), scrape('unix:/run/é.sock', 10, 2)],
      [scrape('a', 20, 3), failedScrape('unix:/run/é.sock', at(20), 'no')],
    ]);
    const expected = [
      { target: 'a', lastScrape: at(20), startedAt: at(-5), inbound: true, totals: totals(3) },
      { target: 'unix:/run/é.sock', lastScrape: at(10), startedAt: at(-5), inbound: true, totals: totals(2) },
    ];
    const loaded = async (store: Store) => (await store.loadTargets()).sort((a, b) => (a.target < b.target ? -1 : 1));
    expect(await loaded(one.store)).toMatchObject(expected);
    expect(await loaded(await one.again())).toMatchObject(expected);
  });

  test('what totals grew by comes back with them, until they are told as a whole again', async () => {
    const one = await opened(engine);
    const append = (second: number, values: Uint8Array, more: { sequence: number; isGrowth?: boolean }) => {
      const totals = { shape: '[]', values, ...more };
      return one.store.append([
        goodScrape({ target: 'a', from: at(second - 10), to: at(second), findings: { totals } }),
      ]);
    };
    const loaded = async (store: Store) =>
      (await store.loadTargets()).map(({ lastScrape, totals: { values, growth = [] } }) => [
        lastScrape,
        values,
        foldGrowth(growth),
      ]);
    const [whole, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    await append(10, whole, { sequence: 1 });
    await append(20, grownBy(2), { sequence: 2, isGrowth: true });
    await append(30, grownBy(3), { sequence: 3, isGrowth: true });
    const expected = [[at(30), whole, [grownBy(5)]]];
    expect(await loaded(one.store)).toEqual(expected);
    expect(await loaded(await one.again())).toEqual(expected);
    await allUpkeep(one.store, at(7200));
    expect(await loaded(one.store)).toEqual(expected);
    expect(await loaded(await one.again())).toEqual(expected);
    await append(40, two, { sequence: 4 });
    await append(50, grownBy(4), { sequence: 5, isGrowth: true });
    expect(await loaded(one.store)).toEqual([[at(50), two, [grownBy(4)]]]);
  });

  test('growth of totals that are not there leaves none, until they are told as a whole again', async () => {
    const { store } = await opened(engine);
    const totals = (sequence: number, isGrowth: boolean) => ({
      shape: '[]',
      values: Uint8Array.of(sequence),
      sequence,
      isGrowth,
    });
    const append = (second: number, sequence: number, isGrowth: boolean) =>
      store.append([
        goodScrape({
          target: 'a',
          from: at(second - 10),
          to: at(second),
          findings: { totals: totals(sequence, isGrowth) },
        }),
      ]);
    await append(10, 1, false);
    await append(20, 3, true);
    await append(30, 4, true);
    expect(await store.loadTargets()).toEqual([]);
    await append(40, 5, false);
    expect(await store.loadTargets()).toMatchObject([{ lastScrape: at(40), totals: { values: Uint8Array.of(5) } }]);
  });

  test('status tells every tier', async () => {
    const { store } = await opened(engine);
    const empty = await store.status();
    expect(empty).toMatchObject({ oldest: null, notice: '' });
    expect(empty.tiers.map(({ name, retentionMs }) => [name, retentionMs])).toEqual([
      ['raw', 7_200_000],
      ['1m', 172_800_000],
      ['10m', 2_592_000_000],
      ['1h', 34_560_000_000],
    ]);
    await appendAll(
      store,
      rounds(steady('a', { from: 30, until: 60 })).map((round) => round.map(recordOf)),
    );
    const full = await store.status();
    expect(full.oldest).toBe(at(30));
    expect(full.tiers[0]).toMatchObject({ name: 'raw', oldest: at(30), newest: at(60) });
  });
}
