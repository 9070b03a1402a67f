/**
 * The Prometheus text form of Envoy's stats (text 0.0.4): `/stats/prometheus`, and the ports where a mesh product
 * merges it with other programs' metrics. Lines are turned back into Envoy's own stat names, so that everything after
 * reading is the same for all forms; lines of others are leapt over without being read.
 */

import { type CumulativeBucket, pushBuckets } from './buckets.ts';
import { NEWLINE } from './bytes.ts';
import { type Lines, OwnLines, splitLine, withoutForeignLines } from './prometheus-lines.ts';
import { type PrometheusLabels, readMetric } from './prometheus-names.ts';
import {
  owned,
  type Precision,
  SHARED_DRAFT,
  StatsError,
  type StatsLayout,
  type StatsReader,
  type StatsReading,
} from './stats.ts';

const SPACE = 32;
const ZERO = 48;
const LONGEST_LINE = 16_384;

/** What a line's value is added to: a scalar, a bucket of a histogram, or nothing. */
const KIND = { unused: 0, scalar: 1, bucket: 2 } as const;

interface PrometheusLayout extends StatsLayout {
  /** Bytes of every line of ours up to its value, one after the other. */
  readonly lineBytes: Uint8Array;
  /** Offsets into `lineBytes`, one more than there are lines. */
  readonly offsets: Uint32Array;
  readonly kinds: Uint8Array;
  /** The scalar, or the place in `bucketValues`, that a line's value belongs to. */
  readonly slots: Uint32Array;
  /** Bounds of each histogram's buckets in ascending order, with their places in `bucketValues`. */
  readonly buckets: readonly (readonly { readonly bound: number; readonly slot: number }[])[];
  readonly bucketValues: Float64Array;
}

export class PrometheusStatsReader implements StatsReader {
  readonly precision: Precision = 'buckets';
  private layout: PrometheusLayout | undefined;
  private readonly boundsInclusive: boolean;

  /** `boundsInclusive`: whether a bucket holds the bin that its bound is in (Envoy 1.38 and later). */
  constructor(boundsInclusive = false) {
    this.boundsInclusive = boundsInclusive;
  }

  read(body: Buffer): StatsReading {
    return owned(this.lend(body));
  }

  shorten(body: Buffer, pause: () => Promise<void>): Promise<Buffer> {
    return withoutForeignLines(body, pause);
  }

  lend(body: Buffer): StatsReading {
    const known = this.layout && this.readKnown(body, this.layout, new OwnLines(body));
    if (known) return known;
    const { layout, lines } = readLayout(body);
    const reading = this.readKnown(body, layout, lines);
    if (!reading) throw new StatsError('the body changed its form midway');
    this.layout = layout;
    return reading;
  }

  /** Undefined when the body's lines are not those of `layout`. */
  private readKnown(body: Buffer, layout: PrometheusLayout, lines: Lines): StatsReading | undefined {
    const { lineBytes, offsets, kinds, slots, bucketValues } = layout;
    const values = SHARED_DRAFT.begin(layout.scalars.length);
    values.fill(0, 0, layout.scalars.length);
    bucketValues.fill(0);
    for (let line = 0; line < kinds.length; line++) {
      let position = lines.next();
      if (position < 0) return undefined;
      const end = offsets[line + 1] ?? 0;
      for (let i = offsets[line] ?? 0; i < end; i++) if (lineBytes[i] !== body[position++]) return undefined;
      if (body[position] !== SPACE) return undefined;
      if (kinds[line] === KIND.unused) continue;
      const value = readValue(body, position + 1);
      const into = kinds[line] === KIND.scalar ? values : bucketValues;
      const slot = slots[line] ?? 0;
      into[slot] = Math.min(Number.MAX_SAFE_INTEGER, (into[slot] ?? 0) + value);
    }
    if (lines.next() >= 0) return undefined;
    for (const buckets of layout.buckets)
      pushBuckets(SHARED_DRAFT, cumulative(buckets, bucketValues), this.boundsInclusive);
    return SHARED_DRAFT.finish(layout);
  }
}

function* cumulative(buckets: PrometheusLayout['buckets'][number], values: Float64Array): Generator<CumulativeBucket> {
  for (const { bound, slot } of buckets) yield { bound, count: values[slot] ?? 0 };
}

/** A whole number, or what is left of another one. @throws StatsError for what is no count of anything. */
function readValue(body: Buffer, start: number): number {
  let value = 0;
  let position = start;
  for (; ; position++) {
    const digit = (body[position] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  const end = body[position];
  if (position === start || (end !== undefined && end !== NEWLINE && end !== SPACE)) {
    const text = /^\S+/.exec(body.toString('latin1', start, start + 40))?.[0] ?? '';
    value = Number(text);
    if (text === '' || !(value >= 0 && value < Infinity)) throw new StatsError(`"${shown(text)}" is no count`);
  }
  return Math.min(Number.MAX_SAFE_INTEGER, Math.trunc(value));
}

function shown(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}

/** Reads the names of all lines of ours, and where those lines are. @throws StatsError when there is none. */
function readLayout(body: Buffer): { layout: PrometheusLayout; lines: Lines } {
  const draft = new LayoutDraft();
  const lines = new OwnLines(body);
  const starts: number[] = [];
  for (let start = lines.next(); start >= 0; start = lines.next()) {
    const lineEnd = body.indexOf(NEWLINE, start);
    const end = lineEnd < 0 ? body.length : lineEnd;
    if (end - start > LONGEST_LINE) throw new StatsError(`a line is longer than ${LONGEST_LINE} bytes`);
    draft.add(body.subarray(start, end));
    starts.push(start);
  }
  const found = starts.values();
  return { layout: draft.finish(), lines: { next: () => found.next().value ?? -1 } };
}

class LayoutDraft {
  private readonly heads: Buffer[] = [];
  private readonly kinds: number[] = [];
  private readonly slots: number[] = [];
  private readonly scalars = new Map<string, number>();
  private readonly histograms = new Map<string, Map<number, number>>();
  private bucketCount = 0;

  add(line: Buffer): void {
    const { head, metric, labels } = splitLine(line);
    this.heads.push(head);
    const slot = this.slotOf(metric, labels);
    this.kinds.push(slot?.kind ?? KIND.unused);
    this.slots.push(slot?.slot ?? 0);
  }

  finish(): PrometheusLayout {
    if (this.heads.length === 0) throw new StatsError('there is no metric of Envoy among the lines');
    const offsets = new Uint32Array(this.heads.length + 1);
    this.heads.forEach((head, line) => {
      offsets[line + 1] = (offsets[line] ?? 0) + head.length;
    });
    return {
      scalars: [...this.scalars.keys()],
      histograms: [...this.histograms.keys()],
      lineBytes: Buffer.concat(this.heads),
      offsets,
      kinds: Uint8Array.from(this.kinds),
      slots: Uint32Array.from(this.slots),
      buckets: [...this.histograms.values()].map((bounds) =>
        [...bounds].map(([bound, slot]) => ({ bound, slot })).sort((a, b) => a.bound - b.bound),
      ),
      bucketValues: new Float64Array(this.bucketCount),
    };
  }

  private slotOf(metric: string, labels: PrometheusLabels): { kind: number; slot: number } | undefined {
    const read = readMetric(metric, labels);
    if ('unread' in read) return undefined;
    if (read.isBucket) return { kind: KIND.bucket, slot: this.bucketSlot(read.name, boundOf(labels.le ?? '')) };
    const slot = this.scalars.get(read.name) ?? this.scalars.size;
    this.scalars.set(read.name, slot);
    return { kind: KIND.scalar, slot };
  }

  private bucketSlot(histogram: string, bound: number): number {
    const bounds = this.histograms.get(histogram) ?? new Map<number, number>();
    this.histograms.set(histogram, bounds);
    const slot = bounds.get(bound) ?? this.bucketCount++;
    bounds.set(bound, slot);
    return slot;
  }
}

function boundOf(text: string): number {
  const bound = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
  if (Number.isNaN(bound)) throw new StatsError(`le="${text.slice(0, 40)}" is no bound of a bucket`);
  return bound;
}
