import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LabelSet } from '../../server/exporter/families.ts';
import { nativeHistogramOf, wholeHistogramOf } from '../../server/exporter/native-histogram.ts';
import { ProtobufSink } from '../../server/exporter/protobuf-sink.ts';
import { renderMetrics } from '../../server/exporter/render.ts';
import { BIN_KEYS, binBounds, binOf, bucketKey, quantile, type SparseBins } from '../../server/model/histogram.ts';
import { SelfMetrics } from '../../server/telemetry/self-metrics.ts';
import { liveWith } from '../live/live-targets.ts';
import { goodScrape } from '../store/records.ts';
import { decodedFamilies } from './decoded-families.ts';

const upperBound = (index: number): number => 2 ** (index / 16);

test('what Envoy records as 0 is in the zero bucket, the rest where it lies', () => {
  const { zeroCount, zeroThreshold, buckets } = nativeHistogramOf({ keys: [0, binOf(20)], counts: [7, 5] });
  expect([zeroCount, zeroThreshold]).toEqual([7, 2 ** -10]);
  expect(buckets.reduce((sum, [, count]) => sum + count, 0)).toBeCloseTo(5, 12);
  for (const [index] of buckets) {
    expect(upperBound(index)).toBeGreaterThan(0.02);
    expect(upperBound(index - 1)).toBeLessThan(0.021);
  }
});

test.each([
  ['a bucket that begins at 0', bucketKey(0, binOf(5)), 0, 0.005],
  ['an open bucket', bucketKey(binOf(10_000), BIN_KEYS), 9.5, 10.5],
])('%s loses no sample', (_, key, lowest, highest) => {
  const { zeroCount, buckets } = nativeHistogramOf({ keys: [key], counts: [3] });
  expect(buckets.reduce((sum, [, count]) => sum + count, zeroCount)).toBeCloseTo(3, 12);
  for (const [index] of buckets) {
    expect(upperBound(index)).toBeGreaterThanOrEqual(lowest);
    expect(upperBound(index - 1)).toBeLessThan(highest);
  }
});

const bins = fc
  .uniqueArray(fc.integer({ min: 0, max: BIN_KEYS - 1 }), { minLength: 1, maxLength: 30 })
  .map((keys) => keys.sort((a, b) => a - b))
  .chain((keys) =>
    fc
      .array(fc.integer({ min: 1, max: 1e9 }), { minLength: keys.length, maxLength: keys.length })
      .map((counts): SparseBins => ({ keys, counts })),
  );

test('all samples are in it, and none of its buckets falls while the bins grow', () => {
  fc.assert(
    fc.property(bins, fc.integer({ min: 0, max: 1e6 }), fc.nat(), ({ keys, counts }, more, at) => {
      const before = nativeHistogramOf({ keys, counts });
      const grown = counts.map((count, i) => (i === at % counts.length ? count + more : count));
      const after = nativeHistogramOf({ keys, counts: grown });
      const later = new Map(after.buckets);
      expect(after.zeroCount).toBeGreaterThanOrEqual(before.zeroCount);
      for (const [index, count] of before.buckets) expect(later.get(index) ?? 0).toBeGreaterThanOrEqual(count);
      const samples = counts.reduce((sum, count) => sum + count, 0);
      const told = before.buckets.reduce((sum, [, count]) => sum + count, before.zeroCount);
      expect(Math.abs(told / samples - 1)).toBeLessThan(1e-9);
    }),
  );
});

test('whole counts hold every sample, lie near the exact ones, and never fall while the bins grow', () => {
  fc.assert(
    fc.property(bins, fc.integer({ min: 0, max: 50 }), fc.nat(), ({ keys, counts }, more, at) => {
      const before = wholeHistogramOf({ keys, counts });
      const grown = counts.map((count, i) => (i === at % counts.length ? count + more : count));
      const after = new Map(wholeHistogramOf({ keys, counts: grown }).buckets);
      const exact = new Map(nativeHistogramOf({ keys, counts }).buckets);
      const samples = counts.reduce((sum, count) => sum + count, 0);
      expect(before.buckets.reduce((sum, [, count]) => sum + count, before.zeroCount)).toBe(samples);
      for (const [index, count] of before.buckets) {
        expect(Number.isInteger(count)).toBe(true);
        expect(after.get(index) ?? 0).toBeGreaterThanOrEqual(count);
        expect(Math.abs(count - (exact.get(index) ?? 0))).toBeLessThan(keys.length * 2);
      }
    }),
  );
});

test('one sample after the other: no bucket ever gives one back', () => {
  const buckets = [bucketKey(0, binOf(250)), bucketKey(binOf(5), binOf(10_000))];
  for (const key of [...[1, 2, 10, 99].map((ms) => binOf(ms)), ...buckets]) {
    let before = new Map<number, number>();
    for (let count = 0; count < 300; count++) {
      const now = new Map(wholeHistogramOf({ keys: [key], counts: [count] }).buckets);
      expect([...now.values()].reduce((sum, one) => sum + one, 0)).toBe(count);
      for (const [index, one] of before) expect(now.get(index) ?? 0).toBeGreaterThanOrEqual(one);
      before = now;
    }
  }
});

test('a quantile of one bin lies within a bucket of the bin', () => {
  for (let key = 11; key < BIN_KEYS; key++) {
    const [lower, upper] = binBounds(key);
    const { buckets } = nativeHistogramOf({ keys: [key], counts: [1] });
    const { valueMs } = quantile({ keys: [key], counts: [1] }, 0.5, 0);
    const [first = 0, last = 0] = [buckets[0]?.[0], buckets.at(-1)?.[0]];
    expect(valueMs).toBeGreaterThanOrEqual(lower);
    expect(upperBound(first - 1) * 1000).toBeGreaterThanOrEqual(lower / upperBound(1) - 1e-9);
    expect(upperBound(last) * 1000).toBeLessThanOrEqual(upper * upperBound(1) * (1 + 1e-9));
  }
});

test('every family is one message, with classic buckets beside the native ones', async () => {
  const scrape = goodScrape({
    target: '10.0.0.1:9901',
    from: 0,
    to: 1000,
    identity: { service: 'shop', instance: 'shop-1' },
    flows: [{ counters: { '2xx': 3 }, latency: { 20: 3 } }],
  });
  const options = {
    level: 'instance',
    buckets: [0.01, 0.1],
    seriesLimit: 1000,
    filter: () => true,
    now: 1000,
  } as const;
  const own = await new SelfMetrics('0.1.0').registry.getMetricsAsJSON();
  const pieces = [...renderMetrics({ ...options, targets: liveWith([scrape]).all(), own, format: 'protobuf' })];
  const families = decodedFamilies(
    Buffer.concat(pieces.flatMap((piece) => (piece instanceof Uint8Array ? [piece] : []))),
  );
  const names = families.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(families.find(({ name }) => name === 'mesh_requests_total')).toMatchObject({ type: 0 });
  const { buckets } = wholeHistogramOf({ keys: [binOf(20)], counts: [3] });
  expect(families.find(({ name }) => name === 'mesh_request_duration_seconds')).toMatchObject({
    type: 4,
    unit: 'seconds',
    metric: [
      {
        label: expect.arrayContaining([{ name: 'service', value: 'shop' }]),
        histogram: {
          count: 3,
          schema: 4,
          zeroCount: 0,
          bucket: [
            { count: 0, bound: 0.01 },
            { count: 3, bound: 0.1 },
            { count: 3, bound: Number.POSITIVE_INFINITY },
          ],
          span: [{ offset: buckets[0]?.[0], length: buckets.length }],
          deltas: buckets.map(([, count], i) => count - (buckets[i - 1]?.[1] ?? 0)),
        },
      },
    ],
  });
  expect(families.find(({ name }) => name === 'sidelight_scrape_duration_seconds')).toMatchObject({ type: 4 });
});

test('a summary keeps its quantiles', () => {
  const sink = new ProtobufSink();
  sink.begin({ name: 'a_seconds', type: 'summary', help: 'A.' });
  sink.suffixed('', new LabelSet({ of: 'b', quantile: '0.5' }), 2);
  sink.suffixed('_sum', new LabelSet({ of: 'b' }), 6);
  sink.suffixed('_count', new LabelSet({ of: 'b' }), 3);
  expect(decodedFamilies(sink.end())).toMatchObject([
    {
      metric: [
        { label: [{ name: 'of', value: 'b' }], summary: { count: 3, sum: 6, quantile: [{ quantile: 0.5, value: 2 }] } },
      ],
    },
  ]);
});
