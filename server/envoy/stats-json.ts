/**
 * The JSON form of `/stats?format=json&histogram_buckets=detailed`:
 * `{"stats":[{"name","value"},…,{"histograms":{"details":[{"name","totals":[{"lower_bound","width","count"}]}]}}]}`,
 * and with `histogram_buckets=cumulative` `{"histograms":[{"name","buckets":[{"upper_bound","cumulative"}]}]}` instead.
 * Three times the bytes of the text form and a fifteenfold of its CPU: used where a target refuses the text.
 */

import { binKey } from '../model/histogram.ts';
import { pushBuckets } from './buckets.ts';
import {
  checkNames,
  LONGEST_NAME,
  owned,
  type Precision,
  SHARED_DRAFT,
  StatsError,
  type StatsLayout,
  type StatsReader,
  type StatsReading,
} from './stats.ts';

interface JsonBin {
  lower_bound: number;
  count: number;
}

interface DetailedHistogram {
  name: string;
  totals: JsonBin[];
}

interface BucketHistogram {
  name: string;
  buckets: { upper_bound: number; cumulative: number }[];
}

type JsonHistogram = DetailedHistogram | BucketHistogram;

export class JsonStatsReader implements StatsReader {
  precision: Precision = 'bins';
  private layout: StatsLayout | undefined;
  private readonly boundsInclusive: boolean;

  /** `boundsInclusive`: whether a cumulative bucket holds the bin that its bound is in (Envoy 1.38 and later). */
  constructor(boundsInclusive = false) {
    this.boundsInclusive = boundsInclusive;
  }

  read(body: Buffer): StatsReading {
    return owned(this.lend(body));
  }

  lend(body: Buffer): StatsReading {
    const entries = parseEntries(body);
    const scalars: string[] = [];
    const values: number[] = [];
    let histograms: JsonHistogram[] = [];
    for (const entry of entries) {
      if (isScalar(entry)) {
        scalars.push(entry.name);
        values.push(whole(entry.value));
      } else if ('histograms' in entry) histograms = readHistograms(entry.histograms);
      else if (!isReadout(entry)) throw new StatsError(`not one of Envoy's stats: ${excerpt(entry)}`);
    }
    SHARED_DRAFT.begin(values.length).set(values);
    this.readBins(histograms);
    this.precision = histograms.some(hasBuckets) ? 'buckets' : 'bins';
    const layout = this.remember({ scalars, histograms: histograms.map((histogram) => histogram.name) });
    return SHARED_DRAFT.finish(layout);
  }

  private readBins(histograms: readonly JsonHistogram[]): void {
    for (const histogram of histograms) {
      if (hasBuckets(histogram)) {
        const buckets = histogram.buckets.map(({ upper_bound, cumulative }) => ({
          bound: upper_bound,
          count: whole(cumulative),
        }));
        pushBuckets(SHARED_DRAFT, buckets, this.boundsInclusive);
      } else {
        SHARED_DRAFT.beginHistogram();
        for (const bin of histogram.totals) SHARED_DRAFT.push(binKey(bin.lower_bound), whole(bin.count));
      }
    }
  }

  /** The layout of the answer before where it lists the same names. */
  private remember(layout: StatsLayout): StatsLayout {
    const known = this.layout;
    if (known && sameNames(layout.scalars, known.scalars) && sameNames(layout.histograms, known.histograms))
      return known;
    checkNames(layout);
    this.layout = layout;
    return layout;
  }
}

/** Names of what is told as text: no figure is made of it. @throws StatsError when the body is not such JSON. */
export function textReadouts(body: Buffer): string[] {
  return parseEntries(body).flatMap((entry) => (isReadout(entry) ? [entry.name] : []));
}

function parseEntries(body: Buffer): object[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw new StatsError('the answer is not whole JSON');
  }
  if (!isObject(parsed) || !('stats' in parsed) || !Array.isArray(parsed.stats)) {
    throw new StatsError('the JSON has no list "stats"');
  }
  if (parsed.stats.length === 0) throw new StatsError('the answer is empty');
  return parsed.stats.map((entry: unknown) => {
    if (!isObject(entry)) throw new StatsError(`not one of Envoy's stats: ${excerpt(entry)}`);
    return entry;
  });
}

/** @throws StatsError when the histograms are there but with quantiles only (no `histogram_buckets` before Envoy 1.22). */
function readHistograms(histograms: unknown): JsonHistogram[] {
  if (Array.isArray(histograms)) return histograms.map(checked(isBucketHistogram));
  if (!isObject(histograms) || !('details' in histograms) || !Array.isArray(histograms.details)) {
    throw new StatsError('the histograms come without bins: histogram_buckets=detailed needs Envoy 1.27 or newer');
  }
  return histograms.details.map(checked(isDetailedHistogram));
}

function checked<T>(isRight: (value: unknown) => value is T): (value: unknown) => T {
  return (value) => {
    if (!isRight(value)) throw new StatsError('a histogram of the JSON has no "name" or no "totals"');
    return value;
  };
}

function hasBuckets(histogram: JsonHistogram): histogram is BucketHistogram {
  return 'buckets' in histogram;
}

function isDetailedHistogram(value: unknown): value is DetailedHistogram {
  return (
    isObject(value) && hasName(value) && 'totals' in value && Array.isArray(value.totals) && value.totals.every(isBin)
  );
}

function isBucketHistogram(value: unknown): value is BucketHistogram {
  return (
    isObject(value) &&
    hasName(value) &&
    'buckets' in value &&
    Array.isArray(value.buckets) &&
    value.buckets.every(isBucket)
  );
}

function isBucket(value: unknown): boolean {
  return (
    isObject(value) &&
    'upper_bound' in value &&
    isCount(value.upper_bound) &&
    'cumulative' in value &&
    isCount(value.cumulative)
  );
}

function isBin(value: unknown): value is JsonBin {
  return (
    isObject(value) && 'lower_bound' in value && isCount(value.lower_bound) && 'count' in value && isCount(value.count)
  );
}

function isScalar(value: object): value is { name: string; value: number } {
  return hasName(value) && 'value' in value && isCount(value.value);
}

/** A text such as a version, which holds no figure of ours. */
function isReadout(value: object): value is { name: string; value: string } {
  return hasName(value) && 'value' in value && typeof value.value === 'string';
}

function hasName(value: object): value is { name: string } {
  return 'name' in value && typeof value.name === 'string' && value.name.length <= LONGEST_NAME;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/** Numbers beyond 2^53 (Envoy's `*.version` gauges) are none of ours and are cut to it. */
function whole(value: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.trunc(value));
}

function excerpt(entry: unknown): string {
  return JSON.stringify(entry).slice(0, 60);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
