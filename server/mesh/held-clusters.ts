/**
 * What clusters counted whose traffic goes to several services, kept until /clusters tells to which. What hosts do not
 * explain is given one more reading, since a host counts a call at its end, and stays with the cluster then.
 */

import { COUNTERS, type FlowIncrement, type FlowKey, GAUGES, requestCount } from '../model/flow.ts';
import { mergeBins, NO_BINS, type SparseBins } from '../model/histogram.ts';
import { keyOf } from '../model/labels.ts';
import type { HostGrowth } from './host-counters.ts';
import { type Answered, splitByHosts } from './host-split.ts';
import type { PeerName } from './naming-rules.ts';

/** What a cluster counted since `since`, Unix milliseconds, and has not been given to anyone yet. */
export interface HeldCluster {
  readonly cluster: string;
  readonly flow: FlowKey;
  readonly since: number;
  readonly counters: Float64Array;
  readonly bins: SparseBins;
}

/** What /clusters told of one cluster. */
export interface HostReading {
  readonly grown: readonly HostGrowth[];
  readonly hasHosts: boolean;
  /** The service of a host; undefined for one that belongs to the cluster's own service. */
  peerOf(host: HostGrowth): PeerName | undefined;
  /** When the scrape before the reading was answered, Unix milliseconds. */
  readonly at: number;
}

interface Pending {
  readonly flow: FlowKey;
  since: number;
  /** Since the last reading. */
  counters: Float64Array;
  /** Of before, waiting for a second reading. */
  waiting: Float64Array;
  bins: SparseBins;
  /** By party. */
  readonly claims: Map<string, Claim>;
  /** Parties that answered by the last reading with requests: samples of theirs may come late. */
  lastAnswering: Answering;
}

/** What a party's hosts answered and the cluster has not counted yet. */
interface Claim {
  readonly peer: PeerName | undefined;
  answered: Answered;
  /** How much of it was there at the reading before. */
  before: Answered;
}

const NOTHING: Answered = { success: 0, error: 0 };
/** The cluster's own service: its own hosts, and whatever no host explains. */
const OWN = '';

export class HeldClusters {
  private readonly pending = new Map<string, Pending>();

  constructor(stored: readonly HeldCluster[]) {
    for (const { cluster, flow, since, counters, bins } of stored)
      Object.assign(this.pendingOf(cluster, flow, since), { counters, bins });
  }

  get clusters(): string[] {
    return [...this.pending.keys()];
  }

  get stored(): HeldCluster[] {
    return [...this.pending].map(([cluster, { flow, since, counters, waiting, bins }]) => {
      return { cluster, flow, since, counters: plus(counters, waiting), bins };
    });
  }

  hold(cluster: string, { flow, counters, bins }: FlowIncrement, from: number): void {
    const known = this.pendingOf(cluster, flow, from);
    known.counters = plus(known.counters, counters);
    if (bins.keys.length > 0) known.bins = mergeBins([known.bins, bins]);
  }

  /** Shares out what a cluster counted, as far as its hosts explain it. */
  release(cluster: string, reading: HostReading): FlowIncrement[] {
    const known = this.pending.get(cluster);
    if (!known) return [];
    for (const host of reading.grown) addClaim(known.claims, reading.peerOf(host), host);
    const claims = [...known.claims];
    const counted = plus(known.counters, known.waiting);
    const split = splitByHosts(
      counted,
      claims.map(([, { answered }]) => answered),
    );
    const isLast = split.unclassed || !reading.hasHosts;
    const rest = isLast ? split.rest : unexplainedTwice(known.waiting, minus(counted, split.rest));
    const parts = new Map([[OWN, { peer: undefined as PeerName | undefined, counters: rest }]]);
    claims.forEach(([key, { peer }], i) => {
      const share = split.shares[i] ?? newCounters();
      parts.set(key, { peer, counters: key === OWN ? plus(rest, share) : share });
    });
    const left = minus(split.rest, rest);
    const answering = [...parts].filter(([, { counters }]) => requestCount(counters) > 0);
    const bins = takeBins(known, new Map(answering.map(([key, { peer }]) => [key, peer])), left);
    if (!parts.has(bins.key)) parts.set(bins.key, { peer: bins.peer, counters: newCounters() });
    const from = known.since;
    const released = [...parts].flatMap(([key, { peer, counters }]) =>
      increment(flowTo(known.flow, peer), { counters, bins: bins.key === key ? bins.bins : NO_BINS, from }),
    );
    keep(known, { left, claims: split.left, at: reading.at });
    return released;
  }

  /** Everything, to the cluster itself: nobody tells to whom it went. */
  releaseAll(cluster: string): FlowIncrement[] {
    const known = this.pending.get(cluster);
    if (!known) return [];
    this.pending.delete(cluster);
    const { flow, counters, waiting, bins, since } = known;
    return increment(flow, { counters: plus(counters, waiting), bins, from: since });
  }

  private pendingOf(cluster: string, flow: FlowKey, since: number): Pending {
    const known = this.pending.get(cluster);
    if (known) return known;
    const [counters, waiting, claims, lastAnswering] = [newCounters(), newCounters(), new Map(), new Map()];
    const created = { flow, since, counters, waiting, bins: NO_BINS, claims, lastAnswering };
    this.pending.set(cluster, created);
    return created;
  }
}

function addClaim(claims: Map<string, Claim>, peer: PeerName | undefined, { success, error }: Answered): void {
  const key = peer ? keyOf([peer.service, peer.namespace]) : OWN;
  const known = claims.get(key);
  const before = known?.answered ?? NOTHING;
  const answered = { success: before.success + success, error: before.error + error };
  if (known) known.answered = answered;
  else claims.set(key, { peer, answered, before: NOTHING });
}

/**
 * Latency cannot be told by host: samples are those of a party only if it alone answered, now and by the reading before,
 * since Envoy's histograms come up to a flush late. While requests wait to be explained, so do the samples.
 */
function takeBins(known: Pending, answering: Answering, left: Float64Array): TakenBins {
  const possible = new Map([...known.lastAnswering, ...answering]);
  const isAlone = possible.size < 2;
  if (isAlone && requestCount(left) > 0) return { key: OWN, peer: undefined, bins: NO_BINS };
  const { bins } = known;
  known.bins = NO_BINS;
  if (answering.size > 0) known.lastAnswering = answering;
  const [[key, peer] = [OWN, undefined]] = possible;
  return isAlone ? { key, peer, bins } : { key: OWN, peer: undefined, bins };
}

/** Parties by key; the cluster's own service has no name of its own. */
type Answering = ReadonlyMap<string, PeerName | undefined>;

interface TakenBins {
  readonly key: string;
  readonly peer: PeerName | undefined;
  readonly bins: SparseBins;
}

interface Kept {
  readonly left: Float64Array;
  readonly claims: readonly Answered[];
  readonly at: number;
}

function keep(known: Pending, { left, claims, at }: Kept): void {
  known.waiting = left;
  known.counters = newCounters();
  if (isZero(left) && known.bins.keys.length === 0) known.since = at;
  [...known.claims].forEach(([key, claim], i) => {
    const { success, error } = claims[i] ?? NOTHING;
    const young = {
      success: success - Math.min(success, claim.before.success),
      error: error - Math.min(error, claim.before.error),
    };
    claim.answered = young;
    claim.before = young;
    if (young.success + young.error === 0) known.claims.delete(key);
  });
}

function flowTo(flow: FlowKey, peer: PeerName | undefined): FlowKey {
  return peer ? { ...flow, peer: peer.service, peerNamespace: peer.namespace } : flow;
}

function increment(
  flow: FlowKey,
  { counters, bins, from }: Pick<FlowIncrement, 'counters' | 'bins'> & { from: number },
): FlowIncrement[] {
  if (isZero(counters) && bins.keys.length === 0) return [];
  return [{ flow, from, counters, gauges: new Float64Array(GAUGES.length), bins }];
}

function newCounters(): Float64Array {
  return new Float64Array(COUNTERS.length);
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + (b[i] ?? 0));
}

function minus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - (b[i] ?? 0));
}

/** Of what waited, what was not given to anyone now; the oldest is given first. */
function unexplainedTwice(waiting: Float64Array, given: Float64Array): Float64Array {
  return waiting.map((value, i) => Math.max(0, value - (given[i] ?? 0)));
}

function isZero(counters: Float64Array): boolean {
  return counters.every((count) => count === 0);
}
