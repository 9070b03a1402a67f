import { COUNTER_INDEX, COUNTERS, type LatencySource, STORED_GAUGES } from '../model/flow.ts';
import { BIN_KEYS, binBounds, quantile } from '../model/histogram.ts';
import { type Interval, overlapMs } from '../model/spread.ts';
import { type EncodedGroup, type NumberWriter, QUANTILE_FIELDS } from './answer.ts';
import type { CellGrid } from './cell-grid.ts';
import { partsIn, unionOf } from './coverage.ts';
import type { SeriesLabels } from './store.ts';

const SOURCES: readonly LatencySource[] = ['downstream', 'upstream'];

/** Sums of one group of series: a column of one number per cell for everything that isn't 0. */
export class GroupSum {
  readonly labels: SeriesLabels;
  private readonly cells: number;
  private readonly counters: (Float64Array | undefined)[] = [];
  private readonly expected: (Float64Array | undefined)[] = [];
  private readonly gauges: (Float64Array | undefined)[] = [];
  private readonly bins: (Map<number, Float64Array> | undefined)[] = [];
  private timeouts: Float64Array | undefined;
  private readonly runs: Interval[] = [];
  private readonly tails: Interval[] = [];

  constructor(labels: SeriesLabels, cells: number) {
    this.labels = labels;
    this.cells = cells;
  }

  measured(runs: readonly Interval[], tails: readonly Interval[]): void {
    for (const run of runs) this.runs.push(run);
    for (const tail of tails) this.tails.push(tail);
  }

  get isMeasured(): boolean {
    return this.runs.length > 0;
  }

  counter(index: number): Float64Array {
    this.counters[index] ??= new Float64Array(this.cells);
    return this.counters[index];
  }

  /** Events that are taken to have happened since a target's last scrape. */
  expectedOf(index: number): Float64Array {
    this.expected[index] ??= new Float64Array(this.cells);
    return this.expected[index];
  }

  gauge(index: number): Float64Array {
    this.gauges[index] ??= new Float64Array(this.cells);
    return this.gauges[index];
  }

  timeoutsWithoutSample(): Float64Array {
    this.timeouts ??= new Float64Array(this.cells);
    return this.timeouts;
  }

  bin(source: LatencySource, key: number): Float64Array {
    const index = SOURCES.indexOf(source);
    this.bins[index] ??= new Map();
    const known = this.bins[index].get(key);
    if (known) return known;
    const created = new Float64Array(this.cells);
    this.bins[index].set(key, created);
    return created;
  }

  requests(count: (counters: ArrayLike<number>) => number): number {
    const total = COUNTERS.map((_, index) => this.counters[index]?.reduce((sum, value) => sum + value, 0) ?? 0);
    return count(total);
  }

  encode(out: NumberWriter, { grid, bins, quantiles }: EncodeOptions): EncodedGroup {
    const runs = unionOf(this.runs);
    const all = unionOf([...runs, ...this.tails]);
    const measured = encodeMeasured(out, grid, { runs, all });
    const head = {
      labels: this.labels,
      counters: COUNTERS.map((_, index) => out.column(this.counters[index])),
      expected: COUNTERS.map((_, index) => out.column(this.expected[index])),
      gauges: this.encodeGauges(out, grid, all),
      measured,
      timeouts: out.column(this.timeouts),
    };
    if (!bins) return { ...head, latency: -1, quantiles: -1, bins: -1 };
    return { ...head, ...this.encodeLatency(out, quantiles) };
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

  private encodeLatency(out: NumberWriter, quantiles: readonly number[] | undefined) {
    const columns = this.sortedBins();
    const latency = this.encodeSamples(out, columns);
    if (!quantiles) return { latency, quantiles: -1, bins: this.encodeBins(out, columns) };
    const at = out.reserve(this.cells * quantiles.length * QUANTILE_FIELDS);
    const finder = new QuantileFinder(columns);
    for (let cell = 0; cell < this.cells; cell++)
      finder.write(out, at + cell * quantiles.length * QUANTILE_FIELDS, {
        cell,
        quantiles,
        slower: this.timeouts?.[cell] ?? 0,
      });
    return { latency, quantiles: at, bins: -1 };
  }

  /** Samples by source, then their mean: NaN without a sample. */
  private encodeSamples(out: NumberWriter, columns: readonly BinColumn[]): number {
    const samples = this.bins.map((byKey) => sumOf([...(byKey?.values() ?? [])], this.cells));
    const weighted = new Float64Array(this.cells);
    for (const { key, counts } of columns) {
      const middle = middleOf(key);
      for (let cell = 0; cell < weighted.length; cell++)
        weighted[cell] = (weighted[cell] ?? 0) + (counts[cell] ?? 0) * middle;
    }
    const at = out.reserve(3 * this.cells);
    for (let cell = 0; cell < this.cells; cell++) {
      const [downstream, upstream] = [samples[0]?.[cell] ?? 0, samples[1]?.[cell] ?? 0];
      out.set(at + cell, downstream);
      out.set(at + this.cells + cell, upstream);
      out.set(at + 2 * this.cells + cell, (weighted[cell] ?? 0) / (downstream + upstream));
    }
    return at;
  }

  private sortedBins(): BinColumn[] {
    const [first = new Map<number, Float64Array>(), second] = [
      this.bins[0] ?? this.bins[1],
      this.bins[0] && this.bins[1],
    ];
    const merged = new Map(first);
    for (const [key, counts] of second ?? []) {
      const known = merged.get(key);
      merged.set(key, known ? known.map((count, cell) => count + (counts[cell] ?? 0)) : counts);
    }
    return [...merged].sort(([a], [b]) => a - b).map(([key, counts]) => ({ key, counts }));
  }

  private encodeBins(out: NumberWriter, columns: readonly BinColumn[]): number {
    const at = out.reserve(this.cells + 1);
    let total = 0;
    for (let cell = 0; cell < this.cells; cell++) {
      out.set(at + cell, total);
      for (const { key, counts } of columns) {
        const count = counts[cell] ?? 0;
        if (count === 0) continue;
        const pair = out.reserve(2);
        out.set(pair, key);
        out.set(pair + 1, count);
        total++;
      }
    }
    out.set(at + this.cells, total);
    return at;
  }
}

export interface EncodeOptions {
  readonly grid: CellGrid;
  readonly bins: boolean;
  readonly quantiles: readonly number[] | undefined;
}

interface BinColumn {
  readonly key: number;
  readonly counts: Float64Array;
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
      const [part] = partsIn(all.slice(i, i + 1), interval);
      if (!part) continue;
      const pair = out.reserve(2);
      out.set(pair, part.from);
      out.set(pair + 1, part.to);
      total++;
    }
  }
  out.set(at + steps, total);
  return at;
}

function middleOf(key: number): number {
  const [lower, upper] = binBounds(key);
  return upper === Number.POSITIVE_INFINITY ? lower : (lower + upper) / 2;
}

function sumOf(columns: readonly Float64Array[], cells: number): Float64Array {
  const sum = new Float64Array(cells);
  for (const column of columns)
    for (let cell = 0; cell < cells; cell++) sum[cell] = (sum[cell] ?? 0) + (column[cell] ?? 0);
  return sum;
}

/** Finds what `quantile` finds, without a histogram of its own for every cell. */
class QuantileFinder {
  private readonly columns: readonly BinColumn[];
  private readonly bounds: readonly (readonly [number, number])[];
  private readonly buckets: boolean;

  constructor(columns: readonly BinColumn[]) {
    this.columns = columns;
    this.bounds = columns.map(({ key }) => binBounds(key));
    this.buckets = columns.some(({ key }) => key >= BIN_KEYS);
  }

  write(
    out: NumberWriter,
    at: number,
    { cell, quantiles, slower }: { cell: number; quantiles: readonly number[]; slower: number },
  ): void {
    if (this.buckets) {
      this.writeByHistogram(out, at, { cell, quantiles, slower });
      return;
    }
    let samples = 0;
    for (const { counts } of this.columns) samples += counts[cell] ?? 0;
    quantiles.forEach((q, index) => {
      const place = at + index * QUANTILE_FIELDS;
      this.find(out, place, { cell, rank: q * (samples + slower), samples });
      if (samples === 0) out.set(place + 3, slower > 0 ? 1 : 0);
    });
  }

  private find(
    out: NumberWriter,
    at: number,
    { cell, rank, samples }: { cell: number; rank: number; samples: number },
  ): void {
    let below = 0;
    let last = -1;
    let share = 1;
    for (let i = 0; i < this.columns.length; i++) {
      const count = this.columns[i]?.counts[cell] ?? 0;
      if (count === 0) continue;
      last = i;
      if (below + count >= rank) {
        share = Math.min(1, Math.max(0, (rank - below) / count));
        break;
      }
      below += count;
    }
    const [lower, upper] = this.bounds[last] ?? [Number.NaN, Number.NaN];
    out.set(at, lower + (upper - lower) * share);
    out.set(at + 1, lower);
    out.set(at + 2, upper);
    out.set(at + 3, rank > samples ? 1 : 0);
  }

  private writeByHistogram(
    out: NumberWriter,
    at: number,
    { cell, quantiles, slower }: { cell: number; quantiles: readonly number[]; slower: number },
  ): void {
    const used = this.columns.filter(({ counts }) => (counts[cell] ?? 0) > 0);
    const bins = { keys: used.map(({ key }) => key), counts: used.map(({ counts }) => counts[cell] ?? 0) };
    quantiles.forEach((q, index) => {
      const { valueMs, bin, capped } = quantile(bins, q, slower);
      const place = at + index * QUANTILE_FIELDS;
      out.set(place, valueMs ?? Number.NaN);
      out.set(place + 1, bin?.[0] ?? Number.NaN);
      out.set(place + 2, bin?.[1] ?? Number.NaN);
      out.set(place + 3, capped ? 1 : 0);
    });
  }
}

export const TIMED_OUT = COUNTER_INDEX.timed_out;
