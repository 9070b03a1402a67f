/**
 * The text form of `/stats?histogram_buckets=detailed`:
 *
 *     cluster.a.upstream_rq_2xx: 12
 *     cluster.a.upstream_rq_time:
 *       totals=1,0.1:3, 20,1:9
 *       intervals=
 *       summary=P0(nan,1) …
 *
 * With `histogram_buckets=cumulative` (Envoy 1.22 and later) a histogram is one line of buckets instead.
 *
 * Names and their order hardly change between two scrapes of a sidecar, so a body is first compared byte by
 * byte with the names of the one before, which takes no string and no allocation per line; only when a line
 * differs are the names read anew.
 */

import { binKey } from '../model/histogram.ts';
import { type CumulativeBucket, pushBuckets } from './buckets.ts';
import { COLON, COMMA, type Cursor, NEWLINE, readDecimal, readDigits, readText, skipLine } from './bytes.ts';
import { BinCollector, type Precision, StatsError, type StatsReader, type StatsReading } from './stats.ts';
import { excerpt, KIND, readLayout, readScalar, SPACE, type TextLayout, TOTALS } from './text-layout.ts';

const OPEN = 40;
const CLOSE = 41;
const ZERO = 48;
const NINE = 57;
const DOT = 46;
const LETTER_B = 66;
const LETTER_P = 80;
/** Keys of the bins from 0 to 999 ms. */
const KEY_OF_WHOLE = Uint16Array.from({ length: 1000 }, (_, lower) => binKey(lower));

/** Lines of a histogram after its totals; what they hold is of the last flush only. */
const REST_OF_HISTOGRAM = [Buffer.from('  intervals='), Buffer.from('  summary=')];

export class TextStatsReader implements StatsReader {
  private layout: TextLayout | undefined;
  private readonly bins = new BinCollector();
  private readonly cursor: Cursor = { position: 0, value: 0 };
  private readonly boundsInclusive: boolean;

  /** `boundsInclusive`: whether a cumulative bucket holds the bin that its bound is in (Envoy 1.38 and later). */
  constructor(boundsInclusive = false) {
    this.boundsInclusive = boundsInclusive;
  }

  get precision(): Precision {
    return this.layout?.precision ?? 'bins';
  }

  read(body: Buffer): StatsReading {
    if (this.layout) {
      const reading = this.readKnown(body, this.layout);
      if (reading) return reading;
    }
    const layout = readLayout(body);
    const reading = this.readKnown(body, layout);
    if (!reading) throw new StatsError('the body changed its form midway');
    this.layout = layout;
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
      } else if (!this.readOther(kind, body, cursor)) return undefined;
    }
    if (cursor.position < body.length) return undefined;
    return { layout, values, ...this.bins.finish() };
  }

  private readOther(kind: number | undefined, body: Buffer, cursor: Cursor): boolean {
    if (kind === KIND.histogram) return this.readHistogram(body, cursor);
    if (kind === KIND.buckets) return this.readBuckets(body, cursor);
    return skipOther(kind, body, cursor);
  }

  /** Reads ` B0.5(0,3) B1(0,5) …` and the end of the line. */
  private readBuckets(body: Buffer, cursor: Cursor): boolean {
    const start = cursor.position;
    const buckets: CumulativeBucket[] = [];
    while (body[cursor.position] === SPACE && body[cursor.position + 1] === LETTER_B) {
      cursor.position += 2;
      const bucket = readBucket(body, cursor);
      if (!bucket) throw new StatsError(`not a histogram's bucket: "${excerpt(body, start)}"`);
      buckets.push(bucket);
    }
    const end = body[cursor.position++];
    if (buckets.length === 0 || (end !== NEWLINE && end !== undefined)) return false;
    pushBuckets(this.bins, buckets, this.boundsInclusive);
    return true;
  }

  /** Reads the three lines after a histogram's name. */
  private readHistogram(body: Buffer, cursor: Cursor): boolean {
    if (body[cursor.position++] !== NEWLINE || !readText(body, cursor, TOTALS)) return false;
    this.bins.begin();
    this.readPlainBins(body, cursor);
    while (body[cursor.position] !== NEWLINE) {
      const start = cursor.position;
      if (!this.readBin(body, cursor)) throw new StatsError(`not a histogram's bin: "${excerpt(body, start)}"`);
      this.readPlainBins(body, cursor);
    }
    for (const text of REST_OF_HISTOGRAM) {
      skipLine(body, cursor);
      if (!readText(body, cursor, text)) throw new StatsError('a histogram is cut off');
    }
    skipLine(body, cursor);
    return true;
  }

  /**
   * The fast way for bins as nearly all are: of a whole lower bound below a second. Leaves the cursor at the end of the
   * line or at the first other bin.
   */
  private readPlainBins(body: Buffer, cursor: Cursor): void {
    for (let position = cursor.position; ; cursor.position = position) {
      const start = position;
      let lower = 0;
      let byte = body[position] ?? 0;
      for (; byte >= ZERO && byte <= NINE; byte = body[++position] ?? 0) lower = lower * 10 + byte - ZERO;
      if (byte !== COMMA || position === start || position - start > 3) return;
      const width = ++position;
      for (byte = body[position] ?? 0; (byte >= ZERO && byte <= NINE) || byte === DOT; ) byte = body[++position] ?? 0;
      if (byte !== COLON || position === width) return;
      const digits = ++position;
      let count = 0;
      for (byte = body[position] ?? 0; byte >= ZERO && byte <= NINE; byte = body[++position] ?? 0)
        count = count * 10 + byte - ZERO;
      if (position === digits || position - digits > 9) return;
      if (byte === COMMA && body[position + 1] === SPACE) position += 2;
      else if (byte !== NEWLINE) return;
      this.bins.push(KEY_OF_WHOLE[lower] ?? 0, count);
    }
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

/** Reads `0.5(interval,cumulative)`. */
function readBucket(body: Buffer, cursor: Cursor): CumulativeBucket | undefined {
  if (!readDecimal(body, cursor)) return undefined;
  const bound = cursor.value;
  if (body[cursor.position++] !== OPEN || !readDigits(body, cursor)) return undefined;
  if (body[cursor.position++] !== COMMA || !readDigits(body, cursor)) return undefined;
  return body[cursor.position++] === CLOSE ? { bound, count: cursor.value } : undefined;
}

/** False for a histogram that was empty and now has samples. */
function skipOther(kind: number | undefined, body: Buffer, cursor: Cursor): boolean {
  if (body[cursor.position] !== SPACE) return false;
  const first = body[cursor.position + 1] ?? 0;
  if (first === LETTER_B || (first >= ZERO && first <= NINE)) return false;
  if ((first === LETTER_P) !== (kind === KIND.quantiles)) return false;
  skipLine(body, cursor);
  return true;
}
