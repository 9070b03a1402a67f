/** Remote write's messages read by their published description, which the exporter does not use. */

import protobuf from 'protobufjs';
import { uncompressSync } from 'snappy';

const { root } = protobuf.parse(`syntax = "proto3"; package t;
  message Label { string name = 1; string value = 2; }
  message Sample { fixed64 value = 1; int64 timestamp = 2; }
  message Span { sint32 offset = 1; uint32 length = 2; }
  message Histogram { oneof count { uint64 count_int = 1; double count_float = 2; } fixed64 sum = 3; sint32 schema = 4;
    double zero_threshold = 5; oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
    repeated Span positive_spans = 11; repeated sint64 positive_deltas = 12; repeated double positive_counts = 13;
    int64 timestamp = 15; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Histogram histograms = 4; }
  message Metadata { int32 type = 1; string name = 2; string help = 4; string unit = 5; }
  message WriteRequest { repeated TimeSeries timeseries = 1; repeated Metadata metadata = 3; }`);
const type = root.lookupType('t.WriteRequest');

export interface DecodedHistogram {
  readonly countFloat: number;
  readonly sum: number | 'stale';
  readonly schema: number;
  readonly zeroCountFloat: number;
  readonly positiveSpans: readonly { readonly offset: number; readonly length: number }[];
  readonly positiveCounts: readonly number[];
}

export interface DecodedSeries {
  /** In the order in which they came. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly at: number;
  readonly value: number | 'stale' | DecodedHistogram;
}

export interface DecodedRequest {
  readonly series: readonly DecodedSeries[];
  readonly metadata: readonly { readonly name: string; readonly type: number; readonly help: string }[];
}

interface Bits {
  readonly low: number;
  readonly high: number;
}

interface Read {
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[];
    readonly samples: readonly { readonly value: Bits; readonly timestamp: Bits }[];
    readonly histograms: readonly (Omit<DecodedHistogram, 'sum'> & { readonly sum: Bits; readonly timestamp: Bits })[];
  }[];
  readonly metadata: DecodedRequest['metadata'];
}

/** @param packed as it is sent. */
export function decodedRequest(packed: Uint8Array): DecodedRequest {
  const message = type.decode(Buffer.from(uncompressSync(Buffer.from(packed))));
  const read = type.toObject(message, { arrays: true, defaults: true }) as Read;
  return { series: read.timeseries.map(seriesOf), metadata: read.metadata };
}

function seriesOf({ labels, samples, histograms }: Read['timeseries'][number]): DecodedSeries {
  const [sample] = samples;
  const [histogram] = histograms;
  const told = sample ?? histogram;
  if (!told || samples.length + histograms.length !== 1) throw new Error('a series without its one sample');
  const value = sample
    ? doubleOf(sample.value)
    : { ...histogram, sum: doubleOf(histogram?.sum ?? { low: 0, high: 0 }) };
  return {
    labels: labels.map((label) => [label.name, label.value]),
    at: numberOf(told.timestamp),
    value: value as DecodedSeries['value'],
  };
}

/** A stale marker is one NaN of many. */
function doubleOf(bits: Bits): number | 'stale' {
  const { low, high } = asBits(bits);
  if (high >>> 0 === 0x7ff00000 && low === 2) return 'stale';
  const view = new DataView(new ArrayBuffer(8));
  view.setInt32(0, high);
  view.setInt32(4, low);
  return view.getFloat64(0);
}

function numberOf(bits: Bits): number {
  const { low, high } = asBits(bits);
  return high * 2 ** 32 + (low >>> 0);
}

/** Without the package long, protobufjs reads 64 bits as a number, rounded above 2^53: so that must not be the case. */
function asBits(bits: Bits | number): Bits {
  if (typeof bits === 'number') throw new Error('64-bit fields were read as numbers: the package long is missing');
  return bits;
}

/** One text for the labels of a series. */
export const keyOfSeries = ({ labels }: Pick<DecodedSeries, 'labels'>): string =>
  labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',');
