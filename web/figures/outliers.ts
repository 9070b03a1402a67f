/** Which instances are much slower than their siblings, or fail much more. */

import type { Figures } from '../../server/api/contract.ts';
import { judgeCalls } from './calls.ts';

/** From how many times its siblings' latency an instance stands out. */
export const SLOW_FACTOR = 2;

/**
 * For each row, how many times slower its p95 is than the median p95 of the others; null where it does not stand out
 * or too little is known. Percentiles are compared, never combined.
 */
export function slowFactors(rows: readonly Pick<Figures, 'latencyMs' | 'state'>[]): (number | null)[] {
  const latencies = rows.map(({ latencyMs, state }) => (state === 'ok' ? latencyMs.p95 : null));
  return latencies.map((latency, index) => {
    const others = latencies.filter((other, place) => place !== index && other !== null);
    const usual = median(others);
    if (latency === null || usual === null || usual <= 0) return null;
    const factor = latency / usual;
    return factor >= SLOW_FACTOR ? factor : null;
  });
}

/** For each row, whether it fails, and at least twice the share of requests that the others do. */
export function failingRows(rows: readonly Pick<Figures, 'requests' | 'errorRate'>[]): boolean[] {
  return rows.map((row, index) => {
    const usual = median(rows.filter((_, place) => place !== index).map(({ errorRate }) => errorRate));
    return usual !== null && judgeCalls(row) === 'bad' && (row.errorRate ?? 0) >= 2 * usual;
  });
}

/** The lower one of two in the middle. */
function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const middle = Math.floor((sorted.length - 1) / 2);
  return sorted[middle] ?? null;
}
