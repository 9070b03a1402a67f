import type { AlertCondition } from '../config/alerts-config.ts';
import type { Evaluation } from './state.ts';

/** A signal of one set of labels over one window. */
export interface Measured {
  /** In the signal's unit; null where it can't be known. */
  readonly value: number | null;
  readonly requests: number;
}

type SimpleCondition = Exclude<AlertCondition, { kind: 'slo' }>;

/**
 * What a condition is, by what was measured now and, for a comparison, then. What is not known, and what rests on
 * fewer than `minRequests` requests, is neither met nor cleared. Nor is what is compared with 0, which everything is
 * a multiple of, unless there is a floor.
 */
export function judge(
  condition: SimpleCondition,
  { now, earlier }: { now: Measured | null; earlier?: Measured | null },
  minRequests: number,
): Evaluation {
  if (!now) return { data: 'no_data' };
  if (now.requests < minRequests) return { data: 'too_little_data', requests: now.requests };
  if (now.value === null || !Number.isFinite(now.value))
    return now.requests === 0 ? { data: 'too_little_data', requests: 0 } : { data: 'no_data' };
  const { value, requests } = now;
  if (condition.kind === 'threshold') {
    const { value: threshold, clearAt, side } = condition;
    const isMet = side === 'above' ? value > threshold : value < threshold;
    const isCleared = !isMet && (side === 'above' ? value <= clearAt : value >= clearAt);
    return { data: 'ok', value, threshold, isMet, isCleared, requests };
  }
  if (!earlier || earlier.value === null || !Number.isFinite(earlier.value)) return { data: 'no_data' };
  if (earlier.requests < minRequests) return { data: 'too_little_data', requests: earlier.requests };
  const isBaseless = earlier.value === 0 && condition.factor > 1 && condition.floor === undefined;
  if (isBaseless && value > 0) return { data: 'too_little_data', requests: earlier.requests };
  const threshold = earlier.value * condition.factor;
  const isPastIt = condition.factor > 1 ? value > threshold : value < threshold;
  const isMet = isPastIt && value > (condition.floor ?? Number.NEGATIVE_INFINITY);
  return { data: 'ok', value, threshold, isMet, isCleared: !isMet, requests };
}
