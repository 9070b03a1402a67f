/** Adds up stored increments into groups and cells; knows nothing of where the rows come from. */

import { COUNTER_INDEX, COUNTERS, type LatencySource, STORED_GAUGES } from '../model/flow.ts';
import { BinSum, decodeBins, mean, NO_BINS, quantile, type SparseBins } from '../model/histogram.ts';
import { keyOf } from '../model/labels.ts';
import { type Interval, overlapMs, spreadCount } from '../model/spread.ts';
import { type Coverage, lengthOf, partsIn, unionOf } from './coverage.ts';
import {
  type Cell,
  type Group,
  QueryTooLargeError,
  type SeriesLabel,
  type SeriesLabels,
  type SumQuery,
} from './store.ts';

/** A stored series: one flow of one target. */
export interface Series {
  readonly id: number;
  readonly target: number;
  readonly source: LatencySource;
  readonly labels: Readonly<Record<SeriesLabel, string>>;
}

/** What one flow did in one interval. */
export interface Row {
  readonly series: number;
  readonly interval: Interval;
  readonly counters: ArrayLike<number>;
  readonly gauges: ArrayLike<number>;
  readonly bins: Uint8Array | null;
}

/** Most cells of an answer; one with a histogram takes ten times the memory. */
const MAX_CELLS = 1_000_000;
const MAX_CELLS_WITH_BINS = 100_000;

/** Collects rows of the series that a query is about. */
export class Sums {
  private readonly query: SumQuery;
  private readonly coverage: Coverage;
  private readonly groups = new Map<string, GroupSum>();
  private readonly bySeries = new Map<number, { series: Series; group: GroupSum }>();
  private readonly cellMs: number;
  private readonly cellCount: number;

  constructor(query: SumQuery, coverage: Coverage) {
    this.query = query;
    this.coverage = coverage;
    this.cellMs = query.stepMs ?? query.to - query.from;
    this.cellCount = Math.max(1, Math.ceil((query.to - query.from) / this.cellMs));
  }

  /**
   * Announces a series; one whose target was not measured in the time of the query takes no part.
   * @throws QueryTooLargeError when groups times steps are more than may be held in memory.
   */
  addSeries(series: Series): void {
    const covered = this.coverage.of(series.target);
    if (!covered) return;
    const labels: SeriesLabels = Object.fromEntries(this.query.by.map((label) => [label, series.labels[label]]));
    const key = keyOf(this.query.by.map((label) => series.labels[label]));
    let group = this.groups.get(key);
    if (!group) {
      group = { labels, targets: new Set(), cells: new Array<CellSum | undefined>(this.cellCount) };
      this.groups.set(key, group);
      this.checkSize();
    }
    group.targets.add(series.target);
    this.bySeries.set(series.id, { series, group });
  }

  private checkSize(): void {
    const most = this.query.bins ? MAX_CELLS_WITH_BINS : MAX_CELLS;
    if (this.groups.size * this.cellCount <= most) return;
    throw new QueryTooLargeError(
      `the answer has more than ${most} points: use a longer step, filter, or group by fewer labels`,
    );
  }

  /** Rows of unknown series are left out; rows of one series must come in order of time. */
  addRow(row: Row): void {
    const known = this.bySeries.get(row.series);
    if (!known) return;
    const { series, group } = known;
    const bins = this.query.bins && row.bins ? decodeBins(row.bins) : undefined;
    const tail = this.tailOf(series, row.interval);
    const end = Math.max(row.interval.to, tail.to);
    const first = Math.max(0, Math.floor((row.interval.from - this.query.from) / this.cellMs));
    for (let index = first; index < this.cellCount; index++) {
      const cell = this.cellInterval(index);
      if (cell.from >= end) break;
      group.cells[index] ??= newCellSum();
      const sum = group.cells[index];
      if (sum) addToCell(sum, { row, series, bins, cell, tail });
    }
  }

  finish(): Group[] {
    return [...this.groups.values()].map((group) => this.finishGroup(group));
  }

  private finishGroup({ labels, targets, cells }: GroupSum): Group {
    const members = [...targets];
    const runs = unionOf(members.flatMap((target) => this.coverage.of(target)?.runs ?? []));
    const all = unionOf([...runs, ...members.map((target) => this.coverage.tail(target))]);
    const finished = Array.from({ length: this.cellCount }, (_, index) => {
      const cell = this.cellInterval(index);
      if (partsIn(runs, cell).length === 0) return null;
      const current = new Set(members.filter((target) => this.coverage.holds(target, cell.to)));
      return finishCell(cells[index] ?? newCellSum(), {
        measured: partsIn(all, cell),
        current,
        quantiles: this.query.quantiles,
      });
    });
    return { labels, cells: finished };
  }

  private tailOf(series: Series, interval: Interval): Interval {
    const last = this.coverage.of(series.target)?.last;
    return last?.to === interval.to ? this.coverage.tail(series.target) : { from: 0, to: 0 };
  }

  private cellInterval(index: number): Interval {
    const from = this.query.from + index * this.cellMs;
    return { from, to: Math.min(from + this.cellMs, this.query.to) };
  }
}

interface GroupSum {
  readonly labels: SeriesLabels;
  readonly targets: Set<number>;
  readonly cells: (CellSum | undefined)[];
}

interface CellSum {
  readonly counters: Float64Array;
  /** Events that are taken to have happened since each target's last scrape. */
  readonly expected: Float64Array;
  /** Of each series' newest row. */
  readonly gauges: Map<number, { target: number; values: ArrayLike<number> }>;
  bins: BinSum | undefined;
  timeoutsWithoutSample: number;
  downstreamSamples: number;
  upstreamSamples: number;
}

function newCellSum(): CellSum {
  return {
    counters: new Float64Array(COUNTERS.length),
    expected: new Float64Array(COUNTERS.length),
    gauges: new Map(),
    bins: undefined,
    timeoutsWithoutSample: 0,
    downstreamSamples: 0,
    upstreamSamples: 0,
  };
}

interface Addition {
  readonly row: Row;
  readonly series: Series;
  readonly bins: SparseBins | undefined;
  readonly cell: Interval;
  readonly tail: Interval;
}

function addToCell(sum: CellSum, { row, series, bins, cell, tail }: Addition): void {
  const { interval } = row;
  const whole = interval.from >= cell.from && interval.to <= cell.to;
  const tailShare = overlapMs(tail, cell) / (interval.to - interval.from);
  for (let i = 0; i < COUNTERS.length; i++) {
    const count = row.counters[i] ?? 0;
    if (count === 0) continue;
    const part = whole ? count : spreadCount(count, interval, cell.from, cell.to);
    sum.counters[i] = (sum.counters[i] ?? 0) + part;
    if (tailShare > 0) sum.expected[i] = (sum.expected[i] ?? 0) + count * tailShare;
    if (i === COUNTER_INDEX.timed_out && series.source === 'upstream') sum.timeoutsWithoutSample += part;
  }
  if (overlapMs(interval, cell) > 0) sum.gauges.set(series.id, { target: series.target, values: row.gauges });
  if (bins)
    addBins(sum, bins, (count) => (whole ? count : spreadCount(count, interval, cell.from, cell.to)), series.source);
}

function addBins(sum: CellSum, bins: SparseBins, part: (count: number) => number, source: LatencySource): void {
  sum.bins ??= new BinSum();
  const before = sum.bins.samples;
  for (let i = 0; i < bins.keys.length; i++) sum.bins.add(bins.keys[i] ?? 0, part(bins.counts[i] ?? 0));
  const samples = sum.bins.samples - before;
  if (source === 'downstream') sum.downstreamSamples += samples;
  else sum.upstreamSamples += samples;
}

interface Measured {
  readonly measured: readonly Interval[];
  /** Targets that were measured at the end of the cell. */
  readonly current: ReadonlySet<number>;
  readonly quantiles: readonly number[] | undefined;
}

function finishCell(sum: CellSum, { measured, current, quantiles }: Measured): Cell {
  const bins = sum.bins?.toSparse() ?? NO_BINS;
  const seconds = lengthOf(measured) / 1000;
  return {
    counters: sum.counters,
    rates: sum.counters.map((count, i) => (count + (sum.expected[i] ?? 0)) / seconds),
    gauges: current.size > 0 ? gaugesAtEnd(sum, current) : null,
    bins: quantiles ? NO_BINS : bins,
    quantiles: (quantiles ?? []).map((q) => quantile(bins, q, sum.timeoutsWithoutSample)),
    meanMs: mean(bins),
    timeoutsWithoutSample: sum.timeoutsWithoutSample,
    downstreamSamples: sum.downstreamSamples,
    upstreamSamples: sum.upstreamSamples,
    measured,
  };
}

function gaugesAtEnd(sum: CellSum, current: ReadonlySet<number>): Float64Array {
  const gauges = new Float64Array(STORED_GAUGES.length);
  for (const { target, values } of sum.gauges.values()) {
    if (!current.has(target)) continue;
    for (let i = 0; i < STORED_GAUGES.length; i++) gauges[i] = (gauges[i] ?? 0) + (values[i] ?? 0);
  }
  return gauges;
}
