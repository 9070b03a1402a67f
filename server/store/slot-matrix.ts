import { type Grid, GridSpread, type Interval } from '../model/spread.ts';
import { VarintWriter } from '../model/varint.ts';
import { type BlockSeries, type BlockVisitor, readBlock, readBlockHead } from './blocks.ts';
import { FIRST_GAUGE, type RecordVisitor, RecordWriter, readRecord } from './record.ts';
import { SeriesColumns } from './series-columns.ts';

/** Adds up records and finer blocks of several series, slot by slot. */
export class SlotMatrix {
  readonly grid: Grid;
  readonly series = new Map<number, SeriesColumns>();
  private readonly spread = new GridSpread();

  constructor(fromMs: number, stepMs: number, steps: number) {
    this.grid = { fromMs, stepMs, steps, toMs: fromMs + stepMs * steps };
  }

  /** It is empty from now on, and what was given out of it holds no longer. */
  release(): void {
    for (const columns of this.series.values()) columns.release();
    this.series.clear();
  }

  columnsOf(series: number): SeriesColumns {
    let columns = this.series.get(series);
    if (!columns) {
      columns = SeriesColumns.of(this.grid.steps);
      this.series.set(series, columns);
    }
    return columns;
  }

  /** Adds what a record says of one direction; `ids` are series by position, as far as they are wanted. */
  addRecord(record: RecordPart, direction: number, ids: readonly number[]): void {
    const { spread } = this;
    spread.set(record.interval, record.within, this.grid);
    if (spread.reached === 0) return;
    let columns: SeriesColumns | undefined;
    const visitor: RecordVisitor = {
      flow: (position) => {
        const id = ids[position];
        columns = id === undefined ? undefined : this.columnsOf(id);
        return columns !== undefined;
      },
      number: (column, value) => {
        if (!columns) return;
        if (column < FIRST_GAUGE) spread.addTo(columns.number(column), value);
        else this.addGauge(columns, column, { record, value });
      },
      bin: (key, count) => {
        if (columns) spread.addTo(columns.bin(key), count);
      },
    };
    readRecord(record.data, { direction, bins: true }, visitor);
  }

  /** A gauge stands in the slots whose end the record covers. */
  private addGauge(columns: SeriesColumns, column: number, { record, value }: { record: RecordPart; value: number }) {
    const { fromMs, stepMs } = this.grid;
    const to = Math.min(record.interval.to, record.within.to);
    for (let slot = this.spread.first; slot < this.spread.first + this.spread.reached; slot++) {
      if (fromMs + (slot + 1) * stepMs > to) break;
      const values = columns.number(column);
      values[slot] = (values[slot] ?? 0) + value;
    }
  }

  /**
   * Adds a block; `idOf` tells into which series each of its series goes. What lies outside is left out; a step that
   * several slots share is spread evenly.
   */
  addBlock(bytes: Uint8Array, idOf: (series: number) => number | undefined): void {
    const steps = readBlockHead(bytes);
    const into = slotsOf(this.grid, steps);
    const ends = endsOf(this.grid, steps);
    let columns: SeriesColumns | undefined;
    const visitor: BlockVisitor = {
      series: (series) => {
        const id = idOf(series);
        columns = id === undefined ? undefined : this.columnsOf(id);
        return columns !== undefined;
      },
      number: (column, values) => {
        if (!columns) return;
        if (column < FIRST_GAUGE) this.addSteps(columns.number(column), values, { ...steps, into });
        else addEnds(columns.number(column), values, ends);
      },
      bin: (key, counts) => {
        if (columns) this.addSteps(columns.bin(key), counts, { ...steps, into });
      },
    };
    readBlock(bytes, visitor);
  }

  private addSteps(column: Float64Array, values: Float64Array, steps: Steps & { into: Int32Array }): void {
    const { fromMs, stepMs, into } = steps;
    for (let step = 0; step < values.length; step++) {
      const value = values[step] ?? 0;
      if (value === 0) continue;
      const at = into[step] ?? OUTSIDE;
      if (at >= 0) column[at] = (column[at] ?? 0) + value;
      else if (at === SHARED) {
        const interval = { from: fromMs + step * stepMs, to: fromMs + (step + 1) * stepMs };
        this.spread.set(interval, interval, this.grid);
        this.spread.addTo(column, value);
      }
    }
  }

  /** Sums of `ratio` slots each; gauges as they stand at the end of each. */
  coarser(ratio: number, ids: Iterable<number>): SlotMatrix {
    const { fromMs, stepMs, steps } = this.grid;
    const sum = new SlotMatrix(fromMs, stepMs * ratio, Math.ceil(steps / ratio));
    const target = Int32Array.from({ length: steps }, (_, slot) => Math.floor(slot / ratio));
    const ends = target.map((into, slot) => (slot % ratio === ratio - 1 ? into : -1));
    for (const id of ids) {
      const columns = this.series.get(id);
      if (!columns) continue;
      const into = sum.columnsOf(id);
      columns.numbers.forEach((values, column) => {
        if (values) addColumn(into.number(column), values, column < FIRST_GAUGE ? target : ends);
      });
      for (const [key, counts] of columns.binColumns()) addColumn(into.bin(key), counts, target);
    }
    return sum;
  }

  /** The given series in the form that blocks are written from; those without a number are left out. */
  blockSeries(ids: Iterable<number>): BlockSeries[] {
    const series: BlockSeries[] = [];
    for (const id of ids) {
      const columns = this.series.get(id);
      if (!columns) continue;
      const numbers = new Map<number, Float64Array>();
      columns.numbers.forEach((values, column) => {
        if (values?.some((value) => value !== 0)) numbers.set(column, values);
      });
      const bins = new Map(columns.binColumns());
      if (numbers.size > 0 || bins.size > 0) series.push({ id, numbers, bins });
    }
    return series;
  }
}

export interface RecordPart {
  readonly data: Uint8Array;
  readonly interval: Interval;
  /** What of the interval is to be added. */
  readonly within: Interval;
}

interface Steps {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly slots: number;
}

/** A step that lies in no slot, and one that is not wholly in a single one. */
const OUTSIDE = -1;
const SHARED = -2;

/** Slot of the grid by step of a block. */
function slotsOf(grid: Grid, { fromMs, stepMs, slots }: Steps): Int32Array {
  return Int32Array.from({ length: slots }, (_, step) => {
    const from = fromMs + step * stepMs;
    const to = from + stepMs;
    if (to <= grid.fromMs || from >= grid.toMs) return OUTSIDE;
    const into = Math.floor((from - grid.fromMs) / grid.stepMs);
    return into >= 0 && to <= grid.fromMs + (into + 1) * grid.stepMs ? into : SHARED;
  });
}

/** For gauges, pairs of a slot of the grid and the step that its end lies in. */
function endsOf(grid: Grid, { fromMs, stepMs, slots }: Steps): number[] {
  const ends: number[] = [];
  const first = Math.max(0, Math.floor((fromMs - grid.fromMs) / grid.stepMs));
  for (let slot = first; slot < grid.steps; slot++) {
    const end = grid.fromMs + (slot + 1) * grid.stepMs;
    const step = Math.ceil((end - fromMs) / stepMs) - 1;
    if (step >= slots) break;
    if (step >= 0) ends.push(slot, step);
  }
  return ends;
}

function addEnds(into: Float64Array, values: Float64Array, ends: readonly number[]): void {
  for (let i = 0; i < ends.length; i += 2) {
    const slot = ends[i] ?? 0;
    into[slot] = (into[slot] ?? 0) + (values[ends[i + 1] ?? 0] ?? 0);
  }
}

function addColumn(into: Float64Array, values: Float64Array, slots: Int32Array): void {
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] ?? 0;
    const at = slots[slot] ?? -1;
    if (value !== 0 && at >= 0) into[at] = (into[at] ?? 0) + value;
  }
}

/**
 * The slots of a matrix as records of some directions; `layout` are series by direction and position. Undefined for
 * an empty slot.
 */
export function recordsOfSlots(
  matrix: SlotMatrix,
  layout: readonly (readonly number[])[],
  directions: readonly number[],
): (Uint8Array | undefined)[] {
  const flows = directions.flatMap((direction) =>
    (layout[direction] ?? []).flatMap((id, position) => {
      const columns = matrix.series.get(id);
      return columns ? [{ direction, position, numbers: columns.numbers, bins: columns.binColumns() }] : [];
    }),
  );
  const writer = new RecordWriter();
  const out = new VarintWriter();
  return Array.from({ length: matrix.grid.steps }, (_, slot) => {
    writer.clear();
    out.clear();
    for (const { direction, position, numbers, bins } of flows) {
      writer.addNumbers(direction, position, { columns: numbers, slot });
      writer.addBins(direction, position, { columns: bins, slot });
    }
    if (writer.isEmpty) return undefined;
    writer.writeTo(out);
    return out.finish();
  });
}
