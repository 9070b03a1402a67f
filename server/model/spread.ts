/** A time interval in Unix milliseconds, `[from, to)`. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/**
 * How many of `count` events, spread evenly over `over`, fall into `[from, to)`.
 * Whole events only: the shares of adjoining intervals always add up to `count` exactly, however
 * `over` is cut, because each is the difference of one rounded running total.
 */
export function spreadCount(count: number, over: Interval, from: number, to: number): number {
  return runningTotal(count, over, to) - runningTotal(count, over, from);
}

function runningTotal(count: number, over: Interval, at: number): number {
  if (at <= over.from) return 0;
  if (at >= over.to) return count;
  return Math.round((count * (at - over.from)) / (over.to - over.from));
}

/** Length in milliseconds that two intervals share. */
export function overlapMs(a: Interval, b: Interval): number {
  return Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));
}
