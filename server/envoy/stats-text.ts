/**
 * The text form of `/stats?histogram_buckets=detailed`:
 *
 *     cluster.a.upstream_rq_2xx: 12
 *     cluster.a.upstream_rq_time:
 *       totals=1,0.1:3, 20,1:9
 *       intervals=
 *       summary=P0(nan,1) …
 *
 * Names and their order hardly change between two scrapes of a sidecar, so a body is first compared byte by
 * byte with the names of the one before, which takes no string and no allocation per line; only when a line
 * differs are the names read anew.
 */

import { binKey } from '../model/histogram.ts';
import { BinCollector, StatsError, type StatsLayout, type StatsReader, type StatsReading } from './stats.ts';

const NEWLINE = 10;
const SPACE = 32;
const COMMA = 44;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const TOTALS = Buffer.from('  totals=');

/** Text readouts, histograms without a sample and quantile summaries: lines that hold no figure of ours. */
const OTHER_VALUE = /^(?:"|No recorded values|P0\(|B[\d.e+]+\()/;

const KIND = { scalar: 0, histogram: 1, other: 2 } as const;

/** One name of the layout: where its bytes are and what follows it. */
interface TextLayout extends StatsLayout {
  readonly nameBytes: Uint8Array;
  /** Offsets into `nameBytes`, one more than there are names. */
  readonly offsets: Uint32Array;
  readonly kinds: Uint8Array;
}

interface Cursor {
  position: number;
  /** The number read last. */
  value: number;
}

export class TextStatsReader implements StatsReader {
  private layout: TextLayout | undefined;
  private readonly bins = new BinCollector();
  private readonly cursor: Cursor = { position: 0, value: 0 };

  read(body: Buffer): StatsReading {
    if (this.layout) {
      const reading = this.readKnown(body, this.layout);
      if (reading) return reading;
    }
    this.layout = readLayout(body);
    const reading = this.readKnown(body, this.layout);
    if (!reading) throw new StatsError('the body changed its form midway');
    return reading;
  }

  /** Undefined when the body's lines are not those of `layout`. */
  private readKnown(body: Buffer, layout: TextLayout): StatsReading | undefined {
    const { nameBytes, offsets, kinds } = layout;
    const values = new Float64Array(layout.scalars.length);
    const cursor = this.cursor;
    cursor.position = 0;
    this.bins.clear();
    let scalar = 0;
    for (let entry = 0; entry < kinds.length; entry++) {
      let position = cursor.position;
      const end = offsets[entry + 1] ?? 0;
      for (let i = offsets[entry] ?? 0; i < end; i++) if (nameBytes[i] !== body[position++]) return undefined;
      if (body[position++] !== COLON) return undefined;
      cursor.position = position;
      const kind = kinds[entry];
      if (kind === KIND.scalar) {
        if (!readScalar(body, cursor)) return undefined;
        values[scalar++] = cursor.value;
      } else if (kind === KIND.histogram ? !this.readHistogram(body, cursor) : !skipOther(body, cursor))
        return undefined;
    }
    if (cursor.position < body.length) return undefined;
    return { layout, values, ...this.bins.finish() };
  }

  /** Reads the three lines after a histogram's name. */
  private readHistogram(body: Buffer, cursor: Cursor): boolean {
    if (body[cursor.position++] !== NEWLINE) return false;
    for (const byte of TOTALS) if (body[cursor.position++] !== byte) return false;
    this.bins.begin();
    while (body[cursor.position] !== NEWLINE) {
      if (!this.readBin(body, cursor))
        throw new StatsError(`not a histogram's bin: "${excerpt(body, cursor.position)}"`);
    }
    skipLine(body, cursor);
    skipLine(body, cursor);
    skipLine(body, cursor);
    return true;
  }

  /** Reads one `lower,width:count` and the `, ` behind it. */
  private readBin(body: Buffer, cursor: Cursor): boolean {
    if (!readDecimal(body, cursor) || body[cursor.position++] !== COMMA) return false;
    const key = binKey(cursor.value);
    if (!readDecimal(body, cursor) || body[cursor.position++] !== COLON) return false;
    if (!readDigits(body, cursor)) return false;
    this.bins.push(key, cursor.value);
    if (body[cursor.position] === COMMA) cursor.position += body[cursor.position + 1] === SPACE ? 2 : 1;
    return true;
  }
}

/** Reads ` 123` and the end of the line. */
function readScalar(body: Buffer, cursor: Cursor): boolean {
  if (body[cursor.position++] !== SPACE || !readDigits(body, cursor)) return false;
  const next = body[cursor.position++];
  return next === NEWLINE || next === undefined;
}

function skipOther(body: Buffer, cursor: Cursor): boolean {
  if (body[cursor.position] !== SPACE) return false;
  const first = body[cursor.position + 1] ?? 0;
  if (first >= ZERO && first <= NINE) return false;
  skipLine(body, cursor);
  return true;
}

function skipLine(body: Buffer, cursor: Cursor): void {
  const end = body.indexOf(NEWLINE, cursor.position);
  cursor.position = end < 0 ? body.length : end + 1;
}

/** Numbers beyond 2^53 (Envoy's `*.version` gauges) are none of ours and are cut to it. */
function readDigits(body: Buffer, cursor: Cursor): boolean {
  let position = cursor.position;
  let value = 0;
  for (;;) {
    const digit = (body[position] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    position++;
  }
  const any = position > cursor.position;
  cursor.position = position;
  cursor.value = value <= Number.MAX_SAFE_INTEGER ? value : Number.MAX_SAFE_INTEGER;
  return any;
}

/** Reads a decimal number; an exponent (`1e+06`) is read the slow way. */
function readDecimal(body: Buffer, cursor: Cursor): boolean {
  const start = cursor.position;
  if (!readDigits(body, cursor)) return false;
  const whole = cursor.value;
  const next = body[cursor.position];
  if (next === COMMA || next === COLON) return true;
  if (next === DOT) {
    const fractionStart = ++cursor.position;
    if (!readDigits(body, cursor)) return false;
    const after = body[cursor.position];
    if (after === COMMA || after === COLON) {
      cursor.value = whole + cursor.value / 10 ** (cursor.position - fractionStart);
      return true;
    }
  }
  const rest = /^[\d.]+(?:e[+-]?\d+)?/.exec(body.toString('latin1', start, start + 32))?.[0] ?? '';
  cursor.position = start + rest.length;
  cursor.value = Number(rest);
  return rest !== '' && Number.isFinite(cursor.value);
}

/** Reads the names of a whole body. @throws StatsError at the first line that Envoy would not write. */
function readLayout(body: Buffer): TextLayout {
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
    if (kind === KIND.histogram) {
      histograms.push(name);
      line += 3;
    }
    kinds.push(kind);
    ranges.push(start, nameEnd);
  }
  if (kinds.length === 0) throw new StatsError('the answer is empty');
  return { scalars, histograms, kinds: Uint8Array.from(kinds), ...copyNames(body, ranges) };
}

/** Position of the colon behind the name that starts at `start`: followed by a blank or by the end of the line. */
function findNameEnd(body: Buffer, start: number): number {
  const lineEnd = body.indexOf(NEWLINE, start);
  const end = lineEnd < 0 ? body.length : lineEnd;
  for (let position = start + 1; position < end; position++) {
    if (body[position] !== COLON) continue;
    if (body[position + 1] === SPACE || position + 1 === end) return position;
  }
  return -1;
}

/** What follows a name; moves the cursor behind it. Undefined when it is nothing that Envoy writes. */
function entryKind(body: Buffer, nameEnd: number, cursor: Cursor): number | undefined {
  cursor.position = nameEnd + 1;
  if (body[cursor.position] === NEWLINE) {
    if (body.compare(TOTALS, 0, TOTALS.length, nameEnd + 2, nameEnd + 2 + TOTALS.length) !== 0) return undefined;
    for (let i = 0; i < 4; i++) skipLine(body, cursor);
    return KIND.histogram;
  }
  if (readScalar(body, cursor)) return KIND.scalar;
  cursor.position = nameEnd + 1;
  skipLine(body, cursor);
  return OTHER_VALUE.test(body.toString('latin1', nameEnd + 2, nameEnd + 32)) ? KIND.other : undefined;
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

function excerpt(body: Buffer, start: number): string {
  const text = body.toString('utf8', start, Math.min(body.length, start + 60)).split('\n')[0] ?? '';
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
