/** Numbers the series of one receiver, so that a round is little more than its values. */

import type { SparseBins } from '../../model/histogram.ts';
import type { Extra, LabelSet, Labels } from '../families.ts';
import type { Column, LabelPairs, Round } from './round.ts';

/** Series of the same name and further label, by the text of their label sets. */
export interface NumberedColumn {
  readonly number: number;
  readonly series: Map<string, number>;
}

interface NumberedSet {
  readonly number: number;
  /** Series that have it. */
  uses: number;
}

const NOBODY = 0;

/** More series than there may be. */
export class SeriesLimitError extends Error {
  override name = 'SeriesLimitError';
}

export interface SeriesTableOptions {
  readonly seriesLimit: number;
  /** Added to all series that lack them. */
  readonly externalLabels: Labels;
}

export class SeriesTable {
  private readonly options: SeriesTableOptions;
  private readonly columns = new Map<string, NumberedColumn>();
  private readonly sets = new Map<string, NumberedSet>();
  /** Per series: the turn in which it was seen last (0: nobody has the number), its column, its label set. */
  private readonly seen: number[] = [];
  private readonly columnOf: NumberedColumn[] = [];
  private readonly textOf: string[] = [];
  private readonly freeSeries: number[] = [];
  private readonly freeSets: number[] = [];
  private setCount = 0;
  private turn = 0;
  private values = new Float64Array(1024);
  private histograms = new Float64Array(0);
  private histogramsLength = 0;
  private samples = 0;
  private newColumns: [number, Column][] = [];
  private newSets: number[] = [];
  private newSetTexts: string[] = [];
  private newSeries: number[] = [];

  constructor(options: SeriesTableOptions) {
    this.options = options;
  }

  /** Begins a round. */
  begin(): void {
    this.turn++;
    this.samples = 0;
    this.histogramsLength = 0;
  }

  column(name: string, extra: Extra | undefined, isHistogram = false): NumberedColumn {
    const key = JSON.stringify([name, extra ?? [], isHistogram]);
    let column = this.columns.get(key);
    if (!column) {
      column = { number: this.columns.size, series: new Map() };
      this.columns.set(key, column);
      this.newColumns.push([column.number, { name, extra: extra ?? [], isHistogram }]);
    }
    return column;
  }

  /** @throws SeriesLimitError, after which this table is of no use. */
  value(column: NumberedColumn, labels: LabelSet, value: number): void {
    this.values[this.numberOf(column, labels)] = value;
  }

  /** @throws SeriesLimitError, after which this table is of no use. */
  histogram(column: NumberedColumn, labels: LabelSet, { keys, counts }: SparseBins): void {
    const number = this.numberOf(column, labels);
    const end = this.histogramsLength + 2 + 2 * keys.length;
    this.histograms = withRoom(this.histograms, end);
    const { histograms } = this;
    histograms[this.histogramsLength] = number;
    histograms[this.histogramsLength + 1] = keys.length;
    histograms.set(keys, this.histogramsLength + 2);
    histograms.set(counts, end - keys.length);
    this.histogramsLength = end;
  }

  /** What was told since `begin`. */
  finish(at: number, isSettled: boolean): Round {
    const gone = this.takeGone();
    const round: Round = {
      at,
      isFresh: this.turn === 1,
      isSettled,
      columns: this.newColumns,
      sets: Uint32Array.from(this.newSets),
      setTexts: this.newSetTexts.join('\n'),
      series: Uint32Array.from(this.newSeries),
      gone: Uint32Array.from(gone),
      values: this.values.slice(0, this.seen.length),
      histograms: this.histograms.slice(0, this.histogramsLength),
      samples: this.samples,
    };
    this.newColumns = [];
    this.newSets = [];
    this.newSetTexts = [];
    this.newSeries = [];
    return round;
  }

  private numberOf(column: NumberedColumn, labels: LabelSet): number {
    const { text } = labels;
    let number = column.series.get(text);
    if (number === undefined) number = this.add(column, labels);
    else if (this.seen[number] === this.turn) return number;
    this.seen[number] = this.turn;
    this.samples++;
    return number;
  }

  private add(column: NumberedColumn, labels: LabelSet): number {
    const { seriesLimit } = this.options;
    if (this.samples >= seriesLimit)
      throw new SeriesLimitError(
        `there are more than ${seriesLimit} series (exporter.series_limit): raise it, set exporter.level to service, or drop some with drop`,
      );
    const { text } = labels;
    const set = this.setOf(labels);
    set.uses++;
    const number = this.freeSeries.pop() ?? this.seen.length;
    this.values = withRoom(this.values, number + 1);
    this.columnOf[number] = column;
    this.textOf[number] = text;
    this.newSeries.push(number, column.number, set.number);
    column.series.set(text, number);
    return number;
  }

  private setOf(labels: LabelSet): NumberedSet {
    const { text } = labels;
    const known = this.sets.get(text);
    if (known) return known;
    const set = { number: this.freeSets.pop() ?? this.setCount++, uses: 0 };
    this.sets.set(text, set);
    this.newSets.push(set.number);
    this.newSetTexts.push(JSON.stringify(sortedPairs({ ...this.options.externalLabels, ...labels.labels })));
    return set;
  }

  /** Their numbers are free from the next round on. */
  private takeGone(): number[] {
    const gone: number[] = [];
    for (let number = 0; number < this.seen.length; number++) {
      if (this.seen[number] === this.turn || this.seen[number] === NOBODY) continue;
      gone.push(number);
      this.seen[number] = NOBODY;
      const text = this.textOf[number] ?? '';
      this.columnOf[number]?.series.delete(text);
      const set = this.sets.get(text);
      if (set && --set.uses === 0) {
        this.sets.delete(text);
        this.freeSets.push(set.number);
      }
    }
    for (const number of gone) this.freeSeries.push(number);
    return gone;
  }
}

function sortedPairs(labels: Labels): LabelPairs {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

function withRoom(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const grown = new Float64Array(Math.max(length, array.length * 2));
  grown.set(array);
  return grown;
}
