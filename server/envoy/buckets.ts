/**
 * Envoy's cumulative buckets as keys of the histogram model. Envoy makes them from its bins: up to 1.37 the count at a
 * bound holds the bins that lie wholly at or below it, from 1.38 on also the bin that the bound is in.
 */

import { BIN_KEYS, binOf, bucketKey } from '../model/histogram.ts';
import type { ReadingDraft } from './stats.ts';

/** One bound with the samples at or below it. */
export interface CumulativeBucket {
  /** Milliseconds; Infinity for the last one of Prometheus. */
  readonly bound: number;
  readonly count: number;
}

/** First bin above a bound. */
function edgeOf(bound: number, boundsInclusive: boolean): number {
  if (bound === Number.POSITIVE_INFINITY) return BIN_KEYS;
  if (bound < 1) return 1;
  return Math.min(BIN_KEYS, binOf(bound) + (boundsInclusive ? 1 : 0));
}

/**
 * Adds a histogram that is given by its cumulative buckets in ascending order. A count that falls from one bound to
 * the next, as no Envoy writes it, counts as no samples.
 */
export function pushBuckets(draft: ReadingDraft, buckets: Iterable<CumulativeBucket>, boundsInclusive: boolean): void {
  draft.beginHistogram();
  let first = 0;
  let below = 0;
  for (const { bound, count } of buckets) {
    const end = edgeOf(bound, boundsInclusive);
    if (end <= first) continue;
    if (count > below) draft.push(bucketKey(first, end), count - below);
    first = end;
    below = Math.max(below, count);
  }
}
