/** The names in a text answer, and what each is followed by. */

import { COLON, type Cursor, NEWLINE, readDigits, readText, skipLine } from './bytes.ts';
import { checkNames, LONGEST_NAME, type Precision, StatsError, type StatsLayout } from './stats.ts';

export const SPACE = 32;
export const TOTALS = Buffer.from('  totals=');

/** Text readouts and histograms without a sample: lines that hold no figure of ours. */
const OTHER_VALUE = /^(?:"|No recorded values)/;
/** Envoy's own quantiles of a histogram: they can't be merged, so they are no figure of ours either. */
const QUANTILES = /^P0\(/;
/** Cumulative buckets of a histogram: ` B0.5(interval,cumulative) B1(…) …`. */
const BUCKETS = /^B[\d.e+]+\(/;

export const KIND = { scalar: 0, histogram: 1, other: 2, quantiles: 3, buckets: 4 } as const;

/** One name of the layout: where its bytes are and what follows it. */
export interface TextLayout extends StatsLayout {
  readonly precision: Precision;
  readonly nameBytes: Uint8Array;
  /** Offsets into `nameBytes`, one more than there are names. */
  readonly offsets: Uint32Array;
  readonly kinds: Uint8Array;
}

/** Reads ` 123` and the end of the line. */
export function readScalar(body: Buffer, cursor: Cursor): boolean {
  if (body[cursor.position++] !== SPACE || !readDigits(body, cursor)) return false;
  const next = body[cursor.position++];
  return next === NEWLINE || next === undefined;
}

/** Reads the names of a whole body. @throws StatsError at the first line that Envoy would not write. */
export function readLayout(body: Buffer): TextLayout {
  const scalars: string[] = [];
  const histograms: string[] = [];
  const kinds: number[] = [];
  const ranges: number[] = [];
  const cursor: Cursor = { position: 0, value: 0 };
  for (let line = 1; cursor.position < body.length; line++) {
    const start = cursor.position;
    const nameEnd = findNameEnd(body, start);
    if (nameEnd < 0) throw new StatsError(`line ${line} is not one of Envoy's /stats: "${excerpt(body, start)}"`);
    const kind = entryKind(body, nameEnd, cursor);
    if (kind === undefined) throw new StatsError(`line ${line} has no number: "${excerpt(body, start)}"`);
    const name = body.toString('utf8', start, nameEnd);
    if (kind === KIND.scalar) scalars.push(name);
    if (kind === KIND.histogram || kind === KIND.buckets) histograms.push(name);
    if (kind === KIND.histogram) line += 3;
    kinds.push(kind);
    ranges.push(start, nameEnd);
  }
  if (kinds.length === 0) throw new StatsError('the answer is empty');
  checkNames({ scalars, histograms });
  const precision = precisionOf(kinds);
  return { scalars, histograms, precision, kinds: Uint8Array.from(kinds), ...copyNames(body, ranges) };
}

function precisionOf(kinds: readonly number[]): Precision {
  if (kinds.includes(KIND.histogram)) return 'bins';
  if (kinds.includes(KIND.buckets)) return 'buckets';
  return kinds.includes(KIND.quantiles) ? 'none' : 'bins';
}

/** Position of the colon behind the name that starts at `start`: followed by a blank or by the end of the line. */
function findNameEnd(body: Buffer, start: number): number {
  const lineEnd = body.indexOf(NEWLINE, start);
  const end = Math.min(lineEnd < 0 ? body.length : lineEnd, start + LONGEST_NAME + 1);
  for (let position = start + 1; position < end; position++) {
    if (body[position] !== COLON) continue;
    if (body[position + 1] === SPACE || position + 1 === lineEnd) return position;
  }
  return -1;
}

/** What follows a name; moves the cursor behind it. Undefined when it is nothing that Envoy writes. */
function entryKind(body: Buffer, nameEnd: number, cursor: Cursor): number | undefined {
  cursor.position = nameEnd + 1;
  if (body[cursor.position] === NEWLINE) {
    cursor.position++;
    if (!readText(body, cursor, TOTALS)) return undefined;
    for (let i = 0; i < 3; i++) skipLine(body, cursor);
    return KIND.histogram;
  }
  if (readScalar(body, cursor)) return KIND.scalar;
  cursor.position = nameEnd + 1;
  skipLine(body, cursor);
  const value = body.toString('latin1', nameEnd + 2, nameEnd + 32);
  if (BUCKETS.test(value)) return KIND.buckets;
  if (QUANTILES.test(value)) return KIND.quantiles;
  return OTHER_VALUE.test(value) ? KIND.other : undefined;
}

function copyNames(body: Buffer, ranges: readonly number[]): Pick<TextLayout, 'nameBytes' | 'offsets'> {
  const offsets = new Uint32Array(ranges.length / 2 + 1);
  for (let i = 0; i < ranges.length; i += 2) {
    offsets[i / 2 + 1] = (offsets[i / 2] ?? 0) + (ranges[i + 1] ?? 0) - (ranges[i] ?? 0);
  }
  const nameBytes = new Uint8Array(offsets[offsets.length - 1] ?? 0);
  for (let i = 0; i < ranges.length; i += 2) nameBytes.set(body.subarray(ranges[i], ranges[i + 1]), offsets[i / 2]);
  return { nameBytes, offsets };
}

export function excerpt(body: Buffer, start: number): string {
  const text = body.toString('utf8', start, Math.min(body.length, start + 60)).split('\n')[0] ?? '';
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
