/** Cells of an answer, which look their numbers up when they are asked for. */

import { COUNTERS, STORED_GAUGES } from '../model/flow.ts';
import { NO_BINS, type Quantile, type SparseBins } from '../model/histogram.ts';
import type { Interval } from '../model/spread.ts';
import { type EncodedAnswer, type EncodedGroups, GROUP_FIELDS, QUANTILE_FIELDS } from './answer.ts';
import type { Cell, Group, SeriesLabel, SeriesLabels, SumAnswer } from './store.ts';

export function decodeAnswer(answer: EncodedAnswer): SumAnswer {
  return {
    groups: groupsOf(answer, answer.groups),
    other: groupsOf(answer, answer.other)[0] ?? null,
    subtotals: answer.subtotals.map((groups) => groupsOf(answer, groups)),
    tiers: answer.tiers,
  };
}

function groupsOf(answer: EncodedAnswer, { by, values, places }: EncodedGroups): Group[] {
  return places.map((at, group) => {
    const labels: Partial<Record<SeriesLabel, string>> = {};
    for (let i = 0; i < by.length; i++) labels[by[i] ?? 'service'] = values[group * by.length + i] ?? '';
    return new GroupView(answer, labels, at);
  });
}

/** Makes its cells when they are asked for: an answer may have a million of them. */
class GroupView implements Group {
  readonly labels: SeriesLabels;
  private readonly answer: EncodedAnswer;
  private readonly at: number;
  private made: (Cell | null)[] | undefined;

  constructor(answer: EncodedAnswer, labels: SeriesLabels, at: number) {
    this.answer = answer;
    this.labels = labels;
    this.at = at;
  }

  get cells(): (Cell | null)[] {
    this.made ??= this.makeCells();
    return this.made;
  }

  private makeCells(): (Cell | null)[] {
    const { answer, at } = this;
    const { numbers, cells } = answer;
    const measured = numbers[at + GROUP_FIELDS.measured] ?? 0;
    const counters = usedCounters(answer, at);
    return Array.from({ length: cells }, (_, index) =>
      numbers[measured + index] === numbers[measured + index + 1]
        ? null
        : new CellView(answer, { at, counters }, index),
    );
  }
}

/** Cells of groups with more of them are looked at once: there what was worked out is not kept. */
const MOST_KEPT = 8;

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

interface GroupPlace {
  readonly at: number;
  /** Those that are not 0 everywhere. */
  readonly counters: readonly number[];
}

function usedCounters({ numbers }: EncodedAnswer, at: number): number[] {
  const isUsed = (field: number): boolean => (numbers[at + field] ?? -1) >= 0;
  return [...COUNTERS.keys()].filter(
    (counter) => isUsed(GROUP_FIELDS.counters + counter) || isUsed(GROUP_FIELDS.expected + counter),
  );
}

/** Looks up what it is asked for; counters and rates, which most is worked out from, only once. */
class CellView implements Cell {
  private readonly answer: EncodedAnswer;
  private readonly group: GroupPlace;
  private readonly index: number;
  private knownCounters: Float64Array | undefined;
  private knownRates: Float64Array | undefined;

  constructor(answer: EncodedAnswer, group: GroupPlace, index: number) {
    this.answer = answer;
    this.group = group;
    this.index = index;
  }

  /** Where a column begins; negative where there is none. */
  private place(field: number): number {
    return this.answer.numbers[this.group.at + field] ?? -1;
  }

  private at(column: number): number {
    return column < 0 ? 0 : (this.answer.numbers[column + this.index] ?? 0);
  }

  get counters(): Float64Array {
    if (this.answer.cells > MOST_KEPT) return this.readCounters();
    this.knownCounters ??= this.readCounters();
    return this.knownCounters;
  }

  private readCounters(): Float64Array {
    const counters = onePerCounter();
    for (const counter of this.group.counters) counters[counter] = this.at(this.place(GROUP_FIELDS.counters + counter));
    return counters;
  }

  get rates(): Float64Array {
    if (this.answer.cells > MOST_KEPT) return this.readRates();
    this.knownRates ??= this.readRates();
    return this.knownRates;
  }

  private readRates(): Float64Array {
    const seconds = this.measuredMs / 1000;
    const rates = onePerCounter();
    for (const counter of this.group.counters) {
      const counted = this.at(this.place(GROUP_FIELDS.counters + counter));
      const expected = this.at(this.place(GROUP_FIELDS.expected + counter));
      rates[counter] = (counted + expected) / seconds;
    }
    return rates;
  }

  private get measuredMs(): number {
    const { numbers, cells } = this.answer;
    const start = this.place(GROUP_FIELDS.measured);
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
    if (this.at(start) === 0) return null;
    return Float64Array.from(STORED_GAUGES, (_, gauge) => this.at(start + (1 + gauge) * cells));
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
    const start = this.place(GROUP_FIELDS.quantiles);
    if (start < 0) return [];
    const { numbers, quantiles } = this.answer;
    const found: Quantile[] = [];
    for (let index = 0; index < quantiles; index++) {
      const at = start + (this.index * quantiles + index) * QUANTILE_FIELDS;
      const value = numbers[at] ?? Number.NaN;
      const isKnown = !Number.isNaN(value);
      found.push({
        valueMs: isKnown ? value : null,
        bin: isKnown ? [numbers[at + 1] ?? 0, numbers[at + 2] ?? 0] : null,
        capped: numbers[at + 3] === 1,
      });
    }
    return found;
  }

  get timeoutsWithoutSample(): number {
    return this.at(this.place(GROUP_FIELDS.timeouts));
  }

  get downstreamSamples(): number {
    return this.at(this.place(GROUP_FIELDS.latency));
  }

  get upstreamSamples(): number {
    const start = this.place(GROUP_FIELDS.latency);
    return start < 0 ? 0 : this.at(start + this.answer.cells);
  }

  get meanMs(): number | null {
    const start = this.place(GROUP_FIELDS.latency);
    if (start < 0) return null;
    const mean = this.at(start + 2 * this.answer.cells);
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
