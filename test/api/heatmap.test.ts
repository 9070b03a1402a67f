import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HeatmapAnswer } from '../../server/api/contract.ts';
import { MAX_ROWS, rowsOf } from '../../server/api/heatmap.ts';
import { binBounds, binKey, bucketKey, type SparseBins } from '../../server/model/histogram.ts';
import { binsOf } from '../store/records.ts';
import { BASE, MIXED, NOW } from './meshes.ts';
import { type RunningApi, startApi } from './running-api.ts';

const MINUTE = `from=${BASE}&to=${NOW}`;

describe('rows of a heatmap', () => {
  const every = (values: readonly number[]): SparseBins => binsOf(Object.fromEntries(values.map((ms) => [ms, 1])));
  const spread = Array.from({ length: 400 }, (_, index) => Math.round(1.04 ** index));

  test.each<[name: string, bins: readonly SparseBins[]]>([
    ['one bin', [every([12])]],
    ['neighbours', [every([3, 4, 5]), every([4, 6])]],
    ['far apart', [every([0, 1, 900_000])]],
    ['all over', [every(spread)]],
    ['from nothing', [every([0, ...spread])]],
    ['buckets', [{ keys: [bucketKey(binKey(5), binKey(10)), bucketKey(binKey(250), binKey(500))], counts: [1, 1] }]],
    ['bins among buckets', [every([7, 33]), { keys: [bucketKey(binKey(5), binKey(10))], counts: [1] }]],
  ])('are few, beside one another, and cut no bin: %s', (_, all) => {
    const rows = rowsOf(all);
    expect(rows.length).toBeLessThanOrEqual(MAX_ROWS);
    for (const [index, [lower, upper]] of rows.entries()) {
      expect(upper).toBeGreaterThan(lower);
      if (index > 0) expect(lower).toBe(rows[index - 1]?.[1]);
    }
    for (const key of all.flatMap(({ keys }) => keys)) {
      const [lower, upper] = binBounds(key);
      expect(rows.filter((row) => row[0] <= lower && row[1] >= upper)).toHaveLength(1);
    }
  });

  test('there is none without a sample', () => expect(rowsOf([])).toEqual([]));
});

describe('/api/v1/heatmap', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi(MIXED);
  });
  afterAll(() => api.stop());

  test('counts samples by step and row', async () => {
    const { times, boundsMs, counts, timeouts, tiers } = await api.get<HeatmapAnswer>(
      `/api/v1/heatmap?service=shop&step=30s&${MINUTE}`,
    );
    expect(times).toEqual([BASE, BASE + 30_000]);
    const [first, last] = [boundsMs[0], boundsMs.at(-1)];
    expect([first?.[0], last?.[1]]).toEqual([10, 41]);
    const row = (counted: readonly number[] | null | undefined) =>
      counted?.flatMap((count, index) => (count > 0 ? [[boundsMs[index], count]] : []));
    for (const column of counts)
      expect(row(column)).toEqual([
        [[10, 11], 60],
        [[40, 41], 30],
      ]);
    expect([timeouts, tiers]).toEqual([[0, 0], ['raw']]);
  });

  test('a gap is null, and what callers measured counts where nobody else did', async () => {
    const sleepy = await api.get<HeatmapAnswer>(`/api/v1/heatmap?service=sleepy&step=10s&${MINUTE}`);
    expect(sleepy.counts).toEqual([[5], [5], null, null, null, null]);
    const cart = await api.get<HeatmapAnswer>(`/api/v1/heatmap?service=cart&step=1m&${MINUTE}`);
    expect(cart.counts[0]?.reduce((sum, count) => sum + count, 0)).toBe(6 * (3 + 8 + 4));
    expect(cart.timeouts).toEqual([12]);
    const nobody = await api.get<HeatmapAnswer>(`/api/v1/heatmap?service=nobody&step=1m&${MINUTE}`);
    expect(nobody).toMatchObject({ boundsMs: [], counts: [null] });
  });
});
