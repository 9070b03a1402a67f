/** From live state to the answer of /metrics, in slices: nobody waits for the whole of it. */

import type { LiveTarget } from '../live/live.ts';
import type { MediaType } from './accept.ts';
import { type CollectorFamily, writeCollector } from './collector-families.ts';
import type { AnswerSink, Family, FamilySink } from './families.ts';
import { FLOW_FAMILIES, type MeshOptions, type SampleWriter, SIDECAR_FAMILIES } from './mesh-families.ts';
import { type ExporterLevel, type MeshSnapshot, takeSnapshot } from './mesh-snapshot.ts';
import { ProtobufSink } from './protobuf-sink.ts';
import type { SampleFilter } from './sample-filter.ts';
import { TextSink } from './text-sink.ts';

export interface ExporterOptions {
  /** `service` sums instances and zones away. */
  readonly level: ExporterLevel;
  /** Upper bounds of latency in seconds, ascending. */
  readonly buckets: readonly number[];
  /** Most mesh series of an answer: above it there is none, with the reason. */
  readonly seriesLimit: number;
  readonly filter: SampleFilter;
}

export interface RenderInput extends ExporterOptions {
  readonly targets: readonly LiveTarget[];
  /** The collector's own metrics. */
  readonly own: readonly CollectorFamily[];
  readonly format: MediaType['format'];
  /** Unix milliseconds. */
  readonly now: number;
}

/** The answer would be larger than it may be; the message says what would do. */
export class TooManySeriesError extends Error {
  override name = 'TooManySeriesError';
}

/** Characters or bytes of an answer that are handed over at once. */
const CHUNK = 32_768;

/**
 * Yields pieces of the answer, and `undefined` where there is none yet but time has passed.
 * @throws TooManySeriesError before the first piece.
 */
export function* renderMetrics(input: RenderInput): Generator<string | Uint8Array | undefined> {
  const snapshot = yield* takeSnapshot(input.targets, input.level);
  yield* checkSize(snapshot, input);
  const sink: AnswerSink = input.format === 'protobuf' ? new ProtobufSink() : new TextSink(input.format);
  for (const piece of samples(snapshot, input, sink)) {
    yield piece;
    while (sink.size >= CHUNK) yield sink.take();
  }
  writeCollector(input.own, sink);
  while (sink.size > 0) yield sink.take();
  const end = sink.end();
  if (end.length > 0) yield end;
}

/** Groups and sidecars that are worked on between two looks at the clock. */
const SLICE = 20;

/** Tells a sink the samples that the filter lets through, and yields between slices of work. */
export function* samples(
  snapshot: MeshSnapshot,
  options: MeshOptions & Pick<ExporterOptions, 'filter'>,
  sink: FamilySink,
): Generator<undefined> {
  let worked = 0;
  for (const family of FLOW_FAMILIES) {
    sink.begin(family);
    const to = filtered(family, sink, options.filter);
    for (const group of snapshot.groups) {
      family.ofFlows(group, to, options);
      if (++worked % SLICE === 0) yield;
    }
  }
  for (const family of SIDECAR_FAMILIES) {
    sink.begin(family);
    const to = filtered(family, sink, options.filter);
    for (const sidecar of snapshot.sidecars) {
      const reading = family.ofSidecar(sidecar, options);
      if (typeof reading === 'number') to.sample(sidecar.labels, reading);
      else if (reading) to.sample(sidecar.labels.with(reading.labels), reading.value);
      if (++worked % SLICE === 0) yield;
    }
  }
}

function filtered({ name }: Family, to: SampleWriter, filter: SampleFilter): SampleWriter {
  return {
    sample(labels, value, extra) {
      if (filter(name, labels, extra)) to.sample(labels, value, extra);
    },
    histogram(labels, histogram) {
      if (filter(name, labels)) to.histogram(labels, histogram);
    },
  };
}

/** More than a group of flows can have, its histogram left out. */
const MOST_SAMPLES = 50;

function* checkSize(snapshot: MeshSnapshot, input: RenderInput): Generator<undefined> {
  const most = snapshot.groups.length * (MOST_SAMPLES + input.buckets.length);
  if (most + snapshot.sidecars.length * SIDECAR_FAMILIES.length <= input.seriesLimit) return;
  let series = 0;
  const count: SampleWriter = {
    sample: () => void series++,
    histogram: () => {
      series += input.buckets.length + 3;
    },
  };
  let worked = 0;
  for (const family of FLOW_FAMILIES) {
    const to = filtered(family, count, input.filter);
    for (const group of snapshot.groups) {
      family.ofFlows(group, to, input);
      if (++worked % SLICE === 0) yield;
    }
  }
  series += SIDECAR_FAMILIES.length * snapshot.sidecars.length;
  if (series > input.seriesLimit) {
    throw new TooManySeriesError(
      `/metrics would have ${series} series, more than exporter.series_limit (${input.seriesLimit}): raise it, set exporter.level to service, or drop some with exporter.drop`,
    );
  }
}
