/** The live mesh as resources of OTLP, one per instance. */

import type { LiveTarget } from '../../live/live.ts';
import type { FlowTotal } from '../../model/flow-totals.ts';
import { keyOf } from '../../model/labels.ts';
import { LabelSet } from '../families.ts';
import { FLOW_FAMILIES, type MeshOptions, SIDECAR_FAMILIES } from '../mesh-families.ts';
import { type FlowGroup, type MeshSnapshot, type Sidecar, takeSnapshot, withTotals } from '../mesh-snapshot.ts';
import type { Accepted } from './accepted.ts';
import { type HistogramForm, MessageWriters, MetricsMessage, type Temporality } from './message.ts';
import { resourceOf, SERIES_LABELS } from './resource.ts';

export interface ResourceOptions {
  readonly targets: readonly LiveTarget[];
  /** Targets that are gone, of which not all was told. */
  readonly gone?: readonly LiveTarget[];
  readonly accepted: Accepted;
  readonly temporality: Temporality;
  readonly histograms: HistogramForm;
  /** Upper bounds of explicit buckets in seconds. */
  readonly buckets: readonly number[];
  /** Unix milliseconds. */
  readonly now: number;
  readonly version: string;
}

/** A resource with its metrics, encoded. */
export interface EncodedResource {
  /** A field of an ExportMetricsServiceRequest. */
  readonly bytes: Uint8Array;
  readonly points: number;
  /** To be called once the receiver took it. */
  readonly accept: () => void;
}

interface Instance {
  readonly labels: LabelSet['labels'];
  readonly target: LiveTarget;
  readonly groups: FlowGroup[];
  readonly sidecars: Sidecar[];
}

/** Instances that are gathered between two looks at the clock. */
const SLICE = 50;

/** Yields one resource after the other, and `undefined` where there is none yet but time has passed. */
export function* meshResources(options: ResourceOptions): Generator<EncodedResource | undefined> {
  const snapshot = yield* takeSnapshot(options.targets, 'instance', options.gone);
  const writers = new MessageWriters();
  for (const instance of yield* instancesOf(snapshot)) yield encode(instance, options, writers);
}

function* instancesOf({ groups, sidecars }: MeshSnapshot): Generator<undefined, Iterable<Instance>> {
  const instances = new Map<string, Instance>();
  let worked = 0;
  const instanceOf = (labels: LabelSet['labels'], target: LiveTarget): Instance => {
    const own = Object.entries(labels).filter(([name]) => SERIES_LABELS.has(name));
    const key = keyOf(own.flat());
    const known = instances.get(key) ?? { labels, target, groups: [], sidecars: [] };
    instances.set(key, known);
    return known;
  };
  for (const group of groups) {
    const [member] = group.members;
    if (member) instanceOf(group.labels.labels, member.target).groups.push(group);
    if (++worked % SLICE === 0) yield;
  }
  for (const sidecar of sidecars) {
    instanceOf(sidecar.labels.labels, sidecar.target).sidecars.push(sidecar);
    if (++worked % SLICE === 0) yield;
  }
  return instances.values();
}

function encode(
  { labels, target, groups, sidecars }: Instance,
  options: ResourceOptions,
  writers: MessageWriters,
): EncodedResource {
  const { accepted, now, version } = options;
  const totals = totalsOf(groups);
  const reports = new Map([...totals].map(([one, flows]) => [one, accepted.reportOf(one, { flows, now })]));
  const since = Math.min(now, ...[...reports.values()].map((report) => report.since));
  const message = new MetricsMessage({ ...options, since, at: now }, version, writers);
  const told = groups.map((group) => ({
    ...withTotals(group, ({ target: one, total }) => reports.get(one)?.flowOf(total) ?? total),
    labels: pointLabels(group.labels),
  }));
  writeFamilies(message, { groups: told, sidecars }, options);
  return {
    bytes: message.end(resourceOf(labels, target)),
    points: message.points,
    accept: () => {
      for (const [one, flows] of totals) accepted.accept(one, { flows, at: now });
    },
  };
}

/** What is told of each target: those that it has by now may be of a later scrape. */
function totalsOf(groups: readonly FlowGroup[]): Map<LiveTarget, FlowTotal[]> {
  const totals = new Map<LiveTarget, FlowTotal[]>();
  for (const { members } of groups)
    for (const { target, total } of members) {
      const known = totals.get(target);
      if (known) known.push(total);
      else totals.set(target, [total]);
    }
  return totals;
}

function writeFamilies(message: MetricsMessage, { groups, sidecars }: MeshSnapshot, options: MeshOptions): void {
  for (const family of FLOW_FAMILIES) {
    message.begin(family);
    for (const group of groups) family.ofFlows(group, message, options);
  }
  for (const family of SIDECAR_FAMILIES) {
    message.begin(family);
    for (const sidecar of sidecars) {
      const reading = family.ofSidecar(sidecar, options);
      if (typeof reading === 'number') message.sample(NO_LABELS, reading);
      else if (reading) message.sample(new LabelSet(reading.labels), reading.value);
    }
  }
}

const NO_LABELS = new LabelSet({});

/** What a point has beside its resource. */
function pointLabels({ labels }: LabelSet): LabelSet {
  return new LabelSet(Object.fromEntries(Object.entries(labels).filter(([name]) => !SERIES_LABELS.has(name))));
}
