/**
 * What the flows of one unit did in one interval, as bytes: a row of the log. Flows are told by their positions in a
 * layout, direction by direction; in each direction numbers come apart from histograms, so that either can be skipped.
 */

import { COUNTERS, type Direction, STORED_GAUGES } from '../model/flow.ts';
import { VarintReader, VarintWriter } from '../model/varint.ts';

/** In the order in which records hold them; one more changes the form of records, which files must be brought to. */
export const DIRECTIONS = [
  'inbound',
  'outbound',
  'zone',
  'inbound_connections',
  'outbound_connections',
] as const satisfies readonly Direction[];

/** Columns are counters by their positions, and the stored gauges far behind them: a counter more moves none of them. */
export const FIRST_GAUGE = 128;
export const COLUMNS = FIRST_GAUGE + STORED_GAUGES.length;

export interface Flow {
  readonly counters: ArrayLike<number>;
  readonly gauges: ArrayLike<number>;
  readonly bins: { readonly keys: ArrayLike<number>; readonly counts: ArrayLike<number> };
}

type Column = ArrayLike<number>;

interface SlotOf<Columns> {
  readonly columns: Columns;
  readonly slot: number;
}

const NOTHING: [number, Column] = [0, []];

export class RecordWriter {
  private readonly sections = DIRECTIONS.map(() => ({
    numbers: new VarintWriter(1024),
    bins: new VarintWriter(4096),
  }));
  private readonly pairs = new Float64Array(2 * COLUMNS);

  clear(): void {
    for (const { numbers, bins } of this.sections) {
      numbers.clear();
      bins.clear();
    }
  }

  /** @throws RangeError where a number can't be a count. */
  add(direction: number, position: number, { counters, gauges, bins }: Flow): void {
    const section = this.sections[direction];
    if (!section) throw new RangeError(`no direction ${direction}`);
    const { pairs } = this;
    let length = 0;
    for (let i = 0; i < COUNTERS.length; i++) {
      const value = counters[i] ?? 0;
      if (value !== 0) length = pair(pairs, length, i, value);
    }
    for (let i = 0; i < STORED_GAUGES.length; i++) {
      const value = gauges[i] ?? 0;
      if (value !== 0) length = pair(pairs, length, FIRST_GAUGE + i, value);
    }
    if (length > 0) this.writePairs(section.numbers, position, length);
    if (bins.keys.length > 0) writeBins(section.bins, position, bins);
  }

  private writePairs(section: VarintWriter, position: number, length: number): void {
    const { pairs } = this;
    section.write(position);
    section.write(length / 2);
    for (let i = 0; i < length; i++) section.write(pairs[i] ?? 0);
  }

  /** One slot of a flow's columns. */
  addNumbers(direction: number, position: number, { columns, slot }: SlotOf<readonly (Column | undefined)[]>): void {
    const { pairs } = this;
    let length = 0;
    columns.forEach((values, column) => {
      if (values) length = pair(pairs, length, column, values[slot] ?? 0);
    });
    const numbers = this.sections[direction]?.numbers;
    if (length > 0 && numbers) this.writePairs(numbers, position, length);
  }

  /** One slot of a flow's histograms; columns by key, keys ascending. */
  addBins(direction: number, position: number, { columns, slot }: SlotOf<readonly [number, Column][]>): void {
    let used = 0;
    for (let i = 0; i < columns.length; i++) if (columns[i]?.[1][slot]) used++;
    const bins = this.sections[direction]?.bins;
    if (used === 0 || !bins) return;
    bins.write(position);
    bins.write(used);
    let previous = 0;
    for (let i = 0; i < columns.length; i++) {
      const [key, counts] = columns[i] ?? NOTHING;
      const count = counts[slot] ?? 0;
      if (count === 0) continue;
      bins.write(key - previous);
      bins.write(count);
      previous = key;
    }
  }

  get isEmpty(): boolean {
    return this.sections.every(({ numbers, bins }) => numbers.size === 0 && bins.size === 0);
  }

  writeTo(out: VarintWriter): void {
    for (const { numbers, bins } of this.sections) {
      out.write(numbers.size);
      out.write(bins.size);
    }
    for (const { numbers, bins } of this.sections) {
      if (numbers.size > 0) out.writeBytes(numbers.view());
      if (bins.size > 0) out.writeBytes(bins.view());
    }
  }
}

function pair(pairs: Float64Array, length: number, column: number, value: number): number {
  if (value === 0) return length;
  pairs[length] = column;
  pairs[length + 1] = checked(value);
  return length + 2;
}

function checked(value: number): number {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${value} is no count`);
  return Math.round(value);
}

function writeBins(section: VarintWriter, position: number, { keys, counts }: Flow['bins']): void {
  section.write(position);
  section.write(keys.length);
  section.writePairs(keys, areCounts(counts) ? counts : Array.from(counts, checked));
}

function areCounts(values: Column): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (!(value >= 0 && Number.isSafeInteger(value))) return false;
  }
  return true;
}

/** Called with what is in a record. */
export interface RecordVisitor {
  /** @returns whether the flow at this position is wanted; it may be told of twice: for numbers, and for bins. */
  flow(position: number): boolean;
  number(column: number, value: number): void;
  bin(key: number, count: number): void;
}

export interface RecordPart {
  readonly direction: number;
  readonly bins: boolean;
}

/** Tells `visitor` what a record holds of one direction. @throws RangeError where the bytes are no record. */
export function readRecord(bytes: Uint8Array, { direction, bins }: RecordPart, visitor: RecordVisitor): void {
  const reader = new VarintReader(bytes);
  let before = 0;
  let [numbersSize, binsSize] = [0, 0];
  for (let i = 0; i < DIRECTIONS.length; i++) {
    const ownNumbers = reader.read();
    const ownBins = reader.read();
    if (i < direction) before += ownNumbers + ownBins;
    if (i !== direction) continue;
    numbersSize = ownNumbers;
    binsSize = ownBins;
  }
  reader.skip(before);
  const end = reader.at + numbersSize;
  readNumbers(reader, end, visitor);
  reader.skip(end - reader.at);
  if (bins) readBins(reader, end + binsSize, visitor);
}

function readNumbers(reader: VarintReader, end: number, visitor: RecordVisitor): void {
  while (reader.at < end) {
    const isWanted = visitor.flow(reader.read());
    for (let left = reader.read(); left > 0; left--) {
      const column = reader.read();
      const value = reader.read();
      if (isWanted) visitor.number(column, value);
    }
  }
}

function readBins(reader: VarintReader, end: number, visitor: RecordVisitor): void {
  while (reader.at < end) {
    const isWanted = visitor.flow(reader.read());
    let key = 0;
    for (let left = reader.read(); left > 0; left--) {
      key += reader.read();
      const count = reader.read();
      if (isWanted) visitor.bin(key, count);
    }
  }
}
