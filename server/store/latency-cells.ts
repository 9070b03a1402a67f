/** Latency of every cell of a group, from its histograms: samples, mean, quantiles, or the histograms themselves. */

import { BIN_KEYS, binBounds, quantile } from '../model/histogram.ts';
import { type NumberWriter, QUANTILE_FIELDS } from './answer.ts';
import { BinTable } from './bin-table.ts';
import type { CellColumns } from './cell-columns.ts';

export interface LatencyParts {
  /** By source: the connection manager's, and the clusters'. */
  readonly tables: readonly (BinTable | undefined)[];
  /** One column: requests without a sample, each slower than all that have one. */
  readonly timeouts: CellColumns;
  readonly cells: number;
  /** Absent: histograms are told. */
  readonly quantiles: readonly number[] | undefined;
}

/** Where it was written: samples by source and their mean (NaN without a sample), quantiles, histograms; -1 for none. */
export interface LatencyPlaces {
  readonly samples: number;
  readonly quantiles: number;
  readonly bins: number;
}

export function encodeLatency(out: NumberWriter, parts: LatencyParts): LatencyPlaces {
  const { cells, quantiles } = parts;
  const table = mergedTable(parts);
  const rows = table.sorted();
  const samples = encodeSamples(out, parts, { table, rows });
  if (!quantiles) return { samples, quantiles: -1, bins: encodeBins(out, { table, rows }, cells) };
  const at = out.reserve(cells * quantiles.length * QUANTILE_FIELDS);
  finder.set({ table, rows }, parts);
  for (let cell = 0; cell < cells; cell++) finder.write(out, at + cell * quantiles.length * QUANTILE_FIELDS, cell);
  return { samples, quantiles: at, bins: -1 };
}

interface Sorted {
  readonly table: BinTable;
  /** Rows of the table by ascending key, as many as it has. */
  readonly rows: Int32Array;
}

function mergedTable({ tables, cells }: LatencyParts): BinTable {
  let only: BinTable | undefined;
  let used = 0;
  for (const table of tables) {
    if (!table || table.keys.length === 0) continue;
    only = table;
    used++;
  }
  if (used === 1 && only) return only;
  const sum = new BinTable(cells);
  for (const table of used > 0 ? tables : []) if (table) sum.addAll(table);
  return sum;
}

/** Used again for every group. */
let weighted = new Float64Array(64);

function encodeSamples(out: NumberWriter, { tables, cells }: LatencyParts, { table, rows }: Sorted): number {
  const at = out.reserve(3 * cells);
  if (weighted.length < cells) weighted = new Float64Array(2 * cells);
  weighted.fill(0, 0, cells);
  for (let i = 0; i < table.keys.length; i++) {
    const row = rows[i] ?? 0;
    const middle = middleOf(table.keys[row] ?? 0);
    for (let cell = 0, from = row * cells; cell < cells; cell++, from++)
      weighted[cell] = (weighted[cell] ?? 0) + (table.counts[from] ?? 0) * middle;
  }
  for (let cell = 0; cell < cells; cell++) {
    const ofServer = samplesOf(tables[0], cell, cells);
    const ofClient = samplesOf(tables[1], cell, cells);
    out.set(at + cell, ofServer);
    out.set(at + cells + cell, ofClient);
    out.set(at + 2 * cells + cell, (weighted[cell] ?? 0) / (ofServer + ofClient));
  }
  return at;
}

function samplesOf(table: BinTable | undefined, cell: number, cells: number): number {
  if (!table) return 0;
  const { counts, keys } = table;
  let samples = 0;
  for (let at = cell; at < keys.length * cells; at += cells) samples += counts[at] ?? 0;
  return samples;
}

const MIDDLES = Float64Array.from({ length: BIN_KEYS }, (_, key) => middleBetween(binBounds(key)));

function middleOf(key: number): number {
  return MIDDLES[key] ?? middleBetween(binBounds(key));
}

function middleBetween([lower, upper]: readonly [number, number]): number {
  return upper === Number.POSITIVE_INFINITY ? lower : (lower + upper) / 2;
}

function encodeBins(out: NumberWriter, { table, rows }: Sorted, cells: number): number {
  const at = out.reserve(cells + 1);
  let total = 0;
  for (let cell = 0; cell < cells; cell++) {
    out.set(at + cell, total);
    for (let i = 0; i < table.keys.length; i++) {
      const row = rows[i] ?? 0;
      const count = table.counts[row * cells + cell] ?? 0;
      if (count === 0) continue;
      const pair = out.reserve(2);
      out.set(pair, table.keys[row] ?? 0);
      out.set(pair + 1, count);
      total++;
    }
  }
  out.set(at + cells, total);
  return at;
}

const NOWHERE = [Number.NaN, Number.NaN] as const;

/** Finds what `quantile` finds, without a histogram of its own for every cell. To be used again for every group. */
class QuantileFinder {
  private cells = 1;
  private quantiles: readonly number[] = [];
  private timeouts: CellColumns | undefined;
  private table = new BinTable(1);
  private rows: Int32Array = new Int32Array();
  /** Of the cell that is looked at: rows that have a sample, and their counts. */
  private used = new Int32Array(BIN_KEYS);
  private counts = new Float64Array(BIN_KEYS);

  set({ table, rows }: Sorted, { cells, quantiles = [], timeouts }: LatencyParts): void {
    this.cells = cells;
    this.quantiles = quantiles;
    this.timeouts = timeouts;
    this.table = table;
    this.rows = rows;
    if (this.used.length >= table.keys.length) return;
    this.used = new Int32Array(2 * table.keys.length);
    this.counts = new Float64Array(2 * table.keys.length);
  }

  write(out: NumberWriter, at: number, cell: number): void {
    const slower = this.timeouts?.value(0, cell) ?? 0;
    const used = this.gather(cell);
    if (this.table.hasBuckets) {
      this.writeByHistogram(out, at, { used, slower });
      return;
    }
    let samples = 0;
    for (let i = 0; i < used; i++) samples += this.counts[i] ?? 0;
    for (let index = 0; index < this.quantiles.length; index++) {
      const place = at + index * QUANTILE_FIELDS;
      this.find(out, place, { used, rank: (this.quantiles[index] ?? 0) * (samples + slower), samples });
      if (samples === 0) out.set(place + 3, slower > 0 ? 1 : 0);
    }
  }

  private gather(cell: number): number {
    const { rows, cells } = this;
    const { counts, keys } = this.table;
    let used = 0;
    for (let i = 0; i < keys.length; i++) {
      const count = counts[(rows[i] ?? 0) * cells + cell] ?? 0;
      if (count === 0) continue;
      this.used[used] = i;
      this.counts[used++] = count;
    }
    return used;
  }

  private find(
    out: NumberWriter,
    at: number,
    { used, rank, samples }: { used: number; rank: number; samples: number },
  ): void {
    let below = 0;
    let last = -1;
    let share = 1;
    for (let i = 0; i < used; i++) {
      const count = this.counts[i] ?? 0;
      last = this.used[i] ?? -1;
      if (below + count >= rank) {
        share = Math.min(1, Math.max(0, (rank - below) / count));
        break;
      }
      below += count;
    }
    const bounds = last < 0 ? NOWHERE : binBounds(this.table.keys[this.rows[last] ?? 0] ?? 0);
    const lower = bounds[0];
    const upper = bounds[1];
    const isOpen = upper === Number.POSITIVE_INFINITY;
    out.set(at, isOpen ? lower : lower + (upper - lower) * share);
    out.set(at + 1, lower);
    out.set(at + 2, upper);
    out.set(at + 3, isOpen || rank > samples ? 1 : 0);
  }

  private writeByHistogram(out: NumberWriter, at: number, { used, slower }: { used: number; slower: number }): void {
    const keys = Array.from(this.used.subarray(0, used), (row) => this.table.keys[this.rows[row] ?? 0] ?? 0);
    const bins = { keys, counts: [...this.counts.subarray(0, used)] };
    this.quantiles.forEach((q, index) => {
      const { valueMs, bin, capped } = quantile(bins, q, slower);
      const place = at + index * QUANTILE_FIELDS;
      out.set(place, valueMs ?? Number.NaN);
      out.set(place + 1, bin?.[0] ?? Number.NaN);
      out.set(place + 2, bin?.[1] ?? Number.NaN);
      out.set(place + 3, capped ? 1 : 0);
    });
  }
}

const finder = new QuantileFinder();
