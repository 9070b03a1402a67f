/** How latencies were spread, as it is drawn behind their percentiles and written in the table. Pure. */

import type { HeatmapAnswer } from '../../server/api/contract.ts';
import { isAmongTimeouts } from '../figures/capped.ts';
import { milliseconds, text } from '../format/number.ts';

export interface Heat {
  readonly stepMs: number;
  /** Starts of the steps. */
  readonly times: readonly number[];
  /** Bounds of the rows in milliseconds; the upper one of the last may be unknown. */
  readonly bounds: readonly (readonly [lower: number, upper: number | null])[];
  /** Samples of each step by row; null where nothing was measured. */
  readonly counts: readonly (readonly number[] | null)[];
  readonly timeouts: readonly (number | null)[];
  /** Samples of the fullest cell. */
  readonly most: number;
}

/** Null where there is no sample at all. */
export function heatOf(answer: HeatmapAnswer): Heat | null {
  const most = answer.counts.reduce((largest, row) => Math.max(largest, ...(row ?? [])), 0);
  if (!(most > 0)) return null;
  return {
    stepMs: answer.step,
    times: answer.times,
    bounds: answer.boundsMs,
    counts: answer.counts,
    timeouts: answer.timeouts,
    most,
  };
}

/** How strongly a cell is drawn, from 0 to 1: by the root, so that the few slow ones are seen beside the many. */
export function heatStrength(count: number, most: number): number {
  return count > 0 && most > 0 ? Math.sqrt(count / most) : 0;
}

export interface HeatBand {
  readonly label: string;
  /** Its first row, and the one after its last. */
  readonly from: number;
  readonly to: number;
}

/** Whole rows together in at most `most` bands, so that every count stays exact. */
export function heatBands({ bounds }: Heat, most: number): HeatBand[] {
  const size = Math.max(1, Math.ceil(bounds.length / most));
  const bands: HeatBand[] = [];
  for (let from = 0; from < bounds.length; from += size) {
    const to = Math.min(bounds.length, from + size);
    bands.push({ from, to, label: bandLabel(bounds[from]?.[0] ?? 0, bounds[to - 1]?.[1] ?? null) });
  }
  return bands;
}

function bandLabel(lower: number, upper: number | null): string {
  const words = (value: number) => (value === 0 ? '0' : text(milliseconds(value)));
  return upper === null ? `from ${words(lower)}` : `${words(lower)} to ${words(upper)}`;
}

/** Samples of a band in the step that starts at `time`; null where nothing was measured. */
export function samplesIn(heat: Heat, band: HeatBand, time: number): number | null {
  const counts = heat.counts[heat.times.indexOf(time)];
  return counts ? counts.slice(band.from, band.to).reduce((sum, count) => sum + count, 0) : null;
}

/** Whether a percentile of the step that starts at `time` is a lower bound: it falls among requests that timed out. */
export function isLowerBound(heat: Heat | null | undefined, percentile: string, time: number | undefined): boolean {
  const at = heat && time !== undefined ? heat.times.indexOf(time) : -1;
  const samples = (heat?.counts[at] ?? []).reduce((sum, count) => sum + count, 0);
  return isAmongTimeouts(percentile, samples, heat?.timeouts[at] ?? 0);
}
