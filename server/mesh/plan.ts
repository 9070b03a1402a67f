/**
 * What to do with each stat of a target's answer: worked out once from the names, then applied to every scrape
 * until Envoy lists other names.
 */

import { clusterNames, connectionManagerNames, parseStatName, type StatName } from '../envoy/stat-names.ts';
import type { StatsLayout } from '../envoy/stats.ts';
import { COUNTER_INDEX, type FlowKey, GAUGE_INDEX, type Identity, type LatencySource } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import type { NamingRules } from './naming-rules.ts';
import {
  isInboundManager,
  isInfrastructureCluster,
  isInfrastructureManager,
  isLocalCluster,
  isOutboundManager,
  peerOf,
} from './recognisers.ts';
import { CLUSTER, CLUSTER_EVENTS_ONLY, CONNECTION_MANAGER, type StatFields } from './stat-fields.ts';

/** Add what the scalar or histogram in `slot` grew by to `field` of flow `flow`. */
export interface Step {
  readonly slot: number;
  readonly flow: number;
  readonly field: number;
}

export interface Plan {
  readonly flows: readonly FlowKey[];
  readonly counters: readonly Step[];
  readonly gauges: readonly Step[];
  /** `field` is unused. */
  readonly histograms: readonly Step[];
  /** Slots of gauges that hold a certificate's expiry in Unix seconds. */
  readonly certificateExpiry: readonly number[];
  /** Whether requests to the service are seen: its vantage is then `server`. */
  readonly inbound: boolean;
  readonly role: Identity['role'];
}

/** What a target is made of: the names of its parts, sorted by what they are. */
export interface Parts {
  readonly localClusters: ReadonlySet<string>;
  readonly peerClusters: ReadonlySet<string>;
  readonly inboundManagers: ReadonlySet<string>;
  readonly role: Identity['role'];
}

export interface PlanInput {
  readonly layout: StatsLayout;
  readonly service: string;
  /** Role by label; empty when none is given. */
  readonly labelledRole: string;
  /** Role by the target's names, for an Envoy that shows no local cluster. */
  readonly namedRole: Identity['role'];
  /** Connection managers that Envoy has, idle ones included. */
  readonly managers: ReadonlySet<string>;
  readonly rules: NamingRules;
}

/** Tells local, peer and infrastructure clusters and the inbound connection managers apart (contract, sections 1 and 2). */
export function sortParts(input: PlanInput, clusters: ReadonlySet<string>, managers: ReadonlySet<string>): Parts {
  const localClusters = new Set<string>();
  const peerClusters = new Set<string>();
  for (const cluster of clusters) {
    if (isLocalCluster(cluster, input.service, input.rules)) localClusters.add(cluster);
    else if (input.rules.peerOf(cluster) || !isInfrastructureCluster(cluster)) peerClusters.add(cluster);
  }
  const role = roleOf(input, localClusters);
  const own = [...managers].filter((manager) => !isInfrastructureManager(manager));
  const named = own.filter((manager) => isInboundManager(manager) && !isOutboundManager(manager));
  const only = own.length === 1 && peerClusters.size === 0 ? own.filter((manager) => !isOutboundManager(manager)) : [];
  const inbound = role === 'gateway' ? own : named.length > 0 ? named : only;
  return { localClusters, peerClusters, inboundManagers: new Set(inbound), role };
}

function roleOf(input: PlanInput, localClusters: ReadonlySet<string>): Identity['role'] {
  if (input.labelledRole === 'gateway' || input.labelledRole === 'sidecar') return input.labelledRole;
  return localClusters.size > 0 ? 'sidecar' : input.namedRole;
}

export function compilePlan(input: PlanInput): Plan {
  const { scalars, histograms } = input.layout;
  const clusters = clusterNames(scalars);
  const scalarNames = scalars.map((name) => parseStatName(name, clusters));
  const histogramNames = histograms.map((name) => parseStatName(name, clusters));
  for (const name of scalarNames)
    if (name?.scope === 'cluster' && name.stat.startsWith('upstream_rq_')) clusters.add(name.owner);
  const managers = new Set([...input.managers, ...connectionManagerNames(scalars)]);
  const parts = sortParts(input, clusters, managers);
  const draft = new PlanDraft(parts, input.rules);
  scalarNames.forEach((name, slot) => {
    if (name) draft.scalar(name, slot);
  });
  histogramNames.forEach((name, slot) => {
    if (name) draft.histogram(name, slot);
  });
  const certificateExpiry = slotsOf(scalars, '.expiration_unix_time_seconds');
  return { ...draft.finish(), certificateExpiry, role: parts.role };
}

function slotsOf(names: readonly string[], ending: string): number[] {
  return names.flatMap((name, slot) => (name.endsWith(ending) ? [slot] : []));
}

/** A plan while it grows. */
class PlanDraft {
  private readonly parts: Parts;
  private readonly rules: NamingRules;
  private readonly source: LatencySource;
  private readonly flows: FlowKey[] = [];
  private readonly flowIndex = new Map<string, number>();
  private readonly counters: Step[] = [];
  private readonly gauges: Step[] = [];
  private readonly histograms: Step[] = [];

  constructor(parts: Parts, rules: NamingRules) {
    this.parts = parts;
    this.rules = rules;
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
    const counter = found.fields.counters[name.stat];
    const gauge = found.fields.gauges[name.stat];
    if (counter) this.counters.push({ slot, flow: found.flow, field: COUNTER_INDEX[counter] });
    if (gauge) this.gauges.push({ slot, flow: found.flow, field: GAUGE_INDEX[gauge] });
  }

  histogram(name: StatName, slot: number): void {
    const found = this.find(name);
    if (found && found.fields.histogram === name.stat) this.histograms.push({ slot, flow: found.flow, field: 0 });
  }

  finish(): Pick<Plan, 'flows' | 'counters' | 'gauges' | 'histograms' | 'inbound'> {
    const { flows, counters, gauges, histograms, inbound } = this;
    return { flows, counters, gauges, histograms, inbound };
  }

  private find({ scope, owner }: StatName): { flow: number; fields: StatFields } | undefined {
    const { localClusters, peerClusters, inboundManagers } = this.parts;
    if (scope === 'http') return inboundManagers.has(owner) ? { flow: 0, fields: CONNECTION_MANAGER } : undefined;
    if (localClusters.has(owner))
      return { flow: 0, fields: this.source === 'downstream' ? CLUSTER_EVENTS_ONLY : CLUSTER };
    return peerClusters.has(owner) ? { flow: this.peerFlow(owner), fields: CLUSTER } : undefined;
  }

  private peerFlow(cluster: string): number {
    const { service, namespace } = peerOf(cluster, this.rules);
    return this.flow({ direction: 'outbound', peer: service, peerNamespace: namespace, source: 'upstream' });
  }

  private flow(flow: FlowKey): number {
    const key = flowText(flow);
    const known = this.flowIndex.get(key);
    if (known !== undefined) return known;
    this.flowIndex.set(key, this.flows.length);
    return this.flows.push(flow) - 1;
  }
}

/** One text per flow of a target. */
export function flowText(flow: FlowKey): string {
  return keyOf([flow.direction, flow.peer, flow.peerNamespace, flow.source]);
}
