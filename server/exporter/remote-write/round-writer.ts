/** Makes records of rounds, and remembers which series are to be told to be gone. */

import { type Definitions, Dictionary, type SeriesName, seriesKey } from './dictionary.ts';
import { decodeRecord, encodeRecord, ValueMemory } from './record-codec.ts';
import type { Round } from './round.ts';

/** Numbers that no table of series ever gives out. */
const OWN_NUMBERS = 2 ** 30;

export class RoundWriter {
  private readonly dictionary = new Dictionary();
  private readonly memory = new ValueMemory();
  /** Series of before a restart, or of another configuration, that have not been seen since. */
  private missing = new Map<string, SeriesName>();
  private definitions: Definitions = { columns: [], sets: [], series: [], gone: [] };
  private round: Round | undefined;

  /** What an earlier life of the collector told last, record by record. @throws Error for what is no record. */
  recover(records: Iterable<Uint8Array>): void {
    const dictionary = new Dictionary();
    const memory = new ValueMemory();
    for (const record of records) {
      const { definitions } = decodeRecord(record, memory);
      dictionary.define(definitions);
      dictionary.end(definitions.gone);
    }
    this.miss(dictionary);
  }

  /** Takes a round in; then it can be encoded. */
  take(round: Round): void {
    if (round.isFresh) {
      this.miss(this.dictionary);
      this.dictionary.clear();
    }
    const texts = round.setTexts.split('\n');
    const told: Definitions = {
      columns: round.columns,
      sets: Array.from(round.sets, (number, index): [number, string] => [number, texts[index] ?? '[]']),
      series: Array.from(round.series),
      gone: Array.from(round.gone),
    };
    this.dictionary.define(told);
    if (this.missing.size > 0) this.find(told.series);
    const given = round.isSettled ? this.giveUp() : undefined;
    if (given) this.dictionary.define(given);
    this.definitions = given ? joined(told, given) : told;
    this.round = round;
  }

  /** Samples that the record has. */
  get samples(): number {
    return (this.round?.samples ?? 0) + this.definitions.gone.length;
  }

  /** The round that was taken in. @param isFirst whether the record has to stand by itself. */
  encode(isFirst: boolean): Uint8Array {
    const { round, definitions } = this;
    if (!round) throw new Error('no round was taken in');
    if (isFirst) this.memory.clear();
    const told = isFirst ? this.dictionary.all(definitions.gone) : definitions;
    return encodeRecord({ ...round, definitions: told }, this.memory);
  }

  /** Once the round is in the queue. */
  done(): void {
    const { gone, columns } = this.definitions;
    this.dictionary.end(gone);
    for (const [number] of columns) if (number >= OWN_NUMBERS) this.dictionary.columns.delete(number);
    this.round = undefined;
  }

  private miss(dictionary: Dictionary): void {
    for (const number of dictionary.numbers()) {
      const name = dictionary.name(number);
      if (name) this.missing.set(seriesKey(name), name);
    }
  }

  private find(series: readonly number[]): void {
    for (let at = 0; at < series.length; at += 3) {
      const name = this.dictionary.name(series[at] ?? 0);
      if (name) this.missing.delete(seriesKey(name));
    }
  }

  /** Definitions of what is missing, as series that are gone. */
  private giveUp(): Definitions | undefined {
    if (this.missing.size === 0) return undefined;
    const columns: [number, SeriesName['column']][] = [];
    const sets: [number, string][] = [];
    const series: number[] = [];
    const gone: number[] = [];
    for (const { column, set } of this.missing.values()) {
      const number = this.dictionary.columnOf.length + gone.length;
      const own = OWN_NUMBERS + gone.length;
      columns.push([own, column]);
      sets.push([own, set]);
      series.push(number, own, own);
      gone.push(number);
    }
    this.missing = new Map();
    return { columns, sets, series, gone };
  }
}

function joined(a: Definitions, b: Definitions): Definitions {
  return {
    columns: [...a.columns, ...b.columns],
    sets: [...a.sets, ...b.sets],
    series: [...a.series, ...b.series],
    gone: [...a.gone, ...b.gone],
  };
}
