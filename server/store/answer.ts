/**
 * The answer to a query on its way between threads: one piece of memory with all numbers, which cells are looked up in
 * when they are asked for.
 */

import { COUNTERS, STORED_GAUGES } from '../model/flow.ts';
import { NO_BINS, type Quantile, type SparseBins } from '../model/histogram.ts';
import type { Interval } from '../model/spread.ts';
import type { Cell, Group, SeriesLabels, SumAnswer, TierName } from './store.ts';

/** Where the parts of a group begin in {@link EncodedAnswer.numbers}. */
export interface EncodedGroup {
  readonly labels: SeriesLabels;
  /** Positions of the columns of each counter; -1 where all are 0. */
  readonly counters: readonly number[];
  readonly expected: readonly number[];
  /** 1 where a gauge is known, then the gauges. */
  readonly gauges: number;
  /** Start of each cell's intervals and the end of the last one, then pairs of their edges. */
  readonly measured: number;
  /** Timeouts without a sample, samples by source, mean; -1 without latency. */
  readonly latency: number;
  readonly timeouts: number;
  /** Value, bin's edges, and 1 for capped, of each quantile; -1 without. */
  readonly quantiles: number;
  /** As `measured`, of key and count; -1 without. */
  readonly bins: number;
}

export interface EncodedAnswer {
  readonly groups: readonly EncodedGroup[];
  readonly other: EncodedGroup | null;
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

  add(at: number, value: number): void {
    this.numbers[at] = (this.numbers[at] ?? 0) + value;
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

export function decodeAnswer(answer: EncodedAnswer): SumAnswer {
  const groupOf = (group: EncodedGroup): Group => ({ labels: group.labels, cells: cellsOf(answer, group) });
  return { groups: answer.groups.map(groupOf), other: answer.other && groupOf(answer.other), tiers: answer.tiers };
}

function cellsOf(answer: EncodedAnswer, group: EncodedGroup): (Cell | null)[] {
  const { numbers, cells } = answer;
  return Array.from({ length: cells }, (_, index) => {
    const at = group.measured + index;
    return numbers[at] === numbers[at + 1] ? null : new CellView(answer, group, index);
  });
}

class CellView implements Cell {
  private readonly answer: EncodedAnswer;
  private readonly group: EncodedGroup;
  private readonly index: number;

  constructor(answer: EncodedAnswer, group: EncodedGroup, index: number) {
    this.answer = answer;
    this.group = group;
    this.index = index;
  }

  private at(column: number): number {
    return column < 0 ? 0 : (this.answer.numbers[column + this.index] ?? 0);
  }

  get counters(): Float64Array {
    const counters = new Float64Array(COUNTERS.length);
    for (let counter = 0; counter < counters.length; counter++)
      counters[counter] = this.at(this.group.counters[counter] ?? -1);
    return counters;
  }

  get rates(): Float64Array {
    const seconds = this.measuredMs / 1000;
    const { counters, expected } = this.group;
    const rates = new Float64Array(COUNTERS.length);
    for (let counter = 0; counter < rates.length; counter++)
      rates[counter] = (this.at(counters[counter] ?? -1) + this.at(expected[counter] ?? -1)) / seconds;
    return rates;
  }

  private get measuredMs(): number {
    const { numbers, cells } = this.answer;
    const start = this.group.measured;
    const base = start + cells + 1;
    const end = numbers[start + this.index + 1] ?? 0;
    let length = 0;
    for (let run = numbers[start + this.index] ?? 0; run < end; run++)
      length += (numbers[base + 2 * run + 1] ?? 0) - (numbers[base + 2 * run] ?? 0);
    return length;
  }

  get gauges(): Float64Array | null {
    const { cells } = this.answer;
    if (this.at(this.group.gauges) === 0) return null;
    return Float64Array.from(STORED_GAUGES, (_, gauge) => this.at(this.group.gauges + (1 + gauge) * cells));
  }

  get measured(): Interval[] {
    return this.pairs(this.group.measured).map(([from, to]) => ({ from, to }));
  }

  get bins(): SparseBins {
    const { bins } = this.group;
    if (bins < 0) return NO_BINS;
    const pairs = this.pairs(bins);
    return { keys: pairs.map(([key]) => key), counts: pairs.map(([, count]) => count) };
  }

  get quantiles(): Quantile[] {
    const { quantiles } = this.group;
    if (quantiles < 0) return [];
    return Array.from({ length: this.answer.quantiles }, (_, index) => {
      const at = quantiles + (this.index * this.answer.quantiles + index) * QUANTILE_FIELDS;
      const [value = 0, lower = 0, upper = 0, capped = 0] = this.answer.numbers.subarray(at, at + QUANTILE_FIELDS);
      return {
        valueMs: Number.isNaN(value) ? null : value,
        bin: Number.isNaN(value) ? null : [lower, upper],
        capped: capped === 1,
      };
    });
  }

  get timeoutsWithoutSample(): number {
    return this.at(this.group.timeouts);
  }

  get downstreamSamples(): number {
    return this.at(this.group.latency);
  }

  get upstreamSamples(): number {
    return this.group.latency < 0 ? 0 : this.at(this.group.latency + this.answer.cells);
  }

  get meanMs(): number | null {
    if (this.group.latency < 0) return null;
    const mean = this.at(this.group.latency + 2 * this.answer.cells);
    return Number.isNaN(mean) ? null : mean;
  }

  private pairs(start: number): [number, number][] {
    const { numbers, cells } = this.answer;
    const first = numbers[start + this.index] ?? 0;
    const end = numbers[start + this.index + 1] ?? 0;
    const base = start + cells + 1;
    return Array.from({ length: end - first }, (_, i) => {
      const at = base + 2 * (first + i);
      return [numbers[at] ?? 0, numbers[at + 1] ?? 0];
    });
  }
}

export const QUANTILE_FIELDS = 4;
