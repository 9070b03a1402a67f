import { COUNTER_INDEX, COUNTERS, type LatencySource, STORED_GAUGES } from '../model/flow.ts';
import type { Interval } from '../model/spread.ts';
import { overlapMs } from '../model/spread.ts';
import { GROUP_FIELDS, type NumberWriter } from './answer.ts';
import { BinTable } from './bin-table.ts';
import type { CellGrid, SlotCells } from './cell-grid.ts';
import { unionOf } from './coverage.ts';
import type { KeptGroup } from './kept-sums.ts';
import { encodeLatency } from './latency-cells.ts';
import type { ListPart, PackedList } from './packed.ts';
import type { SeriesLabels } from './store.ts';

const SOURCES: readonly LatencySource[] = ['downstream', 'upstream'];
export const TIMED_OUT = COUNTER_INDEX.timed_out;

const NOTHING = new Uint16Array();

type Columns = (Float64Array | undefined)[];

/** Sums of one group of series: a column of one number per cell for everything that isn't 0. */
export class GroupSum {
  labels: SeriesLabels = {};
  private readonly cells: number;
  private readonly counters: Columns = new Array(COUNTERS.length);
  private readonly expected: Columns = new Array(COUNTERS.length);
  private readonly gauges: Columns = new Array(STORED_GAUGES.length);
  private readonly bins: (BinTable | undefined)[] = [undefined, undefined];
  private readonly timeouts: Columns = [undefined];
  private runs: Interval[] = [];
  private tails: Interval[] = [];

  constructor(cells: number) {
    this.cells = cells;
  }

  /** Begins anew in the same memory. */
  reset(labels: SeriesLabels): this {
    this.labels = labels;
    for (const columns of [this.counters, this.expected, this.gauges, this.timeouts])
      for (const column of columns) column?.fill(0);
    for (const table of this.bins) table?.clear();
    this.runs = [];
    this.tails = [];
    return this;
  }

  measured(runs: readonly Interval[], tails: readonly Interval[]): void {
    for (const run of runs) this.runs.push(run);
    for (const tail of tails) this.tails.push(tail);
  }

  get isMeasured(): boolean {
    return this.runs.length > 0;
  }

  counter(index: number): Float64Array {
    return this.column(this.counters, index);
  }

  /** Events that are taken to have happened since a target's last scrape. */
  expectedOf(index: number): Float64Array {
    return this.column(this.expected, index);
  }

  gauge(index: number): Float64Array {
    return this.column(this.gauges, index);
  }

  timeoutsWithoutSample(): Float64Array {
    return this.column(this.timeouts, 0);
  }

  private column(columns: Columns, index: number): Float64Array {
    columns[index] ??= new Float64Array(this.cells);
    return columns[index];
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
      const column = this.counters[counter] ?? this.counter(counter);
      column[cell] = (column[cell] ?? 0) + value;
      if (counter !== TIMED_OUT || source !== 'upstream') continue;
      const timeouts = this.timeoutsWithoutSample();
      timeouts[cell] = (timeouts[cell] ?? 0) + value;
    }
  }

  /** Adds counters slot by slot, as blocks hold them. @returns where the next list begins. */
  addCountsBySlot({ list, at, entries }: SlotList, { grid, slots, source }: ManyCells): number {
    let next = at;
    for (let left = entries; left > 0; left--) {
      const counter = list[next] ?? 0;
      const part = { list, at: next + 2, end: next + 2 + 2 * (list[next + 1] ?? 0) };
      next = part.end;
      grid.addSlots(this.counter(counter), 0, part, slots);
      if (counter === TIMED_OUT && source === 'upstream') grid.addSlots(this.timeoutsWithoutSample(), 0, part, slots);
    }
    return next;
  }

  /** Adds histograms slot by slot, as blocks hold them. @returns where the next list begins. */
  addBinsBySlot({ list, at, entries }: SlotList, { grid, slots, source }: ManyCells): number {
    const table = this.table(source);
    let next = at;
    for (let left = entries; left > 0; left--) {
      const row = table.row(list[next] ?? 0);
      const part = { list, at: next + 2, end: next + 2 + 2 * (list[next + 1] ?? 0) };
      next = part.end;
      grid.addSlots(table.counts, row, part, slots);
    }
    return next;
  }

  /** Adds all of another group over the same cells. */
  addGroup(other: GroupSum): void {
    this.measured(other.runs, other.tails);
    addColumns(other.counters, (index) => this.counter(index));
    addColumns(other.expected, (index) => this.expectedOf(index));
    addColumns(other.gauges, (index) => this.gauge(index));
    addColumns(other.timeouts, () => this.timeoutsWithoutSample());
    for (const source of SOURCES) {
      const table = other.bins[SOURCES.indexOf(source)];
      if (table && table.keys.length > 0) this.table(source).addAll(table);
    }
  }

  /** All that was counted in the first cell. */
  keep(): KeptGroup {
    const counters = this.counters.flatMap((column, counter) => (column?.[0] ? [counter, column[0]] : []));
    return {
      labels: this.labels,
      runs: unionOf(this.runs),
      counters: Float64Array.from(counters),
      timeouts: this.timeouts[0]?.[0] ?? 0,
      bins: this.bins.map((table) => table?.pairs() ?? NOTHING),
    };
  }

  /** Adds what was kept to the first cell. */
  addKept({ runs, counters, timeouts, bins }: KeptGroup): void {
    this.measured(runs, []);
    this.addCounts({ list: counters, at: 0, end: counters.length }, { cell: 0, source: undefined });
    const column = this.timeoutsWithoutSample();
    column[0] = (column[0] ?? 0) + timeouts;
    for (const [index, source] of SOURCES.entries()) {
      const list = bins[index] ?? NOTHING;
      if (list.length > 0) this.table(source).addPairs({ list, at: 0, end: list.length }, 0);
    }
  }

  requests(count: (counters: ArrayLike<number>) => number): number {
    const total = COUNTERS.map((_, index) => this.counters[index]?.reduce((sum, value) => sum + value, 0) ?? 0);
    return count(total);
  }

  /** Where its fields are. */
  encode(out: NumberWriter, { grid, bins, quantiles }: EncodeOptions): number {
    const runs = unionOf(this.runs);
    const all = unionOf([...runs, ...this.tails]);
    const at = out.reserve(GROUP_FIELDS.length);
    COUNTERS.forEach((_, index) => {
      out.set(at + GROUP_FIELDS.counters + index, out.column(this.counters[index]));
      out.set(at + GROUP_FIELDS.expected + index, out.column(this.expected[index]));
    });
    out.set(at + GROUP_FIELDS.gauges, this.encodeGauges(out, grid, all));
    out.set(at + GROUP_FIELDS.measured, encodeMeasured(out, grid, { runs, all }));
    const [timeouts] = this.timeouts;
    out.set(at + GROUP_FIELDS.timeouts, out.column(timeouts));
    const latency = bins
      ? encodeLatency(out, { tables: this.bins, timeouts, cells: this.cells, quantiles })
      : NO_LATENCY;
    out.set(at + GROUP_FIELDS.latency, latency.samples);
    out.set(at + GROUP_FIELDS.quantiles, latency.quantiles);
    out.set(at + GROUP_FIELDS.bins, latency.bins);
    return at;
  }

  private encodeGauges(out: NumberWriter, { moments }: CellGrid, all: readonly Interval[]): number {
    const at = out.reserve(this.cells * (1 + STORED_GAUGES.length));
    let next = 0;
    for (let cell = 0; cell < this.cells; cell++) {
      const moment = moments[cell] ?? 0;
      while (next < all.length && (all[next]?.to ?? 0) < moment) next++;
      const interval = all[next];
      out.set(at + cell, interval && interval.from < moment && interval.to >= moment ? 1 : 0);
      for (let gauge = 0; gauge < STORED_GAUGES.length; gauge++)
        out.set(at + (1 + gauge) * this.cells + cell, this.gauges[gauge]?.[cell] ?? 0);
    }
    return at;
  }
}

const NO_LATENCY = { samples: -1, quantiles: -1, bins: -1 };

interface OneCell {
  readonly cell: number;
  /** Whose timeouts these are; undefined where those are added by themselves. */
  readonly source: LatencySource | undefined;
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

export interface EncodeOptions {
  readonly grid: CellGrid;
  readonly bins: boolean;
  readonly quantiles: readonly number[] | undefined;
}

function addColumns(from: Columns, into: (index: number) => Float64Array): void {
  from.forEach((column, index) => {
    if (!column) return;
    const sum = into(index);
    for (let cell = 0; cell < sum.length; cell++) sum[cell] = (sum[cell] ?? 0) + (column[cell] ?? 0);
  });
}

/** Cells without a run in them are not measured, whatever is expected. */
function encodeMeasured(
  out: NumberWriter,
  grid: CellGrid,
  { runs, all }: { runs: readonly Interval[]; all: readonly Interval[] },
): number {
  const { steps } = grid.grid;
  const at = out.reserve(steps + 1);
  let total = 0;
  let [run, first] = [0, 0];
  for (let cell = 0; cell < steps; cell++) {
    const interval = grid.interval(cell);
    out.set(at + cell, total);
    while ((runs[run]?.to ?? Number.POSITIVE_INFINITY) <= interval.from) run++;
    while ((all[first]?.to ?? Number.POSITIVE_INFINITY) <= interval.from) first++;
    const known = runs[run];
    if (!known || overlapMs(known, interval) === 0) continue;
    for (let i = first; i < all.length && (all[i]?.from ?? 0) < interval.to; i++) {
      const pair = out.reserve(2);
      out.set(pair, Math.max(all[i]?.from ?? 0, interval.from));
      out.set(pair + 1, Math.min(all[i]?.to ?? 0, interval.to));
      total++;
    }
  }
  out.set(at + steps, total);
  return at;
}
