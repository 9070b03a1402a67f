/** Which series there are, by number, as rounds define and end them. */

import type { Column, LabelPairs } from './round.ts';

/** New names for numbers, and series that end. */
export interface Definitions {
  readonly columns: readonly (readonly [number: number, column: Column])[];
  readonly sets: readonly (readonly [number: number, text: string])[];
  /** Number, column, label set, and so on. */
  readonly series: readonly number[];
  /** Series that end; they are defined. */
  readonly gone: readonly number[];
}

export interface SeriesName {
  readonly column: Column;
  /** `LabelPairs` in JSON. */
  readonly set: string;
}

export class Dictionary {
  readonly columns = new Map<number, Column>();
  readonly sets = new Map<number, string>();
  /** By number; -1 where there is no such series. */
  readonly columnOf: number[] = [];
  readonly setOf: number[] = [];

  /** Takes over what is new; what is gone stays until `end`. */
  define({ columns, sets, series }: Definitions): void {
    for (const [number, column] of columns) this.columns.set(number, column);
    for (const [number, text] of sets) this.sets.set(number, text);
    for (let at = 0; at < series.length; at += 3) {
      const number = series[at] ?? 0;
      while (this.columnOf.length < number) this.push();
      this.columnOf[number] = series[at + 1] ?? 0;
      this.setOf[number] = series[at + 2] ?? 0;
    }
  }

  end(gone: readonly number[]): void {
    for (const number of gone) this.columnOf[number] = -1;
  }

  clear(): void {
    this.columns.clear();
    this.sets.clear();
    this.columnOf.length = 0;
    this.setOf.length = 0;
  }

  name(series: number): SeriesName | undefined {
    const column = this.columns.get(this.columnOf[series] ?? -1);
    const set = this.sets.get(this.setOf[series] ?? -1);
    return column && set !== undefined ? { column, set } : undefined;
  }

  /** Series in the order of their numbers. */
  *numbers(): Generator<number> {
    for (let number = 0; number < this.columnOf.length; number++) if ((this.columnOf[number] ?? -1) >= 0) yield number;
  }

  /** Everything, but label sets that are used no more: those are defined anew before they are used again. */
  all(gone: readonly number[]): Definitions {
    const series: number[] = [];
    const sets = new Set<number>();
    for (const number of this.numbers()) {
      const [column = 0, set = 0] = [this.columnOf[number], this.setOf[number]];
      series.push(number, column, set);
      sets.add(set);
    }
    return {
      columns: [...this.columns],
      sets: [...this.sets].filter(([number]) => sets.has(number)),
      series,
      gone,
    };
  }

  private push(): void {
    this.columnOf.push(-1);
    this.setOf.push(-1);
  }
}

/** The same for the same series, whatever its number. */
export function seriesKey({ column: { name, extra, isHistogram }, set }: SeriesName): string {
  return `${JSON.stringify([name, extra, isHistogram])}\n${set}`;
}

export function pairsOf(set: string): LabelPairs {
  return JSON.parse(set) as LabelPairs;
}
