/**
 * Prometheus's exposition in protobuf, messages of io.prometheus.client.MetricFamily each after its length
 * (https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto).
 */

import protobuf from 'protobufjs/minimal.js';
import type { AnswerSink, Extra, Family, HistogramSample, LabelSet, Labels } from './families.ts';
import type { NativeHistogram } from './native-histogram.ts';

const { Writer } = protobuf;
type Message = protobuf.Writer;

const VARINT = 0;
const DOUBLE = 1;
const BYTES = 2;
const tag = (field: number, wire: number): number => (field << 3) | wire;

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
  readonly labels: Labels;
  readonly points: [bound: number, value: number][];
  count: number;
  sum: number;
}

/** Gathers messages until they are taken; a family is one, whole. A family without a sample is left out. */
export class ProtobufSink implements AnswerSink {
  private family: Family | undefined;
  private metrics: Uint8Array[] = [];
  private readonly gathered = new Map<string, Gathered>();
  private done: Uint8Array[] = [];
  size = 0;

  begin(family: Family): void {
    this.finish();
    this.family = family;
  }

  sample(labels: LabelSet, value: number, extra?: Extra): void {
    const own = extra ? { ...labels.labels, [extra[0]]: extra[1] } : labels.labels;
    const { field } = TYPES[this.family?.type ?? 'unknown'];
    this.add(own, field, Writer.create().uint32(tag(1, DOUBLE)).double(value));
  }

  histogram(labels: LabelSet, histogram: () => HistogramSample): void {
    const sample = histogram();
    const points = sample.bounds.map((bound, i): [number, number] => [bound, sample.counts[i] ?? 0]);
    points.push([Number.POSITIVE_INFINITY, sample.count]);
    const message = histogramMessage({ count: sample.count, sum: sample.sum, points });
    if (sample.native) writeNative(message, sample.native(), sample.count);
    this.add(labels.labels, TYPES.histogram.field, message);
  }

  suffixed(suffix: string, { labels }: LabelSet, value: number, extra?: Extra): void {
    const { type = 'unknown' } = this.family ?? {};
    if (type !== 'histogram' && type !== 'summary') {
      this.add(labels, TYPES[type].field, Writer.create().uint32(tag(1, DOUBLE)).double(value));
      return;
    }
    const { quantile, ...own } = labels;
    const key = JSON.stringify(own);
    const gathered = this.gathered.get(key) ?? { labels: own, points: [], count: 0, sum: 0 };
    this.gathered.set(key, gathered);
    if (suffix === '_count') gathered.count = value;
    else if (suffix === '_sum') gathered.sum = value;
    else gathered.points.push([numberOf(extra?.[1] ?? quantile ?? ''), value]);
  }

  take(): Uint8Array {
    const bytes = Buffer.concat(this.done);
    this.done = [];
    this.size = 0;
    return bytes;
  }

  end(): Uint8Array {
    this.finish();
    return this.take();
  }

  private add(labels: Labels, field: number, value: Message): void {
    const metric = Writer.create();
    for (const [name, text] of Object.entries(labels))
      metric
        .uint32(tag(1, BYTES))
        .fork()
        .uint32(tag(1, BYTES))
        .string(name)
        .uint32(tag(2, BYTES))
        .string(text)
        .ldelim();
    metric.uint32(tag(field, BYTES)).bytes(value.finish());
    this.metrics.push(Writer.create().uint32(tag(4, BYTES)).bytes(metric.finish()).finish());
  }

  private finish(): void {
    const { family } = this;
    if (!family) return;
    for (const { labels, ...sample } of this.gathered.values())
      this.add(
        labels,
        TYPES[family.type].field,
        (family.type === 'summary' ? summaryMessage : histogramMessage)(sample),
      );
    this.gathered.clear();
    if (this.metrics.length > 0) this.close(family);
    this.family = undefined;
    this.metrics = [];
  }

  private close({ name, help, type, unit }: Family): void {
    const head = Writer.create().uint32(tag(1, BYTES)).string(name).uint32(tag(2, BYTES)).string(help);
    head.uint32(tag(3, VARINT)).int32(TYPES[type].type);
    if (unit) head.uint32(tag(5, BYTES)).string(unit);
    const parts = [head.finish(), ...this.metrics];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const prefix = Writer.create().uint32(length).finish();
    for (const part of [prefix, ...parts]) this.done.push(part);
    this.size += prefix.length + length;
  }
}

type Sample = Pick<Gathered, 'count' | 'sum' | 'points'>;

function histogramMessage({ count, sum, points }: Sample): Message {
  const message = Writer.create().uint32(tag(1, VARINT)).uint64(count).uint32(tag(2, DOUBLE)).double(sum);
  for (const [bound, value] of points) {
    const bucket = message.uint32(tag(3, BYTES)).fork().uint32(tag(1, VARINT)).uint64(value);
    bucket.uint32(tag(2, DOUBLE)).double(bound).ldelim();
  }
  return message;
}

function summaryMessage({ count, sum, points }: Sample): Message {
  const message = Writer.create().uint32(tag(1, VARINT)).uint64(count).uint32(tag(2, DOUBLE)).double(sum);
  for (const [quantile, value] of points) {
    const point = message.uint32(tag(3, BYTES)).fork().uint32(tag(1, DOUBLE)).double(quantile);
    point.uint32(tag(2, DOUBLE)).double(value).ldelim();
  }
  return message;
}

function writeNative(
  message: Message,
  { schema, zeroThreshold, zeroCount, buckets }: NativeHistogram,
  count: number,
): void {
  message.uint32(tag(4, DOUBLE)).double(count).uint32(tag(5, VARINT)).sint32(schema);
  message.uint32(tag(6, DOUBLE)).double(zeroThreshold).uint32(tag(8, DOUBLE)).double(zeroCount);
  for (const { offset, length } of spansOf(buckets)) {
    const span = message.uint32(tag(12, BYTES)).fork().uint32(tag(1, VARINT)).sint32(offset);
    span.uint32(tag(2, VARINT)).uint32(length).ldelim();
  }
  message.uint32(tag(14, BYTES)).fork();
  for (const [, value] of buckets) message.double(value);
  message.ldelim();
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
