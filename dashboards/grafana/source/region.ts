import { type Board, NAMESPACE } from './board.ts';
import { failures, INBOUND, latency, lines, requestRate } from './mesh-panels.ts';
import { rate } from './queries.ts';

const CHOSEN = `${INBOUND}, region=~"$region"`;
const regions = { match: CHOSEN, by: ['region'], legend: '{{region}}' } as const;
const zones = { match: CHOSEN, by: ['region', 'zone'], legend: '{{region}} {{zone}}' } as const;
const services = {
  match: CHOSEN,
  by: ['service', 'namespace', 'region'],
  legend: '{{service}} {{namespace}} in {{region}}',
  link: 'series',
} as const;

export const REGION: Board = {
  name: 'region',
  title: 'Sidelight / Region',
  description: 'Where requests are served: by region, by zone, and each service by region.',
  variables: [NAMESPACE, { name: 'region', label: 'Region', metric: 'mesh_sidecar_up', of: 'region', many: true }],
  rows: [
    [
      requestRate('Requests by region', regions),
      lines({
        title: 'Share of requests by region',
        description: 'Of the requests of the chosen regions.',
        unit: 'percentunit',
        expression: `${rate('mesh_requests_total', CHOSEN, ['region'])} / on () group_left () (${rate('mesh_requests_total', CHOSEN, [])} > 0)`,
        legend: '{{region}}',
      }),
    ],
    [failures('Failed by region', regions), latency('p99 by region', 0.99, regions)],
    [requestRate('Requests by zone', zones), failures('Failed by zone', zones), latency('p99 by zone', 0.99, zones)],
    [
      requestRate('Requests of services', services),
      failures('Failed of services', services),
      latency('p99 of services', 0.99, services),
    ],
    [
      lines({
        title: 'Sidecars up',
        description: 'Whose last scrape was good.',
        unit: 'short',
        expression: 'sum by (region) (mesh_sidecar_up{namespace=~"$namespace", region=~"$region"})',
        legend: '{{region}}',
      }),
      lines({
        title: 'Sidecars down',
        description: 'Whose last scrape failed.',
        unit: 'short',
        thresholds: { bad: 1 },
        expression:
          'count by (region) (mesh_sidecar_up{namespace=~"$namespace", region=~"$region"}) - sum by (region) (mesh_sidecar_up{namespace=~"$namespace", region=~"$region"})',
        legend: '{{region}}',
      }),
    ],
  ],
};
