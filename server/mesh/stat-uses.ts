/** What each stat of an answer was used for, or why it was not: read off the plan that counts it. */

import { CONNECTION_LENGTH } from '../envoy/bare-clusters.ts';
import { parseIstioStatName } from '../envoy/istio-names.ts';
import type { StatName, Unread } from '../envoy/stat-names.ts';
import type { StatsLayout } from '../envoy/stats.ts';
import type { UnreadLine, UnreadReason } from '../envoy/unread-lines.ts';
import { COUNTERS, type Counter, type Direction, FAILURE_REASONS, GAUGES } from '../model/flow.ts';
import type { ClusterPart, ManagerPart, Parts } from './parts.ts';
import { fieldsOf, type ReasonedPlan } from './plan.ts';
import { CLUSTER, CONNECTIONS } from './stat-fields.ts';

/** A figure that a stat goes into; certificates and signs of restarts have no direction. */
export interface FigureUse {
  readonly figure: string;
  readonly direction: Direction | '';
}

export interface StatUse {
  readonly name: string;
  /** Empty where the stat is ignored. */
  readonly figures: readonly FigureUse[];
  /** Why it is ignored; empty where it is used. */
  readonly why: string;
}

const WHY: Readonly<Record<Unread | UnreadReason, string>> = {
  internal: 'copy: internal requests are in the plain stat already',
  external: 'copy: external requests are in the plain stat already',
  canary: 'copy: requests to canaries are in the plain stat already',
  retry: 'copy: retries, which are tries and no requests',
  zone: 'copy: requests from zone to zone are in the plain stat already',
  'user agent': 'copy: requests of one user agent are in the plain stat already',
  grpc: 'gRPC counter other than the failures',
  'istio text':
    "one of Istio's own metrics, its labels folded into the name, where none can be told from a value for sure",
  scope: 'neither of a cluster nor of a connection manager',
  name: 'a name without a stat',
  code: 'counter of a single status code, which its class counts already',
  sum: 'sum or count of a histogram, which its buckets tell already',
  istio: 'Istio metric without reporter, service or status, or of what is not counted',
  label: 'no label names its cluster or connection manager, or a listener repeats it',
  other: 'no figure is made of it',
  text: 'a text, or a histogram without samples',
  quantiles: "a histogram by Envoy's own quantiles, which cannot be added up",
};

const WHY_CLUSTER: Readonly<Record<Exclude<ClusterPart['is'], 'local' | 'peer'>, string>> = {
  infrastructure: 'of a cluster that is infrastructure',
  unused: 'of a cluster named like its own service that is not the application behind it',
};
const WHY_MANAGER: Readonly<Record<Exclude<ManagerPart['is'], 'inbound'>, string>> = {
  infrastructure: 'of a connection manager that is infrastructure (admin)',
  outbound: 'of an outbound connection manager: the clusters of the peers count the same requests',
  unknown: 'of a connection manager that is not known to be inbound',
};

export interface ReadStats {
  readonly layout: StatsLayout;
  readonly reasoned: ReasonedPlan;
  /** Lines that are not in the layout. */
  readonly unread: readonly UnreadLine[];
}

/** In which direction a histogram tells how long bare connections lasted; undefined for others. */
function connectionsOf(name: StatName | Unread, { bare, parts, istio }: ReasonedPlan): Direction | undefined {
  if (istio || typeof name === 'string' || name.stat !== CONNECTION_LENGTH || !bare.has(name.owner)) return undefined;
  if (parts.localClusters.has(name.owner)) return 'inbound_connections';
  return parts.peerClusters.has(name.owner) ? 'outbound_connections' : undefined;
}

/** Every line of an answer, in the answer's order as far as the form keeps it: counters and gauges, histograms, the rest. */
export function statUses({ layout, reasoned, unread }: ReadStats): StatUse[] {
  const { plan } = reasoned;
  const scalars = new Uses();
  for (const { slot, flow, field } of plan.counters)
    scalars.add(slot, { figure: figureOf(COUNTERS[field]), direction: plan.flows[flow]?.direction ?? '' });
  for (const { slot, flow, field } of plan.gauges)
    scalars.add(slot, { figure: words(GAUGES[field] ?? ''), direction: plan.flows[flow]?.direction ?? '' });
  for (const { slot } of plan.resetMarks) scalars.add(slot, { figure: 'signs of a restart', direction: '' });
  for (const slot of plan.certificateExpiry) scalars.add(slot, { figure: 'certificate expiry', direction: '' });
  const histograms = new Uses();
  for (const { slot, flow } of plan.histograms)
    histograms.add(slot, { figure: 'latency', direction: plan.flows[flow]?.direction ?? '' });
  reasoned.histograms.forEach((name, slot) => {
    const direction = connectionsOf(name, reasoned);
    if (direction) histograms.add(slot, { figure: 'connection duration', direction });
  });
  const useOf = (uses: Uses, reads: readonly (StatName | Unread)[]) => (name: string, slot: number) => {
    const figures = uses.of(slot);
    return {
      name: shownName(name),
      figures,
      why: figures.length > 0 ? '' : whyIgnored(reads[slot] ?? 'name', reasoned),
    };
  };
  return [
    ...layout.scalars.map(useOf(scalars, reasoned.scalars)),
    ...layout.histograms.map(useOf(histograms, reasoned.histograms)),
    ...unread.map(({ name, why }) => ({ name, figures: [], why: WHY[why] })),
  ];
}

/** Figures by slot. */
class Uses {
  private readonly bySlot = new Map<number, FigureUse[]>();

  add(slot: number, use: FigureUse): void {
    const known = this.bySlot.get(slot);
    if (known) known.push(use);
    else this.bySlot.set(slot, [use]);
  }

  of(slot: number): readonly FigureUse[] {
    return this.bySlot.get(slot) ?? [];
  }
}

function figureOf(counter: Counter | undefined): string {
  if (counter === undefined) return '';
  if (counter === 'grpc_failed') return 'gRPC failures';
  if (counter.startsWith('bytes_')) return 'bytes';
  if (/^\dxx$/.test(counter)) return 'requests by code class';
  return (FAILURE_REASONS as readonly string[]).includes(counter) ? `failures: ${words(counter)}` : words(counter);
}

function words(name: string): string {
  return name.replaceAll('_', ' ');
}

function whyIgnored(name: StatName | Unread, reasoned: ReasonedPlan): string {
  const { parts, istio } = reasoned;
  if (istio) return "Istio's own metrics count the same requests";
  if (typeof name === 'string') return WHY[name];
  const fields = fieldsOf(name, reasoned);
  if (!fields && name.scope === 'limit')
    return 'a rate limit that is not known to be of an inbound connection manager: name its stat_prefix as that';
  if (!fields)
    return name.scope === 'http' ? whyManager(parts.managers.get(name.owner)) : whyCluster(name.owner, parts);
  if (fields === CONNECTIONS && name.stat in { ...CLUSTER.counters, ...CLUSTER.gauges })
    return 'of bare connections: no request is made of them';
  if (/stream_rq_\d{3}$/.test(name.stat)) return WHY.code;
  if (/stream_rq_1xx$/.test(name.stat)) return 'informational answers are no requests of their own';
  const isOfRequests = name.stat in CLUSTER.counters || name.stat in CLUSTER.gauges || name.stat === CLUSTER.histogram;
  const isLocal = name.scope === 'cluster' && parts.localClusters.has(name.owner);
  if (isOfRequests && isLocal) return 'of the local cluster: the inbound connection manager counts the same requests';
  return WHY.other;
}

function whyCluster(name: string, { clusters }: Parts): string {
  const part = clusters.get(name);
  if (part && part.is !== 'local' && part.is !== 'peer') return WHY_CLUSTER[part.is];
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1))
    if (clusters.has(name.slice(0, dot))) return WHY.other;
  return 'of a cluster without hosts and requests';
}

function whyManager(part: ManagerPart | undefined): string {
  return !part || part.is === 'inbound' ? 'of a connection manager without requests' : WHY_MANAGER[part.is];
}

/** Istio's series under the names that Istio gives them, without their labels. */
function shownName(name: string): string {
  const series = parseIstioStatName(name);
  if (!series) return name;
  const { direction, service, namespace, fields, metric } = series;
  const peer = [service, namespace].filter((part) => part !== '').join('.');
  return `${metric} (${[direction, peer, ...fields.filter((field) => field !== 'time')].filter(Boolean).join(' ')})`;
}
