/**
 * Metrics of one resource as OTLP's protobuf
 * (https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto).
 */

import protobuf from 'protobufjs/minimal.js';
import type { Extra, Family, FamilySink, HistogramSample, LabelSet, Labels } from '../families.ts';
import type { NativeHistogram } from '../native-histogram.ts';
import { otlpName } from './names.ts';

const { Writer } = protobuf;
type Message = protobuf.Writer;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const tag = (field: number, wire: number): number => (field << 3) | wire;

export type Temporality = 'delta' | 'cumulative';
export type HistogramForm = 'exponential' | 'explicit';

const TEMPORALITIES = { delta: 1, cumulative: 2 } as const satisfies Record<Temporality, number>;

/** What all points of a message have. */
export interface PointOptions {
  readonly temporality: Temporality;
  /** Since when counters and histograms are counted, Unix milliseconds; 0: not known. */
  readonly since: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly histograms: HistogramForm;
}

const SCOPE = 'sidelight';

/** Gathers families of one resource; one without a point is left out. */
export class MetricsMessage implements FamilySink {
  private readonly options: PointOptions;
  private readonly since;
  private readonly at;
  private readonly scope: Message;
  private family: Family | undefined;
  private data = Writer.create();
  private isExponential = false;
  private pointsBefore = 0;
  private readonly gathered = new Map<string, Gathered>();
  /** Of all families. */
  points = 0;

  constructor(options: PointOptions, version: string) {
    this.options = options;
    this.since = nanoseconds(options.since);
    this.at = nanoseconds(options.at);
    const scope = Writer.create().uint32(tag(1, BYTES)).string(SCOPE).uint32(tag(2, BYTES)).string(version);
    this.scope = Writer.create().uint32(tag(1, BYTES)).bytes(scope.finish());
  }

  begin(family: Family): void {
    this.finishFamily();
    this.family = family;
  }

  sample({ labels }: LabelSet, value: number, extra?: Extra): void {
    if (Number.isNaN(value)) return;
    const point = this.data.uint32(tag(1, BYTES)).fork();
    this.times(point, this.family?.type === 'counter');
    point.uint32(tag(4, FIXED64)).double(value);
    attributes(point, 7, labels);
    if (extra) attributes(point, 7, { [extra[0]]: extra[1] });
    point.ldelim();
    this.points++;
  }

  histogram({ labels }: LabelSet, histogram: () => HistogramSample): void {
    const sample = histogram();
    if (this.options.histograms === 'explicit' || !sample.whole) this.explicit(labels, sample);
    else this.exponential(labels, { ...sample, native: sample.whole() });
  }

  suffixed(suffix: string, labels: LabelSet, value: number, extra?: Extra): void {
    if (this.family?.type !== 'histogram') {
      if (this.family?.type !== 'summary') this.sample(labels, value, extra);
      return;
    }
    const key = labels.text;
    const gathered = this.gathered.get(key) ?? { labels, bounds: [], counts: [], count: 0, sum: 0 };
    this.gathered.set(key, gathered);
    if (suffix === '_count') gathered.count = value;
    else if (suffix === '_sum') gathered.sum = value;
    else if (extra && extra[1] !== '+Inf') {
      gathered.bounds.push(Number(extra[1]));
      gathered.counts.push(value);
    }
  }

  /** All of it as a field of an ExportMetricsServiceRequest: requests are such fields one after the other. */
  end(resource: Labels): Uint8Array {
    this.finishFamily();
    const described = Writer.create();
    attributes(described, 1, resource);
    const metrics = Writer.create().uint32(tag(1, BYTES)).bytes(described.finish());
    metrics.uint32(tag(2, BYTES)).bytes(this.scope.finish());
    return Writer.create().uint32(tag(1, BYTES)).bytes(metrics.finish()).finish();
  }

  private explicit(labels: Labels, { bounds, counts, count, sum }: Omit<HistogramSample, 'native'>): void {
    const point = this.data.uint32(tag(1, BYTES)).fork();
    this.times(point, true);
    point.uint32(tag(4, FIXED64)).fixed64(Math.round(count)).uint32(tag(5, FIXED64)).double(sum);
    point.uint32(tag(6, BYTES)).fork();
    let below = 0;
    for (const upTo of [...counts, count]) {
      point.fixed64(Math.max(0, Math.round(upTo - below)));
      below = upTo;
    }
    point.ldelim().uint32(tag(7, BYTES)).fork();
    for (const bound of bounds) point.double(bound);
    point.ldelim();
    attributes(point, 9, labels);
    point.ldelim();
    this.points++;
  }

  /** Bucket i of Prometheus, which ends at base^i, is bucket i - 1 of OpenTelemetry, which begins at base^(i - 1). */
  private exponential(labels: Labels, { sum, native }: { sum: number; native: NativeHistogram }): void {
    const { schema, zeroThreshold, zeroCount, buckets } = native;
    const count = buckets.reduce((total, [, value]) => total + value, zeroCount);
    const point = this.data.uint32(tag(1, BYTES)).fork();
    attributes(point, 1, labels);
    this.times(point, true);
    point.uint32(tag(4, FIXED64)).fixed64(count).uint32(tag(5, FIXED64)).double(sum);
    point.uint32(tag(6, VARINT)).sint32(schema).uint32(tag(7, FIXED64)).fixed64(zeroCount);
    point.uint32(tag(8, BYTES)).fork();
    const [first = 1] = buckets[0] ?? [];
    point.uint32(tag(1, VARINT)).sint32(first - 1);
    point.uint32(tag(2, BYTES)).fork();
    let next = first;
    for (const [index, value] of buckets) {
      for (; next < index; next++) point.uint64(0);
      point.uint64(value);
      next++;
    }
    point.ldelim().ldelim();
    point.uint32(tag(14, FIXED64)).double(zeroThreshold).ldelim();
    this.isExponential = true;
    this.points++;
  }

  private times(point: Message, isCounted: boolean): void {
    const { since, at } = this;
    if (isCounted && this.options.since > 0) point.uint32(tag(2, FIXED64)).fixed32(since.low).fixed32(since.high);
    point.uint32(tag(3, FIXED64)).fixed32(at.low).fixed32(at.high);
  }

  private finishFamily(): void {
    const { family } = this;
    if (!family) return;
    for (const { labels, ...sample } of this.gathered.values()) this.explicit(labels.labels, sample);
    this.gathered.clear();
    if (this.points > this.pointsBefore) this.closeFamily(family);
    this.pointsBefore = this.points;
    this.family = undefined;
    this.data = Writer.create();
    this.isExponential = false;
  }

  private closeFamily(family: Family): void {
    const { name, unit } = otlpName(family);
    const metric = this.scope.uint32(tag(2, BYTES)).fork();
    metric.uint32(tag(1, BYTES)).string(name).uint32(tag(2, BYTES)).string(family.help);
    if (unit !== '') metric.uint32(tag(3, BYTES)).string(unit);
    const { data } = this;
    const temporality = TEMPORALITIES[this.options.temporality];
    if (family.type === 'counter' || family.type === 'histogram') data.uint32(tag(2, VARINT)).int32(temporality);
    if (family.type === 'counter') data.uint32(tag(3, VARINT)).bool(true);
    const field = family.type === 'counter' ? 7 : family.type !== 'histogram' ? 5 : this.isExponential ? 10 : 9;
    metric.uint32(tag(field, BYTES)).bytes(data.finish()).ldelim();
  }
}

interface Gathered {
  readonly labels: LabelSet;
  readonly bounds: number[];
  readonly counts: number[];
  count: number;
  sum: number;
}

/** KeyValues of text. */
function attributes(message: Message, field: number, labels: Labels): void {
  for (const [name, value] of Object.entries(labels)) {
    message.uint32(tag(field, BYTES)).fork().uint32(tag(1, BYTES)).string(name).uint32(tag(2, BYTES)).fork();
    message.uint32(tag(1, BYTES)).string(value).ldelim().ldelim();
  }
}

/** In two halves, since a number does not hold so many digits. */
function nanoseconds(milliseconds: number): { readonly low: number; readonly high: number } {
  const exact = BigInt(Math.round(milliseconds)) * 1_000_000n;
  return { low: Number(exact & 0xffff_ffffn), high: Number(exact >> 32n) };
}
