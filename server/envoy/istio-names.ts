/**
 * Istio's own metrics (`istio_requests_total` and its sisters for latency, bytes and TCP), which its sidecars tell
 * instead of Envoy's cluster stats. One request is in the metrics of both ends: `reporter` says whose these are (Istio
 * docs: Standard Metrics; Envoy docs: response flags).
 */

import type { Direction } from '../model/flow.ts';

/** What one series of Istio's stands for. */
export interface IstioSeries {
  readonly direction: Direction;
  /** The called service; empty for inbound. */
  readonly service: string;
  readonly namespace: string;
  /** Counters that it is counted in, `time` for the latency, or `closed` for connections that are open no more. */
  readonly fields: readonly string[];
  readonly metric: string;
}

const SCOPE = 'istio.';
const NO_SERVICE = new Set(['', 'unknown', 'PassthroughCluster', 'BlackHoleCluster']);

/** Failure reasons by Envoy's response flag. */
const REASONS: Readonly<Record<string, string>> = {
  UT: 'timeout',
  UF: 'connect',
  UC: 'reset',
  UR: 'reset',
  UO: 'overflow',
  UH: 'no_healthy_upstream',
  UMSDR: 'max_duration',
  DT: 'max_duration',
  SI: 'idle_timeout',
  NR: 'no_route',
  NC: 'no_cluster',
  RL: 'rate_limited',
  FI: 'fault',
};

type Labels = Readonly<Record<string, string>>;

/**
 * Where each of Istio's metrics without a status goes. Bytes are told as the caller of the sidecar sees them, requests
 * received and answers sent; a flow's bytes are those of the other side on outbound: what the peer sent is received.
 */
const PLAIN: Readonly<Record<string, Readonly<Record<'inbound' | 'outbound', string>>>> = {
  istio_request_bytes_sum: { inbound: 'bytes_rx', outbound: 'bytes_tx' },
  istio_response_bytes_sum: { inbound: 'bytes_tx', outbound: 'bytes_rx' },
  istio_tcp_received_bytes_total: { inbound: 'bytes_rx', outbound: 'bytes_tx' },
  istio_tcp_sent_bytes_total: { inbound: 'bytes_tx', outbound: 'bytes_rx' },
  istio_tcp_connections_opened_total: { inbound: 'connections', outbound: 'connections' },
  istio_tcp_connections_closed_total: { inbound: 'closed', outbound: 'closed' },
};

/** Whether a metric of Istio's is the sum of a distribution that is counted by its sum. */
export function isIstioSum(metric: string): boolean {
  return metric in PLAIN;
}

const REQUESTS = 'istio_requests_total';
const LATENCY = 'istio_request_duration_milliseconds';

/** A name that holds what the series stands for; different series have different names. */
export function istioStatName(metric: string, labels: Labels): string | undefined {
  const direction =
    labels.reporter === 'destination' ? 'inbound' : labels.reporter === 'source' ? 'outbound' : undefined;
  if (!direction) return undefined;
  const plain = PLAIN[metric]?.[direction];
  const fields = plain ? [plain] : metric === REQUESTS ? countedIn(labels) : metric === LATENCY ? ['time'] : [];
  if (fields.length === 0) return undefined;
  const peer = direction === 'outbound' ? calledService(labels) : { service: '', namespace: '' };
  if (!peer) return undefined;
  const { le: _, ...series } = labels;
  return SCOPE + JSON.stringify([direction, peer.service, peer.namespace, fields, series, ...(plain ? [metric] : [])]);
}

/** What {@link istioStatName} wrote; undefined for other names. */
export function parseIstioStatName(name: string): IstioSeries | undefined {
  if (!name.startsWith(SCOPE)) return undefined;
  const [direction, service, namespace, fields, , metric] = JSON.parse(name.slice(SCOPE.length)) as [
    Direction,
    string,
    string,
    string[],
    Labels,
    string?,
  ];
  return { direction, service, namespace, fields, metric: metric ?? (fields.includes('time') ? LATENCY : REQUESTS) };
}

function calledService(labels: Labels): { service: string; namespace: string } | undefined {
  const service =
    labels.destination_service_name || labels.destination_canonical_service || labels.destination_workload || '';
  if (NO_SERVICE.has(service)) return undefined;
  const namespace = labels.destination_service_namespace || labels.destination_workload_namespace || '';
  return { service, namespace: namespace === 'unknown' ? '' : namespace };
}

/** A request without a code (0: the caller went away) was not completed. */
function countedIn({ response_code = '', grpc_response_status = '', response_flags = '' }: Labels): string[] {
  if (!/^[2-5]\d\d$/.test(response_code)) return [];
  const isGrpcFailure = !/^0?$/.test(grpc_response_status) && !response_code.startsWith('5');
  const reasons = new Set(response_flags.split(',').map((flag) => REASONS[flag] ?? ''));
  return [
    `${response_code[0]}xx`,
    ...(isGrpcFailure ? ['grpc_failed'] : []),
    ...[...reasons].filter((reason) => reason !== ''),
  ];
}
