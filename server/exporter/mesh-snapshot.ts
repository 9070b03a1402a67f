/** The series of /metrics as they stand at one moment: the flows that share their labels, and the sidecars. */

import type { LiveTarget } from '../live/live.ts';
import type { FlowKey, Identity } from '../model/flow.ts';
import type { FlowTotal } from '../model/flow-totals.ts';
import { keyOf } from '../model/labels.ts';
import { LabelSet } from './families.ts';

export type ExporterLevel = 'service' | 'instance';

/** Flows that share their labels. */
export interface FlowGroup {
  readonly labels: LabelSet;
  readonly outbound: boolean;
  readonly members: readonly FlowMember[];
  /** Of all members together, one number per entry of `COUNTERS`. */
  readonly counters: ArrayLike<number>;
}

export interface FlowMember {
  readonly target: LiveTarget;
  readonly total: FlowTotal;
  readonly isUp: boolean;
}

/** A target with the labels of its own series. */
export interface Sidecar {
  readonly target: LiveTarget;
  readonly labels: LabelSet;
}

export interface MeshSnapshot {
  readonly groups: readonly FlowGroup[];
  readonly sidecars: readonly Sidecar[];
}

/** Targets that are worked on between two looks at the clock. */
const SLICE = 50;

/**
 * Yields between slices of work and returns the snapshot. Sums with a target that an earlier life of the collector
 * counted, but this one has not scraped yet, are left out: they would fall and rise again. Of targets that are `gone`
 * it has what they counted, and no more.
 */
export function* takeSnapshot(
  targets: readonly LiveTarget[],
  level: ExporterLevel,
  gone: readonly LiveTarget[] = [],
): Generator<undefined, MeshSnapshot> {
  const awaited = new Set(
    targets.flatMap(({ identity, health }) => (identity && health === 'unknown' ? ownKey(identity, level) : [])),
  );
  const groups = new Map<string, GroupInMaking>();
  let worked = 0;
  const left = new Set(gone);
  for (const target of [...targets, ...gone]) {
    if (++worked % SLICE === 0) yield;
    const { identity, flows, health } = target;
    if (!identity || awaited.has(ownKey(identity, level))) continue;
    for (const total of flows) {
      const labels = labelsOf(target, identity, { flow: total.flow, level });
      const member = { target, total, isUp: health === 'up' && !left.has(target) };
      const group = groups.get(labels.text);
      if (group) addTo(group, member);
      else groups.set(labels.text, groupOf(labels, member));
    }
  }
  return { groups: [...groups.values()], sidecars: yield* sidecarsOf(targets) };
}

/** The same flows, with other totals. */
export function withTotals(group: FlowGroup, totalOf: (member: FlowMember) => FlowTotal): FlowGroup {
  const [first, ...others] = group.members.map((member) => ({ ...member, total: totalOf(member) }));
  if (!first) return group;
  const made = groupOf(group.labels, first);
  for (const member of others) addTo(made, member);
  return made;
}

type GroupInMaking = FlowGroup & { members: FlowMember[]; counters: ArrayLike<number> };

function groupOf(labels: LabelSet, member: FlowMember): GroupInMaking {
  const { flow, counters } = member.total;
  return { labels, outbound: flow.direction === 'outbound', members: [member], counters };
}

function addTo(group: GroupInMaking, member: FlowMember): void {
  const { counters } = member.total;
  const sums = group.members.length === 1 ? Float64Array.from(group.counters) : (group.counters as Float64Array);
  for (let i = 0; i < counters.length; i++) sums[i] = (sums[i] ?? 0) + (counters[i] ?? 0);
  group.counters = sums;
  group.members.push(member);
}

interface KnownLabels {
  readonly identity: Identity;
  readonly level: ExporterLevel;
  readonly byFlow: Map<FlowKey, LabelSet>;
}

/** Labels change hardly ever, and take longer to write than the figures. */
const known = new WeakMap<LiveTarget, KnownLabels>();

function labelsOf(
  target: LiveTarget,
  identity: Identity,
  { flow, level }: { flow: FlowKey; level: ExporterLevel },
): LabelSet {
  let labels = known.get(target);
  if (labels?.identity !== identity || labels.level !== level) {
    labels = { identity, level, byFlow: new Map() };
    known.set(target, labels);
  }
  let set = labels.byFlow.get(flow);
  if (!set) {
    set = new LabelSet({ ...ownLabels(identity, level), direction: flow.direction, peer: flow.peer });
    if (labels.byFlow.size > 10_000) labels.byFlow.clear();
    labels.byFlow.set(flow, set);
  }
  return set;
}

function ownKey(identity: Identity, level: ExporterLevel): string {
  return keyOf(Object.values(ownLabels(identity, level)));
}

function ownLabels({ service, namespace, region, zone, instance }: Identity, level: ExporterLevel) {
  return level === 'instance' ? { service, namespace, region, zone, instance } : { service, namespace, region };
}

/** Where several targets go by the same labels, the address is the instance. */
function* sidecarsOf(targets: readonly LiveTarget[]): Generator<undefined, Sidecar[]> {
  const bearers = new Map<string, number>();
  const sidecars: Sidecar[] = [];
  let worked = 0;
  for (const target of targets) {
    if (++worked % SLICE === 0) yield;
    const { text } = sidecarLabels(target);
    bearers.set(text, (bearers.get(text) ?? 0) + 1);
  }
  for (const target of targets) {
    if (++worked % SLICE === 0) yield;
    const own = sidecarLabels(target);
    const isShared = (bearers.get(own.text) ?? 0) > 1;
    const labels = isShared ? new LabelSet({ ...own.labels, instance: target.target.key }) : own;
    sidecars.push({ target, labels });
  }
  return sidecars;
}

interface KnownSidecar {
  readonly from: Partial<Identity>;
  readonly labels: LabelSet;
}

const knownSidecars = new WeakMap<LiveTarget, KnownSidecar>();

/** By what it says of itself; what discovery says of one that never answered. */
function sidecarLabels(target: LiveTarget): LabelSet {
  const from: Partial<Identity> = target.identity ?? target.target.labels;
  const sidecar = knownSidecars.get(target);
  if (sidecar?.from === from) return sidecar.labels;
  const { service = '', namespace = '', region = '', zone = '', instance = '' } = from;
  const labels = new LabelSet({ service, namespace, region, zone, instance: instance || target.target.key });
  knownSidecars.set(target, { from, labels });
  return labels;
}
