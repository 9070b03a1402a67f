/** One moment of an Envoy's stats in each of the forms that Envoy writes, byte for byte in its manner. */

import type { StatsReader } from '../../server/envoy/stats.ts';
import { JsonStatsReader } from '../../server/envoy/stats-json.ts';
import { PrometheusStatsReader } from '../../server/envoy/stats-prometheus.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { prometheusText } from './prometheus-form.ts';
import type { EnvoyStats } from './stats-body.ts';

/** Samples by the lower bound of their bin. */
export type Bins = Readonly<Record<number, number>>;

export interface Moment extends EnvoyStats {
  /** Samples of the last flush interval, by histogram; none where left out. */
  readonly intervals?: Readonly<Record<string, Bins>>;
}

export interface Form {
  /** `inclusive`: whether a bucket holds the bin that its bound is in (Envoy 1.38 and later). */
  render(moment: Moment, inclusive?: boolean): Buffer;
  reader(inclusive?: boolean): StatsReader;
}

export const FORM_NAMES = ['text', 'text-cumulative', 'json', 'json-cumulative', 'prometheus'] as const;
export type FormName = (typeof FORM_NAMES)[number];

export const FORMS: Readonly<Record<FormName, Form>> = {
  text: { render: detailedText, reader: () => new TextStatsReader() },
  'text-cumulative': { render: cumulativeText, reader: (inclusive) => new TextStatsReader(inclusive) },
  json: { render: detailedJson, reader: () => new JsonStatsReader() },
  'json-cumulative': { render: cumulativeJson, reader: (inclusive) => new JsonStatsReader(inclusive) },
  prometheus: { render: prometheusText, reader: (inclusive) => new PrometheusStatsReader(inclusive) },
};

/** Bounds of Envoy's buckets where nothing else is configured, milliseconds. */
export const DEFAULT_BOUNDS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
] as const;

const PERCENTILES = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100] as const;

/** Samples at or below each bound, as Envoy counts them. */
export function bucketsOf(bins: Bins, inclusive: boolean): { bound: number; count: number }[] {
  const sorted = binsOf(bins);
  return DEFAULT_BOUNDS.map((bound) => {
    const below = sorted.filter(([lower, width]) => (inclusive ? lower <= bound : lower + width <= bound));
    return { bound, count: below.reduce((sum, [, , count]) => sum + count, 0) };
  });
}

function detailedText({ scalars, histograms = {}, intervals = {} }: Moment): Buffer {
  const values = Object.entries(scalars).map(([name, value]) => `${name}: ${value}\n`);
  const bins = Object.entries(histograms).map(([name, totals]) => {
    const interval = intervals[name] ?? {};
    const summary = PERCENTILES.map((p) => `P${p}(${percentile(interval, p) ?? 'nan'},${percentile(totals, p)})`);
    return `${name}:\n  totals=${binText(totals)}\n  intervals=${binText(interval)}\n  summary=${summary.join(' ')}\n`;
  });
  return Buffer.from(values.concat(bins).join(''));
}

function binText(bins: Bins): string {
  return binsOf(bins)
    .map(([lower, width, count]) => `${lower},${width}:${count}`)
    .join(', ');
}

function cumulativeText({ scalars, histograms = {}, intervals = {} }: Moment, inclusive = true): Buffer {
  const values = Object.entries(scalars).map(([name, value]) => `${name}: ${value}\n`);
  const lines = Object.entries(histograms).map(([name, totals]) => {
    const interval = bucketsOf(intervals[name] ?? {}, inclusive);
    const buckets = bucketsOf(totals, inclusive).map(
      ({ bound, count }, i) => `B${boundText(bound)}(${interval[i]?.count},${count})`,
    );
    return `${name}: ${buckets.join(' ')}\n`;
  });
  return Buffer.from(values.concat(lines).join(''));
}

/** C++ writes large bounds as `1.8e+06`. */
function boundText(bound: number): string {
  return bound < 1e6 ? String(bound) : bound.toExponential().replace('e+', 'e+0');
}

function detailedJson({ scalars, histograms = {}, intervals = {} }: Moment): Buffer {
  const jsonBins = (bins: Bins) => binsOf(bins).map(([lower_bound, width, count]) => ({ lower_bound, width, count }));
  const details = Object.entries(histograms).map(([name, totals]) => {
    const interval = intervals[name] ?? {};
    const percentiles = PERCENTILES.map((p) => ({
      cumulative: percentile(totals, p),
      interval: percentile(interval, p),
    }));
    return { name, totals: jsonBins(totals), intervals: jsonBins(interval), percentiles };
  });
  return jsonOf(scalars, { supported_percentiles: PERCENTILES, details });
}

function cumulativeJson({ scalars, histograms = {}, intervals = {} }: Moment, inclusive = true): Buffer {
  const all = Object.entries(histograms).map(([name, totals]) => {
    const interval = bucketsOf(intervals[name] ?? {}, inclusive);
    const buckets = bucketsOf(totals, inclusive).map(({ bound, count }, i) => ({
      upper_bound: bound,
      interval: interval[i]?.count,
      cumulative: count,
    }));
    return { name, buckets };
  });
  return jsonOf(scalars, all);
}

function jsonOf(scalars: EnvoyStats['scalars'], histograms: object): Buffer {
  const stats = Object.entries(scalars).map(([name, value]) => ({ name, value }));
  return Buffer.from(JSON.stringify({ stats: [...stats, { histograms }] }));
}

function binsOf(bins: Bins): [lower: number, width: number, count: number][] {
  return Object.entries(bins)
    .map(([lower, count]): [number, number, number] => [Number(lower), widthOf(Number(lower)), count])
    .sort(([a], [b]) => a - b);
}

function widthOf(lower: number): number {
  return lower === 0 ? 0 : 10 ** (Math.floor(Math.log10(lower)) - 1);
}

/** Null without samples. */
function percentile(bins: Bins, p: number): number | null {
  const sorted = binsOf(bins);
  const rank = (p / 100) * sorted.reduce((sum, [, , count]) => sum + count, 0);
  let below = 0;
  for (const [lower, width, count] of sorted) {
    if (below + count >= rank) return lower + width * ((rank - below) / count);
    below += count;
  }
  return null;
}
