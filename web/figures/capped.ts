/** Which percentiles of a group of requests are lower bounds only. */

import type { LatencyMs, Precision } from '../../server/api/contract.ts';
import type { ShownFigures } from '../listed-service.ts';

export type Percentile = Exclude<keyof LatencyMs, 'mean'>;

const QUANTILE: Readonly<Record<string, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 };

/**
 * Timed-out requests have no latency sample and count as slower than every sample, so a percentile above the
 * samples' share of all is known only as "more than this".
 */
export function isCapped(
  percentile: Percentile,
  figures: Pick<ShownFigures, 'latencySamples' | 'timeouts'> & { readonly precision: Pick<Precision, 'capped'> },
): boolean {
  const { latencySamples, timeouts, precision } = figures;
  return precision.capped && isAmongTimeouts(percentile, latencySamples, timeouts);
}

/** Whether a percentile, by its name, falls among requests that timed out without a sample. */
export function isAmongTimeouts(percentile: string, samples: number, timeouts: number): boolean {
  const quantile = QUANTILE[percentile] ?? 0;
  return timeouts > 0 && quantile * (samples + timeouts) > samples;
}
