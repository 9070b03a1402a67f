/** Records of the queue as messages for a receiver. */

import type { SparseBins } from '../../model/histogram.ts';
import { Dictionary, pairsOf } from './dictionary.ts';
import { ColumnLabels, SetLabels } from './label-bytes.ts';
import { decodeRecord, type RecordContent, ValueMemory } from './record-codec.ts';
import { type SampleValue, WriteRequest } from './write-request.ts';

/** A message, until the next one is made. */
export interface Message {
  readonly body: Buffer;
  readonly samples: number;
  /** Series of the record up to its end. */
  readonly end: number;
}

export class RoundReader {
  private readonly dictionary = new Dictionary();
  private readonly memory = new ValueMemory();
  private readonly columns = new Map<number, ColumnLabels>();
  private readonly sets = new Map<number, SetLabels>();
  private readonly request = new WriteRequest();
  private content: RecordContent | undefined;

  /** Takes in the record after the one before. @throws Error when it is none. */
  read(record: Uint8Array, isFirst: boolean): void {
    if (this.content) this.dictionary.end(this.content.definitions.gone);
    if (isFirst) this.clear();
    this.content = decodeRecord(record, this.memory);
    const { definitions } = this.content;
    for (const [number] of definitions.columns) this.columns.delete(number);
    for (const [number] of definitions.sets) this.sets.delete(number);
    this.dictionary.define(definitions);
  }

  /** The record's samples in messages of at most so many; those of series that are gone come first. */
  *messages({ from, most }: { from: number; most: number }): Generator<Message> {
    if (!this.content) return;
    const { at } = this.content;
    let end = 0;
    this.request.begin(at);
    for (const [number, value] of samplesOf(this.content, this.dictionary)) {
      if (end++ < from) continue;
      const column = this.columnOf(number);
      const set = this.setOf(number);
      if (column && set) this.request.add(column, set, value);
      if (this.request.series < most) continue;
      yield { body: this.request.view(), samples: this.request.series, end };
      this.request.begin(at);
    }
    if (this.request.series > 0) yield { body: this.request.view(), samples: this.request.series, end };
  }

  private clear(): void {
    this.dictionary.clear();
    this.memory.clear();
    this.columns.clear();
    this.sets.clear();
  }

  private columnOf(series: number): ColumnLabels | undefined {
    const number = this.dictionary.columnOf[series] ?? -1;
    let labels = this.columns.get(number);
    const column = labels ? undefined : this.dictionary.columns.get(number);
    if (column) {
      labels = new ColumnLabels(column);
      this.columns.set(number, labels);
    }
    return labels;
  }

  private setOf(series: number): SetLabels | undefined {
    const number = this.dictionary.setOf[series] ?? -1;
    let labels = this.sets.get(number);
    const set = labels ? undefined : this.dictionary.sets.get(number);
    if (set !== undefined) {
      labels = new SetLabels(pairsOf(set));
      this.sets.set(number, labels);
    }
    return labels;
  }
}

/** Always in the same order. */
function* samplesOf(
  { definitions: { gone }, values, histograms }: RecordContent,
  dictionary: Dictionary,
): Generator<[number: number, value: SampleValue]> {
  const isGone = new Set(gone);
  const isHistogram = (number: number) => dictionary.name(number)?.column.isHistogram === true;
  for (const number of gone) yield [number, isHistogram(number) ? 'gone histogram' : 'gone'];
  const binned = new Set<number>();
  for (const [number, bins] of histogramsOf(histograms)) {
    binned.add(number);
    yield [number, bins];
  }
  for (const number of dictionary.numbers())
    if (!isGone.has(number) && !binned.has(number)) yield [number, values[number] ?? 0];
}

function* histogramsOf(histograms: Float64Array): Generator<[number: number, bins: SparseBins]> {
  for (let at = 0; at < histograms.length; ) {
    const bins = histograms[at + 1] ?? 0;
    const from = at + 2;
    const keys = Array.from(histograms.subarray(from, from + bins));
    const counts = Array.from(histograms.subarray(from + bins, from + 2 * bins));
    yield [histograms[at] ?? 0, { keys, counts }];
    at = from + 2 * bins;
  }
}
