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
  return histogramBy(bins, addShares, Number);
}

/** The same in whole counts, which OTLP wants and which take a fraction of the room: these only grow too, while the bins grow. */
export function wholeHistogramOf(bins: SparseBins): NativeHistogram {
  return histogramBy(bins, addWhole, Math.round);
}

/** The bucket that begins at the zero threshold. */
const FIRST_INDEX = indexOf(ZERO_THRESHOLD);
/** What is in each bucket while a histogram is made, up to that of the largest double. */
const SUMS = new Float64Array(PER_DOUBLING * 1024 - FIRST_INDEX + 1);

function histogramBy(
  { keys, counts }: SparseBins,
  addTo: (count: number, part: Spread) => void,
  zero: (count: number) => number,
): NativeHistogram {
  let zeroCount = 0;
  let [lowest, highest] = [SUMS.length, -1];
  for (let i = 0; i < keys.length; i++) {
    const count = counts[i] ?? 0;
    const part = spreadOf(keys[i] ?? 0);
    if (part.shares.length === 0) {
      zeroCount += zero(count);
      continue;
    }
    addTo(count, part);
    lowest = Math.min(lowest, part.place);
    highest = Math.max(highest, part.place + part.shares.length - 1);
  }
  return { schema: SCHEMA, zeroThreshold: ZERO_THRESHOLD, zeroCount, buckets: takeSums(lowest, highest) };
}

function addShares(count: number, { place, shares }: Spread): void {
  for (let i = 0; i < shares.length; i++) SUMS[place + i] = (SUMS[place + i] ?? 0) + (shares[i] ?? 0) * count;
}

function addWhole(count: number, { place, shares }: Spread): void {
  apportion(Math.round(count), shares);
  for (let i = 0; i < shares.length; i++) SUMS[place + i] = (SUMS[place + i] ?? 0) + (GIVEN[i] ?? 0);
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

/** What `apportion` gave to each share; used again for every bin. */
const GIVEN = new Float64Array(SUMS.length);

/**
 * Gives out samples by the method of Sainte-Laguë: the n-th of a share goes out at (2n - 1) / share, the lowest first.
 * So one sample more is one more in one bucket and none less in another, as counters have to grow.
 */
function apportion(count: number, shares: Spread['shares']): void {
  let left = count;
  let isClear = count < MOST_CLEAR;
  for (let i = 0; i < shares.length; i++) {
    const exact = shares.length === 1 ? count : (shares[i] ?? 0) * count + 0.5;
    const given = Math.floor(exact);
    GIVEN[i] = given;
    left -= given;
    isClear &&= Math.abs(exact - given - 0.5) < 0.499;
  }
  if (shares.length > 1 && !(isClear && left === 0)) settle(left, shares);
}

/** From here on a share of a count is not exact enough to tell on which side of a half it lies, without a look at the others. */
const MOST_CLEAR = 1e9;

/** Gives out what is left, or takes back what is too much, until nobody comes before another. */
function settle(tooFew: number, shares: Spread['shares']): void {
  for (let left = tooFew; ; left -= Math.sign(left)) {
    let next = 0;
    let nextAt = Number.POSITIVE_INFINITY;
    let last = -1;
    let lastAt = 0;
    for (let i = 0; i < shares.length; i++) {
      const share = shares[i] ?? 1;
      const own = GIVEN[i] ?? 0;
      const goesAt = (2 * own + 1) / share;
      const wentAt = (2 * own - 1) / share;
      if (goesAt < nextAt) {
        next = i;
        nextAt = goesAt;
      }
      if (own > 0 && (last < 0 || wentAt >= lastAt)) {
        last = i;
        lastAt = wentAt;
      }
    }
    const comesBefore = nextAt < lastAt || (nextAt === lastAt && next < last);
    if (last < 0 ? left <= 0 : left === 0 && !comesBefore) return;
    if (left >= 0) GIVEN[next] = (GIVEN[next] ?? 0) + 1;
    if (left <= 0) GIVEN[last] = (GIVEN[last] ?? 0) - 1;
  }
}

/** What of a bin each bucket gets, from one place of `SUMS` on; nothing of the one that begins at 0, which is in the zero bucket. */
interface Spread {
  readonly place: number;
  readonly shares: readonly number[];
}

const known = new Map<number, Spread>();
/** Keys of buckets are from outside, in any number. */
const MOST_KNOWN = 10_000;

function spreadOf(key: number): Spread {
  let part = known.get(key);
  if (!part) {
    part = spread(binBounds(key));
    if (known.size < MOST_KNOWN) known.set(key, part);
  }
  return part;
}

function spread([lowerMs, upperMs]: readonly [lower: number, upper: number]): Spread {
  const lower = lowerMs / 1000;
  const upper = upperMs / 1000;
  if (upper <= 0.001) return { place: 0, shares: [] };
  if (upper === Number.POSITIVE_INFINITY) return { place: indexOf(Math.max(lower, 0.001)) - FIRST_INDEX, shares: [1] };
  const shares: number[] = [];
  let from = lower;
  let index = indexOf(Math.max(lower, ZERO_THRESHOLD));
  for (; from < upper; index++) {
    const to = Math.min(upper, 2 ** (index / PER_DOUBLING));
    if (to > from) shares.push((to - from) / (upper - lower));
    from = Math.max(from, to);
  }
  return { place: index - shares.length - FIRST_INDEX, shares };
}

/** Of the bucket that holds values just above this one. */
function indexOf(seconds: number): number {
  return Math.floor(Math.log2(seconds) * PER_DOUBLING) + 1;
}
