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

/** Equal steps of time. */
export interface Grid {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly steps: number;
  /** Where the last step ends if that is before its full length. */
  readonly toMs: number;
}

/** How the counts of one interval fall into the steps of a grid. To be used again and again. */
export class GridSpread {
  /** First step that the interval reaches into. */
  first = 0;
  /** Number of steps that it reaches into; 0 for none. */
  reached = 0;
  private over: Interval = { from: 0, to: 0 };
  private edges = new Float64Array(8);
  private whole = false;

  /** Only what lies `within` counts. */
  set(over: Interval, within: Interval, grid: Grid): void {
    const from = Math.max(over.from, within.from, grid.fromMs);
    const to = Math.min(over.to, within.to, grid.toMs);
    this.over = over;
    this.reached = 0;
    if (to <= from) return;
    this.first = Math.floor((from - grid.fromMs) / grid.stepMs);
    this.reached = Math.ceil((to - grid.fromMs) / grid.stepMs) - this.first;
    this.whole = this.reached === 1 && from === over.from && to === over.to;
    if (this.edges.length <= this.reached) this.edges = new Float64Array(this.reached * 2);
    this.edges[0] = from;
    for (let i = 1; i < this.reached; i++) this.edges[i] = grid.fromMs + (this.first + i) * grid.stepMs;
    this.edges[this.reached] = to;
  }

  /**
   * Adds the parts of `count` events to the grid's column, which begins at `at`. Parts add up exactly, as in
   * {@link spreadCount}.
   */
  addTo(column: Float64Array, count: number, at = 0): void {
    const first = at + this.first;
    if (this.whole) {
      column[first] = (column[first] ?? 0) + count;
      return;
    }
    let before = runningTotal(count, this.over, this.edges[0] ?? 0);
    for (let i = 0; i < this.reached; i++) {
      const next = runningTotal(count, this.over, this.edges[i + 1] ?? 0);
      column[first + i] = (column[first + i] ?? 0) + next - before;
      before = next;
    }
  }
}
