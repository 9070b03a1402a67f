import { type Board, NAMESPACE } from './board.ts';
import { failures, INBOUND, latency, lines, requestRate, stat } from './mesh-panels.ts';
import { failedShare, quantile, rate, sum } from './queries.ts';

const MESH = 'namespace=~"$namespace"';
const OUTBOUND = `direction="outbound", ${MESH}`;
const services = {
  match: INBOUND,
  by: ['service', 'namespace'],
  legend: '{{service}} {{namespace}}',
  link: 'series',
} as const;
const calls = {
  match: OUTBOUND,
  by: ['service', 'namespace', 'peer'],
  legend: '{{service}} → {{peer}}',
  link: 'series',
} as const;

export const OVERVIEW: Board = {
  name: 'overview',
  title: 'Sidelight / Overview',
  description: 'Every service of the mesh, as its own sidecars see it, and the calls between them.',
  variables: [NAMESPACE],
  rows: [
    [
      stat({
        title: 'Services',
        description: 'Services whose own sidecars count their requests.',
        unit: 'short',
        expression: `count(${sum('mesh_requests_total', INBOUND, ['service', 'namespace'])})`,
      }),
      stat({
        title: 'Requests',
        description: 'Received by all services; one that goes through three of them counts in each.',
        unit: 'reqps',
        expression: rate('mesh_requests_total', INBOUND, []),
      }),
      stat({
        title: 'Failed',
        description: 'Share of them that failed: 5xx, and failed gRPC calls.',
        unit: 'percentunit',
        thresholds: { warning: 0.01, bad: 0.05 },
        expression: failedShare(INBOUND, []),
      }),
      stat({
        title: 'p99',
        description: 'Of all of them, within the buckets of exporter.buckets.',
        unit: 's',
        thresholds: { warning: 0.5, bad: 1 },
        expression: quantile(0.99, 'mesh_request_duration_seconds', { match: INBOUND, by: [] }),
      }),
      stat({
        title: 'Sidecars up',
        description: 'Whose last scrape was good.',
        unit: 'short',
        expression: sum('mesh_sidecar_up', MESH, []),
      }),
      stat({
        title: 'Sidecars down',
        description: 'Whose last scrape failed. Their services’ figures are those of the others.',
        unit: 'short',
        thresholds: { bad: 1 },
        expression: `count(mesh_sidecar_up{${MESH}}) - sum(mesh_sidecar_up{${MESH}})`,
      }),
    ],
    [requestRate('Requests by service', services), failures('Failed by service', services)],
    [latency('p50 by service', 0.5, services), latency('p99 by service', 0.99, services)],
    [requestRate('Calls', calls), failures('Failed of calls', calls), latency('p99 of calls', 0.99, calls)],
    [
      lines({
        title: 'Failure events',
        description:
          'By reason, as callers and called count them. Tries fail too: there may be more than failed requests.',
        unit: 'ops',
        expression: rate('mesh_request_failures_total', MESH, ['reason']),
        legend: '{{reason}}',
      }),
      lines({
        title: 'Retries',
        description: 'By the caller that retried.',
        unit: 'reqps',
        expression: rate('mesh_request_retries_total', OUTBOUND, ['service', 'namespace']),
        legend: '{{service}} {{namespace}}',
        link: 'series',
      }),
      lines({
        title: 'Requests in flight',
        description: 'At the last scrape.',
        unit: 'short',
        expression: sum('mesh_active_requests', INBOUND, ['service', 'namespace']),
        legend: '{{service}} {{namespace}}',
        link: 'series',
      }),
    ],
  ],
};
