import type { Interval } from '../model/spread.ts';

/** When a target was measured: runs of scrapes that follow one another without a gap, in order. */
export interface TargetCoverage {
  readonly runs: Interval[];
  /** The newest scrape's interval. */
  last: Interval;
}

/** Coverage of every target, from the intervals of its good scrapes in order of their end. */
export class Coverage {
  private readonly targets = new Map<number, TargetCoverage>();
  /** End of the newest interval of all. */
  private newest = 0;

  add(target: number, interval: Interval): void {
    this.newest = Math.max(this.newest, interval.to);
    const known = this.targets.get(target);
    if (!known) {
      this.targets.set(target, { runs: [interval], last: interval });
      return;
    }
    const run = known.runs.at(-1);
    if (run && interval.from <= run.to)
      known.runs[known.runs.length - 1] = {
        from: Math.min(run.from, interval.from),
        to: Math.max(run.to, interval.to),
      };
    else known.runs.push(interval);
    known.last = interval;
  }

  of(target: number): TargetCoverage | undefined {
    return this.targets.get(target);
  }

  /**
   * The time from a target's last scrape to the newest scrape of any target, as long as its next one is not
   * overdue; empty otherwise.
   */
  tail(target: number): Interval {
    const last = this.targets.get(target)?.last;
    if (!last) return { from: 0, to: 0 };
    const overdue = last.to + 1.5 * (last.to - last.from);
    return { from: last.to, to: this.newest <= overdue ? this.newest : last.to };
  }

  /** Whether a target was being measured at a moment, or at the newest scrape of all if that was before. */
  holds(target: number, moment: number): boolean {
    const at = Math.min(moment, this.newest);
    const intervals = [...(this.targets.get(target)?.runs ?? []), this.tail(target)];
    return intervals.some(({ from, to }) => from < at && to >= at);
  }
}

/** The union of intervals, sorted and without overlaps. */
export function unionOf(intervals: readonly Interval[]): Interval[] {
  const union: Interval[] = [];
  for (const interval of inOrder(intervals)) {
    const last = union[union.length - 1];
    if (interval.to <= interval.from || (last && interval.from >= last.from && interval.to <= last.to)) continue;
    if (last && interval.from <= last.to)
      union[union.length - 1] = { from: last.from, to: Math.max(last.to, interval.to) };
    else union.push(interval);
  }
  return union;
}

/** By their start; sorted already, most of the time. */
function inOrder(intervals: readonly Interval[]): readonly Interval[] {
  for (let i = 1; i < intervals.length; i++)
    if ((intervals[i]?.from ?? 0) < (intervals[i - 1]?.from ?? 0)) return intervals.toSorted((a, b) => a.from - b.from);
  return intervals;
}

/** The parts of sorted, separate intervals that lie in another one. */
export function partsIn(intervals: readonly Interval[], within: Interval): Interval[] {
  const parts: Interval[] = [];
  for (const { from, to } of intervals)
    if (from < within.to && to > within.from)
      parts.push({ from: Math.max(from, within.from), to: Math.min(to, within.to) });
  return parts;
}

/** Length of separate intervals in milliseconds. */
export function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { from, to }) => sum + to - from, 0);
}
