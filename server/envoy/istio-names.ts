/**
 * Istio's own metrics (`istio_requests_total`, `istio_request_duration_milliseconds`), which its sidecars tell instead
 * of Envoy's cluster stats. One request is in the metrics of both ends: `reporter` says whose these are (Istio docs:
 * Standard Metrics; Envoy docs: response flags).
 */

import type { Direction } from '../model/flow.ts';

/** What one series of Istio's stands for. */
export interface IstioSeries {
  readonly direction: Direction;
  /** The called service; empty for inbound. */
  readonly service: string;
  readonly namespace: string;
  /** Counters that every request of it is counted in, or `time` for the latency. */
  readonly fields: readonly string[];
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

/** A name that holds what the series stands for; different series have different names. */
export function istioStatName(metric: string, labels: Labels): string | undefined {
  const direction =
    labels.reporter === 'destination' ? 'inbound' : labels.reporter === 'source' ? 'outbound' : undefined;
  const fields =
    metric === 'istio_requests_total'
      ? countedIn(labels)
      : metric === 'istio_request_duration_milliseconds'
        ? ['time']
        : [];
  if (!direction || fields.length === 0) return undefined;
  const peer = direction === 'outbound' ? calledService(labels) : { service: '', namespace: '' };
  if (!peer) return undefined;
  const { le: _, ...series } = labels;
  return SCOPE + JSON.stringify([direction, peer.service, peer.namespace, fields, series]);
}

/** What {@link istioStatName} wrote; undefined for other names. */
export function parseIstioStatName(name: string): IstioSeries | undefined {
  if (!name.startsWith(SCOPE)) return undefined;
  const [direction, service, namespace, fields] = JSON.parse(name.slice(SCOPE.length)) as [
    Direction,
    string,
    string,
    string[],
  ];
  return { direction, service, namespace, fields };
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
