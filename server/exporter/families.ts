/** What families of metrics and their samples are, whatever the format that they are told in. */

import type { SparseBins } from '../model/histogram.ts';
import type { NativeHistogram } from './native-histogram.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
  readonly help: string;
  /** Base unit, which the name then ends with. */
  readonly unit?: 'seconds' | 'bytes';
}

/** Labels of a series, with their text worked out once for all its samples. */
export class LabelSet {
  readonly labels: Labels;
  private written: string | undefined;
  private extended: { readonly by: Labels; readonly to: LabelSet } | undefined;

  /** Labels that are empty are left out. */
  constructor(labels: Labels) {
    this.labels = Object.fromEntries(
      Object.entries(labels).flatMap(([name, value]) => (value === '' ? [] : [[name, bounded(value)]])),
    );
  }

  /** `name="value",…` without braces, escaped. */
  get text(): string {
    this.written ??= Object.entries(this.labels)
      .map(([name, value]) => labelText(name, value))
      .join(',');
    return this.written;
  }

  /** With further labels, which are mostly those of the last time. */
  with(further: Labels): LabelSet {
    const names = Object.keys(further);
    const { by, to } = this.extended ?? {};
    if (by && to && Object.keys(by).length === names.length && names.every((name) => by[name] === further[name]))
      return to;
    const made = new LabelSet({ ...this.labels, ...further });
    this.extended = { by: further, to: made };
    return made;
  }
}

export function labelText(name: string, value: string): string {
  return `${name}="${escapeValue(value)}"`;
}

function escapeValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}

/** Longest value of a label in characters; a longer one is cut, with a mark that tells it from others that begin alike. */
export const LONGEST_VALUE = 512;

function bounded(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  if (text.length <= LONGEST_VALUE) return text;
  return `${text.slice(0, LONGEST_VALUE - 9).toWellFormed()}~${fingerprint(text)}`;
}

/** FNV-1a of 32 bits in hexadecimal. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** One more label of a sample. */
export type Extra = readonly [name: string, value: string];

export interface HistogramSample {
  /** Upper bounds in the family's unit, ascending, the last one (infinity) left out. */
  readonly bounds: readonly number[];
  /** Cumulative, one per bound. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
  /** The same, as formats tell it that know exponential histograms: in whole counts. */
  readonly native?: () => NativeHistogram;
  /** What it was made from, in milliseconds. */
  readonly bins?: SparseBins;
}

/** Takes the samples of one family after the other and makes output of them. */
export interface FamilySink {
  begin(family: Family): void;
  sample(labels: LabelSet, value: number, extra?: Extra): void;
  /** The histogram is worked out when it is wanted. */
  histogram(labels: LabelSet, histogram: () => HistogramSample): void;
  /** A sample under a name that goes on from the family's, such as `_count` of a summary. */
  suffixed(suffix: string, labels: LabelSet, value: number, extra?: Extra): void;
}

/** Makes an answer of them, piece by piece. */
export interface AnswerSink extends FamilySink {
  /** About the length of what waits to be taken. */
  readonly size: number;
  take(): string | Uint8Array;
  /** What stands after the last family; to be asked for once all is taken. */
  end(): string | Uint8Array;
}
