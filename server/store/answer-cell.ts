/** One cell of an answer, which looks its numbers up when it is asked for them. */

import { COUNTERS, STORED_GAUGES } from '../model/flow.ts';
import { NO_BINS, type Quantile, type SparseBins } from '../model/histogram.ts';
import type { Interval } from '../model/spread.ts';
import { type EncodedAnswer, GROUP_FIELDS, QUANTILE_FIELDS } from './answer.ts';
import { type GroupPlace, MOST_KEPT, usedCounters } from './answer-place.ts';
import type { Cell } from './store.ts';

/** Memory of its own costs a small array more than what is put into it. */
const SLAB = 64 * COUNTERS.length;
let slab = new Float64Array(SLAB);
let taken = 0;

function onePerCounter(): Float64Array {
  if (taken === SLAB) {
    slab = new Float64Array(SLAB);
    taken = 0;
  }
  taken += COUNTERS.length;
  return slab.subarray(taken - COUNTERS.length, taken);
}

/** Looks up what it is asked for; counters and rates, which most is worked out from, only once. */
export class CellView implements Cell {
  protected readonly answer: EncodedAnswer;
  private readonly group: GroupPlace;
  protected index: number;
  protected knownCounters: Float64Array | undefined;
  protected knownRates: Float64Array | undefined;

  constructor(answer: EncodedAnswer, group: GroupPlace, index: number) {
    this.answer = answer;
    this.group = group;
    this.index = index;
  }

  /** Where a column begins; negative where there is none. */
  private place(field: number): number {
    return this.answer.numbers[this.group.at + field] ?? -1;
  }

  private numberAt(column: number): number {
    return column < 0 ? 0 : (this.answer.numbers[column + this.index] ?? 0);
  }

  get counters(): Float64Array {
    if (this.answer.cells > MOST_KEPT) return this.readCounters(onePerCounter());
    this.knownCounters ??= this.readCounters(onePerCounter());
    return this.knownCounters;
  }

  protected readCounters(into: Float64Array): Float64Array {
    const { counters } = this.group;
    if (counters) for (const { counter, counted } of counters) into[counter] = this.numberAt(counted);
    else
      for (let counter = 0; counter < COUNTERS.length; counter++)
        into[counter] = this.numberAt(this.place(GROUP_FIELDS.counters + counter));
    return into;
  }

  get rates(): Float64Array {
    if (this.answer.cells > MOST_KEPT) return this.readRates(onePerCounter());
    this.knownRates ??= this.readRates(onePerCounter());
    return this.knownRates;
  }

  protected readRates(into: Float64Array): Float64Array {
    const seconds = this.measuredMs / 1000;
    for (const { counter, counted, expected } of this.group.counters ?? usedCounters(this.answer, this.group.at))
      into[counter] = (this.numberAt(counted) + this.numberAt(expected)) / seconds;
    return into;
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
    const start = this.place(GROUP_FIELDS.gauges);
    if (this.numberAt(start) === 0) return null;
    return Float64Array.from(STORED_GAUGES, (_, gauge) => this.numberAt(start + (1 + gauge) * cells));
  }

  get measured(): Interval[] {
    return this.pairs(this.place(GROUP_FIELDS.measured)).map(([from, to]) => ({ from, to }));
  }

  get bins(): SparseBins {
    const bins = this.place(GROUP_FIELDS.bins);
    if (bins < 0) return NO_BINS;
    const pairs = this.pairs(bins);
    return { keys: pairs.map(([key]) => key), counts: pairs.map(([, count]) => count) };
  }

  get quantiles(): Quantile[] {
    return this.readQuantiles([]);
  }

  /** Into those that there are already. */
  protected readQuantiles(found: FoundQuantile[]): Quantile[] {
    const start = this.place(GROUP_FIELDS.quantiles);
    if (start < 0) return [];
    const { numbers, quantiles } = this.answer;
    for (let index = 0; index < quantiles; index++) {
      const one = found[index] ?? new FoundQuantile();
      one.read(numbers, start + (this.index * quantiles + index) * QUANTILE_FIELDS);
      found[index] = one;
    }
    return found;
  }

  get timeoutsWithoutSample(): number {
    return this.numberAt(this.place(GROUP_FIELDS.timeouts));
  }

  get downstreamSamples(): number {
    return this.numberAt(this.place(GROUP_FIELDS.latency));
  }

  get upstreamSamples(): number {
    const start = this.place(GROUP_FIELDS.latency);
    return start < 0 ? 0 : this.numberAt(start + this.answer.cells);
  }

  get meanMs(): number | null {
    const start = this.place(GROUP_FIELDS.latency);
    if (start < 0) return null;
    const mean = this.numberAt(start + 2 * this.answer.cells);
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

class FoundQuantile implements Quantile {
  valueMs: number | null = null;
  bin: [number, number] | null = null;
  capped = false;

  /** Into the same memory, as far as there is any. */
  read(numbers: Float64Array, at: number): void {
    const value = numbers[at] ?? Number.NaN;
    this.capped = numbers[at + 3] === 1;
    this.valueMs = Number.isNaN(value) ? null : value;
    if (this.valueMs === null) this.bin = null;
    else {
      this.bin ??= [0, 0];
      this.bin[0] = numbers[at + 1] ?? 0;
      this.bin[1] = numbers[at + 2] ?? 0;
    }
  }
}

/** One after the other all cells of a group, in the same memory. */
export class PassingCell extends CellView {
  private readonly ownCounters = new Float64Array(COUNTERS.length);
  private readonly ownRates = new Float64Array(COUNTERS.length);
  private readonly ownQuantiles: FoundQuantile[] = [];

  at(index: number): this {
    this.index = index;
    this.knownCounters = undefined;
    this.knownRates = undefined;
    return this;
  }

  override get counters(): Float64Array {
    this.knownCounters ??= this.readCounters(this.ownCounters);
    return this.knownCounters;
  }

  override get rates(): Float64Array {
    this.knownRates ??= this.readRates(this.ownRates);
    return this.knownRates;
  }

  override get quantiles(): Quantile[] {
    return this.readQuantiles(this.ownQuantiles);
  }
}
