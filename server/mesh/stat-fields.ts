/** Which of Envoy's stats feed which counter or gauge of a flow (Envoy docs: cluster stats, HTTP connection manager stats). */

import { OVER_LIMIT, RATE_LIMITED } from '../envoy/stat-names.ts';
import type { Counter, Gauge } from '../model/flow.ts';

export interface StatFields {
  readonly counters: Readonly<Record<string, Counter>>;
  readonly gauges: Readonly<Record<string, Gauge>>;
  /** The latency histogram. */
  readonly histogram: string;
}

/** Requests of a cluster: what a peer, or the application behind its own sidecar, answered. */
const CLUSTER_REQUESTS = {
  upstream_rq_2xx: '2xx',
  upstream_rq_3xx: '3xx',
  upstream_rq_4xx: '4xx',
  upstream_rq_5xx: '5xx',
  upstream_cx_rx_bytes_total: 'bytes_rx',
  upstream_cx_tx_bytes_total: 'bytes_tx',
  upstream_cx_total: 'connections',
} as const;

/** What went wrong on the way to a cluster's hosts, or kept it from there. */
const CLUSTER_EVENTS = {
  'grpc.failure': 'grpc_failed',
  upstream_rq_timeout: 'timeout',
  upstream_rq_per_try_timeout: 'try_timeout',
  upstream_cx_connect_fail: 'connect',
  upstream_rq_rx_reset: 'reset',
  upstream_cx_destroy_remote_with_active_rq: 'reset',
  upstream_cx_protocol_error: 'reset',
  upstream_rq_pending_overflow: 'overflow',
  upstream_rq_active_overflow: 'overflow',
  upstream_cx_none_healthy: 'no_healthy_upstream',
  upstream_rq_maintenance_mode: 'maintenance',
  upstream_rq_retry: 'retries',
  [OVER_LIMIT]: 'rate_limited',
} as const;

export const CLUSTER: StatFields = {
  counters: { ...CLUSTER_REQUESTS, ...CLUSTER_EVENTS },
  gauges: {
    upstream_rq_active: 'active_requests',
    upstream_cx_active: 'active_connections',
    membership_total: 'endpoints_total',
    membership_healthy: 'endpoints_healthy',
    'outlier_detection.ejections_active': 'endpoints_ejected',
  },
  histogram: 'upstream_rq_time',
};

/**
 * Counters of a cluster that may tell one event both: an endpoint that breaks off in the middle of an answer over HTTP/1
 * is a protocol error too. What both grew by counts once, so what is told is never more than what happened.
 */
export const SAME_EVENT: ReadonlySet<string> = new Set([
  'upstream_cx_destroy_remote_with_active_rq',
  'upstream_cx_protocol_error',
]);

/** A local rate limit of an inbound connection manager. */
export const RATE_LIMIT: StatFields = { counters: { [RATE_LIMITED]: 'rate_limited' }, gauges: {}, histogram: '' };

/** A local cluster beside a connection manager that already counts the same requests. */
export const CLUSTER_EVENTS_ONLY: StatFields = { counters: CLUSTER_EVENTS, gauges: {}, histogram: '' };

/**
 * A cluster that only carries bare connections (TCP): no request is made of them, though Envoy counts each as an active
 * one, and no reset of one that its peer ends.
 */
export const CONNECTIONS: StatFields = {
  counters: {
    upstream_cx_rx_bytes_total: 'bytes_rx',
    upstream_cx_tx_bytes_total: 'bytes_tx',
    upstream_cx_total: 'connections',
    upstream_cx_connect_fail: 'connect',
    upstream_rq_pending_overflow: 'overflow',
    upstream_cx_none_healthy: 'no_healthy_upstream',
  },
  gauges: {
    upstream_cx_active: 'active_connections',
    membership_total: 'endpoints_total',
    membership_healthy: 'endpoints_healthy',
    'outlier_detection.ejections_active': 'endpoints_ejected',
  },
  histogram: '',
};

/** What a cluster's hosts in one zone answered: a part of what the cluster counts. Neither gRPC failures nor retries have a zone. */
export const ZONE: StatFields = {
  counters: {
    upstream_rq_2xx: '2xx',
    upstream_rq_3xx: '3xx',
    upstream_rq_4xx: '4xx',
    upstream_rq_5xx: '5xx',
  },
  gauges: {},
  histogram: 'upstream_rq_time',
};

/** An inbound connection manager: requests as the callers saw them. */
export const CONNECTION_MANAGER: StatFields = {
  counters: {
    downstream_rq_2xx: '2xx',
    downstream_rq_3xx: '3xx',
    downstream_rq_4xx: '4xx',
    downstream_rq_5xx: '5xx',
    downstream_cx_rx_bytes_total: 'bytes_rx',
    downstream_cx_tx_bytes_total: 'bytes_tx',
    downstream_cx_total: 'connections',
    downstream_rq_idle_timeout: 'idle_timeout',
    downstream_rq_max_duration_reached: 'max_duration',
    downstream_rq_tx_reset: 'cut_off',
    no_route: 'no_route',
    no_cluster: 'no_cluster',
    'fault.aborts_injected': 'fault',
  },
  gauges: { downstream_rq_active: 'active_requests', downstream_cx_active: 'active_connections' },
  histogram: 'downstream_rq_time',
};

/**
 * Counters that every request or connection raises. Envoy never drops one of them alone, so when it became smaller,
 * all counters of its cluster or connection manager began anew: the cluster was removed and added again, or Envoy
 * restarted and does not tell when.
 */
export const RESET_MARKS: ReadonlySet<string> = new Set([
  'upstream_cx_total',
  'upstream_rq_total',
  'upstream_rq_completed',
  'downstream_cx_total',
  'downstream_rq_total',
  'downstream_rq_completed',
]);
