/**
 * Envoy's Prometheus names turned back into its stat names. Envoy moves the cluster's name up to its first dot into a
 * label and leaves the rest in the metric's name, with every special character made an underscore; the stat is the
 * known end of the metric's name (Envoy docs: /stats/prometheus; envoy.cluster_name and its sister tags).
 */

import { isIstioSum, istioStatName } from './istio-names.ts';
import { RATE_LIMITED, type Unread } from './stat-names.ts';

/** Stats of a cluster that figures are made of. */
const CLUSTER_STATS = [
  'upstream_rq_completed',
  'upstream_rq_total',
  'upstream_rq_timeout',
  'upstream_rq_per_try_timeout',
  'upstream_rq_rx_reset',
  'upstream_rq_pending_overflow',
  'upstream_rq_active_overflow',
  'upstream_rq_maintenance_mode',
  'upstream_rq_retry',
  'upstream_rq_active',
  'upstream_rq_time',
  'upstream_rq_xx',
  'upstream_rq',
  'upstream_cx_total',
  'upstream_cx_http1_total',
  'upstream_cx_http2_total',
  'upstream_cx_http3_total',
  'upstream_cx_active',
  'upstream_cx_connect_fail',
  'upstream_cx_none_healthy',
  'upstream_cx_destroy_remote_with_active_rq',
  'upstream_cx_protocol_error',
  'upstream_cx_rx_bytes_total',
  'upstream_cx_tx_bytes_total',
  'membership_total',
  'membership_healthy',
  'outlier_detection_ejections_active',
  'ratelimit_over_limit',
];

const MANAGER_STATS = [
  'downstream_rq_completed',
  'downstream_rq_total',
  'downstream_rq_xx',
  'downstream_rq',
  'downstream_rq_time',
  'downstream_rq_active',
  'downstream_rq_timeout',
  'downstream_rq_idle_timeout',
  'downstream_rq_max_duration_reached',
  'downstream_rq_tx_reset',
  'downstream_rq_rx_reset',
  'downstream_cx_active',
  'downstream_cx_total',
  'downstream_cx_rx_bytes_total',
  'downstream_cx_tx_bytes_total',
  'no_route',
  'no_cluster',
  'fault_aborts_injected',
];

/** Stats with a dot of their own, which became an underscore. */
const DOTTED: Readonly<Record<string, string>> = {
  outlier_detection_ejections_active: 'outlier_detection.ejections_active',
  ratelimit_over_limit: 'ratelimit.over_limit',
  fault_aborts_injected: 'fault.aborts_injected',
};

/** What is left of a copy's name before the stat: it repeats what the plain stat counts. */
const COPY = /(?:^|_)(internal|external|canary|retry|zone(?=_).*)$/;
const GRPC = /^(?:(.+?)_)?grpc(?:_(.+))?_failure$/;

export type PrometheusLabels = Readonly<Record<string, string>>;

/** Starts of the metric names that are looked at. */
export const PREFIXES = {
  cluster: 'envoy_cluster_',
  http: 'envoy_http_',
  istio: 'istio_request',
  istioResponse: 'istio_response_bytes',
  istioTcp: 'istio_tcp_',
} as const;
const ISTIO = 'istio_';

/**
 * Why no figure is made of a metric: as for Envoy's own names, or it is of a single status code, a histogram's sum or
 * count, one of Istio's without a status or service, has no label with its cluster or connection manager, or is another.
 */
export type UnreadMetric = Exclude<Unread, 'scope' | 'istio text'> | 'code' | 'sum' | 'istio' | 'label' | 'other';

/** The stat's name in Envoy's own form, or why there is none. */
type Read = { readonly name: string } | { readonly unread: UnreadMetric };

/** What a line of these is: a scalar, a bucket of a histogram, or nothing that a figure is made of. */
export function readMetric(
  metric: string,
  labels: PrometheusLabels,
): { readonly name: string; readonly isBucket: boolean } | { readonly unread: UnreadMetric } {
  const isBucket = metric.endsWith('_bucket') && labels.le !== undefined;
  if (!isBucket && /_(?:bucket|sum|count)$/.test(metric) && !isIstioSum(metric)) return { unread: 'sum' };
  const read = statNameOf(isBucket ? metric.slice(0, -'_bucket'.length) : metric, labels);
  return 'name' in read ? { ...read, isBucket } : read;
}

function statNameOf(metric: string, labels: PrometheusLabels): Read {
  if (metric.startsWith(PREFIXES.cluster)) return clusterStat(metric.slice(PREFIXES.cluster.length), labels);
  if (metric.startsWith(PREFIXES.http)) return managerStat(metric.slice(PREFIXES.http.length), labels);
  const name = metric.startsWith(ISTIO) ? istioStatName(metric, labels) : undefined;
  return name === undefined ? { unread: 'istio' } : { name };
}

function clusterStat(name: string, labels: PrometheusLabels): Read {
  const cluster = consulName(labels) ?? labels.envoy_cluster_name ?? labels.cluster_name;
  if (cluster === undefined) return { unread: 'label' };
  const grpc = name.endsWith('_failure') && GRPC.exec(name);
  if (grpc) {
    const method = [labels.envoy_grpc_bridge_service, labels.envoy_grpc_bridge_method, grpc[2]]
      .filter(Boolean)
      .join('.');
    return { name: `cluster.${ownerOf(cluster, grpc[1] ?? '')}.grpc.${method || 'all'}.failure` };
  }
  const found = splitStat(name, CLUSTER_STATS);
  if (!found) return { unread: 'other' };
  const copy = COPY.exec(found.rest)?.[1];
  if (copy !== undefined) return { unread: copy.startsWith('zone') ? 'zone' : (copy as UnreadMetric) };
  const stat = withClass(found.stat, labels);
  return stat ? { name: `cluster.${ownerOf(cluster, found.rest)}.${stat}` } : { unread: 'code' };
}

const RATE_LIMITED_METRIC = 'local_rate_limit_enforced';

function managerStat(name: string, labels: PrometheusLabels): Read {
  const limit = labels.envoy_local_http_ratelimit_prefix;
  if (name === RATE_LIMITED_METRIC && limit !== undefined) return { name: `${limit}.${RATE_LIMITED}` };
  const prefix = labels.envoy_http_conn_manager_prefix ?? labels.http_conn_manager_prefix;
  if (prefix === undefined || labels.envoy_listener_address !== undefined || labels.listener_address !== undefined)
    return { unread: 'label' };
  const found = splitStat(name, MANAGER_STATS);
  if (!found) return { unread: 'other' };
  if (found.rest.includes('user_agent')) return { unread: 'user agent' };
  const stat = withClass(found.stat, labels);
  const rest = found.rest.replace(/(?<!_)_+$/, '');
  const owner = rest === '' ? prefix : `${prefix}.${rest}`;
  return stat ? { name: `http.${owner}.${stat}` } : { unread: 'code' };
}

/**
 * Consul takes a cluster's whole name, which has dots, out of the metric's into labels of its own; put together again
 * as Consul does: [hash~][subset.]service.namespace.datacenter.internal.trust domain.consul
 */
function consulName(labels: PrometheusLabels): string | undefined {
  const part = (name: string) => labels[`consul_destination_${name}`] ?? '';
  if (part('full_target') !== '') return `${part('full_target')}.consul`;
  if (part('service') === '') return undefined;
  const hash = part('custom_hash') === '' ? '' : `${part('custom_hash')}~`;
  const place = [part('partition'), part('peer') || part('datacenter'), part('routing_type') || 'internal'];
  const target = [part('service_subset'), part('service'), part('namespace'), ...place, part('trust_domain') || 'mesh'];
  return `${hash}${target.filter((text) => text !== '').join('.')}.consul`;
}

/** The known stat that a name ends in, and what stands before it. */
function splitStat(name: string, stats: readonly string[]): { rest: string; stat: string } | undefined {
  let longest = '';
  for (const stat of stats) {
    if (stat.length > longest.length && (name === stat || name.endsWith(`_${stat}`))) longest = stat;
  }
  if (longest === '') return undefined;
  return { rest: name.slice(0, Math.max(0, name.length - longest.length - 1)), stat: longest };
}

const BY_CODE = /^(?:up|down)stream_rq(?:_xx)?$/;

/** `upstream_rq_xx` with its class; single codes repeat what the classes count. Istio writes both as `upstream_rq`. */
function withClass(stat: string, labels: PrometheusLabels): string | undefined {
  if (!BY_CODE.test(stat)) return DOTTED[stat] ?? stat;
  const codeClass = /^[1-5]/.exec(labels.envoy_response_code_class ?? labels.response_code_class ?? '')?.[0];
  return codeClass ? `${stat.replace(/_xx$/, '')}_${codeClass}xx` : undefined;
}

/** A trust domain of Consul, whose hyphens became underscores too. */
const UUID = /([0-9a-f]{8})_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{12})/g;

/** Shorter names hold no trust domain; looking for one is dear. */
const UUID_LENGTH = 36;

/** A cluster's whole name; the underscores of its rest were dots in nearly every case (host names). */
function ownerOf(start: string, rest: string): string {
  const host = rest === '' ? '' : hostOf(rest);
  const name = host === '' ? start : `${start}.${host}`;
  return name.includes(':') ? name.replaceAll(':', '_') : name;
}

function hostOf(rest: string): string {
  const trimmed = rest.replace(/(?<!_)_+$/, '');
  const host = trimmed.length < UUID_LENGTH ? trimmed : trimmed.replace(UUID, '$1-$2-$3-$4-$5');
  return host.replaceAll('_', '.');
}
