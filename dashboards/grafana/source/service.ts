import { type Board, NAMESPACE } from './board.ts';
import { failures, INBOUND, latencies, latency, lines, requestRate, stat } from './mesh-panels.ts';
import type { Panel } from './panel.ts';
import { failedShare, quantile, rate, sum } from './queries.ts';

const OWN = `${INBOUND}, service="$service"`;
const SENT = 'direction="outbound", namespace=~"$namespace", service="$service"';
/** Callers may be of any namespace. */
const ASKED = 'direction="outbound", peer="$service"';

const whole = { match: OWN, by: [], legend: '$service', link: 'variable' } as const;
const instances = { match: OWN, by: ['instance'], legend: '{{instance}}', link: 'variable' } as const;
const peers = { match: SENT, by: ['peer'], legend: '{{peer}}', link: 'variable' } as const;
const callers = {
  match: ASKED,
  by: ['service', 'namespace'],
  legend: '{{service}} {{namespace}}',
  link: 'series',
} as const;

const heatmap: Panel = {
  kind: 'heatmap',
  title: 'Latency',
  description: 'Requests by bucket of exporter.buckets.',
  unit: 's',
  queries: [
    {
      expression: `sum by (le) (increase(mesh_request_duration_seconds_bucket{${OWN}}[$__rate_interval]))`,
      legend: '{{le}}',
    },
  ],
  link: 'variable',
};

export const SERVICE: Board = {
  name: 'service',
  title: 'Sidelight / Service',
  description: 'One service: what it received, by instance, whom it calls and who calls it.',
  variables: [
    NAMESPACE,
    {
      name: 'service',
      label: 'Service',
      metric: 'mesh_requests_total{direction="inbound", namespace=~"$namespace"}',
      of: 'service',
      many: false,
    },
  ],
  rows: [
    [
      stat({
        title: 'Requests',
        description: 'Completed requests per second that its own sidecars saw.',
        unit: 'reqps',
        link: 'variable',
        expression: rate('mesh_requests_total', OWN, []),
      }),
      stat({
        title: 'Failed',
        description: 'Share of them that failed: 5xx, and failed gRPC calls.',
        unit: 'percentunit',
        thresholds: { warning: 0.01, bad: 0.05 },
        link: 'variable',
        expression: failedShare(OWN, []),
      }),
      stat({
        title: 'p99',
        description: 'Within the buckets of exporter.buckets.',
        unit: 's',
        thresholds: { warning: 0.5, bad: 1 },
        link: 'variable',
        expression: quantile(0.99, 'mesh_request_duration_seconds', { match: OWN, by: [] }),
      }),
      stat({
        title: 'Sidecars down',
        description: 'Whose last scrape failed: their requests are not in the figures.',
        unit: 'short',
        thresholds: { bad: 1 },
        link: 'variable',
        expression:
          'count(mesh_sidecar_up{namespace=~"$namespace", service="$service"}) - sum(mesh_sidecar_up{namespace=~"$namespace", service="$service"})',
      }),
    ],
    [
      requestRate('Requests by class of status', { ...whole, by: ['code_class'], legend: '{{code_class}}' }),
      failures('Failed', whole),
      latencies('Latency', whole),
    ],
    [heatmap],
    [
      requestRate('Requests by instance', instances),
      failures('Failed by instance', instances),
      latency('p99 by instance', 0.99, instances),
    ],
    [
      requestRate('Calls to others', peers),
      failures('Failed of calls to others', peers),
      latency('p99 of calls to others', 0.99, peers),
    ],
    [
      requestRate('Calls by others', callers),
      failures('Failed of calls by others', callers),
      latency('p99 of calls by others', 0.99, callers),
    ],
    [
      lines({
        title: 'Failure events of calls to it',
        description: 'By reason, as its callers count them. Tries fail too: there may be more than failed requests.',
        unit: 'ops',
        expression: rate('mesh_request_failures_total', ASKED, ['reason']),
        legend: '{{reason}}',
        link: 'variable',
      }),
      lines({
        title: 'Retries of calls to it',
        description: 'By the caller that retried.',
        unit: 'reqps',
        expression: rate('mesh_request_retries_total', ASKED, ['service', 'namespace']),
        legend: '{{service}} {{namespace}}',
        link: 'series',
      }),
      lines({
        title: 'Requests in flight',
        description: 'At the last scrape.',
        unit: 'short',
        expression: sum('mesh_active_requests', OWN, ['instance']),
        legend: '{{instance}}',
        link: 'variable',
      }),
      lines({
        title: 'Its endpoints',
        description: 'As each caller’s sidecar knows them: fewest over the callers.',
        unit: 'short',
        expression: `min by (state) (mesh_endpoints{peer="$service"})`,
        legend: '{{state}}',
        link: 'variable',
      }),
    ],
  ],
};
