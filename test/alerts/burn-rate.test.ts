import { describe, expect, test } from 'vitest';
import {
  BURN_WINDOWS,
  type Budgeted,
  budgeted,
  budgetLeft,
  burnRate,
  type GoodRequests,
  judgeBurn,
  type Objective,
} from '../../server/alerts/burn-rate.ts';
import { COUNTER_INDEX, COUNTERS } from '../../server/model/flow.ts';
import { BIN_KEYS, binOf, bucketKey } from '../../server/model/histogram.ts';
import type { Cell } from '../../server/store/store.ts';

function cell(counters: Record<string, number>, bins: [number, number][] = [], timeoutsWithoutSample = 0): Cell {
  const values = new Float64Array(COUNTERS.length);
  for (const [name, count] of Object.entries(counters))
    values[COUNTER_INDEX[name as keyof typeof COUNTER_INDEX]] = count;
  return {
    counters: values,
    rates: values,
    gauges: null,
    bins: { keys: bins.map(([key]) => key), counts: bins.map(([, count]) => count) },
    quantiles: [],
    meanMs: null,
    timeoutsWithoutSample,
    downstreamSamples: 0,
    upstreamSamples: 0,
    measured: [{ from: 0, to: 1 }],
  };
}

const OBJECTIVE: Objective = { share: 0.999, good: 'success' };
const under: GoodRequests = { belowMs: 300 };

test.each<[string, Cell | null, GoodRequests, Budgeted | null]>([
  ['nothing measured', null, 'success', null],
  ['no traffic', cell({}), 'success', { requests: 0, bad: 0, measuredMs: 1 }],
  [
    '5xx and failed gRPC calls are bad, 4xx are not',
    cell({ '2xx': 90, '4xx': 5, '5xx': 5, grpc_failed: 2 }),
    'success',
    { requests: 100, bad: 7, measuredMs: 1 },
  ],
  [
    'fast and slow',
    cell({}, [
      [binOf(20), 70],
      [binOf(290), 20],
      [binOf(300), 9],
      [binOf(2000), 1],
    ]),
    under,
    { requests: 100, bad: 10, measuredMs: 1 },
  ],
  [
    'timeouts without a sample are slow',
    cell({}, [[binOf(20), 70]], 30),
    under,
    { requests: 100, bad: 30, measuredMs: 1 },
  ],
  [
    'buckets that the bound does not cut',
    cell({}, [
      [bucketKey(binOf(10), binOf(300)), 8],
      [bucketKey(binOf(300), BIN_KEYS), 2],
    ]),
    under,
    { requests: 10, bad: 2, measuredMs: 1 },
  ],
  ['a bucket that the bound cuts', cell({}, [[bucketKey(binOf(250), binOf(500)), 8]]), under, null],
])('%s', (_, measured, good, expected) => {
  expect(budgeted(measured, good)).toEqual(expected);
});

test('burn rates and what is left of a budget', () => {
  expect(burnRate({ requests: 1000, bad: 1 }, OBJECTIVE)).toBeCloseTo(1, 9);
  expect(burnRate({ requests: 0, bad: 0 }, OBJECTIVE)).toBeNull();
  expect(budgetLeft({ requests: 10_000, bad: 4, measuredMs: 1 }, OBJECTIVE)).toBeCloseTo(0.6, 9);
  expect(budgetLeft({ requests: 1000, bad: 3, measuredMs: 1 }, OBJECTIVE)).toBeCloseTo(-2, 9);
  expect(budgetLeft(null, OBJECTIVE)).toBeNull();
});

describe('pairs of windows', () => {
  type Shares = readonly [long: number | null, short: number | null];
  const judge = (shares: readonly Shares[], requests = 100_000, minRequests = 100, knownMs = 3 * 86_400_000) =>
    judgeBurn(
      BURN_WINDOWS.map((windows, index) => {
        const of = (share: number | null | undefined) =>
          share === null || share === undefined
            ? null
            : { requests, bad: requests * share, measuredMs: Math.min(knownMs, windows.longMs) };
        return { windows, long: of(shares[index]?.[0]), short: of(shares[index]?.[1]) };
      }),
      OBJECTIVE,
      minRequests,
    );

  test.each<[string, readonly Shares[], object]>([
    [
      'all is well',
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      { data: 'ok', isMet: false, isCleared: true },
    ],
    [
      'burning fast',
      [
        [0.02, 0.03],
        [0.004, 0.01],
        [0.0005, 0.004],
      ],
      { data: 'ok', isMet: true, isCleared: false, value: 20, threshold: 14.4 },
    ],
    [
      'burnt fast, but no more',
      [
        [0.02, 0.001],
        [0.004, 0.005],
        [0.0005, 0.004],
      ],
      { data: 'ok', isMet: false, isCleared: true },
    ],
    [
      'burning slowly',
      [
        [0.002, 0.002],
        [0.002, 0.002],
        [0.0015, 0.002],
      ],
      { data: 'ok', isMet: true, value: 1.5, threshold: 1 },
    ],
    [
      'known for an hour only',
      [
        [0.02, 0.03],
        [null, null],
        [null, null],
      ],
      { data: 'ok', isMet: true, value: 20 },
    ],
    [
      'nothing in the last minutes',
      [
        [0.02, null],
        [null, null],
        [null, null],
      ],
      { data: 'ok', isMet: false },
    ],
    [
      'nothing measured',
      [
        [null, null],
        [null, null],
        [null, null],
      ],
      { data: 'no_data' },
    ],
  ])('%s', (_, shares, expected) => {
    const { value, ...others } = { value: undefined, ...judge(shares) } as { value: number | undefined };
    const { value: wanted, ...rest } = { value: undefined, ...expected } as { value: number | undefined };
    expect(others).toMatchObject(rest);
    if (wanted !== undefined) expect(value).toBeCloseTo(wanted, 9);
  });

  test('one failed call at night pages nobody', () => {
    expect(
      judge(
        [
          [0.5, 0.5],
          [0.5, 0.5],
          [0.5, 0.5],
        ],
        2,
      ),
    ).toEqual({ data: 'too_little_data', requests: 2 });
    expect(
      judge(
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        0,
        0,
      ),
    ).toEqual({ data: 'too_little_data', requests: 0 });
  });

  test.each<[string, number, object]>([
    ['minutes', 4 * 60_000, { data: 'too_little_data', requests: 100_000 }],
    ['a quarter of an hour', 15 * 60_000, { data: 'ok', isMet: false }],
    ['an hour', 60 * 60_000, { data: 'ok', isMet: true, threshold: 6 }],
    ['a day', 86_400_000, { data: 'ok', isMet: true, threshold: 1 }],
  ])(
    'of a service that is known for %s only the pairs speak of which more is known than the short window',
    (_, ms, expected) => {
      const shares = Array<Shares>(3).fill([0.01, 0.01]);
      expect(judge(shares, 100_000, 100, ms)).toMatchObject(expected);
    },
  );
});
