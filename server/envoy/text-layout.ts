/** The names in a text answer, and what each is followed by. */

import { COLON, type Cursor, NEWLINE, readDigits, readText, skipLine } from './bytes.ts';
import { LayoutPool } from './layout-pool.ts';
import { clusterNames, mayBeByZone, readStatName } from './stat-names.ts';
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

/** The names of an answer, as they are compared with the next one. */
export interface TextLayout extends StatsLayout {
  readonly precision: Precision;
  /** What every entry begins with, each from a multiple of four on: the name and its colon, and of a scalar the blank. */
  readonly heads: Uint8Array;
  /** `heads`, four bytes at a time. */
  readonly words: Int32Array;
  /** Where the head of each entry begins in `heads`, and how long it is. */
  readonly starts: Uint32Array;
  readonly lengths: Uint16Array;
  readonly kinds: Uint8Array;
  /** 1 for every histogram whose name holds no figure, whoever the target is. */
  readonly unread: Uint8Array;
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
  const unread = withoutFigure(scalars, histograms);
  return { scalars, histograms, precision, unread, kinds: Uint8Array.from(kinds), ...headsOf(body, ranges, kinds) };
}

/** Copies of what another histogram holds, and those of other scopes; what is told by zone is read. */
function withoutFigure(scalars: readonly string[], histograms: readonly string[]): Uint8Array {
  const clusters = clusterNames(scalars);
  return Uint8Array.from(histograms, (name) =>
    mayBeByZone(name) || typeof readStatName(name, clusters) !== 'string' ? 0 : 1,
  );
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

type Heads = Pick<TextLayout, 'heads' | 'words' | 'starts' | 'lengths'>;

function headsOf(body: Buffer, ranges: readonly number[], kinds: readonly number[]): Heads {
  const starts = new Uint32Array(kinds.length);
  const lengths = new Uint16Array(kinds.length);
  let bytes = 0;
  for (let entry = 0; entry < kinds.length; entry++) {
    const separator = kinds[entry] === KIND.scalar ? 2 : 1;
    const length = (ranges[entry * 2 + 1] ?? 0) - (ranges[entry * 2] ?? 0) + separator;
    starts[entry] = bytes;
    lengths[entry] = length;
    bytes += (length + 3) & ~3;
  }
  const heads = new Uint8Array(bytes);
  starts.forEach((start, entry) => {
    const from = ranges[entry * 2] ?? 0;
    heads.set(body.subarray(from, from + (lengths[entry] ?? 0)), start);
  });
  return { heads, words: new Int32Array(heads.buffer), starts, lengths };
}

/** Name of an entry, as the body has it. */
export function entryName({ heads, starts, lengths, kinds }: TextLayout, entry: number): string {
  const start = starts[entry] ?? 0;
  const end = start + (lengths[entry] ?? 0) - (kinds[entry] === KIND.scalar ? 2 : 1);
  return Buffer.from(heads.buffer, heads.byteOffset + start, end - start).toString('utf8');
}

const POOL = new LayoutPool<TextLayout>();

/** The same as {@link readLayout}, shared by all targets that list the same names. */
export function sharedLayout(body: Buffer): TextLayout {
  const read = readLayout(body);
  const layout = { ...read, scalars: read.scalars.map(sameName), histograms: read.histograms.map(sameName) };
  return POOL.share(layout, [layout.heads, layout.kinds]);
}

/** Each to itself. */
const NAMES = new Map<string, string>();
const MOST_NAMES = 20_000;

/** The same text as one that is known already: services that call the same peers list the same names among others. */
function sameName(name: string): string {
  const known = NAMES.get(name);
  if (known !== undefined) return known;
  if (NAMES.size >= MOST_NAMES) NAMES.clear();
  NAMES.set(name, name);
  return name;
}

export function excerpt(body: Buffer, start: number): string {
  const text = body.toString('utf8', start, Math.min(body.length, start + 60)).split('\n')[0] ?? '';
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
