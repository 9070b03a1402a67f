import { COUNTER_INDEX, COUNTERS, type LatencySource, STORED_GAUGES } from '../model/flow.ts';
import type { Interval } from '../model/spread.ts';
import { BinTable } from './bin-table.ts';
import { CellColumns } from './cell-columns.ts';
import type { CellGrid, SlotCells } from './cell-grid.ts';
import type { ListPart, PackedList } from './packed.ts';
import type { SeriesLabels } from './store.ts';
import { Times } from './times.ts';

export const SOURCES: readonly LatencySource[] = ['downstream', 'upstream'];
export const TIMED_OUT = COUNTER_INDEX.timed_out;

/** Sums of one group of series: a column of one number per cell for everything that isn't 0. */
export class GroupSum {
  labels: SeriesLabels = {};
  readonly cells: number;
  readonly counters: CellColumns;
  /** Events that are taken to have happened since a target's last scrape. */
  readonly expected: CellColumns;
  readonly gauges: CellColumns;
  /** One column: requests that timed out and have no sample. */
  readonly timeouts: CellColumns;
  /** By source. */
  readonly bins: (BinTable | undefined)[] = [undefined, undefined];
  /** When it was measured, and the times after last scrapes over which their rates are taken to go on. */
  readonly runs = new Times();
  readonly tails = new Times();

  constructor(cells: number) {
    this.cells = cells;
    this.counters = new CellColumns(COUNTERS.length, cells);
    this.expected = new CellColumns(COUNTERS.length, cells);
    this.gauges = new CellColumns(STORED_GAUGES.length, cells);
    this.timeouts = new CellColumns(1, cells);
  }

  /** Begins anew in the same memory. */
  reset(labels: SeriesLabels): this {
    this.labels = labels;
    this.counters.clear();
    this.expected.clear();
    this.gauges.clear();
    this.timeouts.clear();
    for (const table of this.bins) table?.clear();
    this.runs.clear();
    this.tails.clear();
    return this;
  }

  measured(runs: readonly Interval[], tails: readonly Interval[]): void {
    this.runs.addAll(runs);
    this.tails.addAll(tails);
  }

  get isMeasured(): boolean {
    return !this.runs.isEmpty;
  }

  table(source: LatencySource): BinTable {
    const index = source === 'downstream' ? 0 : 1;
    this.bins[index] ??= new BinTable(this.cells);
    return this.bins[index];
  }

  /** Adds pairs of a counter and its count to a cell. */
  addCounts({ list, at, end }: ListPart, { cell, source }: OneCell): void {
    for (let i = at; i < end; i += 2) {
      const counter = list[i] ?? 0;
      const value = list[i + 1] ?? 0;
      this.counters.add(counter, cell, value);
      if (counter === TIMED_OUT && source === 'upstream') this.timeouts.add(0, cell, value);
    }
  }

  /** Adds counters slot by slot, as blocks hold them. @returns where the next list begins. */
  addCountsBySlot({ list, at, entries }: SlotList, { grid, slots, source }: ManyCells): number {
    const part = { list, at, end: at };
    let next = at;
    for (let left = entries; left > 0; left--) {
      const counter = list[next] ?? 0;
      part.at = next + 2;
      part.end = next + 2 + 2 * (list[next + 1] ?? 0);
      next = part.end;
      const row = this.counters.row(counter);
      grid.addSlots(this.counters.values, row, part, slots);
      if (counter !== TIMED_OUT || source !== 'upstream') continue;
      const timeouts = this.timeouts.row(0);
      grid.addSlots(this.timeouts.values, timeouts, part, slots);
    }
    return next;
  }

  /** Adds histograms slot by slot, as blocks hold them. @returns where the next list begins. */
  addBinsBySlot({ list, at, entries }: SlotList, { grid, slots, source }: ManyCells): number {
    const table = this.table(source);
    const part = { list, at, end: at };
    let next = at;
    for (let left = entries; left > 0; left--) {
      const row = table.row(list[next] ?? 0);
      part.at = next + 2;
      part.end = next + 2 + 2 * (list[next + 1] ?? 0);
      next = part.end;
      grid.addSlots(table.counts, row, part, slots);
    }
    return next;
  }

  /** Adds all of another group over the same cells. */
  addGroup(other: GroupSum): void {
    this.measured(other.runs.intervals(), other.tails.intervals());
    this.counters.addAll(other.counters);
    this.expected.addAll(other.expected);
    this.gauges.addAll(other.gauges);
    this.timeouts.addAll(other.timeouts);
    other.bins.forEach((table, index) => {
      const source = SOURCES[index];
      if (source && table && table.keys.length > 0) this.table(source).addAll(table);
    });
  }

  requests(count: (counters: ArrayLike<number>) => number): number {
    const total = new Float64Array(COUNTERS.length);
    for (let counter = 0; counter < total.length; counter++) {
      let sum = 0;
      for (let cell = 0; cell < this.cells; cell++) sum += this.counters.value(counter, cell);
      total[counter] = sum;
    }
    return count(total);
  }
}

interface OneCell {
  readonly cell: number;
  readonly source: LatencySource;
}

interface SlotList {
  readonly list: PackedList;
  readonly at: number;
  readonly entries: number;
}

interface ManyCells {
  readonly grid: CellGrid;
  readonly slots: SlotCells;
  readonly source: LatencySource;
}
