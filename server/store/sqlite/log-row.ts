/** A row of the log: some entries, packed together. */

import { VarintReader, VarintWriter } from '../../model/varint.ts';
import { growthFrom, leanGrowth } from './lean-growth.ts';
import { packBytes, unpackBytes } from './packed-bytes.ts';
import { PackedTable } from './packed-table.ts';

/** What one unit did in `[t0, t1)`, Unix milliseconds. */
export interface LogEntry {
  readonly unit: number;
  /** The service that it still has to be added to; 0 for none. */
  readonly feeds: number;
  /** -1 for entries of all directions. */
  readonly direction: number;
  /** Of a record; `BLOCK` where `data` is a block. */
  readonly layout: number;
  readonly t0: number;
  readonly t1: number;
}

export interface NewEntry extends LogEntry {
  readonly data: Uint8Array;
  /** What the totals of its target grew by; empty for none. */
  readonly growth: Uint8Array;
}

/** Entries that are packed together: more take less room, and longer to read one of. */
export const ENTRIES_OF_ROW = 16;
/** Ids of entries: that of their row times this, and their position. */
const POSITIONS = 64;

export const entryId = (row: number, position: number): number => row * POSITIONS + position;
export const rowOfEntry = (id: number): number => Math.floor(id / POSITIONS);
export const positionOfEntry = (id: number): number => id % POSITIONS;

/** Entries further apart in time than this are not in one row: times are kept as 32 bits. */
export const LONGEST_SPAN_MS = 1_000_000_000;
/** Added to the number of entries where growth is told by records: so it is since version 9. */
const LEAN = 128;

const HEADS = new VarintWriter(256);
const BODY = new VarintWriter(16_384);

export interface PackedRow {
  readonly heads: Uint8Array;
  readonly data: Uint8Array;
  /** As they are in what {@link RowHeads.unpack} gives. */
  readonly records: Uint8Array;
}

/** At most {@link ENTRIES_OF_ROW} entries. */
export function packRow(entries: readonly NewEntry[]): PackedRow {
  HEADS.clear();
  BODY.clear();
  for (const { data } of entries) BODY.writeBytes(data);
  const records = BODY.finish();
  const sizes = entries.map(({ data, growth }) => {
    const lean = leanGrowth(growth, data);
    BODY.writeBytes(lean);
    return lean.length;
  });
  const { bytes, plainSize } = packBytes(BODY.view());
  const base = entries[0]?.t1 ?? 0;
  for (const number of [plainSize, base, entries.length + LEAN]) HEADS.write(number);
  for (const [index, { unit, feeds, direction, layout, t0, t1, data }] of entries.entries()) {
    const after = t1 - base;
    HEADS.write(unit);
    HEADS.write(feeds);
    HEADS.write(direction + 1);
    HEADS.write(layout);
    HEADS.write(after < 0 ? -2 * after - 1 : 2 * after);
    HEADS.write(t1 - t0);
    HEADS.write(data.length);
    HEADS.write(sizes[index] ?? 0);
  }
  return { heads: HEADS.finish(), data: plainSize > 0 ? bytes : BODY.finish(), records };
}

const COLUMNS = 8;
/** Used again for every row. */
const NUMBERS = new Int32Array(POSITIONS * COLUMNS);
const HEAD = new Int32Array(6);

/** The heads of a row's entries, as they are kept in memory. */
export class RowHeads {
  readonly id: number;
  private readonly base: number;
  private readonly plainSize: number;
  private readonly isLean: boolean;
  private readonly table: PackedTable;

  /** @throws RangeError where the heads are damaged. */
  constructor(id: number, heads: Uint8Array) {
    this.id = id;
    const reader = new VarintReader(heads);
    this.plainSize = reader.read();
    this.base = reader.read();
    const coded = reader.read();
    this.isLean = coded >= LEAN;
    const count = this.isLean ? coded - LEAN : coded;
    if (count > POSITIONS) throw new RangeError(`${count} entries in one row of the log`);
    const numbers = NUMBERS.subarray(0, count * COLUMNS);
    for (let i = 0; i < numbers.length; i++) numbers[i] = reader.read();
    for (let i = 0; i < numbers.length; i += COLUMNS) {
      const after = numbers[i + 4] ?? 0;
      numbers[i + 2] = (numbers[i + 2] ?? 0) - 1;
      numbers[i + 4] = after % 2 === 0 ? after / 2 : -(after + 1) / 2;
    }
    this.table = new PackedTable(numbers, COLUMNS);
  }

  get count(): number {
    return this.table.rows;
  }

  unit(position: number): number {
    return this.table.at(position, 0);
  }

  feeds(position: number): number {
    return this.table.at(position, 1);
  }

  t1(position: number): number {
    return this.base + this.table.at(position, 4);
  }

  t0(position: number): number {
    return this.t1(position) - this.table.at(position, 5);
  }

  /** Bytes of its record or block. */
  size(position: number): number {
    return this.table.at(position, 6);
  }

  entry(position: number): LogEntry & { readonly id: number } {
    this.table.read(position, HEAD);
    const t1 = this.base + (HEAD[4] ?? 0);
    return {
      id: entryId(this.id, position),
      unit: HEAD[0] ?? 0,
      feeds: HEAD[1] ?? 0,
      direction: HEAD[2] ?? 0,
      layout: HEAD[3] ?? 0,
      t0: t1 - (HEAD[5] ?? 0),
      t1,
    };
  }

  /** All entries' records and growth, as {@link recordIn} and {@link growthIn} read them. */
  unpack(data: Uint8Array): Uint8Array {
    return unpackBytes({ bytes: data, plainSize: this.plainSize });
  }

  /** What is wrong with the row, in words; undefined where nothing is. */
  problemOf(data: Uint8Array): string | undefined {
    try {
      const size = this.sumBefore(this.count, 6) + this.sumBefore(this.count, 7);
      const plain = this.unpack(data);
      if (plain.length !== size) return 'it does not hold what its head says';
      for (let position = 0; position < this.count; position++) this.growthIn(plain, position);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    for (let position = 0; position < this.count; position++)
      if (this.table.at(position, 5) <= 0) return 'an interval has no length';
    return undefined;
  }

  /** Those of all entries. */
  recordsIn(plain: Uint8Array): Uint8Array {
    return plain.subarray(0, this.sumBefore(this.count, 6));
  }

  recordIn(plain: Uint8Array, position: number): Uint8Array {
    const from = this.sumBefore(position, 6);
    return plain.subarray(from, from + this.size(position));
  }

  /** Whether the entry tells growth. */
  grows(position: number): boolean {
    return this.table.at(position, 7) > 0;
  }

  growthIn(plain: Uint8Array, position: number): Uint8Array {
    const from = this.sumBefore(this.count, 6) + this.sumBefore(position, 7);
    const told = plain.subarray(from, from + this.table.at(position, 7));
    return this.isLean ? growthFrom(told, this.recordIn(plain, position)) : told;
  }

  private sumBefore(position: number, column: number): number {
    let sum = 0;
    for (let i = 0; i < position; i++) sum += this.table.at(i, column);
    return sum;
  }
}
