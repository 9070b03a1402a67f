import type { StatsReading } from '../../server/envoy/stats.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { binBounds } from '../../server/model/histogram.ts';

/** What an Envoy has counted: values by name, and per histogram the samples by the lower bound of their bin. */
export interface EnvoyStats {
  readonly scalars: Readonly<Record<string, number>>;
  readonly histograms?: Readonly<Record<string, Readonly<Record<number, number>>>>;
}

/** `/stats?histogram_buckets=detailed` as text. */
export function textBody({ scalars, histograms = {} }: EnvoyStats): Buffer {
  const lines = Object.entries(scalars).map(([name, value]) => `${name}: ${value}\n`);
  for (const [name, bins] of Object.entries(histograms)) {
    const totals = Object.entries(bins).map(([lower, count]) => `${lower},${widthOf(Number(lower))}:${count}`);
    lines.push(`${name}:\n  totals=${totals.join(', ')}\n  intervals=\n  summary=P0(nan,1) P100(nan,2)\n`);
  }
  return Buffer.from(lines.join(''));
}

/** The same as JSON. */
export function jsonBody({ scalars, histograms = {} }: EnvoyStats): Buffer {
  const details = Object.entries(histograms).map(([name, bins]) => ({
    name,
    totals: Object.entries(bins).map(([lower, count]) => ({
      lower_bound: Number(lower),
      width: widthOf(Number(lower)),
      count,
    })),
    intervals: [],
    percentiles: [],
  }));
  const stats = Object.entries(scalars).map(([name, value]) => ({ name, value }));
  const last = details.length > 0 ? [{ histograms: { supported_percentiles: [0, 100], details } }] : [];
  return Buffer.from(JSON.stringify({ stats: [...stats, ...last] }));
}

function widthOf(lower: number): number {
  if (lower === 0) return 0;
  return 10 ** (Math.floor(Math.log10(lower)) - 1);
}

/** A reading of `stats`, with a layout of its own. */
export function readingOf(stats: EnvoyStats): StatsReading {
  return new TextStatsReader().read(textBody(stats));
}

/** The values of a reading by name. */
export function scalarsOf({ layout, values }: StatsReading): Record<string, number> {
  return Object.fromEntries(layout.scalars.map((name, slot) => [name, values[slot] ?? Number.NaN]));
}

/** Samples by the lower bound of their bin, by histogram. */
export function histogramsOf(reading: StatsReading): Record<string, Record<number, number>> {
  return Object.fromEntries(
    reading.layout.histograms.map((name, slot) => {
      const bins: Record<number, number> = {};
      for (let i = reading.binStarts[slot] ?? 0; i < (reading.binStarts[slot + 1] ?? 0); i++)
        bins[binBounds(reading.binKeys[i] ?? 0)[0]] = reading.binCounts[i] ?? 0;
      return [name, bins];
    }),
  );
}
