/** Which percentiles of a group of requests are lower bounds only. */

import type { LatencyMs, Precision } from '../../server/api/contract.ts';
import type { ShownFigures } from '../listed-service.ts';

export type Percentile = Exclude<keyof LatencyMs, 'mean'>;

const QUANTILE: Readonly<Record<Percentile, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 };

/**
 * Timed-out requests have no latency sample and count as slower than every sample, so a percentile above the
 * samples' share of all is known only as "more than this".
 */
export function isCapped(
  percentile: Percentile,
  figures: Pick<ShownFigures, 'latencySamples' | 'timeouts'> & { readonly precision: Pick<Precision, 'capped'> },
): boolean {
  const { latencySamples, timeouts, precision } = figures;
  if (!precision.capped) return false;
  return QUANTILE[percentile] * (latencySamples + timeouts) > latencySamples;
}
