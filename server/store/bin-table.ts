import { BIN_KEYS } from '../model/histogram.ts';
import { type ListPart, type PackedList, packNumbers } from './packed.ts';

const FIRST_ROWS = 32;

/** Histograms of all cells of a group: a row of one count per cell for every bin or bucket that was seen. */
export class BinTable {
  /** Of each row. */
  readonly keys: number[] = [];
  counts: Float64Array;
  private readonly cells: number;
  /** By key: number of its row plus 1. */
  private readonly rows = new Uint16Array(BIN_KEYS);
  private lowest = BIN_KEYS;
  private highest = -1;
  private readonly buckets = new Map<number, number>();

  constructor(cells: number) {
    this.cells = cells;
    this.counts = new Float64Array(FIRST_ROWS * cells);
  }

  /** Where the row of a bin or bucket begins. */
  row(key: number): number {
    const known = key < BIN_KEYS ? (this.rows[key] ?? 0) : (this.buckets.get(key) ?? 0);
    return known > 0 ? (known - 1) * this.cells : this.begin(key);
  }

  private begin(key: number): number {
    const at = this.keys.length * this.cells;
    this.keys.push(key);
    if (key < BIN_KEYS) {
      this.rows[key] = this.keys.length;
      this.lowest = Math.min(this.lowest, key);
      this.highest = Math.max(this.highest, key);
    } else this.buckets.set(key, this.keys.length);
    if (at + this.cells > this.counts.length) {
      const larger = new Float64Array(this.counts.length * 2);
      larger.set(this.counts);
      this.counts = larger;
    }
    return at;
  }

  /** Adds pairs of a key and a count to a cell. */
  addPairs({ list, at, end }: ListPart, cell: number): void {
    for (let i = at; i < end; i += 2) {
      const place = this.row(list[i] ?? 0) + cell;
      const { counts } = this;
      counts[place] = (counts[place] ?? 0) + (list[i + 1] ?? 0);
    }
  }

  addAll(other: BinTable): void {
    other.keys.forEach((key, index) => {
      const row = this.row(key);
      const { counts, cells } = this;
      for (let cell = 0, from = index * cells; cell < cells; cell++, from++)
        counts[row + cell] = (counts[row + cell] ?? 0) + (other.counts[from] ?? 0);
    });
  }

  /** Positions of rows, keys ascending. */
  sorted(): Int32Array {
    const sorted = new Int32Array(this.keys.length);
    let found = 0;
    for (let key = this.lowest; key <= this.highest; key++) {
      const row = this.rows[key] ?? 0;
      if (row > 0) sorted[found++] = row - 1;
    }
    for (const [, row] of [...this.buckets].sort(([a], [b]) => a - b)) sorted[found++] = row - 1;
    return sorted;
  }

  /** Pairs of a key and its count in the first cell, keys ascending; what is 0 left out. */
  pairs(): PackedList {
    const { keys, counts, cells } = this;
    const values = new Float64Array(2 * keys.length);
    let [length, largest] = [0, 0];
    for (const row of this.sorted()) {
      const count = counts[row * cells] ?? 0;
      if (count === 0) continue;
      values[length++] = keys[row] ?? 0;
      values[length++] = count;
      largest = Math.max(largest, count, keys[row] ?? 0);
    }
    return packNumbers({ values, length, largest });
  }

  clear(): void {
    this.counts.fill(0, 0, this.keys.length * this.cells);
    for (const key of this.keys) if (key < BIN_KEYS) this.rows[key] = 0;
    this.keys.length = 0;
    this.lowest = BIN_KEYS;
    this.highest = -1;
    this.buckets.clear();
  }
}
