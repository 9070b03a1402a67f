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
  description: 'Sidelight itself: scrapes, database, what it pushes, memory and processor.',
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
      stat({
        title: 'Scrapes lost',
        description: 'Neither stored nor kept until they could be, since the collectors started.',
        unit: 'short',
        thresholds: { bad: 1 },
        expression: `sum(sidelight_store_lost_scrapes{${CHOSEN}})`,
      }),
      stat({
        title: 'Threads of the database lost',
        description: 'Ended by themselves and were replaced, since the collectors started; the logs say why.',
        unit: 'short',
        thresholds: { warning: 1, bad: 5 },
        expression: `sum(sidelight_store_threads_lost_total{${CHOSEN}})`,
      }),
    ],
    [
      {
        kind: 'lines',
        title: 'Scrapes',
        description: 'Of sidecars, by result; skipped: the interval passed before the collector could begin.',
        unit: 'ops',
        min: 0,
        queries: [
          { expression: rate('sidelight_scrapes_total', CHOSEN, ['result']), legend: '{{result}}' },
          { expression: rate('sidelight_scrapes_skipped_total', CHOSEN, ['instance']), legend: 'skipped {{instance}}' },
        ],
      },
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
      {
        kind: 'lines',
        title: 'Remote write: samples',
        description:
          'Those that receivers took, and those that were given up: the queue was full, or they were refused.',
        unit: 'ops',
        min: 0,
        queries: [
          {
            expression: rate('sidelight_remote_write_samples_sent_total', CHOSEN, ['receiver']),
            legend: 'sent {{receiver}}',
          },
          {
            expression: rate('sidelight_remote_write_samples_dropped_total', CHOSEN, ['receiver', 'reason']),
            legend: 'given up: {{reason}} {{receiver}}',
          },
        ],
      },
      gauge({
        title: 'Remote write: age of what waits',
        description: 'Of the oldest sample that a receiver has not taken yet.',
        unit: 's',
        thresholds: { warning: 60, bad: 300 },
        metric: 'sidelight_remote_write_lag_seconds',
        legend: '{{receiver}} {{instance}}',
      }),
      {
        kind: 'lines',
        title: 'Remote write: queue',
        description: 'Its size, and the largest that it may have (queue.max_size); then the oldest makes room.',
        unit: 'bytes',
        min: 0,
        queries: [
          { expression: `sidelight_remote_write_queue_bytes{${CHOSEN}}`, legend: '{{receiver}} {{instance}}' },
          { expression: `sidelight_remote_write_queue_max_bytes{${CHOSEN}}`, legend: 'most {{receiver}} {{instance}}' },
        ],
      },
    ],
    [
      lines({
        title: 'Remote write: requests',
        description: 'By result: those that failed are made again, those that were refused are not.',
        unit: 'ops',
        expression: rate('sidelight_remote_write_requests_total', CHOSEN, ['receiver', 'result']),
        legend: '{{result}} {{receiver}}',
      }),
      lines({
        title: 'OTLP: requests',
        description: 'By result: retry are those that failed and are made again.',
        unit: 'ops',
        expression: rate('sidelight_otlp_requests_total', CHOSEN, ['result']),
        legend: '{{result}}',
      }),
      lines({
        title: 'OTLP: points',
        description: 'Accepted, left out by the receiver, or dropped with a request that it refused.',
        unit: 'ops',
        expression: rate('sidelight_otlp_points_total', CHOSEN, ['result']),
        legend: '{{result}}',
      }),
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
