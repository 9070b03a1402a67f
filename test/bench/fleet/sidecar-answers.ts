/** What one simulated sidecar answers besides /stats, in the form of an Envoy 1.40. */

import type { Moment } from '../../envoy/five-forms.ts';
import { httpAnswer, ZONE } from './simulated-traffic.ts';

/** A real answer to /server_info has as many bytes, most of them names of command line options and of extensions. */
const SERVER_INFO_BYTES = 120_000;
const PADDING = 'x'.repeat(SERVER_INFO_BYTES);
const HOST_STATS = ['cx_connect_fail', 'cx_total', 'rq_error', 'rq_success', 'rq_timeout', 'rq_total'] as const;
const HOST_GAUGES = ['cx_active', 'rq_active', 'rq_pending_active'] as const;
const LOCALITY = { region: 'eu-west-1', zone: ZONE };

export function serverInfo(id: string, uptimeSeconds: number): Buffer {
  const answer = {
    version: 'c0ffee/1.40.0/Clean/RELEASE/BoringSSL',
    state: 'LIVE',
    uptime_current_epoch: `${uptimeSeconds}s`,
    uptime_all_epochs: `${uptimeSeconds}s`,
    hot_restart_version: 'disabled',
    command_line_options: { service_node: id, config_yaml: PADDING },
    node: { id, cluster: id, locality: LOCALITY },
  };
  return httpAnswer('application/json', Buffer.from(JSON.stringify(answer, null, 1)));
}

export const MANAGERS = httpAnswer(
  'text/plain; charset=UTF-8',
  Buffer.from(
    ['ingress_http', 'egress_http', 'ingress_https', 'admin']
      .map((name) => `http.${name}.downstream_rq_completed: 9\n`)
      .join(''),
  ),
);

/** An upstream host of a cluster. */
export interface Host {
  readonly address: string;
  readonly port: number;
}

/** `/clusters?format=json`: the requests of each cluster, spread over its hosts. */
export function clustersAnswer(moment: Moment, clusters: ReadonlyMap<string, readonly Host[]>): Buffer {
  const statuses = [...clusters].map(([name, hosts]) => {
    const count = (stat: string) => moment.scalars[`cluster.${placeOf(name, clusters)}.${stat}`] ?? 0;
    const failed = count('upstream_rq_5xx');
    const answered = count('upstream_rq_completed');
    return {
      name,
      host_statuses: hosts.map((host, index) => hostStatus(host, index, { of: hosts.length, failed, answered })),
      observability_name: name,
    };
  });
  return httpAnswer('application/json', Buffer.from(JSON.stringify({ cluster_statuses: statuses }, null, 1)));
}

/** The cluster's name in the moment, where its place stands for it. */
function placeOf(name: string, clusters: ReadonlyMap<string, readonly Host[]>): string {
  const index = [...clusters.keys()].indexOf(name);
  return index === 0 ? 'local_app' : `svc-999${index - 1}`;
}

interface Shared {
  readonly of: number;
  readonly failed: number;
  readonly answered: number;
}

function hostStatus({ address, port }: Host, index: number, { of, failed, answered }: Shared): object {
  const share = (total: number) => Math.floor((total + index) / of);
  const error = share(failed);
  const total = share(answered);
  const values: Record<(typeof HOST_STATS)[number], number> = {
    cx_connect_fail: 0,
    cx_total: 1,
    rq_error: error,
    rq_success: total - error,
    rq_timeout: 0,
    rq_total: total,
  };
  return {
    address: { socket_address: { address, port_value: port } },
    stats: [
      ...HOST_STATS.map((name) => (values[name] === 0 ? { name } : { value: String(values[name]), name })),
      ...HOST_GAUGES.map((name) => ({ type: 'GAUGE', name })),
    ],
    health_status: { eds_health_status: 'HEALTHY' },
    weight: 1,
    locality: LOCALITY,
  };
}
