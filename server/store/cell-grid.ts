import { type Grid, GridSpread, type Interval, overlapMs } from '../model/spread.ts';
import type { ListPart } from './packed.ts';
import type { SumQuery } from './store.ts';

/** A slot that lies in no cell, and one that several cells share. */
const OUTSIDE = -1;
const SHARED = -2;

/** Most looked-up slots that are remembered. */
const MOST_KNOWN = 5000;

interface Steps {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly slots: number;
}

/** Slots of a block as they fall into the cells of a query. */
export interface SlotCells {
  /** Cell by slot. */
  readonly cells: Int32Array;
  /** Slots that lie in cells, `[first, end)`. */
  readonly first: number;
  readonly end: number;
  readonly isShared: boolean;
  /** The cell that all slots lie in; -1 where there is no such. */
  readonly single: number;
  /** Of slots that two cells share: the first of them, and how much of the slot lies in it; 0 elsewhere. */
  readonly firstCells: Int32Array;
  readonly cuts: Float64Array;
  /** Slots that were measured only in part: how they are cut instead. */
  readonly parts?: ReadonlyMap<number, MeasuredSlot>;
  /** Pairs of a cell and the slot that its gauges are from. */
  readonly ends: readonly number[];
  readonly fromMs: number;
  readonly stepMs: number;
  readonly within: Interval;
}

/** A slot that was measured in part: its counts belong to that part only. */
interface MeasuredSlot {
  readonly measuredMs: number;
  readonly firstCell: number;
  /** Measured time from the slot's start up to each edge of the cells that it reaches into, and of the query. */
  readonly edges: readonly number[];
}

/** The cells of a query. */
export class CellGrid {
  readonly grid: Grid;
  /** When the gauges of each cell are looked at: at its end, or at the newest scrape of all. */
  readonly moments: Float64Array;
  private readonly spread = new GridSpread();
  private readonly known = new Map<string, SlotCells>();
  /** Those that were looked up last. */
  private last: SlotCells | undefined;

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

  /** Slots of blocks of the same time are looked up once. */
  slots(steps: Steps, within: Interval): SlotCells {
    const { last } = this;
    const isLast =
      last?.fromMs === steps.fromMs &&
      last.stepMs === steps.stepMs &&
      last.cells.length === steps.slots &&
      last.within.from === within.from &&
      last.within.to === within.to;
    if (isLast) return last;
    this.last = this.lookUp(steps, within);
    return this.last;
  }

  private lookUp(steps: Steps, within: Interval): SlotCells {
    const key = `${steps.fromMs} ${steps.stepMs} ${steps.slots} ${within.from} ${within.to}`;
    let slots = this.known.get(key);
    if (!slots) {
      slots = this.slotsOf(steps, within);
      if (this.known.size >= MOST_KNOWN) this.known.clear();
      this.known.set(key, slots);
    }
    return slots;
  }

  private slotsOf({ fromMs, stepMs, slots }: Steps, within: Interval): SlotCells {
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
    const isShared = cells.includes(SHARED);
    const single = first === 0 && end === slots && cells.every((cell) => cell === cells[0]) ? (cells[0] ?? -1) : -1;
    return { cells, first, end, isShared, single, firstCells, cuts, ends, fromMs, stepMs, within };
  }

  /** The same where some of the slots that cells share were measured in part only: `runs` are sorted and apart. */
  measuredSlots(slots: SlotCells, runs: readonly Interval[]): SlotCells {
    const parts = new Map<number, MeasuredSlot>();
    for (let slot = slots.first; slot < slots.end; slot++) {
      if (slots.cells[slot] !== SHARED) continue;
      const from = slots.fromMs + slot * slots.stepMs;
      const over = { from, to: from + slots.stepMs };
      const measuredMs = measuredIn(runs, over);
      if (measuredMs > 0 && measuredMs < slots.stepMs)
        parts.set(slot, { measuredMs, ...this.measuredEdges(runs, over, slots.within) });
    }
    return parts.size > 0 ? { ...slots, parts } : slots;
  }

  private measuredEdges(
    runs: readonly Interval[],
    over: Interval,
    within: Interval,
  ): Pick<MeasuredSlot, 'firstCell' | 'edges'> {
    const { fromMs, stepMs, toMs } = this.grid;
    const from = Math.max(over.from, within.from, fromMs);
    const to = Math.min(over.to, within.to, toMs);
    const firstCell = Math.floor((from - fromMs) / stepMs);
    const edges = [measuredIn(runs, { from: over.from, to: from })];
    for (let cell = firstCell; fromMs + cell * stepMs < to; cell++)
      edges.push(measuredIn(runs, { from: over.from, to: Math.min(to, fromMs + (cell + 1) * stepMs) }));
    return { firstCell, edges };
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

  /** The only cell that an interval reaches into, all of it; -1 where there is no such. */
  singleCell({ from, to }: Interval, within: Interval): number {
    const { fromMs, stepMs, toMs } = this.grid;
    if (from < Math.max(fromMs, within.from) || to > Math.min(toMs, within.to)) return -1;
    const cell = Math.floor((from - fromMs) / stepMs);
    return to <= fromMs + (cell + 1) * stepMs ? cell : -1;
  }

  /** Adds pairs of a slot and its count, in `list` from `at` up to `end`, to a row of cells that begins at `row`. */
  addSlots(into: Float64Array, row: number, { list, at, end }: ListPart, slots: SlotCells): void {
    if (slots.isShared) {
      for (let i = at; i < end; i += 2) this.addShared(into, row, slots, list[i] ?? 0, list[i + 1] ?? 0);
      return;
    }
    const { cells } = slots;
    for (let i = at; i < end; i += 2) {
      const cell = cells[list[i] ?? 0] ?? OUTSIDE;
      if (cell >= 0) into[row + cell] = (into[row + cell] ?? 0) + (list[i + 1] ?? 0);
    }
  }

  private addShared(into: Float64Array, row: number, slots: SlotCells, slot: number, value: number): void {
    const cell = slots.cells[slot] ?? OUTSIDE;
    if (cell >= 0) into[row + cell] = (into[row + cell] ?? 0) + value;
    if (cell !== SHARED) return;
    const part = slots.parts?.get(slot);
    if (part) {
      addMeasured(into, row, part, value);
      return;
    }
    const cut = slots.cuts[slot] ?? 0;
    if (cut === 0) {
      const from = slots.fromMs + slot * slots.stepMs;
      this.spread.set({ from, to: from + slots.stepMs }, slots.within, this.grid);
      this.spread.addTo(into, value, row);
      return;
    }
    const before = Math.round((value * cut) / slots.stepMs);
    const first = row + (slots.firstCells[slot] ?? 0);
    into[first] = (into[first] ?? 0) + before;
    into[first + 1] = (into[first + 1] ?? 0) + value - before;
  }
}

function measuredIn(runs: readonly Interval[], within: Interval): number {
  let sum = 0;
  for (const run of runs) sum += overlapMs(run, within);
  return sum;
}

/** Differences of one running total: parts add up exactly, however the slot is cut. */
function addMeasured(into: Float64Array, row: number, part: MeasuredSlot, value: number): void {
  const { measuredMs, firstCell, edges } = part;
  const upTo = (edge: number): number => Math.round((value * (edges[edge] ?? 0)) / measuredMs);
  for (let edge = 1; edge < edges.length; edge++) {
    const place = row + firstCell + edge - 1;
    into[place] = (into[place] ?? 0) + upTo(edge) - upTo(edge - 1);
  }
}
