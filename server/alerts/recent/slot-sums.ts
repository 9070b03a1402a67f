import { COUNTER_INDEX, COUNTERS, type FlowIncrement, type LatencySource } from '../../model/flow.ts';
import {
  mean,
  mergeBins,
  NO_BINS,
  type Quantile,
  quantile,
  type SparseBins,
  sampleCount,
} from '../../model/histogram.ts';
import type { Interval } from '../../model/spread.ts';
import { SlotColumn } from './slot-column.ts';
import type { SlotGrid } from './slot-grid.ts';

/** Columns of one number per slot, by counter or by bin. */
type Columns = Map<number, SlotColumn>;

/** What was counted of a window. */
export interface WindowCounts {
  readonly counters: Float64Array;
  readonly bins: SparseBins;
  readonly quantiles: readonly Quantile[];
  readonly meanMs: number | null;
  readonly timeoutsWithoutSample: number;
  readonly downstreamSamples: number;
  readonly upstreamSamples: number;
}

export interface WindowOptions extends Interval {
  readonly bins: boolean;
  /** Absent: the histogram itself is told. */
  readonly quantiles: readonly number[] | undefined;
}

/** Sums of some flows, slot by slot. */
export class SlotSums {
  private readonly grid: SlotGrid;
  private readonly withBins: boolean;
  private readonly counters: Columns = new Map();
  /** Those of requests that have no sample for it. */
  private timeouts: SlotColumn | undefined;
  private readonly bins: Readonly<Record<LatencySource, Columns>> = { downstream: new Map(), upstream: new Map() };

  constructor(grid: SlotGrid, withBins: boolean) {
    this.grid = grid;
    this.withBins = withBins;
  }

  /** Over the time that the grid is set to. */
  add({ flow, counters, bins }: FlowIncrement): void {
    for (let i = 0; i < counters.length; i++) this.addTo(this.counters, i, counters[i] ?? 0);
    if (flow.source === 'upstream') this.addTimeouts(counters[COUNTER_INDEX.timed_out] ?? 0);
    if (!this.withBins) return;
    const { keys, counts } = bins;
    const columns = this.bins[flow.source];
    for (let i = 0; i < keys.length; i++) this.addTo(columns, keys[i] ?? 0, counts[i] ?? 0);
  }

  private addTimeouts(count: number): void {
    if (count === 0) return;
    this.timeouts ??= new SlotColumn(this.grid.capacity);
    this.grid.addTo(this.timeouts, count);
  }

  private addTo(columns: Columns, key: number, count: number): void {
    if (count === 0) return;
    let column = columns.get(key);
    if (!column) {
      column = new SlotColumn(this.grid.capacity);
      columns.set(key, column);
    }
    this.grid.addTo(column, count);
  }

  /** Moves what is kept to the front; columns without anything in them are forgotten. */
  move(by: number): void {
    if (this.timeouts?.move(by) === false) this.timeouts = undefined;
    for (const columns of [this.counters, ...Object.values(this.bins)])
      for (const [key, column] of columns) if (!column.move(by)) columns.delete(key);
  }

  /** Of an interval whose ends are slots' edges. */
  counts({ from, to, bins: wantsBins, quantiles }: WindowOptions): WindowCounts {
    const within = { from, to };
    const counters = new Float64Array(COUNTERS.length);
    this.counters.forEach((column, counter) => {
      counters[counter] = this.grid.sum(column, within);
    });
    const timeoutsWithoutSample = this.timeouts ? this.grid.sum(this.timeouts, within) : 0;
    const own = wantsBins ? this.binsOf('downstream', within) : NO_BINS;
    const called = wantsBins ? this.binsOf('upstream', within) : NO_BINS;
    const bins = mergeBins([own, called]);
    return {
      counters,
      bins: quantiles ? NO_BINS : bins,
      quantiles: quantiles && wantsBins ? quantiles.map((q) => quantile(bins, q, timeoutsWithoutSample)) : [],
      meanMs: wantsBins ? mean(bins) : null,
      timeoutsWithoutSample,
      downstreamSamples: sampleCount(own),
      upstreamSamples: sampleCount(called),
    };
  }

  private binsOf(source: LatencySource, within: Interval): SparseBins {
    const found: [key: number, count: number][] = [];
    this.bins[source].forEach((column, key) => {
      const count = this.grid.sum(column, within);
      if (count > 0) found.push([key, count]);
    });
    found.sort(([a], [b]) => a - b);
    return { keys: found.map(([key]) => key), counts: found.map(([, count]) => count) };
  }
}
