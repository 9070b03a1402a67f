import { type Grid, GridSpread, type Interval } from '../../model/spread.ts';
import type { SlotColumn } from './slot-column.ts';

/** Time beyond the slots that are kept, so that columns need not be moved for each new one. */
const SPARE = 1 / 4;

/** The newest slots of time, of equal length; columns of one number per slot move on with it. */
export class SlotGrid {
  readonly slotMs: number;
  readonly capacity: number;
  private readonly kept: number;
  private readonly spread = new GridSpread();
  /** Parts of one count, by slot; 0 in between. */
  private readonly parts: Float64Array;
  private grid: Grid;

  constructor(slotMs: number, kept: number) {
    this.slotMs = slotMs;
    this.kept = kept;
    this.capacity = kept + Math.ceil(kept * SPARE);
    this.parts = new Float64Array(this.capacity);
    this.grid = this.gridFrom(0);
  }

  private gridFrom(fromMs: number): Grid {
    const { slotMs: stepMs, capacity: steps } = this;
    return { fromMs, stepMs, steps, toMs: fromMs + steps * stepMs };
  }

  /** What is older is not kept. */
  get fromMs(): number {
    return this.grid.fromMs;
  }

  /** By how many slots columns have to be moved so that there is one for this moment; 0 while there is. */
  moveTo(at: number): number {
    const { slotMs, kept, grid } = this;
    if (at <= grid.toMs) return 0;
    const fromMs = (Math.ceil(at / slotMs) - kept) * slotMs;
    this.grid = this.gridFrom(fromMs);
    return (fromMs - grid.fromMs) / slotMs;
  }

  /** What is added from now on is spread over this time. */
  set(over: Interval): void {
    this.spread.set(over, { from: this.grid.fromMs, to: this.grid.toMs }, this.grid);
  }

  get isReached(): boolean {
    return this.spread.reached > 0;
  }

  addTo(column: SlotColumn, count: number): void {
    const { spread, parts } = this;
    spread.addTo(parts, count);
    for (let slot = spread.first; slot < spread.first + spread.reached; slot++) {
      const part = parts[slot] ?? 0;
      parts[slot] = 0;
      if (part !== 0) column.add(slot, part);
    }
  }

  /** The sum of a column's slots in an interval whose ends are slots' edges. */
  sum(column: SlotColumn, { from, to }: Interval): number {
    const first = Math.max(0, (from - this.grid.fromMs) / this.slotMs);
    return column.sum(first, Math.min(this.capacity, (to - this.grid.fromMs) / this.slotMs));
  }
}
