/** Prometheus's native histograms of Envoy's bins: exponential buckets, 16 to every doubling (schema 4). */

import { binBounds, type SparseBins } from '../model/histogram.ts';

const SCHEMA = 4;
const PER_DOUBLING = 2 ** SCHEMA;
/** A bucket's bound just below 1 ms: what Envoy records as 0 is in the zero bucket. */
const ZERO_THRESHOLD = 2 ** -10;

export interface NativeHistogram {
  readonly schema: number;
  /** Seconds. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  /** Buckets by ascending index: bucket i holds (base^(i - 1), base^i] seconds, base being the 16th root of 2. */
  readonly buckets: readonly (readonly [index: number, count: number])[];
}

/**
 * Spreads each bin evenly over the buckets that it lies in. Its share of each is always the same, so that the counts of
 * a histogram that grows only grow. A bucket without an upper bound stands at its lower one.
 */
export function nativeHistogramOf({ keys, counts }: SparseBins): NativeHistogram {
  const sums = new Map<number, number>();
  let zeroCount = 0;
  for (let i = 0; i < keys.length; i++) {
    const count = counts[i] ?? 0;
    const shares = sharesOf(keys[i] ?? 0);
    if (shares.length === 0) zeroCount += count;
    for (const [index, share] of shares) sums.set(index, (sums.get(index) ?? 0) + share * count);
  }
  const buckets = [...sums].sort(([a], [b]) => a - b);
  return { schema: SCHEMA, zeroThreshold: ZERO_THRESHOLD, zeroCount, buckets };
}

type Share = readonly [index: number, share: number];

const known = new Map<number, readonly Share[]>();
/** Keys of buckets are from outside, in any number. */
const MOST_KNOWN = 10_000;

/** What of a bin each bucket gets; none for the one that begins at 0, which is in the zero bucket. */
function sharesOf(key: number): readonly Share[] {
  let shares = known.get(key);
  if (!shares) {
    shares = spread(binBounds(key));
    if (known.size < MOST_KNOWN) known.set(key, shares);
  }
  return shares;
}

function spread([lowerMs, upperMs]: readonly [lower: number, upper: number]): Share[] {
  const lower = lowerMs / 1000;
  const upper = upperMs / 1000;
  if (upper <= 0.001) return [];
  if (upper === Number.POSITIVE_INFINITY) return [[indexOf(Math.max(lower, 0.001)), 1]];
  const shares: Share[] = [];
  let from = lower;
  for (let index = indexOf(Math.max(lower, ZERO_THRESHOLD)); from < upper; index++) {
    const to = Math.min(upper, 2 ** (index / PER_DOUBLING));
    if (to > from) shares.push([index, (to - from) / (upper - lower)]);
    from = Math.max(from, to);
  }
  return shares;
}

/** Of the bucket that holds values just above this one. */
function indexOf(seconds: number): number {
  return Math.floor(Math.log2(seconds) * PER_DOUBLING) + 1;
}
