import { BIN_KEYS } from '../model/histogram.ts';
import { hasNegative, negate } from './cell-columns.ts';
import type { ListPart } from './packed.ts';

const FIRST_ROWS = 32;

/** Used again for every table. */
let order = new Int32Array(BIN_KEYS);

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

  /** Adds to the only cell. */
  add(key: number, count: number): void {
    const at = this.row(key);
    this.counts[at] = (this.counts[at] ?? 0) + count;
  }

  /** Positions of rows, as many as there are keys, keys ascending: until this is called for the next table. */
  sorted(): Int32Array {
    if (order.length < this.keys.length) order = new Int32Array(2 * this.keys.length);
    let found = 0;
    for (let key = this.lowest; key <= this.highest; key++) {
      const row = this.rows[key] ?? 0;
      if (row > 0) order[found++] = row - 1;
    }
    if (this.buckets.size === 0) return order;
    for (const [, row] of [...this.buckets].sort(([a], [b]) => a - b)) order[found++] = row - 1;
    return order;
  }

  /** Each number becomes what is missing from it to 0. */
  negate(): void {
    negate(this.counts, this.keys.length * this.cells);
  }

  get isNegative(): boolean {
    return hasNegative(this.counts, this.keys.length * this.cells);
  }

  get hasBuckets(): boolean {
    return this.buckets.size > 0;
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
