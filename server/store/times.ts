import type { Interval } from '../model/spread.ts';
import { unionOf } from './coverage.ts';

/** A union of intervals, which mostly follow one another. */
export class Times {
  private readonly runs: { from: number; to: number }[] = [];

  get isEmpty(): boolean {
    return this.runs.length === 0;
  }

  addAll(intervals: readonly Interval[]): void {
    for (let i = 0; i < intervals.length; i++) {
      const interval = intervals[i];
      if (interval) this.add(interval.from, interval.to);
    }
  }

  add(from: number, to: number): void {
    if (to <= from) return;
    const last = this.runs[this.runs.length - 1];
    if (!last || from > last.to || to < last.from) {
      this.runs.push({ from, to });
      return;
    }
    last.from = Math.min(last.from, from);
    last.to = Math.max(last.to, to);
  }

  /** Sorted and apart; valid until more is added. */
  intervals(): readonly Interval[] {
    return this.runs.length > 1 ? unionOf(this.runs) : this.runs;
  }

  /** Leaves out what does not lie in an interval. */
  cut({ from, to }: Interval): void {
    let kept = 0;
    for (const run of this.runs) {
      run.from = Math.max(run.from, from);
      run.to = Math.min(run.to, to);
      if (run.from < run.to) this.runs[kept++] = run;
    }
    this.runs.length = kept;
  }

  clear(): void {
    if (this.runs.length > 0) this.runs.length = 0;
  }
}
