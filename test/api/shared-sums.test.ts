import { beforeEach, expect, test } from 'vitest';
import { SharedSums } from '../../server/api/shared-sums.ts';
import type { Group, SumAnswer, SumQuery } from '../../server/store/store.ts';

const STEP_MS = 15_000;
const COUNTS: SumQuery = {
  from: 0,
  to: 300_000,
  stepMs: STEP_MS,
  direction: 'inbound',
  match: {},
  by: [],
  bins: false,
};
const HISTOGRAMS: SumQuery = { ...COUNTS, bins: true };
const LATENCIES: SumQuery = { ...HISTOGRAMS, quantiles: [0.5, 0.99] };

/** Answers with so many groups, and keeps what it is asked. */
class FakeStore {
  readonly asked: SumQuery[] = [];
  groups = 1;
  readonly failures: Error[] = [];

  async sums(query: SumQuery): Promise<SumAnswer> {
    this.asked.push(query);
    const failure = this.failures.pop();
    if (failure) throw failure;
    const groups = Array.from({ length: this.groups }, (): Group => ({ labels: {}, cells: [] }));
    return { groups, other: null, subtotals: [], tiers: ['raw'] };
  }
}

let store: FakeStore;
let version: string;
let shared: SharedSums;
beforeEach(() => {
  store = new FakeStore();
  version = 'first';
  shared = new SharedSums(store, () => version);
});

async function askAll(...queries: SumQuery[]): Promise<void> {
  for (const query of queries) await shared.sums(query);
}

test.each<[name: string, first: SumQuery, second: SumQuery, asked: number]>([
  ['the same', COUNTS, { ...COUNTS }, 1],
  ['the same latencies', LATENCIES, { ...LATENCIES }, 1],
  ['counts after latencies', LATENCIES, COUNTS, 1],
  ['counts after histograms', HISTOGRAMS, COUNTS, 1],
  ['latencies after counts', COUNTS, LATENCIES, 2],
  ['histograms after latencies', LATENCIES, HISTOGRAMS, 2],
  ['latencies after histograms', HISTOGRAMS, LATENCIES, 2],
  ['other quantiles', LATENCIES, { ...LATENCIES, quantiles: [0.5] }, 2],
  ['another time', COUNTS, { ...COUNTS, to: 315_000 }, 2],
  ['another step', COUNTS, { ...COUNTS, stepMs: 30_000 }, 2],
  ['another direction', COUNTS, { ...COUNTS, direction: 'outbound' }, 2],
  ['other groups', COUNTS, { ...COUNTS, by: ['region'] }, 2],
  ['other series', COUNTS, { ...COUNTS, match: { service: ['cart'] } }, 2],
  ['others left out', COUNTS, { ...COUNTS, without: [{ labels: ['peer'], keys: ['["cart"]'] }] }, 2],
  ['the largest of all', { ...COUNTS, top: 3 }, { ...COUNTS, top: 3 }, 2],
])('%s: the store is asked as often as it has to', async (_, first, second, asked) => {
  await Promise.all([shared.sums(first), shared.sums(second)]);
  expect(store.asked).toHaveLength(asked);
  await askAll(first, second);
  expect(store.asked).toHaveLength('top' in first ? 2 * asked : asked);
});

test('newer figures are asked for', async () => {
  await askAll(COUNTS);
  version = 'second';
  await askAll(COUNTS, COUNTS);
  expect(store.asked).toHaveLength(2);
});

test('what failed or was given up is asked for again, by those who waited for it too', async () => {
  store.failures.push(new Error('given up'));
  const first = shared.sums(COUNTS);
  const second = shared.sums(COUNTS);
  await expect(first).rejects.toThrow('given up');
  expect((await second).groups).toHaveLength(1);
  expect(store.asked).toHaveLength(2);
  await askAll(COUNTS);
  expect(store.asked).toHaveLength(3);
});

test('an answer with many cells is for those who wait for it only', async () => {
  store.groups = 1000;
  await Promise.all([shared.sums(COUNTS), shared.sums(COUNTS)]);
  expect(store.asked).toHaveLength(1);
  await askAll(COUNTS);
  expect(store.asked).toHaveLength(2);
});
