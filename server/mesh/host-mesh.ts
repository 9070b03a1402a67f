/** What /clusters adds to the answers of one target: who a cluster's traffic went to, and failures that no stat tells. */

import type { ClusterHosts } from '../envoy/clusters.ts';
import { COUNTER_INDEX, type FlowIncrement, flowText, GAUGES } from '../model/flow.ts';
import { mergeBins } from '../model/histogram.ts';
import { HeldClusters } from './held-clusters.ts';
import { HostCounters, type HostGrowth } from './host-counters.ts';
import { HostFailures } from './host-failures.ts';
import { areSame, type PlacedHosts, sharedClusters } from './host-lists.ts';
import { type Carries, carriesOf, type Party, partyOf } from './host-parties.ts';
import type { CountedIncrements } from './increments.ts';
import type { StoredBesides } from './meter.ts';
import type { PeerName } from './naming-rules.ts';
import type { Plan } from './plan.ts';
import type { Totals } from './totals.ts';

/** An answer to /clusters that came after a scrape, or why there is none. */
export type HostsAnswer = { readonly clusters: readonly ClusterHosts[] } | { readonly refused: true };

export interface HostsInput {
  readonly plan: Plan;
  readonly counted: CountedIncrements;
  /** When the increments begin and end, Unix milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Whether another process answers than before. */
  readonly fresh: boolean;
  readonly answer: HostsAnswer | undefined;
}

/** Most services that one target's pass-through clusters are told to call; the others stay with the cluster. */
const MOST_PEERS = 200;

const NEVER = -1;

export class HostMesh {
  private party: Party;
  private readonly counters: HostCounters;
  private readonly held: HeldClusters;
  private readonly failures = new HostFailures();
  private readonly ordinary = new Set<string>();
  private readonly peers = new Set<string>();
  private lastClusters: readonly PlacedHosts[] = [];
  /** At which version of the known addresses. */
  private lookedAt = NEVER;
  private adding = false;
  /** Whether some cluster may be of gRPC whose failures no stat tells. */
  private maySpeakGrpc = false;
  /** Clusters whose traffic goes to several services. */
  apart: ReadonlyMap<string, NonNullable<Carries>> = new Map();

  constructor(party: Party, stored: Pick<Totals, 'held' | 'hosts'> | undefined) {
    this.party = party;
    this.counters = new HostCounters(stored?.hosts);
    this.held = new HeldClusters(stored?.held ?? []);
    this.apart = new Map(this.held.clusters.map((cluster) => [cluster, 'pass-through']));
  }

  /** Other rules from the next scrape on. */
  configure(rules: Party['rules']): void {
    this.party = { ...this.party, rules };
    this.lookedAt = NEVER;
  }

  /** Whether reading the hosts often is worth it. */
  get adds(): boolean {
    return this.adding || this.maySpeakGrpc;
  }

  /** Whether hosts tell failures that no stat does. */
  get tellsFailures(): boolean {
    return this.lastClusters.length > 0;
  }

  get stored(): StoredBesides {
    const shape = `${this.counters.version} ${this.held.clusters.length}`;
    return { held: this.held.stored, hosts: this.counters.counts, shape };
  }

  /** To be called before a plan is made: what clusters carry depends on where other targets turned out to be. */
  lookAgain(): void {
    if (this.party.addresses.version !== this.lookedAt && this.lastClusters.length > 0) this.look(this.lastClusters);
  }

  observe({ plan, counted, from, to, fresh, answer }: HostsInput): readonly FlowIncrement[] {
    if (fresh) {
      this.counters.restart();
      this.failures.restart();
    }
    this.addFailures(plan, counted);
    this.maySpeakGrpc = plan.failureSource === undefined && plan.ungraded.some((cluster) => cluster.maySpeakGrpc);
    const flows = counted.flows.map((flow, index) => this.withoutHeld(plan.apart.get(index), flow, from));
    if (answer && 'clusters' in answer) flows.push(...this.read(answer.clusters, to));
    else if (answer) [this.apart, this.lastClusters, this.lookedAt] = [new Map(), [], NEVER];
    for (const cluster of this.held.clusters)
      if (!this.apart.has(cluster)) flows.push(...this.held.releaseAll(cluster));
    return plan.apart.size > 0 || flows.length > plan.flows.length ? merged(flows) : flows;
  }

  /** gRPC failures that only hosts tell, as those of their clusters' flows. */
  private addFailures({ ungraded }: Plan, { flows, explainedErrors }: CountedIncrements): void {
    for (const { cluster, owner, flows: targets } of ungraded) {
      const answered = flows[targets[0] ?? -1]?.counters[COUNTER_INDEX['2xx']] ?? 0;
      this.failures.counted(cluster, explainedErrors[owner] ?? 0, answered);
    }
    const failed = this.failures.take();
    for (const { cluster, flows: targets } of ungraded) {
      const count = failed.get(cluster) ?? 0;
      if (count === 0) continue;
      for (const target of targets) {
        const { counters } = flows[target] ?? {};
        if (counters) counters[COUNTER_INDEX.grpc_failed] = (counters[COUNTER_INDEX.grpc_failed] ?? 0) + count;
      }
    }
  }

  /** The increment, or where it is held back its gauges alone. */
  private withoutHeld(cluster: string | undefined, increment: FlowIncrement, from: number): FlowIncrement {
    if (cluster === undefined) return increment;
    this.held.hold(cluster, increment, from);
    return { ...increment, counters: new Float64Array(increment.counters.length), bins: { keys: [], counts: [] } };
  }

  /** What was held back and is explained now. `at`: when the scrape before was answered. */
  private read(clusters: readonly ClusterHosts[], at: number): FlowIncrement[] {
    const released: FlowIncrement[] = [];
    const grown = this.counters.advance(clusters);
    const hasHosts = new Set(clusters.flatMap(({ cluster, hosts }) => (hosts.length > 0 ? [cluster] : [])));
    for (const cluster of this.held.clusters) {
      const peer = (host: HostGrowth) => this.limited(partyOf(cluster, host, this.party));
      const reading = { grown: grown.get(cluster) ?? [], hasHosts: hasHosts.has(cluster), peerOf: peer, at };
      released.push(...this.held.release(cluster, reading));
    }
    const errors = [...hasHosts].map((cluster) => [cluster, errorsOf(grown.get(cluster) ?? [])] as const);
    this.failures.read(new Map(errors));
    this.look(clusters);
    return released;
  }

  /** What the clusters are like, until the next reading. */
  private look(clusters: readonly PlacedHosts[]): void {
    const apart = new Map<string, NonNullable<Carries>>();
    const { version } = this.party.addresses;
    const isSame = areSame(this.lastClusters, clusters);
    if (isSame && this.lookedAt === version) return;
    if (!isSame) this.lastClusters = sharedClusters(clusters);
    this.lookedAt = version;
    for (const one of clusters) {
      const carries = carriesOf(one, this.party, this.ordinary.has(one.cluster));
      if (carries) apart.set(one.cluster, carries);
      if (carries !== 'pass-through') this.ordinary.add(one.cluster);
    }
    this.apart = apart;
    const hasPlaces = clusters.some(({ hosts }) => hosts.some(({ region, zone }) => region !== '' || zone !== ''));
    this.adding = apart.size > 0 || hasPlaces;
  }

  private limited(peer: PeerName | undefined): PeerName | undefined {
    if (!peer) return undefined;
    const key = `${peer.service} ${peer.namespace}`;
    if (!this.peers.has(key) && this.peers.size >= MOST_PEERS) return undefined;
    this.peers.add(key);
    return peer;
  }
}

function errorsOf(grown: readonly HostGrowth[]): number {
  return grown.reduce((sum, { error }) => sum + error, 0);
}

/** One increment per flow; what is of different times is spread over all of it. */
function merged(flows: readonly FlowIncrement[]): FlowIncrement[] {
  const byFlow = new Map<string, FlowIncrement>();
  for (const increment of flows) {
    const key = flowText(increment.flow);
    const known = byFlow.get(key);
    byFlow.set(key, known ? sumOf(known, increment) : increment);
  }
  return [...byFlow.values()];
}

function sumOf(a: FlowIncrement, b: FlowIncrement): FlowIncrement {
  const from = isEmpty(a) ? b.from : isEmpty(b) ? a.from : earlier(a.from, b.from);
  return {
    flow: a.flow,
    ...(from === undefined ? {} : { from }),
    counters: a.counters.map((count, i) => count + (b.counters[i] ?? 0)),
    gauges: Float64Array.from({ length: GAUGES.length }, (_, i) => (a.gauges[i] ?? 0) + (b.gauges[i] ?? 0)),
    bins: a.bins.keys.length === 0 ? b.bins : b.bins.keys.length === 0 ? a.bins : mergeBins([a.bins, b.bins]),
  };
}

function isEmpty({ counters, bins }: FlowIncrement): boolean {
  return bins.keys.length === 0 && counters.every((count) => count === 0);
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
