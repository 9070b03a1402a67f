/**
 * Messages of remote write 1.0, prometheus.WriteRequest in protobuf
 * (https://prometheus.io/docs/specs/prw/remote_write_spec/; fields by prompb/remote.proto and prompb/types.proto of
 * https://github.com/prometheus/prometheus).
 */

import protobuf from 'protobufjs/minimal.js';
import { type SparseBins, sampleCount, sumMs } from '../../model/histogram.ts';
import { wholeHistogramOf } from '../native-histogram.ts';
import { spansOf } from '../protobuf-sink.ts';
import type { ColumnLabels, SetLabels } from './label-bytes.ts';

const { Writer } = protobuf;

const VARINT = 0;
const DOUBLE = 1;
const BYTES = 2;
const tag = (field: number, wire: number): number => (field << 3) | wire;

/** Fields of WriteRequest and TimeSeries. */
const TIME_SERIES = tag(1, BYTES);
const SAMPLES = tag(2, BYTES);
const HISTOGRAMS = tag(4, BYTES);
const METADATA = tag(3, BYTES);

/** The bits of a stale marker, 0x7ff0000000000002, as they are sent: numbers of JavaScript don't keep them for sure. */
const STALE = Uint8Array.from([2, 0, 0, 0, 0, 0, 0xf0, 0x7f]);
const HISTOGRAM_SUM = tag(3, DOUBLE);
/** `count_float` of 0, `sum` a stale marker. */
const STALE_HISTOGRAM = Buffer.concat([
  Uint8Array.from([tag(2, DOUBLE), 0, 0, 0, 0, 0, 0, 0, 0, HISTOGRAM_SUM]),
  STALE,
]);

/** A sample: its value, the bins of a histogram, or the end of a series of either kind. */
export type SampleValue = number | SparseBins | 'gone' | 'gone histogram';

/** Gathers series, one sample each, until they are taken. */
export class WriteRequest {
  private bytes = Buffer.allocUnsafe(256 * 1024);
  private length = 0;
  /** Unix milliseconds, as the bytes of a varint. */
  private at: Uint8Array = new Uint8Array();
  series = 0;

  /** @param at Unix milliseconds of the samples to come. */
  begin(at: number): void {
    this.at = Writer.create().int64(at).finish();
    this.length = 0;
    this.series = 0;
  }

  add(column: ColumnLabels, set: SetLabels, value: SampleValue): void {
    const around = set.around(column);
    const histogram = histogramMessage(value, this.at);
    const sampleBytes = histogram?.length ?? 1 + 8 + 1 + this.at.length;
    let length = 1 + varintLength(sampleBytes) + sampleBytes;
    for (const piece of around) length += piece.length;
    for (const piece of column.bytes) length += piece.length;
    this.makeRoom(length + 10);
    this.bytes[this.length++] = TIME_SERIES;
    this.varint(length);
    for (let i = 0; i < around.length; i++) {
      this.copy(around[i]);
      this.copy(column.bytes[i]);
    }
    this.bytes[this.length++] = histogram ? HISTOGRAMS : SAMPLES;
    this.varint(sampleBytes);
    if (histogram) this.copy(histogram);
    else this.sample(typeof value === 'number' ? value : undefined);
    this.series++;
  }

  /** What was gathered, until the next `add`: no copy. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** @param value undefined: a stale marker. */
  private sample(value: number | undefined): void {
    this.bytes[this.length++] = tag(1, DOUBLE);
    if (value === undefined) this.bytes.set(STALE, this.length);
    else this.bytes.writeDoubleLE(value, this.length);
    this.length += 8;
    this.bytes[this.length++] = tag(2, VARINT);
    this.copy(this.at);
  }

  private copy(piece: Uint8Array | undefined): void {
    if (!piece) return;
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }

  private varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.length++] = (rest & 0x7f) | 0x80;
    this.bytes[this.length++] = rest;
  }

  private makeRoom(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.length + more, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}

/** prometheus.Histogram, with counts that may have fractions; undefined for what is none. */
function histogramMessage(value: SampleValue, at: Uint8Array): Uint8Array | undefined {
  if (typeof value === 'number' || value === 'gone') return undefined;
  const message = Writer.create();
  const fields = value === 'gone histogram' ? STALE_HISTOGRAM : histogramFields(value);
  return Buffer.concat([fields, message.uint32(tag(15, VARINT)).finish(), at]);
}

function histogramFields(bins: SparseBins): Uint8Array {
  const { schema, zeroThreshold, zeroCount, buckets } = wholeHistogramOf(bins);
  const message = Writer.create();
  message
    .uint32(tag(2, DOUBLE))
    .double(sampleCount(bins))
    .uint32(HISTOGRAM_SUM)
    .double(sumMs(bins) / 1000);
  message.uint32(tag(4, VARINT)).sint32(schema).uint32(tag(5, DOUBLE)).double(zeroThreshold);
  message.uint32(tag(7, DOUBLE)).double(zeroCount);
  for (const { offset, length } of spansOf(buckets)) {
    const span = message.uint32(tag(11, BYTES)).fork().uint32(tag(1, VARINT)).sint32(offset);
    span.uint32(tag(2, VARINT)).uint32(length).ldelim();
  }
  message.uint32(tag(13, BYTES)).fork();
  for (const [, count] of buckets) message.double(count);
  return message.ldelim().finish();
}

/** What a family of metrics is, as receivers show it. */
export interface Metadata {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
  readonly help: string;
  readonly unit: string;
}

const TYPES: Readonly<Record<Metadata['type'], number>> = {
  unknown: 0,
  counter: 1,
  gauge: 2,
  histogram: 3,
  summary: 5,
};

/** A WriteRequest of metadata alone. */
export function metadataRequest(families: readonly Metadata[]): Uint8Array {
  const message = Writer.create();
  for (const { name, type, help, unit } of families) {
    const family = message.uint32(METADATA).fork().uint32(tag(1, VARINT)).int32(TYPES[type]);
    family.uint32(tag(2, BYTES)).string(name).uint32(tag(4, BYTES)).string(help);
    if (unit !== '') family.uint32(tag(5, BYTES)).string(unit);
    family.ldelim();
  }
  return message.finish();
}
