/**
 * Prometheus's exposition in protobuf, messages of io.prometheus.client.MetricFamily each after its length
 * (https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto).
 */

import { type AnswerSink, type Extra, type Family, type HistogramSample, LabelSet } from './families.ts';
import type { NativeHistogram } from './native-histogram.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Type of a family, and the field of a metric that holds its value. */
const TYPES = {
  counter: { type: 0, field: 3 },
  gauge: { type: 1, field: 2 },
  summary: { type: 2, field: 4 },
  unknown: { type: 3, field: 5 },
  histogram: { type: 4, field: 7 },
} as const satisfies Record<Family['type'], { type: number; field: number }>;

/** What of a histogram or summary came sample by sample. */
interface Gathered {
  readonly labels: LabelSet;
  readonly points: [bound: number, value: number][];
  count: number;
  sum: number;
}

/** Bytes of metrics that are kept in one piece, and handed over at once. */
const PIECE = 65_536;

/** Gathers messages until they are taken; a family is one, whole. A family without a sample is left out. */
export class ProtobufSink implements AnswerSink {
  private family: Family | undefined;
  /** The family's metrics: those in pieces, and those that are written now. */
  private pieces: Uint8Array[] = [];
  private readonly metrics = new ProtobufWriter(2 * PIECE);
  private readonly gathered = new Map<string, Gathered>();
  private done: Uint8Array[] = [];
  size = 0;

  begin(family: Family): void {
    this.finish();
    this.family = family;
  }

  sample(labels: LabelSet, value: number, extra?: Extra): void {
    const { metrics } = this;
    const metric = this.open(labels, extra);
    const at = metrics.open(TYPES[this.family?.type ?? 'unknown'].field);
    metrics.double(1, value);
    metrics.close(at);
    this.close(metric);
  }

  histogram(labels: LabelSet, histogram: () => HistogramSample): void {
    const sample = histogram();
    const points = sample.bounds.map((bound, i): [number, number] => [bound, sample.counts[i] ?? 0]);
    points.push([Number.POSITIVE_INFINITY, sample.count]);
    const metric = this.open(labels);
    const at = this.metrics.open(TYPES.histogram.field);
    writePoints(this.metrics, { ...sample, points }, writeBucket);
    if (sample.native) writeNative(this.metrics, sample.native());
    this.metrics.close(at);
    this.close(metric);
  }

  suffixed(suffix: string, labels: LabelSet, value: number, extra?: Extra): void {
    const { type = 'unknown' } = this.family ?? {};
    if (type !== 'histogram' && type !== 'summary') {
      this.sample(labels, value);
      return;
    }
    const { quantile, ...own } = labels.labels;
    const key = JSON.stringify(own);
    const gathered = this.gathered.get(key) ?? { labels: new LabelSet(own), points: [], count: 0, sum: 0 };
    this.gathered.set(key, gathered);
    if (suffix === '_count') gathered.count = value;
    else if (suffix === '_sum') gathered.sum = value;
    else gathered.points.push([numberOf(extra?.[1] ?? quantile ?? ''), value]);
  }

  /** One piece. */
  take(): Uint8Array {
    const bytes = this.done.shift() ?? new Uint8Array();
    this.size -= bytes.length;
    return bytes;
  }

  end(): Uint8Array {
    this.finish();
    const rest = Buffer.concat(this.done);
    this.done = [];
    this.size = 0;
    return rest;
  }

  /** A metric with its labels. */
  private open(labels: LabelSet, extra?: Extra): number {
    const { metrics } = this;
    const metric = metrics.open(4);
    metrics.raw(labelBytes(labels));
    if (extra) writeLabel(metrics, extra[0], extra[1]);
    return metric;
  }

  private close(metric: number): void {
    this.metrics.close(metric);
    if (this.metrics.size >= PIECE) this.pieces.push(this.metrics.take());
  }

  private finish(): void {
    const { family, metrics } = this;
    if (!family) return;
    for (const gathered of this.gathered.values()) {
      const metric = this.open(gathered.labels);
      const at = metrics.open(TYPES[family.type].field);
      writePoints(metrics, gathered, family.type === 'summary' ? writeQuantile : writeBucket);
      metrics.close(at);
      this.close(metric);
    }
    this.gathered.clear();
    if (metrics.size > 0) this.pieces.push(metrics.take());
    if (this.pieces.length > 0) this.closeFamily(family);
    this.family = undefined;
    this.pieces = [];
  }

  private closeFamily({ name, help, type, unit }: Family): void {
    const head = new ProtobufWriter(256);
    head.text(1, name);
    head.text(2, help);
    head.varint(3, TYPES[type].type);
    if (unit) head.text(5, unit);
    const prefix = new ProtobufWriter(16);
    prefix.rawVarint(this.pieces.reduce((sum, piece) => sum + piece.length, head.size));
    for (const piece of [prefix.take(), head.take(), ...this.pieces]) {
      this.done.push(piece);
      this.size += piece.length;
    }
  }
}

const encoded = new WeakMap<LabelSet, Uint8Array>();

/** Labels are written once for all families. */
function labelBytes(labels: LabelSet): Uint8Array {
  let bytes = encoded.get(labels);
  if (!bytes) {
    const writer = new ProtobufWriter(256);
    for (const [name, value] of Object.entries(labels.labels)) writeLabel(writer, name, value);
    bytes = writer.take();
    encoded.set(labels, bytes);
  }
  return bytes;
}

function writeLabel(writer: ProtobufWriter, name: string, value: string): void {
  const at = writer.open(1);
  writer.text(1, name);
  writer.text(2, value);
  writer.close(at);
}

type Points = Pick<Gathered, 'count' | 'sum' | 'points'>;

function writePoints(
  writer: ProtobufWriter,
  { count, sum, points }: Points,
  writePoint: (writer: ProtobufWriter, at: number, value: number) => void,
): void {
  writer.varint(1, count);
  writer.double(2, sum);
  for (const [at, value] of points) {
    const point = writer.open(3);
    writePoint(writer, at, value);
    writer.close(point);
  }
}

function writeBucket(writer: ProtobufWriter, bound: number, count: number): void {
  writer.varint(1, count);
  writer.double(2, bound);
}

function writeQuantile(writer: ProtobufWriter, quantile: number, value: number): void {
  writer.double(1, quantile);
  writer.double(2, value);
}

/** Counts stand as differences from the one before: small numbers, which take a byte where a count as a double takes eight. */
function writeNative(writer: ProtobufWriter, { schema, zeroThreshold, zeroCount, buckets }: NativeHistogram): void {
  writer.sint(5, schema);
  writer.double(6, zeroThreshold);
  writer.varint(7, zeroCount);
  for (const { offset, length } of spansOf(buckets)) {
    const span = writer.open(12);
    writer.sint(1, offset);
    writer.varint(2, length);
    writer.close(span);
  }
  const differences = writer.open(13);
  let before = 0;
  for (const [, value] of buckets) {
    writer.rawSigned(value - before);
    before = value;
  }
  writer.close(differences);
}

/** Runs of buckets without a gap; an offset is counted from the end of the run before, that of the first from 0. */
export function spansOf(buckets: NativeHistogram['buckets']): { offset: number; length: number }[] {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const [index] of buckets) {
    const last = spans.at(-1);
    if (last && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return spans;
}

function numberOf(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
}
