/** Latency of every cell of a group, from its histograms: samples, mean, quantiles, or the histograms themselves. */

import { BIN_KEYS, binBounds, quantile } from '../model/histogram.ts';
import { type NumberWriter, QUANTILE_FIELDS } from './answer.ts';
import { BinTable } from './bin-table.ts';

export interface LatencyParts {
  /** By source: the connection manager's, and the clusters'. */
  readonly tables: readonly (BinTable | undefined)[];
  /** Requests without a sample, each slower than all that have one. */
  readonly timeouts: Float64Array | undefined;
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
  const finder = new QuantileFinder({ table, rows }, parts);
  for (let cell = 0; cell < cells; cell++) finder.write(out, at + cell * quantiles.length * QUANTILE_FIELDS, cell);
  return { samples, quantiles: at, bins: -1 };
}

interface Sorted {
  readonly table: BinTable;
  /** Rows of the table by ascending key. */
  readonly rows: Int32Array;
}

function mergedTable({ tables, cells }: LatencyParts): BinTable {
  const [first, second, ...others] = tables.filter((table) => table && table.keys.length > 0);
  if (!second) return first ?? new BinTable(cells);
  const sum = new BinTable(cells);
  for (const table of [first, second, ...others]) if (table) sum.addAll(table);
  return sum;
}

function encodeSamples(out: NumberWriter, { tables, cells }: LatencyParts, { table, rows }: Sorted): number {
  const at = out.reserve(3 * cells);
  const weighted = new Float64Array(cells);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    const middle = middleOf(table.keys[row] ?? 0);
    for (let cell = 0, from = row * cells; cell < cells; cell++, from++)
      weighted[cell] = (weighted[cell] ?? 0) + (table.counts[from] ?? 0) * middle;
  }
  const [downstream, upstream] = tables.map((one) => samplesOf(one, cells));
  for (let cell = 0; cell < cells; cell++) {
    const [ofServer, ofClient] = [downstream?.[cell] ?? 0, upstream?.[cell] ?? 0];
    out.set(at + cell, ofServer);
    out.set(at + cells + cell, ofClient);
    out.set(at + 2 * cells + cell, (weighted[cell] ?? 0) / (ofServer + ofClient));
  }
  return at;
}

function samplesOf(table: BinTable | undefined, cells: number): Float64Array {
  const samples = new Float64Array(cells);
  if (!table) return samples;
  const { counts, keys } = table;
  for (let row = 0, from = 0; row < keys.length; row++)
    for (let cell = 0; cell < cells; cell++, from++) samples[cell] = (samples[cell] ?? 0) + (counts[from] ?? 0);
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
    for (let i = 0; i < rows.length; i++) {
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

/** Finds what `quantile` finds, without a histogram of its own for every cell. */
class QuantileFinder {
  private readonly cells: number;
  private readonly quantiles: readonly number[];
  private readonly timeouts: Float64Array | undefined;
  private readonly table: BinTable;
  private readonly rows: Int32Array;
  private readonly buckets: boolean;
  /** Of the cell that is looked at: rows that have a sample, and their counts. */
  private readonly used: Int32Array;
  private readonly counts: Float64Array;

  constructor({ table, rows }: Sorted, { cells, quantiles = [], timeouts }: LatencyParts) {
    this.cells = cells;
    this.quantiles = quantiles;
    this.timeouts = timeouts;
    this.table = table;
    this.rows = rows;
    this.buckets = table.keys.some((key) => key >= BIN_KEYS);
    this.used = new Int32Array(rows.length);
    this.counts = new Float64Array(rows.length);
  }

  write(out: NumberWriter, at: number, cell: number): void {
    const slower = this.timeouts?.[cell] ?? 0;
    const used = this.gather(cell);
    if (this.buckets) {
      this.writeByHistogram(out, at, { used, slower });
      return;
    }
    let samples = 0;
    for (let i = 0; i < used; i++) samples += this.counts[i] ?? 0;
    this.quantiles.forEach((q, index) => {
      const place = at + index * QUANTILE_FIELDS;
      this.find(out, place, { used, rank: q * (samples + slower), samples });
      if (samples === 0) out.set(place + 3, slower > 0 ? 1 : 0);
    });
  }

  private gather(cell: number): number {
    const { rows, cells } = this;
    const { counts } = this.table;
    let used = 0;
    for (let i = 0; i < rows.length; i++) {
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
    const [lower, upper] = last < 0 ? NOWHERE : binBounds(this.table.keys[this.rows[last] ?? 0] ?? 0);
    out.set(at, lower + (upper - lower) * share);
    out.set(at + 1, lower);
    out.set(at + 2, upper);
    out.set(at + 3, rank > samples ? 1 : 0);
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
