import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BIN_KEYS,
  BinSum,
  binBounds,
  binKey,
  bucketKey,
  cumulativeCounts,
  decodeBins,
  encodeBins,
  mean,
  mergeBins,
  NO_BINS,
  quantile,
  type SparseBins,
  sampleCount,
  sumMs,
} from '../../server/model/histogram.ts';

/** Lower bound of the bin that Envoy counts a whole number of milliseconds in: its two leading digits. */
function lowerOf(ms: number): number {
  const scale = 10 ** Math.max(0, String(ms).length - 2);
  return Math.floor(ms / scale) * scale;
}

function binsOf(values: readonly number[]): SparseBins {
  const sum = new BinSum();
  for (const value of values) sum.add(binKey(lowerOf(value)), 1);
  return sum.toSparse();
}

/** Whole milliseconds of all orders of magnitude. */
const latency = fc.tuple(fc.nat(999), fc.integer({ min: 0, max: 5 })).map(([digits, zeros]) => digits * 10 ** zeros);
const latencies = fc.array(latency, { minLength: 1, maxLength: 200 });
const sparseBins = fc
  .dictionary(fc.nat(BIN_KEYS - 1).map(String), fc.oneof(fc.integer({ min: 1, max: 300 }), fc.maxSafeNat()))
  .map((counts): SparseBins => {
    const entries = Object.entries(counts).filter(([, count]) => count > 0);
    const sorted = entries.map(([key, count]) => [Number(key), count] as const).sort(([a], [b]) => a - b);
    return { keys: sorted.map(([key]) => key), counts: sorted.map(([, count]) => count) };
  });
const smallBins = latencies.map(binsOf);

describe('binKey and binBounds', () => {
  test.each([
    [0, 0, 1],
    [1, 1, 2],
    [9, 9, 10],
    [10, 10, 11],
    [99, 99, 100],
    [100, 100, 110],
    [109, 100, 110],
    [110, 110, 120],
    [999, 990, 1000],
    [1000, 1000, 1100],
    [9999, 9900, 10_000],
    [10_000, 10_000, 11_000],
    [123_456, 120_000, 130_000],
    [989_999_999, 980_000_000, 990_000_000],
    [999_999_999, 990_000_000, Number.POSITIVE_INFINITY],
  ])('%d ms is in [%d, %d)', (ms, lower, upper) => {
    expect(binBounds(binKey(lowerOf(ms)))).toEqual([lower, upper]);
  });

  test.each([
    ['a zero', 0, 0],
    ['dust above 110', 110.00000000000001, 1 + 90 * 2 + 1],
    ['dust below 110', 109.99999999999999, 1 + 90 * 2 + 1],
    ['dust below 1000', 999.9999999999999, 1 + 90 * 3],
    ['dust below 10', 9.999999999999998, 1 + 90],
    ['a billion', 1_000_000_000, BIN_KEYS - 1],
    ['more than any number of milliseconds', 1e300, BIN_KEYS - 1],
    ['no finite number', Number.POSITIVE_INFINITY, BIN_KEYS - 1],
    ['no number', Number.NaN, 0],
    ['a negative number', -5, 0],
  ])('%s has a key', (_, lower, key) => {
    expect(binKey(lower)).toBe(key);
  });

  test('every edge below a billion has its own key, however its product was rounded', () => {
    let key = 0;
    for (let exponent = 0; exponent < 9; exponent++) {
      for (let digits = 10; digits < 100; digits++) {
        key++;
        const products = [digits * 10 ** (exponent - 1), (digits / 10) * 10 ** exponent, digits / 10 ** (1 - exponent)];
        for (const lower of products) {
          expect([lower, binKey(lower)]).toEqual([lower, key]);
          expect([lower, binKey(lower * (1 + 2 ** -51))]).toEqual([lower, key]);
          if (lower > 1) expect([lower, binKey(lower * (1 - 2 ** -51))]).toEqual([lower, key]);
        }
      }
    }
    expect(key).toBe(BIN_KEYS - 1);
  });

  test('bins of whole milliseconds follow each other without a gap, and the last one is open', () => {
    let end = 0;
    for (let key = 0; key < BIN_KEYS - 1; key++) {
      const [lower, upper] = binBounds(key);
      if (!Number.isInteger(lower)) continue;
      expect([key, lower]).toEqual([key, end]);
      expect(upper - lower).toBeGreaterThanOrEqual(1);
      expect(upper - lower).toBeLessThanOrEqual(Math.max(1, lower / 10));
      end = upper;
    }
    expect(binBounds(BIN_KEYS - 1)).toEqual([end, Number.POSITIVE_INFINITY]);
  });
});

describe('quantile', () => {
  const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999];

  test('lies in the bin of the exact percentile', () => {
    fc.assert(
      fc.property(latencies, fc.constantFrom(...QUANTILES), (values, q) => {
        const sorted = values.toSorted((a, b) => a - b);
        const rank = Math.ceil((Math.round(q * 1000) * values.length) / 1000);
        const exact = sorted[rank - 1] ?? Number.NaN;
        const { valueMs, bin, capped } = quantile(binsOf(values), q);
        expect(bin).toEqual(binBounds(binKey(lowerOf(exact))));
        expect(valueMs).toBeGreaterThanOrEqual(bin?.[0] ?? Number.NaN);
        expect(valueMs).toBeLessThanOrEqual(bin?.[1] ?? Number.NaN);
        expect(capped).toBe(false);
      }),
    );
  });

  test('grows with q and with slower requests', () => {
    fc.assert(
      fc.property(latencies, fc.nat(50), fc.double({ min: 0, max: 1, noNaN: true }), (values, slower, q) => {
        const bins = binsOf(values);
        const at = (share: number, more: number) => quantile(bins, share, more).valueMs ?? Number.NaN;
        expect(at(q, slower)).toBeGreaterThanOrEqual(at(q / 2, slower));
        expect(at(q, slower)).toBeGreaterThanOrEqual(at(q, 0));
      }),
    );
  });

  test.each([
    ['no sample', [], 0.5, 0, { valueMs: null, bin: null, capped: false }],
    ['nothing but timeouts', [], 0.5, 3, { valueMs: null, bin: null, capped: true }],
    ['one sample', [7], 0.5, 0, { valueMs: 7.5, bin: [7, 8], capped: false }],
    ['the lowest', [7, 20], 0, 0, { valueMs: 7, bin: [7, 8], capped: false }],
    ['the highest', [7, 20], 1, 0, { valueMs: 21, bin: [20, 21], capped: false }],
    ['the last sample before the timeouts', [1, 2, 250], 0.75, 1, { valueMs: 260, bin: [250, 260], capped: false }],
    ['the first of the timeouts', [1, 2, 250], 0.76, 1, { valueMs: 260, bin: [250, 260], capped: true }],
    ['among many timeouts', [1], 0.5, 99, { valueMs: 2, bin: [1, 2], capped: true }],
    ['more than eleven days', [7, 3e9], 0.9, 0, { valueMs: 99e7, bin: [99e7, Number.POSITIVE_INFINITY], capped: true }],
    ['below many timeouts', [1, 1, 1, 1], 0.5, 3, { valueMs: 1.875, bin: [1, 2], capped: false }],
  ] as const)('%s', (_, values, q, slower, expected) => {
    expect(quantile(binsOf(values), q, slower)).toEqual(expected);
  });

  test('of 990 fast requests and 10 timeouts the 99th percentile is known and the 99.9th is capped', () => {
    const bins = binsOf(Array.from({ length: 990 }, () => 40));
    expect(quantile(bins, 0.99, 10)).toEqual({ valueMs: 41, bin: [40, 41], capped: false });
    expect(quantile(bins, 0.999, 10)).toEqual({ valueMs: 41, bin: [40, 41], capped: true });
  });
});

describe('quantile of sources with other buckets than each other', () => {
  const EDGES = [0, 1, 5, 10, 25, 30, 50, 100, 250, 400, 1000, 10_000];

  /** As a source tells them: by bins, or by buckets between edges of its own. */
  function toldBy(edges: readonly number[] | undefined, values: readonly number[]): SparseBins {
    if (!edges) return binsOf(values);
    const sum = new BinSum();
    for (const value of values) {
      const above = edges.findIndex((edge) => edge > value);
      const end = above < 0 ? BIN_KEYS : binKey(edges[above] ?? 0);
      sum.add(bucketKey(binKey((above < 0 ? edges.at(-1) : edges[above - 1]) ?? 0), end), 1);
    }
    return sum.toSparse();
  }

  const source = fc.record({
    edges: fc.option(
      fc.subarray(EDGES.slice(1), { minLength: 1 }).map((edges) => [0, ...edges]),
      { nil: undefined },
    ),
    values: fc.array(latency, { maxLength: 30 }),
  });

  test('lies between the bounds that are told, and so does what happened', () => {
    fc.assert(
      fc.property(fc.array(source, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 1000 }), (all, q) => {
        const values = all.flatMap((one) => one.values).toSorted((a, b) => a - b);
        if (values.length === 0) return;
        const exact = values[Math.ceil((q * values.length) / 1000) - 1] ?? Number.NaN;
        const found = quantile(mergeBins(all.map((one) => toldBy(one.edges, one.values))), q / 1000);
        const [lower = Number.NaN, upper = Number.NaN] = found.bin ?? [];
        expect(exact).toBeGreaterThanOrEqual(lower);
        expect(exact).toBeLessThan(upper);
        expect(found.valueMs).toBeGreaterThanOrEqual(lower);
        expect(found.valueMs).toBeLessThanOrEqual(upper);
        expect(found.capped).toBe(upper === Number.POSITIVE_INFINITY);
        if (found.capped) expect(found.valueMs).toBe(lower);
      }),
      { numRuns: 500 },
    );
  });
});

describe('sums', () => {
  test('merging is adding, in any order and grouping', () => {
    fc.assert(
      fc.property(smallBins, smallBins, smallBins, (a, b, c) => {
        const all = mergeBins([a, b, c]);
        expect(mergeBins([mergeBins([a, b]), c])).toEqual(all);
        expect(mergeBins([c, mergeBins([b, a])])).toEqual(all);
        expect(sampleCount(all)).toBe(sampleCount(a) + sampleCount(b) + sampleCount(c));
        expect(mergeBins([a, NO_BINS])).toEqual(a);
      }),
    );
  });

  test('BinSum counts samples and gives keys in order, without empty bins', () => {
    const sum = new BinSum();
    expect(sum.toSparse()).toEqual(NO_BINS);
    sum.add(50, 2);
    sum.add(0, 1);
    sum.add(7, 0);
    sum.add(BIN_KEYS - 1, 3);
    sum.add(50, 4);
    expect(sum.toSparse()).toEqual({ keys: [0, 50, BIN_KEYS - 1], counts: [1, 6, 3] });
    expect(sum.samples).toBe(10);
  });

  test('the mean is within half a bin of the exact one', () => {
    expect(mean(NO_BINS)).toBeNull();
    fc.assert(
      fc.property(latencies, (values) => {
        const exact = values.reduce((sum, value) => sum + value, 0) / values.length;
        const halfBins = values.reduce((sum, value) => sum + Math.max(0.5, value / 20), 0) / values.length;
        expect(Math.abs((mean(binsOf(values)) ?? Number.NaN) - exact)).toBeLessThanOrEqual(halfBins + 1e-6);
      }),
    );
  });

  test.each([
    [[], 0],
    [[0], 0.5],
    [[3, 3], 7],
    [[100], 105],
  ])('%j sum to %d ms', (values, expected) => {
    expect(sumMs(binsOf(values))).toBe(expected);
  });
});

describe('cumulativeCounts', () => {
  test.each([
    ['a sample counts where its whole bin is at or below the bound', [4], [4, 5, 6], [0, 1, 1]],
    ['a bound inside a bin leaves the bin out', [100], [105, 110], [0, 1]],
    ['values at a bound stand for up to a millisecond more', [5], [5, 6], [0, 1]],
    ['zero', [0, 0], [0.5, 1], [0, 2]],
    ['every bound counts all below it', [1, 20, 300, 4000], [5, 25, 310, 10_000], [1, 2, 3, 4]],
    ['a bound that is not exact in binary', [109, 109], [109.99999999999999, 110.00000000000001], [2, 2]],
    ['bounds of the exporter', [2, 7, 30, 70, 600], [5, 10, 25, 50, 100, 250, 500, 1000], [1, 2, 2, 3, 4, 4, 4, 5]],
    ['no samples', [], [5, 10], [0, 0]],
    ['no bounds', [3], [], []],
  ])('%s', (_, values, bounds, expected) => {
    expect(cumulativeCounts(binsOf(values), bounds)).toEqual(expected);
  });

  test('never goes down and never exceeds the samples', () => {
    fc.assert(
      fc.property(smallBins, fc.uniqueArray(fc.nat(1_000_000), { maxLength: 20 }), (bins, bounds) => {
        const counts = cumulativeCounts(
          bins,
          bounds.toSorted((a, b) => a - b),
        );
        expect(counts).toEqual(counts.toSorted((a, b) => a - b));
        expect(counts.at(-1) ?? 0).toBeLessThanOrEqual(sampleCount(bins));
      }),
    );
  });
});

describe('encodeBins', () => {
  test('decodeBins gives the same bins again', () => {
    fc.assert(
      fc.property(sparseBins, (bins) => {
        expect(decodeBins(encodeBins(bins))).toEqual(bins);
      }),
    );
  });

  test('no bins take no bytes, and a typical histogram two bytes a bin', () => {
    expect(encodeBins(NO_BINS)).toHaveLength(0);
    expect(encodeBins(binsOf([0, 1, 2, 3, 20, 45, 120]))).toHaveLength(14);
  });

  test('bytes that end in the middle of a number are refused', () => {
    expect(() => decodeBins(Uint8Array.of(0x81))).toThrow(RangeError);
    expect(() => decodeBins(Uint8Array.of(5))).toThrow(RangeError);
  });
});
