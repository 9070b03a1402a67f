import type { Board } from './board.ts';
import { lines, stat } from './mesh-panels.ts';
import type { Panel } from './panel.ts';
import { quantile, rate } from './queries.ts';

/** `instance` is Prometheus's own: the address that it scraped. */
const CHOSEN = 'instance=~"$collector"';

type Gauge = Omit<Panel, 'kind' | 'queries'> & { readonly metric: string; readonly legend?: string };

const gauge = ({ metric, legend = '{{instance}}', ...panel }: Gauge): Panel =>
  lines({ ...panel, expression: `${metric}{${CHOSEN}}`, legend });

const duration = (title: string, description: string, histogram: string): Panel => ({
  kind: 'lines',
  title,
  description,
  unit: 's',
  min: 0,
  queries: [0.5, 0.99].map((q) => ({
    expression: quantile(q, histogram, { match: CHOSEN, by: ['instance'] }),
    legend: `p${q * 100} {{instance}}`,
  })),
});

export const COLLECTOR: Board = {
  name: 'collector',
  title: 'Sidelight / Collector',
  description: 'Sidelight itself: scrapes, database, memory and processor.',
  variables: [{ name: 'collector', label: 'Collector', metric: 'sidelight_build_info', of: 'instance', many: true }],
  rows: [
    [
      stat({
        title: 'Targets up',
        description: 'Of all collectors that are chosen.',
        unit: 'short',
        expression: `sum(sidelight_targets{${CHOSEN}, health="up"})`,
      }),
      stat({
        title: 'Targets down',
        description: 'Of all collectors that are chosen.',
        unit: 'short',
        thresholds: { bad: 1 },
        expression: `sum(sidelight_targets{${CHOSEN}, health="down"})`,
      }),
      stat({
        title: 'Database can’t be written',
        description: 'Collectors that can’t store; their logs say why.',
        unit: 'short',
        thresholds: { bad: 1 },
        expression: `sum(sidelight_store_failing{${CHOSEN}})`,
      }),
      stat({
        title: 'Configuration refused',
        description: 'Collectors that go on with an earlier one; their logs say why.',
        unit: 'short',
        thresholds: { bad: 1 },
        expression: `sum(1 - sidelight_config_last_reload_successful{${CHOSEN}})`,
      }),
    ],
    [
      lines({
        title: 'Scrapes',
        description: 'Of sidecars, by result.',
        unit: 'ops',
        expression: rate('sidelight_scrapes_total', CHOSEN, ['result']),
        legend: '{{result}}',
      }),
      duration('Duration of scrapes', 'Within the buckets of the metric.', 'sidelight_scrape_duration_seconds'),
      gauge({
        title: 'Dropped targets',
        description: 'Discovered, and no target: dropped by a rule, or with an address that is none.',
        unit: 'short',
        metric: 'sidelight_discovery_dropped_targets',
      }),
    ],
    [
      gauge({
        title: 'Age of what is stored',
        description: 'Time since the newest scrape that is stored.',
        unit: 's',
        thresholds: { warning: 60, bad: 300 },
        metric: 'sidelight_store_lag_seconds',
      }),
      duration('Duration of storing', 'Of one round of scrapes.', 'sidelight_store_append_duration_seconds'),
      {
        kind: 'lines',
        title: 'Scrapes not stored',
        description: 'Those that wait, added up, and those that are lost.',
        unit: 'short',
        min: 0,
        thresholds: { bad: 1 },
        queries: [
          { expression: `sidelight_store_waiting_scrapes{${CHOSEN}}`, legend: 'waiting {{instance}}' },
          { expression: `sidelight_store_lost_scrapes{${CHOSEN}}`, legend: 'lost {{instance}}' },
        ],
      },
    ],
    [
      {
        kind: 'lines',
        title: 'Database',
        description: 'Size of the file, what of it is in use, and the most that may be (storage.max_size).',
        unit: 'bytes',
        min: 0,
        queries: [
          { expression: `sidelight_store_file_bytes{${CHOSEN}}`, legend: 'file {{instance}}' },
          { expression: `sidelight_store_used_bytes{${CHOSEN}}`, legend: 'in use {{instance}}' },
          { expression: `sidelight_store_max_bytes{${CHOSEN}}`, legend: 'most {{instance}}' },
        ],
      },
      gauge({
        title: 'Database by resolution',
        description: 'Size of the figures of each.',
        unit: 'bytes',
        metric: 'sidelight_store_tier_bytes',
        legend: '{{tier}} {{instance}}',
      }),
      {
        kind: 'lines',
        title: 'How long it reaches',
        description: 'How long each resolution can be kept within the largest size, and how long it is to be.',
        unit: 's',
        min: 0,
        queries: [
          { expression: `sidelight_store_tier_kept_seconds{${CHOSEN}}`, legend: '{{tier}} can be kept {{instance}}' },
          { expression: `sidelight_store_tier_retention_seconds{${CHOSEN}}`, legend: '{{tier}} is to be {{instance}}' },
        ],
      },
    ],
    [
      lines({
        title: 'Processor',
        description: 'Cores in use.',
        unit: 'percentunit',
        expression: rate('sidelight_process_cpu_seconds_total', CHOSEN, ['instance']),
        legend: '{{instance}}',
      }),
      gauge({
        title: 'Memory',
        description: 'Resident.',
        unit: 'bytes',
        metric: 'sidelight_process_resident_memory_bytes',
      }),
      gauge({
        title: 'Delay of the event loop, p99',
        description: 'How late it gets to what is due.',
        unit: 's',
        thresholds: { warning: 0.05, bad: 0.5 },
        metric: 'sidelight_nodejs_eventloop_lag_p99_seconds',
      }),
    ],
  ],
};
