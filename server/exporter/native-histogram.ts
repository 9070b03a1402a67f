/** Exponential histograms of Envoy's bins, 16 buckets to every doubling (schema 4): Prometheus's native ones, and OTLP's. */

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
export function nativeHistogramOf(bins: SparseBins): NativeHistogram {
  return histogramBy(bins, (count, shares) => shares.map(([, share]) => share * count));
}

/** The same in whole counts, which OTLP wants and which take a fraction of the room: these only grow too, while the bins grow. */
export function wholeHistogramOf(bins: SparseBins): NativeHistogram {
  return histogramBy(bins, (count, shares) => apportioned(Math.round(count), shares), Math.round);
}

/** The bucket that begins at the zero threshold. */
const FIRST_INDEX = indexOf(ZERO_THRESHOLD);
/** What is in each bucket while a histogram is made, up to that of the largest double. */
const SUMS = new Float64Array(PER_DOUBLING * 1024 - FIRST_INDEX + 1);

type Spread = (count: number, shares: readonly Share[]) => readonly number[];

function histogramBy(
  { keys, counts }: SparseBins,
  spreadOver: Spread,
  zero: (count: number) => number = Number,
): NativeHistogram {
  let zeroCount = 0;
  let [lowest, highest] = [SUMS.length, -1];
  for (let i = 0; i < keys.length; i++) {
    const count = counts[i] ?? 0;
    const shares = sharesOf(keys[i] ?? 0);
    if (shares.length === 0) zeroCount += zero(count);
    const given = spreadOver(count, shares);
    for (let j = 0; j < shares.length; j++) {
      const place = (shares[j]?.[0] ?? 0) - FIRST_INDEX;
      SUMS[place] = (SUMS[place] ?? 0) + (given[j] ?? 0);
      if (place < lowest) lowest = place;
      if (place > highest) highest = place;
    }
  }
  return { schema: SCHEMA, zeroThreshold: ZERO_THRESHOLD, zeroCount, buckets: takeSums(lowest, highest) };
}

/** The buckets that hold anything; their sums are 0 again afterwards. */
function takeSums(lowest: number, highest: number): [index: number, count: number][] {
  const buckets: [number, number][] = [];
  for (let place = lowest; place <= highest; place++) {
    const count = SUMS[place] ?? 0;
    if (count === 0) continue;
    buckets.push([place + FIRST_INDEX, count]);
    SUMS[place] = 0;
  }
  return buckets;
}

/**
 * Gives out samples by the method of Sainte-Laguë: the n-th of a share goes out at (2n - 1) / share, the lowest first.
 * So one sample more is one more in one bucket and none less in another, as counters have to grow.
 */
function apportioned(count: number, shares: readonly Share[]): number[] {
  if (shares.length <= 1) return shares.map(() => count);
  const given = shares.map(([, share]) => Math.floor(share * count + 0.5));
  const priority = (i: number, nth: number) => (2 * nth - 1) / (shares[i]?.[1] ?? 1);
  let left = given.reduce((rest, one) => rest - one, count);
  for (;;) {
    let next = 0;
    let last = -1;
    for (let i = 0; i < given.length; i++) {
      const own = given[i] ?? 0;
      if (priority(i, own + 1) < priority(next, (given[next] ?? 0) + 1)) next = i;
      if (own > 0 && (last < 0 || priority(i, own) >= priority(last, given[last] ?? 0))) last = i;
    }
    const isSettled = left === 0 && (last < 0 || !comesBefore(next, last));
    if (isSettled || (left < 0 && last < 0)) return given;
    if (left >= 0) given[next] = (given[next] ?? 0) + 1;
    if (left <= 0) given[last] = (given[last] ?? 0) - 1;
    left -= Math.sign(left);
  }

  /** Whether the next of one share goes out before the last that another one got. */
  function comesBefore(next: number, last: number): boolean {
    const [a, b] = [priority(next, (given[next] ?? 0) + 1), priority(last, given[last] ?? 0)];
    return a < b || (a === b && next < last);
  }
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
