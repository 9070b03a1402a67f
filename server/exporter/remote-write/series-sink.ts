/** Tells a table of series what families of metrics have. */

import type { Extra, Family, FamilySink, HistogramSample, LabelSet } from '../families.ts';
import { openMetricsBound } from '../text-sink.ts';
import type { NumberedColumn, SeriesTable } from './series-table.ts';

export interface SeriesSinkOptions {
  readonly table: SeriesTable;
  /** Whether histograms are native ones, in place of buckets. */
  readonly isNative: boolean;
}

interface FamilyColumns {
  /** By the value of the further label, after its name. */
  readonly plain: Map<string, NumberedColumn>;
  readonly buckets: Map<number, NumberedColumn>;
}

export class SeriesSink implements FamilySink {
  private readonly options: SeriesSinkOptions;
  private readonly known = new Map<string, FamilyColumns>();
  private name = '';
  private columns: FamilyColumns = { plain: new Map(), buckets: new Map() };

  constructor(options: SeriesSinkOptions) {
    this.options = options;
  }

  begin({ name }: Family): void {
    this.name = name;
    this.columns = this.known.get(name) ?? { plain: new Map(), buckets: new Map() };
    this.known.set(name, this.columns);
  }

  sample(labels: LabelSet, value: number, extra?: Extra): void {
    this.suffixed('', labels, value, extra);
  }

  suffixed(suffix: string, labels: LabelSet, value: number, extra?: Extra): void {
    this.options.table.value(this.column(suffix, extra), labels, value);
  }

  histogram(labels: LabelSet, histogram: () => HistogramSample): void {
    const { bounds, counts, count, sum, bins } = histogram();
    if (this.options.isNative && bins) {
      const { table } = this.options;
      table.histogram(
        this.plain('', () => table.column(this.name, undefined, true)),
        labels,
        bins,
      );
      return;
    }
    for (let i = 0; i < bounds.length; i++) this.bucket(bounds[i] ?? 0, labels, counts[i] ?? 0);
    this.bucket(Number.POSITIVE_INFINITY, labels, count);
    this.suffixed('_sum', labels, sum);
    this.suffixed('_count', labels, count);
  }

  private bucket(bound: number, labels: LabelSet, count: number): void {
    const { table } = this.options;
    const { buckets } = this.columns;
    let column = buckets.get(bound);
    if (!column) {
      column = table.column(`${this.name}_bucket`, ['le', boundText(bound)]);
      buckets.set(bound, column);
    }
    table.value(column, labels, count);
  }

  private column(suffix: string, extra: Extra | undefined): NumberedColumn {
    const make = () => this.options.table.column(this.name + suffix, extra && told(extra));
    return extra ? this.plain(`${suffix}\n${extra[0]}\n${extra[1]}`, make) : this.plain(`${suffix}\n`, make);
  }

  private plain(key: string, make: () => NumberedColumn): NumberedColumn {
    let column = this.columns.plain.get(key);
    if (!column) {
      column = make();
      this.columns.plain.set(key, column);
    }
    return column;
  }
}

function told([name, value]: Extra): Extra {
  return name === 'le' && value !== '+Inf' ? [name, boundText(Number(value))] : [name, value];
}

function boundText(bound: number): string {
  return bound === Number.POSITIVE_INFINITY ? '+Inf' : openMetricsBound(bound);
}
