import { type Grid, GridSpread, type Interval } from '../model/spread.ts';
import type { SumQuery } from './store.ts';

/** A slot that lies in no cell, and one that several cells share. */
const OUTSIDE = -1;
const SHARED = -2;

/** Slots of a block as they fall into the cells of a query. */
export interface SlotCells {
  /** Cell by slot. */
  readonly cells: Int32Array;
  /** Slots that lie in cells, `[first, end)`. */
  readonly first: number;
  readonly end: number;
  readonly isShared: boolean;
  /** Of slots that two cells share: the first of them, and how much of the slot lies in it; 0 elsewhere. */
  readonly firstCells: Int32Array;
  readonly cuts: Float64Array;
  /** Pairs of a cell and the slot that its gauges are from. */
  readonly ends: readonly number[];
  readonly fromMs: number;
  readonly stepMs: number;
  readonly within: Interval;
}

/** The cells of a query. */
export class CellGrid {
  readonly grid: Grid;
  /** When the gauges of each cell are looked at: at its end, or at the newest scrape of all. */
  readonly moments: Float64Array;
  private readonly spread = new GridSpread();

  constructor(query: Pick<SumQuery, 'from' | 'to' | 'stepMs'>, newest: number) {
    const stepMs = query.stepMs ?? query.to - query.from;
    const steps = Math.max(1, Math.ceil((query.to - query.from) / stepMs));
    this.grid = { fromMs: query.from, stepMs, steps, toMs: query.to };
    this.moments = Float64Array.from({ length: steps }, (_, cell) => Math.min(this.interval(cell).to, newest));
  }

  interval(cell: number): Interval {
    const from = this.grid.fromMs + cell * this.grid.stepMs;
    return { from, to: Math.min(from + this.grid.stepMs, this.grid.toMs) };
  }

  slots({ fromMs, stepMs, slots }: { fromMs: number; stepMs: number; slots: number }, within: Interval): SlotCells {
    const { grid } = this;
    const cells = new Int32Array(slots);
    const firstCells = new Int32Array(slots);
    const cuts = new Float64Array(slots);
    for (let slot = 0; slot < slots; slot++) {
      const from = fromMs + slot * stepMs;
      const to = from + stepMs;
      if (to <= Math.max(within.from, grid.fromMs) || from >= Math.min(within.to, grid.toMs)) {
        cells[slot] = OUTSIDE;
        continue;
      }
      const cell = Math.floor((from - grid.fromMs) / grid.stepMs);
      const end = Math.min(grid.fromMs + (cell + 1) * grid.stepMs, grid.toMs, within.to);
      cells[slot] = from >= within.from && cell >= 0 && to <= end ? cell : SHARED;
      const isInside = from >= within.from && to <= within.to && cell >= 0 && to <= grid.toMs;
      if (cells[slot] !== SHARED || !isInside || to > end + grid.stepMs) continue;
      firstCells[slot] = cell;
      cuts[slot] = end - from;
    }
    let [first, end] = [0, slots];
    while (first < end && cells[first] === OUTSIDE) first++;
    while (end > first && cells[end - 1] === OUTSIDE) end--;
    const reach = { from: Math.max(fromMs, within.from), to: Math.min(fromMs + slots * stepMs, within.to) };
    const ends: number[] = [];
    this.eachMoment(reach, (cell, moment) => ends.push(cell, Math.ceil((moment - fromMs) / stepMs) - 1));
    return { cells, first, end, isShared: cells.includes(SHARED), firstCells, cuts, ends, fromMs, stepMs, within };
  }

  /** Cells whose moment lies in `(from, to]`. */
  eachMoment({ from, to }: Interval, found: (cell: number, moment: number) => void): void {
    const { grid, moments } = this;
    const last = Math.min(grid.steps - 1, Math.ceil((to - grid.fromMs) / grid.stepMs));
    for (let cell = Math.max(0, Math.floor((from - grid.fromMs) / grid.stepMs) - 1); cell <= last; cell++) {
      const moment = moments[cell] ?? 0;
      if (moment > from && moment <= to) found(cell, moment);
    }
  }

  /** Adds a column of slots to a column of cells. */
  add(into: Float64Array, values: Float64Array, slots: SlotCells): void {
    if (slots.isShared) {
      this.addSpread(into, values, slots);
      return;
    }
    const { cells, end } = slots;
    for (let slot = slots.first; slot < end; slot++) {
      const value = values[slot] ?? 0;
      if (value === 0) continue;
      const cell = cells[slot] ?? 0;
      into[cell] = (into[cell] ?? 0) + value;
    }
  }

  private addSpread(into: Float64Array, values: Float64Array, slots: SlotCells): void {
    const { cells, firstCells, cuts, stepMs } = slots;
    for (let slot = slots.first; slot < slots.end; slot++) {
      const value = values[slot] ?? 0;
      if (value === 0) continue;
      const cell = cells[slot] ?? 0;
      const cut = cuts[slot] ?? 0;
      if (cell >= 0) into[cell] = (into[cell] ?? 0) + value;
      else if (cut > 0) {
        const before = Math.round((value * cut) / stepMs);
        const first = firstCells[slot] ?? 0;
        into[first] = (into[first] ?? 0) + before;
        into[first + 1] = (into[first + 1] ?? 0) + value - before;
      } else this.addCut(into, value, { ...slots, slot });
    }
  }

  private addCut(
    into: Float64Array,
    value: number,
    { slot, fromMs, stepMs, within }: SlotCells & { slot: number },
  ): void {
    const from = fromMs + slot * stepMs;
    this.spread.set({ from, to: from + stepMs }, within, this.grid);
    this.spread.addTo(into, value);
  }
}
