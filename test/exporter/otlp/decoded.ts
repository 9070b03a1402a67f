/** Reads what OTLP carries by its published definition, with another library's own reading of it. */

import protobuf from 'protobufjs';

const { root } = protobuf.parse(`syntax = "proto3"; package t;
  message AnyValue { oneof value { string string_value = 1; } }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message Scope { string name = 1; string version = 2; }
  message Number { repeated KeyValue attributes = 7; fixed64 start = 2; fixed64 time = 3; double value = 4; }
  message Buckets { sint32 offset = 1; repeated uint64 counts = 2; }
  message Explicit { repeated KeyValue attributes = 9; fixed64 start = 2; fixed64 time = 3; fixed64 count = 4;
    double sum = 5; repeated fixed64 counts = 6; repeated double bounds = 7; }
  message Exponential { repeated KeyValue attributes = 1; fixed64 start = 2; fixed64 time = 3; fixed64 count = 4;
    double sum = 5; sint32 scale = 6; fixed64 zeroCount = 7; Buckets positive = 8; double zeroThreshold = 14; }
  message Gauge { repeated Number points = 1; }
  message Sum { repeated Number points = 1; int32 temporality = 2; bool monotonic = 3; }
  message ExplicitHistogram { repeated Explicit points = 1; int32 temporality = 2; }
  message ExponentialHistogram { repeated Exponential points = 1; int32 temporality = 2; }
  message Metric { string name = 1; string description = 2; string unit = 3; Gauge gauge = 5; Sum sum = 7;
    ExplicitHistogram histogram = 9; ExponentialHistogram exponential = 10; }
  message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scopes = 2; }
  message Request { repeated ResourceMetrics resources = 1; }`);

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

interface RawPoint {
  readonly attributes?: readonly KeyValue[];
  /** Nanoseconds. */
  readonly start?: string;
  readonly time: string;
  readonly value?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly counts?: readonly string[];
  readonly bounds?: readonly number[];
  readonly scale?: number;
  readonly zeroCount?: string;
  readonly zeroThreshold?: number;
  readonly positive?: { readonly offset?: number; readonly counts?: readonly string[] };
}

interface Points {
  readonly points?: readonly RawPoint[];
  readonly temporality?: number;
  readonly monotonic?: boolean;
}

interface RawMetric {
  readonly name: string;
  readonly description: string;
  readonly unit?: string;
  readonly gauge?: Points;
  readonly sum?: Points;
  readonly histogram?: Points;
  readonly exponential?: Points;
}

interface RawResource {
  readonly resource: { readonly attributes?: readonly KeyValue[] };
  readonly scopes: readonly {
    readonly scope: { name: string; version: string };
    readonly metrics?: readonly RawMetric[];
  }[];
}

export interface Point extends Omit<RawPoint, 'attributes' | 'start' | 'time' | 'count' | 'zeroCount'> {
  readonly labels: Readonly<Record<string, string>>;
  /** Unix milliseconds; undefined: not told. */
  readonly since: number | undefined;
  readonly at: number;
  readonly total: number;
  readonly zeroes: number;
}

export interface DecodedMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'exponential';
  readonly temporality: 'delta' | 'cumulative' | undefined;
  readonly monotonic: boolean;
  readonly points: readonly Point[];
}

export interface DecodedResource {
  readonly attributes: Readonly<Record<string, string>>;
  readonly metrics: readonly DecodedMetric[];
}

export function decoded(request: Uint8Array): DecodedResource[] {
  const type = root.lookupType('t.Request');
  const { resources = [] } = type.toObject(type.decode(request), { longs: String }) as { resources?: RawResource[] };
  return resources.map(({ resource, scopes }) => ({
    attributes: labelsOf(resource.attributes),
    metrics: scopes.flatMap(({ metrics = [] }) => metrics.map(metricOf)),
  }));
}

function metricOf({ name, unit = '', ...data }: RawMetric): DecodedMetric {
  const kind = (['gauge', 'sum', 'histogram', 'exponential'] as const).find((one) => data[one]) ?? 'gauge';
  const { points = [], temporality, monotonic = false } = data[kind] ?? {};
  return {
    name,
    unit,
    kind,
    monotonic,
    temporality: temporality === undefined ? undefined : temporality === 1 ? 'delta' : 'cumulative',
    points: points.map(pointOf),
  };
}

function pointOf({ attributes, start, time, count, zeroCount, ...rest }: RawPoint): Point {
  return {
    ...rest,
    labels: labelsOf(attributes),
    since: start === undefined ? undefined : Number(BigInt(start) / 1_000_000n),
    at: Number(BigInt(time) / 1_000_000n),
    total: Number(count ?? 0),
    zeroes: Number(zeroCount ?? 0),
  };
}

function labelsOf(attributes: readonly KeyValue[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}

/** Sums of a metric's points over all resources, by their own labels in JSON. */
export function valuesOf(resources: readonly DecodedResource[], metric: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { metrics } of resources)
    for (const { name, kind, points } of metrics) {
      if (name !== metric) continue;
      for (const { labels, value = 0, total } of points) {
        const key = JSON.stringify(Object.entries(labels).sort());
        sums.set(key, (sums.get(key) ?? 0) + (kind === 'gauge' || kind === 'sum' ? value : total));
      }
    }
  return sums;
}
