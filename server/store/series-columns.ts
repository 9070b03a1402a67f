import { BIN_KEYS } from '../model/histogram.ts';
import { COLUMNS } from './record.ts';

/** Columns that no matrix uses any more, by length: to clear one is much quicker than to have it collected. */
class SpareColumns {
  private readonly byLength = new Map<number, Float64Array[]>();
  private bytes = 0;

  /** All 0. */
  take(length: number): Float64Array {
    const spare = this.byLength.get(length)?.pop();
    if (!spare) return new Float64Array(length);
    this.bytes -= spare.byteLength;
    return spare.fill(0);
  }

  give(column: Float64Array): void {
    if (this.bytes + column.byteLength > MOST_SPARE_BYTES) return;
    const spares = this.byLength.get(column.length) ?? [];
    if (spares.length === 0) this.byLength.set(column.length, spares);
    spares.push(column);
    this.bytes += column.byteLength;
  }
}

const MOST_SPARE_BYTES = 1024 * 1024;
const SPARE_COLUMNS = new SpareColumns();
const SPARE_SERIES: SeriesColumns[] = [];
const MOST_SPARE_SERIES = 64;

/** What one series did, in columns of one number per slot. */
export class SeriesColumns {
  readonly numbers: (Float64Array | undefined)[] = new Array(COLUMNS);
  private slots = 0;
  private readonly bins: (Float64Array | undefined)[] = new Array(BIN_KEYS);
  /** Bins from here up to `end` may be in use. */
  private first = BIN_KEYS;
  private end = 0;
  private readonly buckets = new Map<number, Float64Array>();

  static of(slots: number): SeriesColumns {
    const series = SPARE_SERIES.pop() ?? new SeriesColumns();
    series.slots = slots;
    return series;
  }

  /** Nobody uses it, or any of its columns, from now on. */
  release(): void {
    for (const column of this.numbers) if (column) SPARE_COLUMNS.give(column);
    this.numbers.fill(undefined);
    for (let key = this.first; key < this.end; key++) {
      const column = this.bins[key];
      if (column) SPARE_COLUMNS.give(column);
      this.bins[key] = undefined;
    }
    for (const column of this.buckets.values()) SPARE_COLUMNS.give(column);
    this.first = BIN_KEYS;
    this.end = 0;
    this.buckets.clear();
    if (SPARE_SERIES.length < MOST_SPARE_SERIES) SPARE_SERIES.push(this);
  }

  number(column: number): Float64Array {
    const known = this.numbers[column];
    if (known) return known;
    const created = SPARE_COLUMNS.take(this.slots);
    this.numbers[column] = created;
    return created;
  }

  /** Of a bin or bucket. */
  bin(key: number): Float64Array {
    const known = key < BIN_KEYS ? this.bins[key] : this.buckets.get(key);
    if (known) return known;
    const created = SPARE_COLUMNS.take(this.slots);
    if (key >= BIN_KEYS) this.buckets.set(key, created);
    else {
      this.bins[key] = created;
      if (key < this.first) this.first = key;
      if (key >= this.end) this.end = key + 1;
    }
    return created;
  }

  /** Columns by key, keys ascending. */
  binColumns(): [key: number, counts: Float64Array][] {
    const columns: [number, Float64Array][] = [];
    for (let key = this.first; key < this.end; key++) {
      const column = this.bins[key];
      if (column) columns.push([key, column]);
    }
    return this.buckets.size === 0 ? columns : [...columns, ...[...this.buckets].sort(([a], [b]) => a - b)];
  }
}
