/**
 * How an answer of one target was understood, as data: the plan that counts it, with its reasons. Nothing is worked out
 * here that the plan does not say.
 */

import type { ClusterHosts } from '../envoy/clusters.ts';
import type { Precision, StatsReading } from '../envoy/stats.ts';
import type { BodyForm } from '../envoy/stats-form.ts';
import type { UnreadLines } from '../envoy/unread-lines.ts';
import { COUNTER_INDEX, type Direction } from '../model/flow.ts';
import { adviceFor } from './explain-advice.ts';
import { type ExplainedHost, explainedHosts } from './explain-hosts.ts';
import { IDENTITY_PARTS, type IdentityPart, type IdentitySources, identify, identityPart } from './identity.ts';
import { KnownAddresses } from './known-addresses.ts';
import type { NamingRules } from './naming-rules.ts';
import type { ClusterPart, ManagerPart } from './parts.ts';
import { peerOf } from './peer-names.ts';
import { type ReasonedPlan, reasonedPlan } from './plan.ts';
import { type StatUse, statUses } from './stat-uses.ts';

export interface ExplainInput extends IdentitySources {
  /** What the address is: of a target, or only the name of a file that a body was saved in. */
  readonly addressIs: 'address' | 'file name';
  readonly form: BodyForm;
  readonly bytes: number;
  readonly reading: StatsReading;
  readonly unread: UnreadLines;
  readonly precision: Precision;
  /** Connection managers that Envoy told besides those of the answer. */
  readonly managers: ReadonlySet<string>;
  readonly rules: NamingRules;
  /** What /clusters told besides; undefined where it was not asked, or refused. */
  readonly clusterHosts?: readonly ClusterHosts[] | undefined;
  readonly seriesLimit: number;
}

/** A value and, in words, what told it; both may be empty. */
export interface Told {
  readonly value: string;
  readonly from: string;
}

export interface ExplainedCluster extends ClusterPart {
  readonly name: string;
  /** The service behind it, for peers. */
  readonly service: string;
  readonly namespace: string;
}

export interface ExplainedManager extends ManagerPart {
  readonly name: string;
}

/** How many stats a figure is made of. */
export interface ExplainedFigure {
  readonly figure: string;
  readonly inbound: number;
  readonly outbound: number;
  /** Of the target as a whole. */
  readonly target: number;
}

export interface IgnoredStats {
  readonly why: string;
  readonly stats: number;
  /** Up to three names. */
  readonly examples: readonly string[];
}

export interface Explanation {
  readonly target: string;
  readonly envoyVersion: string;
  readonly answer: { readonly form: BodyForm; readonly bytes: number; readonly used: number; readonly ignored: number };
  readonly identity: Readonly<Record<IdentityPart | 'role', Told>>;
  /** `server` where requests to the service are seen here. */
  readonly vantage: Told & { readonly value: 'server' | 'client' };
  readonly precision: Told & { readonly value: Precision };
  /** Whose latency and counts the inbound figures are. */
  readonly source: Told & { readonly value: 'downstream' | 'upstream' | '' };
  readonly grpcFailures: Told;
  readonly managers: readonly ExplainedManager[];
  readonly clusters: readonly ExplainedCluster[];
  /** Of peers' clusters, by /clusters. */
  readonly hosts: readonly ExplainedHost[];
  readonly figures: readonly ExplainedFigure[];
  readonly ignored: readonly IgnoredStats[];
  /** What to change in Envoy or in Sidelight's configuration to get more. */
  readonly advice: readonly string[];
  /** Every stat of the answer. */
  readonly stats: readonly StatUse[];
}

export function explain(input: ExplainInput): Explanation {
  const named = identify(input);
  const { layout } = input.reading;
  const reasoned = reasonedPlan({ ...named, layout, managers: input.managers, rules: input.rules });
  const stats = statUses({ layout, reasoned, unread: input.unread.lines });
  const used = stats.reduce((sum, { figures }) => sum + (figures.length > 0 ? 1 : 0), 0);
  const explained = {
    target: input.address,
    envoyVersion: input.info?.version ?? '',
    answer: {
      form: input.form,
      bytes: input.bytes,
      used,
      ignored: stats.length - used + input.unread.foreign,
    },
    identity: identityOf(input, reasoned),
    vantage: vantageOf(reasoned),
    precision: precisionOf(input),
    source: sourceOf(reasoned),
    grpcFailures: grpcFailuresOf(reasoned, input.clusterHosts !== undefined),
    managers: [...reasoned.parts.managers].map(([name, part]) => ({ name, ...part })),
    clusters: clustersOf(reasoned, input.rules),
    hosts: hostsOf(input, reasoned),
    figures: figuresOf(stats),
    ignored: ignoredOf(stats, input.unread.foreign),
    stats,
  };
  return { ...explained, advice: adviceFor({ input, reasoned, explained }) };
}

function identityOf(input: ExplainInput, { parts, plan }: ReasonedPlan): Explanation['identity'] {
  const told = IDENTITY_PARTS.map((part) => {
    const { value, from } = identityPart(part, input);
    return [part, { value, from: from === 'address' ? input.addressIs : from }] as const;
  });
  const role = { value: plan.role, from: parts.roleBy };
  return { ...(Object.fromEntries(told) as Record<IdentityPart, Told>), role };
}

function vantageOf({ plan, istio }: ReasonedPlan): Explanation['vantage'] {
  if (!plan.inbound) return { value: 'client', from: 'no request to it is seen here: its callers have to tell' };
  return { value: 'server', from: istio ? "Istio's metrics of reporter destination" : 'requests to it are seen here' };
}

function precisionOf({ precision, form, reading }: ExplainInput): Explanation['precision'] {
  if (precision === 'none') return { value: precision, from: "histograms come as Envoy's own quantiles" };
  if (precision === 'buckets')
    return { value: precision, from: form === 'prometheus' ? "Prometheus's buckets" : 'cumulative buckets' };
  const from = reading.layout.histograms.length > 0 ? "Envoy's own bins (detailed)" : 'no histogram has a sample yet';
  return { value: precision, from };
}

function sourceOf({ plan, parts, istio }: ReasonedPlan): Explanation['source'] {
  if (istio) return { value: 'downstream', from: "Istio's own metrics; Envoy's stats are left aside" };
  const [manager] = parts.inboundManagers;
  if (manager !== undefined) return { value: 'downstream', from: 'the inbound connection managers' };
  if (!plan.inbound) return { value: '', from: 'no inbound figures' };
  return { value: 'upstream', from: 'the local clusters, for want of an inbound connection manager' };
}

function grpcFailuresOf({ plan, scalars, istio }: ReasonedPlan, hasHosts: boolean): Told {
  const counted = new Set(plan.counters.filter(isGrpc).map(({ slot }) => slot)).size;
  if (istio) return { value: 'label', from: 'grpc_response_status of istio_requests_total' };
  if (counted > 0) return { value: 'grpc_stats', from: `${counted} stats cluster.….grpc.….failure` };
  if (scalars.includes('grpc')) return { value: 'grpc_stats', from: 'the filter is there, and no call has failed yet' };
  if (hasHosts) return { value: 'clusters', from: 'rq_error of hosts in /clusters, beyond 5xx and retries' };
  return { value: '', from: 'no stat tells them: a call that fails under HTTP 200 would count as a success' };
}

function hostsOf({ clusterHosts = [], rules, host }: ExplainInput, { parts }: ReasonedPlan): ExplainedHost[] {
  const party = { rules, addresses: new KnownAddresses(), caller: host };
  return explainedHosts(clusterHosts, party, parts.peerClusters);
}

function isGrpc({ field }: { readonly field: number }): boolean {
  return field === COUNTER_INDEX.grpc_failed;
}

/** Clusters by what they are; those that Istio's metrics speak of are none of Envoy's. */
function clustersOf({ parts, plan, istio }: ReasonedPlan, rules: NamingRules): ExplainedCluster[] {
  const clusters = [...parts.clusters].map(([name, part]): ExplainedCluster => {
    if (part.is !== 'peer') return { name, ...part, service: '', namespace: '' };
    const { service, namespace, by } = peerOf(name, rules, parts.products);
    return { name, is: 'peer', by, service, namespace };
  });
  if (!istio) return clusters;
  const by = "Istio's destination labels";
  return plan.flows.flatMap(({ direction, peer, peerNamespace }) =>
    direction === 'outbound' ? [{ name: '', is: 'peer', by, service: peer, namespace: peerNamespace }] : [],
  );
}

const COLUMNS: Readonly<Record<Direction | '', 'inbound' | 'outbound' | 'target'>> = {
  inbound: 'inbound',
  outbound: 'outbound',
  zone: 'outbound',
  inbound_connections: 'inbound',
  outbound_connections: 'outbound',
  '': 'target',
};

function figuresOf(stats: readonly StatUse[]): ExplainedFigure[] {
  const counts = new Map<string, { figure: string; inbound: number; outbound: number; target: number }>();
  for (const { figures } of stats)
    for (const { figure, direction } of figures) {
      const count = counts.get(figure) ?? { figure, inbound: 0, outbound: 0, target: 0 };
      count[COLUMNS[direction]]++;
      counts.set(figure, count);
    }
  return [...counts.values()].sort((a, b) => compare(a.figure, b.figure));
}

const EXAMPLES = 3;

function ignoredOf(stats: readonly StatUse[], foreign: number): IgnoredStats[] {
  const groups = new Map<string, { why: string; stats: number; examples: string[] }>();
  for (const { name, why } of stats) {
    if (why === '') continue;
    const group = groups.get(why) ?? { why, stats: 0, examples: [] };
    group.stats++;
    if (group.examples.length < EXAMPLES) group.examples.push(name);
    groups.set(why, group);
  }
  if (foreign > 0)
    groups.set('', { why: 'metrics of other programs or other parts of Envoy', stats: foreign, examples: [] });
  return [...groups.values()].sort((a, b) => b.stats - a.stats || compare(a.why, b.why));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
