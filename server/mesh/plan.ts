/**
 * What to do with each stat of a target's answer: worked out once from the names, then applied to every scrape
 * until Envoy lists other names.
 */

import { bareClusters } from '../envoy/bare-clusters.ts';
import { clusterNames, connectionManagerNames, readStatName, type StatName, type Unread } from '../envoy/stat-names.ts';
import type { StatsLayout } from '../envoy/stats.ts';
import {
  COUNTER_INDEX,
  type FlowKey,
  flowText,
  GAUGE_INDEX,
  type Identity,
  type LatencySource,
} from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import { compileIstioPlan } from './istio-plan.ts';
import type { NamingRules } from './naming-rules.ts';
import { limitsInbound, type Parts, type PartsInput, sortParts } from './parts.ts';
import { peerOf } from './peer-names.ts';
import { type SameEvents, sameEvents } from './same-events.ts';
import {
  CLUSTER,
  CLUSTER_EVENTS_ONLY,
  CONNECTION_MANAGER,
  CONNECTIONS,
  RATE_LIMIT,
  RESET_MARKS,
  SAME_EVENT,
  type StatFields,
} from './stat-fields.ts';

/** Add what the scalar or histogram in `slot` grew by to `field` of flow `flow`. */
export interface Step {
  readonly slot: number;
  readonly flow: number;
  readonly field: number;
}

/** A counter; `owner` numbers the cluster or connection manager that it belongs to. */
export interface CounterStep extends Step {
  readonly owner: number;
}

/** A gauge, or a counter that is a part of one: `sign` is -1 for what is taken off. Default 1. */
export interface GaugeStep extends Step {
  readonly sign?: 1 | -1;
}

/** A counter in `slot` that stands for all counters of `owner`: when it became smaller, they began anew. */
export interface ResetMark {
  readonly slot: number;
  readonly owner: number;
}

/** A cluster among the owners, and the flow or flows that its requests count in. */
export interface ClusterOwner {
  readonly cluster: string;
  readonly owner: number;
  /** Whether it speaks HTTP/2 or 3, as gRPC does. */
  readonly maySpeakGrpc: boolean;
  readonly flows: readonly number[];
}

export interface Plan {
  readonly flows: readonly FlowKey[];
  /** Clusters and connection managers whose stats count: the flow of each. */
  readonly owners: readonly number[];
  readonly counters: readonly CounterStep[];
  readonly resetMarks: readonly ResetMark[];
  readonly sameEvents: readonly SameEvents[];
  readonly gauges: readonly GaugeStep[];
  /** `field` is unused. */
  readonly histograms: readonly Step[];
  /** Flows of clusters whose traffic goes to several services, by index: the cluster of each. */
  readonly apart: ReadonlyMap<number, string>;
  /** Counters of 5xx that go into no flow, since a connection manager counts the same requests. */
  readonly uncountedErrors: readonly ResetMark[];
  /** Clusters whose gRPC failures no stat tells. */
  readonly ungraded: readonly ClusterOwner[];
  /** What tells failed gRPC calls, where stats do. */
  readonly failureSource: 'grpc_stats' | 'istio' | undefined;
  /** Slots of gauges that hold a certificate's expiry in Unix seconds. */
  readonly certificateExpiry: readonly number[];
  /** Whether requests to the service are seen: its vantage is then `server`. */
  readonly inbound: boolean;
  readonly role: Identity['role'];
}

export interface PlanInput extends PartsInput {
  readonly layout: StatsLayout;
  /** Connection managers that Envoy has, idle ones included. */
  readonly managers: ReadonlySet<string>;
  /** Clusters whose traffic goes to several services. */
  readonly apart?: ReadonlyMap<string, unknown>;
}

/** A plan with what it was made from, for whoever wants to tell the reasons. */
export interface ReasonedPlan {
  readonly plan: Plan;
  readonly parts: Parts;
  /** Whether Istio's own metrics are counted, and then nothing else. */
  readonly istio: boolean;
  /** Clusters that carry bare connections (TCP) and no requests. */
  readonly bare: ReadonlySet<string>;
  /** One entry per name of the layout: its parts, or why it has none. */
  readonly scalars: readonly (StatName | Unread)[];
  readonly histograms: readonly (StatName | Unread)[];
}

export function compilePlan(input: PlanInput): Plan {
  return reasonedPlan(input).plan;
}

export function reasonedPlan(input: PlanInput): ReasonedPlan {
  const { layout, rules } = input;
  const clusters = clusterNames(layout.scalars);
  const scalars = layout.scalars.map((name) => readStatName(name, clusters));
  const histograms = layout.histograms.map((name) => readStatName(name, clusters));
  for (const name of scalars)
    if (isRead(name) && name.scope === 'cluster' && name.stat.startsWith('upstream_rq_')) clusters.add(name.owner);
  const managers = new Set([...input.managers, ...connectionManagerNames(layout.scalars)]);
  const answering = clustersOfRequests(scalars);
  const parts = sortParts(input, { clusters, managers, answering });
  const bare = bareClusters(scalars);
  const names = { parts, bare, scalars, histograms };
  const istio = compileIstioPlan(layout, parts.role);
  if (istio) return { ...names, istio: true, plan: istio };
  const draft = new PlanDraft({ parts, rules, bare, apart: input.apart ?? NONE });
  scalars.forEach((name, slot) => {
    if (isRead(name)) draft.scalar(name, slot);
  });
  histograms.forEach((name, slot) => {
    if (isRead(name)) draft.histogram(name, slot);
  });
  const certificateExpiry = slotsOf(layout.scalars, '.expiration_unix_time_seconds');
  return {
    ...names,
    istio: false,
    plan: {
      ...draft.finish(),
      failureSource: scalars.some(isGrpc) ? 'grpc_stats' : undefined,
      certificateExpiry,
      role: parts.role,
    },
  };
}

const NONE: ReadonlyMap<string, unknown> = new Map();

function isGrpc(name: StatName | Unread): boolean {
  return name === 'grpc' || (isRead(name) && name.stat === 'grpc.failure');
}

function isRead(name: StatName | Unread): name is StatName {
  return typeof name !== 'string';
}

/** Clusters that answered requests, if only by Envoy itself. */
function clustersOfRequests(names: readonly (StatName | Unread)[]): Set<string> {
  return new Set(names.flatMap((name) => (isRead(name) && name.stat === 'upstream_rq_completed' ? [name.owner] : [])));
}

function slotsOf(names: readonly string[], ending: string): number[] {
  return names.flatMap((name, slot) => (name.endsWith(ending) ? [slot] : []));
}

/** Which stats of a name's cluster or connection manager count; undefined where none does. */
export function fieldsOf(
  { scope, owner }: StatName,
  { parts, bare }: Pick<ReasonedPlan, 'parts' | 'bare'>,
): StatFields | undefined {
  const { localClusters, peerClusters, inboundManagers } = parts;
  if (scope === 'limit') return limitsInbound(owner, parts) ? RATE_LIMIT : undefined;
  if (scope === 'http') return inboundManagers.has(owner) ? CONNECTION_MANAGER : undefined;
  if (!localClusters.has(owner) && !peerClusters.has(owner)) return undefined;
  if (bare.has(owner)) return CONNECTIONS;
  return localClusters.has(owner) && inboundManagers.size > 0 ? CLUSTER_EVENTS_ONLY : CLUSTER;
}

/** Connections of HTTP/2 and 3. */
const MULTIPLEXED = /^upstream_cx_http[23]_total$/;

interface PlanDraftInput {
  readonly parts: Parts;
  readonly rules: NamingRules;
  readonly bare: ReadonlySet<string>;
  readonly apart: NonNullable<PlanInput['apart']>;
}

/** A plan while it grows. */
class PlanDraft {
  readonly parts: Parts;
  private readonly rules: NamingRules;
  readonly bare: ReadonlySet<string>;
  private readonly isApart: NonNullable<PlanInput['apart']>;
  private readonly apart = new Map<number, string>();
  private readonly clusterOwners = new Map<string, Omit<ClusterOwner, 'maySpeakGrpc'>>();
  private readonly graded = new Set<string>();
  private readonly multiplexed = new Set<string>();
  private readonly source: LatencySource;
  private readonly flows: FlowKey[] = [];
  private readonly flowIndex = new Map<string, number>();
  private readonly owners: number[] = [];
  private readonly ownerIndex = new Map<string, number>();
  private readonly counters: CounterStep[] = [];
  private readonly resetMarks: ResetMark[] = [];
  private readonly mayBeSame: CounterStep[] = [];
  private readonly uncountedErrors: ResetMark[] = [];
  private readonly gauges: Step[] = [];
  private readonly histograms: Step[] = [];

  constructor({ parts, rules, bare, apart }: PlanDraftInput) {
    this.parts = parts;
    this.rules = rules;
    this.bare = bare;
    this.isApart = apart;
    this.source = parts.inboundManagers.size > 0 ? 'downstream' : 'upstream';
    if (this.inbound) this.flow({ direction: 'inbound', peer: '', peerNamespace: '', source: this.source });
    for (const cluster of parts.peerClusters) this.peerFlow(cluster);
  }

  private get inbound(): boolean {
    return this.parts.inboundManagers.size > 0 || this.parts.localClusters.size > 0;
  }

  scalar(name: StatName, slot: number): void {
    const found = this.find(name);
    if (!found) return;
    const { flow, fields } = found;
    const counter = fields.counters[name.stat];
    const gauge = fields.gauges[name.stat];
    const owner = this.owner(keyOf([name.scope, name.owner]), flow);
    if (name.scope === 'cluster') this.clusterOwner(name.owner, owner, flow);
    if (counter === 'grpc_failed') this.graded.add(name.owner);
    if (MULTIPLEXED.test(name.stat)) this.multiplexed.add(name.owner);
    if (RESET_MARKS.has(name.stat)) this.resetMarks.push({ slot, owner });
    if (counter) {
      const step = { slot, flow, field: COUNTER_INDEX[counter], owner };
      this.counters.push(step);
      if (SAME_EVENT.has(name.stat)) this.mayBeSame.push(step);
    } else if (name.stat === 'upstream_rq_5xx') this.uncountedErrors.push({ slot, owner });
    if (gauge) this.gauges.push({ slot, flow, field: GAUGE_INDEX[gauge] });
    if (counter === 'grpc_failed' && this.parts.role === 'gateway') this.gatewayFailure(name, slot);
  }

  /** A gateway's connection managers show a failed gRPC call as 200; only the cluster that it went to knows better. */
  private gatewayFailure(name: StatName, slot: number): void {
    if (!this.inbound || this.parts.localClusters.has(name.owner)) return;
    const owner = this.owner(keyOf(['gateway', name.owner]), 0);
    this.counters.push({ slot, flow: 0, field: COUNTER_INDEX.grpc_failed, owner });
  }

  histogram(name: StatName, slot: number): void {
    const found = this.find(name);
    if (found && found.fields.histogram === name.stat) this.histograms.push({ slot, flow: found.flow, field: 0 });
  }

  finish(): Omit<Plan, 'certificateExpiry' | 'role' | 'failureSource'> {
    const { flows, owners, counters, resetMarks, uncountedErrors, gauges, histograms, inbound, apart } = this;
    const same = sameEvents(this.mayBeSame);
    const ungraded = [...this.clusterOwners.values()].flatMap((one) =>
      this.graded.has(one.cluster) ? [] : [{ ...one, maySpeakGrpc: this.multiplexed.has(one.cluster) }],
    );
    return {
      flows,
      owners,
      counters,
      resetMarks,
      sameEvents: same,
      uncountedErrors,
      gauges,
      histograms,
      inbound,
      apart,
      ungraded,
    };
  }

  private clusterOwner(cluster: string, owner: number, flow: number): void {
    if (this.clusterOwners.has(cluster)) return;
    const isPassedOn = this.parts.role === 'gateway' && this.inbound && !this.parts.localClusters.has(cluster);
    this.clusterOwners.set(cluster, { cluster, owner, flows: isPassedOn ? [flow, 0] : [flow] });
  }

  private owner(key: string, flow: number): number {
    const known = this.ownerIndex.get(key);
    if (known !== undefined) return known;
    this.ownerIndex.set(key, this.owners.length);
    return this.owners.push(flow) - 1;
  }

  private find(name: StatName): { flow: number; fields: StatFields } | undefined {
    const fields = fieldsOf(name, this);
    if (!fields) return undefined;
    const toPeer = name.scope === 'cluster' && !this.parts.localClusters.has(name.owner);
    return { flow: toPeer ? this.peerFlow(name.owner) : 0, fields };
  }

  private peerFlow(cluster: string): number {
    const { service, namespace } = peerOf(cluster, this.rules, this.parts.products);
    const flow: FlowKey = { direction: 'outbound', peer: service, peerNamespace: namespace, source: 'upstream' };
    if (!this.isApart.has(cluster)) return this.flow(flow);
    const own = this.flow(flow, cluster);
    this.apart.set(own, cluster);
    return own;
  }

  private flow(flow: FlowKey, cluster = ''): number {
    const key = flowText(flow) + cluster;
    const known = this.flowIndex.get(key);
    if (known !== undefined) return known;
    this.flowIndex.set(key, this.flows.length);
    return this.flows.push(flow) - 1;
  }
}
