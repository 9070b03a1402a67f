import { type Board, NAMESPACE } from './board.ts';
import { lines, stat } from './mesh-panels.ts';
import { sum } from './queries.ts';

const CHOSEN = 'namespace=~"$namespace", service=~"$service", instance=~"$instance"';
const LEGEND = '{{service}} {{instance}}';

export const SIDECAR: Board = {
  name: 'sidecar',
  title: 'Sidelight / Sidecar',
  description: 'The Envoys themselves: whether they answer, since when they run, and how their scrapes go.',
  variables: [
    NAMESPACE,
    {
      name: 'service',
      label: 'Service',
      metric: 'mesh_sidecar_up{namespace=~"$namespace"}',
      of: 'service',
      many: true,
    },
    {
      name: 'instance',
      label: 'Instance',
      metric: 'mesh_sidecar_up{namespace=~"$namespace", service=~"$service"}',
      of: 'instance',
      many: true,
    },
  ],
  rows: [
    [
      stat({
        title: 'Up',
        description: 'Sidecars whose last scrape was good.',
        unit: 'short',
        expression: sum('mesh_sidecar_up', CHOSEN, []),
      }),
      stat({
        title: 'Down',
        description: 'Sidecars whose last scrape failed.',
        unit: 'short',
        thresholds: { bad: 1 },
        expression: `count(mesh_sidecar_up{${CHOSEN}}) - sum(mesh_sidecar_up{${CHOSEN}})`,
      }),
      stat({
        title: 'Youngest',
        description: 'Time since the last of the Envoy processes started.',
        unit: 's',
        expression: `min(mesh_sidecar_uptime_seconds{${CHOSEN}})`,
      }),
      stat({
        title: 'Longest without a scrape',
        description: 'Since the last attempt at any of them.',
        unit: 's',
        thresholds: { warning: 60, bad: 300 },
        expression: `max(time() - mesh_sidecar_last_scrape_timestamp_seconds{${CHOSEN}})`,
      }),
    ],
    [
      lines({
        title: 'Up by sidecar',
        description: '1 where the last scrape was good, else 0.',
        unit: 'short',
        expression: `mesh_sidecar_up{${CHOSEN}}`,
        legend: LEGEND,
        link: 'series',
      }),
      lines({
        title: 'Envoys by version and role',
        description: 'Of those that answer.',
        unit: 'short',
        expression: sum('mesh_sidecar_info', CHOSEN, ['version', 'role']),
        legend: '{{version}} {{role}}',
      }),
    ],
    [
      lines({
        title: 'Uptime',
        description: 'A fall is a restart.',
        unit: 's',
        expression: `mesh_sidecar_uptime_seconds{${CHOSEN}}`,
        legend: LEGEND,
        link: 'series',
      }),
      lines({
        title: 'Open connections',
        description: 'Of callers, at the last scrape.',
        unit: 'short',
        expression: sum('mesh_active_connections', `direction="inbound", ${CHOSEN}`, ['service', 'instance']),
        legend: LEGEND,
        link: 'series',
      }),
    ],
    [
      lines({
        title: 'Duration of scrapes',
        description: 'Of the last scrape.',
        unit: 's',
        thresholds: { bad: 1 },
        expression: `mesh_sidecar_scrape_duration_seconds{${CHOSEN}}`,
        legend: LEGEND,
        link: 'series',
      }),
      lines({
        title: 'Size of answers',
        description: 'Of the last scrape.',
        unit: 'bytes',
        expression: `mesh_sidecar_scrape_body_bytes{${CHOSEN}}`,
        legend: LEGEND,
        link: 'series',
      }),
      lines({
        title: 'Ejected endpoints',
        description: 'That the sidecars leave out since they failed.',
        unit: 'short',
        thresholds: { bad: 1 },
        expression: sum('mesh_endpoints', `state="ejected", ${CHOSEN}`, ['service', 'peer']),
        legend: '{{service}} → {{peer}}',
        link: 'series',
      }),
    ],
  ],
};
