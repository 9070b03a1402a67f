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
import { owned, type Precision, SHARED_DRAFT, StatsError, type StatsReader, type StatsReading } from './stats.ts';
import { excerpt, KIND, SPACE, sharedLayout, type TextLayout, TOTALS } from './text-layout.ts';

const OPEN = 40;
const CLOSE = 41;
const ZERO = 48;
const NINE = 57;
const DOT = 46;
const LETTER_B = 66;
const LETTER_P = 80;
/** Keys of the bins from 0 to 999 ms. */
const KEY_OF_WHOLE = Uint16Array.from({ length: 1000 }, (_, lower) => binKey(lower));

/** Of the machine: the order in which an Int32Array holds its bytes. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const NONE = new Uint8Array(0);

/** Lines of a histogram after its totals; what they hold is of the last flush only. */
const REST_OF_HISTOGRAM = [Buffer.from('  intervals='), Buffer.from('  summary=')];

export class TextStatsReader implements StatsReader {
  private layout: TextLayout | undefined;
  private readonly cursor: Cursor = { position: 0, value: 0 };
  private readonly boundsInclusive: boolean;
  /** Histograms to leave unread; where undefined, those of the layout. */
  private leaveOut: Uint8Array | undefined;

  /** `boundsInclusive`: whether a cumulative bucket holds the bin that its bound is in (Envoy 1.38 and later). */
  constructor(boundsInclusive = false) {
    this.boundsInclusive = boundsInclusive;
  }

  get precision(): Precision {
    return this.layout?.precision ?? 'bins';
  }

  read(body: Buffer): StatsReading {
    this.leaveOut = NONE;
    return owned(this.readLent(body));
  }

  lend(body: Buffer): StatsReading {
    this.leaveOut = undefined;
    return this.readLent(body);
  }

  private readLent(body: Buffer): StatsReading {
    if (this.layout) {
      const reading = this.readKnown(body, this.layout);
      if (reading) return reading;
    }
    const layout = sharedLayout(body);
    const reading = this.readKnown(body, layout);
    if (!reading) throw new StatsError('the body changed its form midway');
    this.layout = layout;
    return reading;
  }

  /** Undefined when the body's lines are not those of `layout`. */
  private readKnown(body: Buffer, layout: TextLayout): StatsReading | undefined {
    const { kinds } = layout;
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const values = SHARED_DRAFT.begin(layout.scalars.length);
    const cursor = this.cursor;
    const leaveOut = this.leaveOut ?? layout.unread;
    let position = 0;
    let scalar = 0;
    let histogram = 0;
    for (let entry = 0; entry < kinds.length; entry++) {
      position = afterHead(view, layout, entry, position);
      if (position < 0) return undefined;
      const kind = kinds[entry];
      if (kind === KIND.scalar) {
        const start = position;
        let value = 0;
        let byte = body[position] ?? NEWLINE;
        for (; byte >= ZERO && byte <= NINE; byte = body[++position] ?? NEWLINE) value = value * 10 + byte - ZERO;
        if (byte !== NEWLINE || position++ === start) return undefined;
        values[scalar++] = value <= Number.MAX_SAFE_INTEGER ? value : Number.MAX_SAFE_INTEGER;
        continue;
      }
      cursor.position = position;
      const leftOut = kind === KIND.histogram && leaveOut[histogram] === 1;
      if (kind === KIND.histogram || kind === KIND.buckets) histogram++;
      if (!(leftOut ? skipHistogram(body, cursor) : this.readOther(kind, body, cursor))) return undefined;
      position = cursor.position;
    }
    if (position < body.length) return undefined;
    return SHARED_DRAFT.finish(layout, this.leaveOut ? undefined : layout.unread);
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
    pushBuckets(SHARED_DRAFT, buckets, this.boundsInclusive);
    return true;
  }

  /** Reads the three lines after a histogram's name. */
  private readHistogram(body: Buffer, cursor: Cursor): boolean {
    if (body[cursor.position++] !== NEWLINE || !readText(body, cursor, TOTALS)) return false;
    SHARED_DRAFT.beginHistogram();
    this.readPlainBins(body, cursor);
    while (body[cursor.position] !== NEWLINE) {
      const start = cursor.position;
      if (!this.readBin(body, cursor)) throw new StatsError(`not a histogram's bin: "${excerpt(body, start)}"`);
      this.readPlainBins(body, cursor);
    }
    skipRest(body, cursor);
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
      SHARED_DRAFT.push(KEY_OF_WHOLE[lower] ?? 0, count);
    }
  }

  /** Reads one `lower,width:count` and the `, ` behind it. */
  private readBin(body: Buffer, cursor: Cursor): boolean {
    if (!readDecimal(body, cursor) || body[cursor.position++] !== COMMA) return false;
    const key = binKey(cursor.value);
    if (!readDecimal(body, cursor) || body[cursor.position++] !== COLON) return false;
    if (!readDigits(body, cursor)) return false;
    SHARED_DRAFT.push(key, cursor.value);
    if (body[cursor.position] === COMMA) cursor.position += body[cursor.position + 1] === SPACE ? 2 : 1;
    return true;
  }
}

/** Moves behind the name and colon (and blank) of an entry, or tells by a negative number that others stand there. */
function afterHead(view: DataView, layout: TextLayout, entry: number, position: number): number {
  const { words, heads } = layout;
  const length = layout.lengths[entry] ?? 0;
  if (position + length > view.byteLength) return -1;
  const start = layout.starts[entry] ?? 0;
  let at = position;
  const lastWord = position + length - 4;
  for (let word = start >> 2; at <= lastWord; at += 4)
    if (view.getInt32(at, LITTLE_ENDIAN) !== words[word++]) return -1;
  const end = position + length;
  for (let head = start + (at - position); at < end; at++) if (view.getUint8(at) !== heads[head++]) return -1;
  return end;
}

/** Moves behind a histogram whose bins are of no use, from the end of its name on. */
function skipHistogram(body: Buffer, cursor: Cursor): boolean {
  if (body[cursor.position++] !== NEWLINE || !readText(body, cursor, TOTALS)) return false;
  SHARED_DRAFT.beginHistogram();
  skipRest(body, cursor);
  return true;
}

function skipRest(body: Buffer, cursor: Cursor): void {
  for (const text of REST_OF_HISTOGRAM) {
    skipLine(body, cursor);
    if (!readText(body, cursor, text)) throw new StatsError('a histogram is cut off');
  }
  skipLine(body, cursor);
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
