/**
 * Latency histograms in Envoy's own log-linear bins: two significant decimal digits, 90 bins per decade
 * (libcircllhist). A bin is named by an integer key that grows with its bounds:
 * key 0 holds the value 0, key 1 + 90·e + (d − 10) holds [d·10^(e−1), (d+1)·10^(e−1)) for d from 10 to 99.
 *
 * Envoy records whole milliseconds, cut off, so a bin narrower than 1 ms stands for [n, n + 1):
 * 12.7 ms is recorded as 12, and 0.9 ms as 0.
 */

import { VarintReader, VarintWriter } from './varint.ts';

const BINS_PER_DECADE = 90;
const DECADES = 9;

/** Number of different bin keys; slower values (over 11 days) share the last one, which is open above. */
export const BIN_KEYS = 1 + BINS_PER_DECADE * DECADES;

/** Lower bounds in milliseconds by bin key. */
const LOWER = new Float64Array(BIN_KEYS);
/** Upper bounds in milliseconds by bin key, at least 1 ms above the recorded whole millisecond; the last bin has none. */
const UPPER = new Float64Array(BIN_KEYS);
UPPER[0] = 1;
for (let key = 1; key < BIN_KEYS; key++) {
  const exponent = Math.floor((key - 1) / BINS_PER_DECADE);
  const digits = ((key - 1) % BINS_PER_DECADE) + 10;
  LOWER[key] = exponent === 0 ? digits / 10 : digits * 10 ** (exponent - 1);
  UPPER[key] = exponent === 0 ? Math.floor(digits / 10) + 1 : (digits + 1) * 10 ** (exponent - 1);
}
UPPER[BIN_KEYS - 1] = Number.POSITIVE_INFINITY;

/** Keys from here on are buckets: several bins in one, as sources with fewer details give them. */
const FIRST_BUCKET = 1024;

/**
 * The key of a bucket that holds the bins from `first` up to `end`, `end` left out. With `end` = BIN_KEYS it is
 * open above. Keys of buckets are larger than those of bins and grow with the buckets' bounds.
 */
export function bucketKey(first: number, end: number): number {
  return end === first + 1 ? first : (first + 1) * FIRST_BUCKET + end;
}

export function isBucket(key: number): boolean {
  return key >= FIRST_BUCKET;
}

/** Bounds of a bin or bucket in milliseconds, `[lower, upper)`; the upper one of an open one is Infinity. */
export function binBounds(key: number): [lower: number, upper: number] {
  if (key < FIRST_BUCKET) return [LOWER[key] ?? 0, UPPER[key] ?? 0];
  const end = key % FIRST_BUCKET;
  const first = Math.floor(key / FIRST_BUCKET) - 1;
  return [Math.ceil(LOWER[first] ?? 0), end >= BIN_KEYS ? Number.POSITIVE_INFINITY : (UPPER[end - 1] ?? 0)];
}

/** The key of the bin that holds a value in milliseconds. */
export function binOf(valueMs: number): number {
  if (!(valueMs >= 1)) return 0;
  const key = binKey(valueMs);
  return (LOWER[key] ?? 0) > valueMs * (1 + 1e-9) ? key - 1 : key;
}

/**
 * The key of the bin whose lower bound Envoy prints as `lower` (milliseconds; float dust such as
 * 110.00000000000001 is tolerated). Values below 1 go to key 0.
 */
export function binKey(lower: number): number {
  if (!(lower >= 1)) return 0;
  let exponent = 0;
  let scale = 10;
  let rest = lower;
  while (rest >= 9.9999999 && exponent < DECADES) {
    rest /= 10;
    scale /= 10;
    exponent++;
  }
  if (exponent >= DECADES) return BIN_KEYS - 1;
  const digits = Math.min(99, Math.max(10, Math.round(lower * scale)));
  return 1 + BINS_PER_DECADE * exponent + (digits - 10);
}

/** A histogram with its empty bins and buckets left out: counts of samples by ascending key. */
export interface SparseBins {
  readonly keys: readonly number[];
  readonly counts: readonly number[];
}

export const NO_BINS: SparseBins = { keys: [], counts: [] };

/** Number of samples. */
export function sampleCount(bins: SparseBins): number {
  let total = 0;
  for (const count of bins.counts) total += count;
  return total;
}

/** A histogram that others are added to. */
export class BinSum {
  samples = 0;
  private readonly counts = new Float64Array(BIN_KEYS);
  private lowest = BIN_KEYS;
  private highest = -1;
  private buckets: Map<number, number> | undefined;

  add(key: number, count: number): void {
    if (count === 0) return;
    if (isBucket(key)) {
      this.buckets ??= new Map();
      this.buckets.set(key, (this.buckets.get(key) ?? 0) + count);
      this.samples += count;
      return;
    }
    this.counts[key] = (this.counts[key] ?? 0) + count;
    this.samples += count;
    if (key < this.lowest) this.lowest = key;
    if (key > this.highest) this.highest = key;
  }

  addBins(bins: SparseBins): void {
    const { keys, counts } = bins;
    for (let i = 0; i < keys.length; i++) this.add(keys[i] ?? 0, counts[i] ?? 0);
  }

  /** Makes it empty, to be used again. */
  clear(): void {
    this.counts.fill(0, this.lowest, this.highest + 1);
    this.samples = 0;
    this.lowest = BIN_KEYS;
    this.highest = -1;
    this.buckets = undefined;
  }

  toSparse(): SparseBins {
    const keys: number[] = [];
    const counts: number[] = [];
    for (let key = this.lowest; key <= this.highest; key++) {
      const count = this.counts[key] ?? 0;
      if (count === 0) continue;
      keys.push(key);
      counts.push(count);
    }
    for (const [key, count] of [...(this.buckets ?? [])].sort(([a], [b]) => a - b)) {
      keys.push(key);
      counts.push(count);
    }
    return { keys, counts };
  }
}

/** Whether any sample is known by a bucket only. */
export function hasBuckets(bins: SparseBins): boolean {
  return isBucket(bins.keys.at(-1) ?? 0);
}

/** The sum of several histograms. */
export function mergeBins(all: readonly SparseBins[]): SparseBins {
  const sum = new BinSum();
  for (const bins of all) sum.addBins(bins);
  return sum.toSparse();
}

export interface Quantile {
  /** Milliseconds; null when there is no sample to tell it from. */
  valueMs: number | null;
  /** What it lies between for sure: bounds of the bin it was found in, where bins and buckets do not overlap. */
  bin: [number, number] | null;
  /** True when the quantile falls among requests that timed out: `valueMs` is then a lower bound. */
  capped: boolean;
}

/**
 * The `q`-quantile (0 to 1) of the samples and of `slower` further requests, each slower than every
 * sample (timeouts, which Envoy gives no sample): linear inside a bin, and the upper edge of the highest
 * bin, capped, when it falls among the slower ones or into a bucket that is open above.
 */
export function quantile(bins: SparseBins, q: number, slower = 0): Quantile {
  const samples = sampleCount(bins);
  if (bins.keys.length === 0) return { valueMs: null, bin: null, capped: slower > 0 };
  const rank = q * (samples + slower);
  if (hasBuckets(bins)) return quantileOfBuckets(bins, rank);
  const parts = bins.keys.map((key, i) => partOf(key, bins.counts[i] ?? 0));
  const part = partAt(rank, parts);
  if (!part) return { valueMs: null, bin: null, capped: slower > 0 };
  return { ...part, capped: rank > samples || part.bin[1] === Number.POSITIVE_INFINITY };
}

/** A stretch of latencies with its samples spread evenly. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

function partOf(key: number, count: number): Part {
  const [from, to] = binBounds(key);
  return { from, to, count };
}

interface Found {
  readonly valueMs: number;
  readonly bin: [number, number];
}

/** Where a rank is found in parts that follow on each other; the end of the last one for a higher rank. */
function partAt(rank: number, parts: readonly Part[]): Found | undefined {
  let below = 0;
  for (const { from, to, count } of parts) {
    if (below + count >= rank) {
      const share = Math.min(1, Math.max(0, (rank - below) / count));
      return { valueMs: to === Number.POSITIVE_INFINITY ? from : from + (to - from) * share, bin: [from, to] };
    }
    below += count;
  }
  const last = parts.at(-1);
  return last && partAt(below, [{ ...last, count: below }]);
}

/** Bins and buckets of several sources overlap: all that they tell for sure is between which edges a rank lies. */
function quantileOfBuckets(bins: SparseBins, rank: number): Quantile {
  const parts = bins.keys.map((key, i) => partOf(key, bins.counts[i] ?? 0));
  const [from] = partAt(
    rank,
    parts.toSorted((a, b) => a.from - b.from),
  )?.bin ?? [0];
  const [, to] = partAt(
    rank,
    parts.toSorted((a, b) => a.to - b.to),
  )?.bin ?? [0, 0];
  const isOpen = to === Number.POSITIVE_INFINITY;
  const middle = partAt(rank, disjointParts(parts))?.valueMs ?? from;
  const valueMs = isOpen ? from : Math.min(to, Math.max(from, middle));
  return { valueMs, bin: [from, to], capped: isOpen || rank > sampleCount(bins) };
}

/** Cut at every edge of one of them, so that they can be walked in order. */
function disjointParts(parts: readonly Part[]): Part[] {
  const edges = [...new Set(parts.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  return edges.slice(0, -1).flatMap((from, index) => {
    const to = edges[index + 1] ?? from;
    const over = parts.filter((part) => part.from <= from && part.to >= to);
    const count = over.reduce((sum, part) => sum + part.count * shareOf(part, from, to), 0);
    return count > 0 ? [{ from, to, count }] : [];
  });
}

/** How much of a part's samples lie between two edges; those of an open one are all at its start. */
function shareOf(part: Part, from: number, to: number): number {
  if (part.to === Number.POSITIVE_INFINITY) return from === part.from ? 1 : 0;
  return (to - from) / (part.to - part.from);
}

/** Mean in milliseconds, taking each sample at the middle of its bin; null without samples. */
export function mean(bins: SparseBins): number | null {
  const samples = sampleCount(bins);
  return samples > 0 ? sumMs(bins) / samples : null;
}

/** Sum of all samples in milliseconds, each taken at the middle of its bin. */
export function sumMs(bins: SparseBins): number {
  let sum = 0;
  for (let i = 0; i < bins.keys.length; i++) {
    const [lower, upper] = binBounds(bins.keys[i] ?? 0);
    const middle = upper === Number.POSITIVE_INFINITY ? lower : (lower + upper) / 2;
    sum += middle * (bins.counts[i] ?? 0);
  }
  return sum;
}

/**
 * Samples at or below each of the ascending `bounds` (milliseconds), for exposition as classic buckets.
 * A bin counts once it lies wholly at or below the bound; the part of a bin that a bound cuts is not
 * guessed at, so a bound that is no bin's edge counts the bins below it.
 */
export function cumulativeCounts(bins: SparseBins, bounds: readonly number[]): number[] {
  const ends = bins.keys.map((key, i): [end: number, count: number] => [binBounds(key)[1], bins.counts[i] ?? 0]);
  if (hasBuckets(bins)) ends.sort(([a], [b]) => a - b);
  let i = 0;
  let below = 0;
  return bounds.map((bound) => {
    for (let next = ends[i]; next && next[0] <= bound * (1 + 1e-9); next = ends[++i]) below += next[1];
    return below;
  });
}

/** Bins as bytes: pairs of key difference and count. No bytes for no bins. */
export function encodeBins(bins: SparseBins): Uint8Array {
  const writer = new VarintWriter(bins.keys.length * 3);
  let previous = 0;
  for (let i = 0; i < bins.keys.length; i++) {
    const key = bins.keys[i] ?? 0;
    writer.write(key - previous);
    writer.write(bins.counts[i] ?? 0);
    previous = key;
  }
  return writer.finish();
}

/** What {@link encodeBins} wrote. */
export function decodeBins(bytes: Uint8Array): SparseBins {
  const reader = new VarintReader(bytes);
  const keys: number[] = [];
  const counts: number[] = [];
  let key = 0;
  while (!reader.done) {
    key += reader.read();
    keys.push(key);
    counts.push(reader.read());
  }
  return { keys, counts };
}
