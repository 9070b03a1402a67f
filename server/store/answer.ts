/**
 * The answer to a query on its way between threads: one piece of memory with all numbers, which cells are looked up in
 * when they are asked for.
 */

import { COUNTERS } from '../model/flow.ts';
import type { SeriesLabel, TierName } from './store.ts';

/**
 * Where a group's fields are, from where it begins in {@link EncodedAnswer.numbers}: each tells where a column of one
 * number per cell begins, or is -1 where all of it is 0 or was not asked for. `counters` and `expected` are one field per
 * counter; `gauges` is 1 where a gauge is known, then the gauges; `measured` the start of each cell's intervals and the end
 * of the last one, then pairs of their edges; `latency` samples by source and their mean; `quantiles` value, bin's edges,
 * and 1 for capped, of each quantile; `bins` is as `measured`, of key and count.
 */
export const GROUP_FIELDS = {
  counters: 0,
  expected: COUNTERS.length,
  gauges: 2 * COUNTERS.length,
  measured: 2 * COUNTERS.length + 1,
  timeouts: 2 * COUNTERS.length + 2,
  latency: 2 * COUNTERS.length + 3,
  quantiles: 2 * COUNTERS.length + 4,
  bins: 2 * COUNTERS.length + 5,
  length: 2 * COUNTERS.length + 6,
} as const;

/** Groups that are told apart by the same labels. */
export interface EncodedGroups {
  readonly by: readonly SeriesLabel[];
  /** Of each group in turn, its value of each label. */
  readonly values: readonly string[];
  /** Where each group begins. */
  readonly places: readonly number[];
}

export interface EncodedAnswer {
  readonly groups: EncodedGroups;
  /** At most one group. */
  readonly other: EncodedGroups;
  readonly subtotals: readonly EncodedGroups[];
  readonly tiers: readonly TierName[];
  readonly cells: number;
  readonly quantiles: number;
  readonly numbers: Float64Array<ArrayBuffer>;
}

/** Appends numbers to one piece of memory. */
export class NumberWriter {
  private numbers = new Float64Array(4096);
  private length = 0;

  /** Where the next numbers begin. */
  get at(): number {
    return this.length;
  }

  /** Room for so many numbers, all 0, and where it begins. */
  reserve(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.numbers.length) {
      const grown = new Float64Array(Math.max(this.length, this.numbers.length * 2));
      grown.set(this.numbers.subarray(0, at));
      this.numbers = grown;
    }
    return at;
  }

  set(at: number, value: number): void {
    this.numbers[at] = value;
  }

  /** Writes numbers into room that was reserved. */
  copy(at: number, values: Float64Array): void {
    this.numbers.set(values, at);
  }

  column(values: ArrayLike<number> | undefined): number {
    if (!values) return -1;
    const at = this.reserve(values.length);
    this.numbers.set(values, at);
    return at;
  }

  finish(): Float64Array<ArrayBuffer> {
    return this.numbers.slice(0, this.length);
  }
}

export const QUANTILE_FIELDS = 4;
