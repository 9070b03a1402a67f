/** How much a query may ask for and hold at once, and for how long. */

import { QueryStoppedError, QueryTooLargeError, type SumQuery } from '../store.ts';

/** Most cells of an answer; one with a histogram takes ten times the memory. */
const MAX_CELLS = 1_000_000;
const MAX_CELLS_WITH_BINS = 100_000;
/** So many groups are held at once, and so many cells of them; with histograms, and without. */
const OPEN = { bins: { groups: 200, cells: 2000 }, counts: { groups: 1000, cells: 20_000 } };

/** Groups of so many cells that may be held at once. */
export function mostOpen({ bins }: SumQuery, steps: number): number {
  const { groups, cells } = bins ? OPEN.bins : OPEN.counts;
  return Math.min(groups, cells / steps);
}

/** @throws QueryTooLargeError when an answer has so many cells. */
export function checkSize({ bins }: SumQuery, cells: number): void {
  const most = bins ? MAX_CELLS_WITH_BINS : MAX_CELLS;
  if (cells > most)
    throw new QueryTooLargeError(
      `the answer has more than ${most} points: use a longer step, filter, or group by fewer labels`,
    );
}

/** @throws QueryStoppedError when nobody waits for the answer any more. */
export function checkLimits({ limits }: SumQuery): void {
  if (!limits) return;
  if (Atomics.load(limits.cancelled, 0) === 1) throw new QueryStoppedError('the query was cancelled');
  if (Date.now() > limits.deadline)
    throw new QueryStoppedError('the query took too long: ask for a shorter time, a longer step or fewer groups');
}
