/** When a target's next scrape is due, and what is taken to go on until then. */

import type { Interval } from '../../model/spread.ts';
import type { LogRow } from './log-index.ts';

/** A target's next scrape is overdue after this many of its intervals. */
const OVERDUE = 1.5;
/** As far as the newest scrape may go back without what was settled being read anew: a slow target's comes later. */
export const BACK_MS = 10_000;
export const NO_TAIL: Interval = { from: 0, to: 0 };

/** Whether the scrape after this one was not overdue yet when the newest scrape of all was `newest`. */
export const isDue = ({ t0, t1 }: LogRow, newest: number): boolean => newest <= t1 + OVERDUE * (t1 - t0);

/** From a target's last scrape to the newest of all, as long as its next one is not overdue. */
export function tailOf(row: LogRow, newest: number): Interval {
  return { from: row.t1, to: isDue(row, newest) ? Math.max(row.t1, newest) : row.t1 };
}
