/**
 * Envoy's Prometheus names turned back into its stat names. Envoy moves the cluster's name up to its first dot into a
 * label and leaves the rest in the metric's name, with every special character made an underscore; the stat is the
 * known end of the metric's name (Envoy docs: /stats/prometheus; envoy.cluster_name and its sister tags).
 */

import { istioStatName } from './istio-names.ts';

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
  fault_aborts_injected: 'fault.aborts_injected',
};

/** What is left of a copy's name before the stat: it repeats what the plain stat counts. */
const COPY = /(?:^|_)(?:internal|external|canary|retry|zone_.*)$/;
const GRPC = /^(?:(.+?)_)?grpc(?:_(.+))?_failure$/;

export type PrometheusLabels = Readonly<Record<string, string>>;

/** Starts of the metric names that are looked at. */
export const PREFIXES = { cluster: 'envoy_cluster_', http: 'envoy_http_', istio: 'istio_request' } as const;

/** The stat's name in Envoy's own form; undefined for what no figure is made of. */
export function statNameOf(metric: string, labels: PrometheusLabels): string | undefined {
  if (metric.startsWith(PREFIXES.cluster)) return clusterStat(metric.slice(PREFIXES.cluster.length), labels);
  if (metric.startsWith(PREFIXES.http)) return managerStat(metric.slice(PREFIXES.http.length), labels);
  if (metric.startsWith(PREFIXES.istio)) return istioStatName(metric, labels);
  return undefined;
}

function clusterStat(name: string, labels: PrometheusLabels): string | undefined {
  const cluster = labels.envoy_cluster_name ?? labels.cluster_name;
  if (cluster === undefined) return undefined;
  const grpc = name.endsWith('_failure') && GRPC.exec(name);
  if (grpc) {
    const method = [labels.envoy_grpc_bridge_service, labels.envoy_grpc_bridge_method, grpc[2]]
      .filter(Boolean)
      .join('.');
    return `cluster.${ownerOf(cluster, grpc[1] ?? '')}.grpc.${method || 'all'}.failure`;
  }
  const found = splitStat(name, CLUSTER_STATS);
  const stat = found && withClass(found.stat, labels);
  if (!found || !stat || COPY.test(found.rest)) return undefined;
  return `cluster.${ownerOf(cluster, found.rest)}.${stat}`;
}

function managerStat(name: string, labels: PrometheusLabels): string | undefined {
  const prefix = labels.envoy_http_conn_manager_prefix ?? labels.http_conn_manager_prefix;
  if (prefix === undefined || labels.envoy_listener_address !== undefined || labels.listener_address !== undefined)
    return undefined;
  const found = splitStat(name, MANAGER_STATS);
  const stat = found && withClass(found.stat, labels);
  return stat && !found.rest.includes('user_agent') ? `http.${ownerOf(prefix, found.rest)}.${stat}` : undefined;
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

/** `upstream_rq_xx` with its class; single codes repeat what the classes count. Istio writes both as `upstream_rq`. */
function withClass(stat: string, labels: PrometheusLabels): string | undefined {
  if (!stat.endsWith('_rq') && !stat.endsWith('_rq_xx')) return DOTTED[stat] ?? stat;
  const codeClass = /^[1-5]/.exec(labels.envoy_response_code_class ?? labels.response_code_class ?? '')?.[0];
  return codeClass ? `${stat.replace(/_xx$/, '')}_${codeClass}xx` : undefined;
}

/** A trust domain of Consul, whose hyphens became underscores too. */
const UUID = /([0-9a-f]{8})_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{4})_([0-9a-f]{12})/g;

/** A cluster's whole name; the underscores of its rest were dots in nearly every case (host names). */
function ownerOf(start: string, rest: string): string {
  const host = rest
    .replace(/(?<!_)_+$/, '')
    .replace(UUID, '$1-$2-$3-$4-$5')
    .replaceAll('_', '.');
  const name = host === '' ? start : `${start}.${host}`;
  return name.replaceAll(':', '_');
}
