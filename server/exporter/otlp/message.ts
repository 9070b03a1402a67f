/**
 * Metrics of one resource as OTLP's protobuf
 * (https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto).
 */

import type { Extra, Family, FamilySink, HistogramSample, LabelSet, Labels } from '../families.ts';
import type { NativeHistogram } from '../native-histogram.ts';
import { type Halves, halvesOf, ProtobufWriter } from '../protobuf-writer.ts';
import { otlpName } from './names.ts';

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

/** Where messages are written, used again for one after the other: each of its own would be more than the messages are. */
export class MessageWriters {
  /** ScopeMetrics. */
  readonly scope = new ProtobufWriter(16_384);
  /** Points of a family. */
  readonly data = new ProtobufWriter();
  readonly whole = new ProtobufWriter(16_384);
}

/** Gathers families of one resource; one without a point is left out. */
export class MetricsMessage implements FamilySink {
  private readonly options: PointOptions;
  private readonly since: Halves;
  private readonly at: Halves;
  private readonly whole: ProtobufWriter;
  private readonly scope: ProtobufWriter;
  private readonly data: ProtobufWriter;
  private family: Family | undefined;
  private isExponential = false;
  private readonly gathered = new Map<string, Gathered>();
  /** Of all families. */
  points = 0;

  /** @param writers of a message that has come to its end. */
  constructor(options: PointOptions, version: string, { whole, scope: own, data } = new MessageWriters()) {
    this.options = options;
    this.whole = whole;
    this.scope = own;
    this.data = data;
    this.since = nanoseconds(options.since);
    this.at = nanoseconds(options.at);
    const scope = this.scope.open(1);
    this.scope.text(1, SCOPE);
    this.scope.text(2, version);
    this.scope.close(scope);
  }

  begin(family: Family): void {
    this.finishFamily();
    this.family = family;
  }

  sample({ labels }: LabelSet, value: number, extra?: Extra): void {
    if (Number.isNaN(value)) return;
    const point = this.data.open(1);
    this.times(this.family?.type === 'counter');
    this.data.double(4, value);
    writeAttributes(this.data, 7, labels);
    if (extra) writeAttributes(this.data, 7, { [extra[0]]: extra[1] });
    this.closePoint(point);
  }

  histogram({ labels }: LabelSet, histogram: () => HistogramSample): void {
    const sample = histogram();
    if (this.options.histograms === 'explicit' || !sample.native) this.explicit(labels, sample);
    else this.exponential(labels, sample.sum, sample.native());
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
    const { whole } = this;
    const metrics = whole.open(1);
    const described = whole.open(1);
    writeAttributes(whole, 1, resource);
    whole.close(described);
    whole.bytes(2, this.scope.takeView());
    whole.close(metrics);
    return whole.take();
  }

  private explicit(labels: Labels, { bounds, counts, count, sum }: Omit<HistogramSample, 'native'>): void {
    const { data } = this;
    const point = data.open(1);
    this.times(true);
    data.fixed64(4, halvesOf(Math.round(count)));
    data.double(5, sum);
    const list = data.open(6);
    let below = 0;
    for (const upTo of [...counts, count]) {
      data.rawCount(Math.max(0, Math.round(upTo - below)));
      below = upTo;
    }
    data.close(list);
    const edges = data.open(7);
    for (const bound of bounds) data.rawDouble(bound);
    data.close(edges);
    writeAttributes(data, 9, labels);
    this.closePoint(point);
  }

  /** Bucket i of Prometheus, which ends at base^i, is bucket i - 1 of OpenTelemetry, which begins at base^(i - 1). */
  private exponential(
    labels: Labels,
    sum: number,
    { schema, zeroThreshold, zeroCount, buckets }: NativeHistogram,
  ): void {
    const { data } = this;
    const point = data.open(1);
    writeAttributes(data, 1, labels);
    this.times(true);
    data.fixed64(4, halvesOf(buckets.reduce((total, [, value]) => total + value, zeroCount)));
    data.double(5, sum);
    data.sint(6, schema);
    data.fixed64(7, halvesOf(zeroCount));
    const positive = data.open(8);
    const [first = 1] = buckets[0] ?? [];
    data.sint(1, first - 1);
    const list = data.open(2);
    let next = first;
    for (const [index, value] of buckets) {
      for (; next < index; next++) data.rawVarint(0);
      data.rawVarint(value);
      next++;
    }
    data.close(list);
    data.close(positive);
    data.double(14, zeroThreshold);
    this.isExponential = true;
    this.closePoint(point);
  }

  private times(isCounted: boolean): void {
    if (isCounted && this.options.since > 0) this.data.fixed64(2, this.since);
    this.data.fixed64(3, this.at);
  }

  private closePoint(point: number): void {
    this.data.close(point);
    this.points++;
  }

  private finishFamily(): void {
    const { family } = this;
    if (!family) return;
    for (const { labels, ...sample } of this.gathered.values()) this.explicit(labels.labels, sample);
    this.gathered.clear();
    if (this.data.size > 0) this.closeFamily(family);
    this.family = undefined;
    this.isExponential = false;
  }

  private closeFamily(family: Family): void {
    const { scope, data } = this;
    const { name, unit } = otlpName(family);
    const metric = scope.open(2);
    scope.text(1, name);
    scope.text(2, family.help);
    if (unit !== '') scope.text(3, unit);
    if (family.type === 'counter' || family.type === 'histogram')
      data.varint(2, TEMPORALITIES[this.options.temporality]);
    if (family.type === 'counter') data.varint(3, 1);
    const field = family.type === 'counter' ? 7 : family.type !== 'histogram' ? 5 : this.isExponential ? 10 : 9;
    scope.bytes(field, data.takeView());
    scope.close(metric);
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
function writeAttributes(writer: ProtobufWriter, field: number, labels: Labels): void {
  for (const [name, value] of Object.entries(labels)) {
    const pair = writer.open(field);
    writer.text(1, name);
    const any = writer.open(2);
    writer.text(1, value);
    writer.close(any);
    writer.close(pair);
  }
}

/** In two halves, since a number does not hold so many digits. */
function nanoseconds(milliseconds: number): Halves {
  const exact = BigInt(Math.round(milliseconds)) * 1_000_000n;
  return { low: Number(exact & 0xffff_ffffn), high: Number(exact >> 32n) };
}
