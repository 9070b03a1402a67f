/** Every form of the same moment's stats says the same: counts exactly, latencies as finely as the form allows. */

import { describe, expect, test } from 'vitest';
import type { StatsReading } from '../../server/envoy/stats.ts';
import { JsonStatsReader } from '../../server/envoy/stats-json.ts';
import { PrometheusStatsReader } from '../../server/envoy/stats-prometheus.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { binBounds, quantile, type SparseBins, sampleCount } from '../../server/model/histogram.ts';
import { capture, captureJson } from './captures.ts';

const VERSIONS = [
  { version: '1.36.4', boundsInclusive: false },
  { version: '1.40.0', boundsInclusive: true },
] as const;

const DETAILED = '1_stats_detailed_usedonly.txt';
const CUMULATIVE = '1_stats_cumulative_usedonly.json';
const PROMETHEUS = '1_stats_usedonly.prom';

interface Cumulative {
  stats: (
    | { name: string; value: number }
    | { histograms: { name: string; buckets: { upper_bound: number; interval: number; cumulative: number }[] }[] }
  )[];
}

/** The text that Envoy writes for `histogram_buckets=cumulative`, of which there is no capture, from its JSON. */
function cumulativeText({ stats }: Cumulative): Buffer {
  const lines = stats.flatMap((entry) => {
    if (!('histograms' in entry)) return [`${entry.name}: ${entry.value}`];
    return entry.histograms.map(({ name, buckets }) => {
      const texts = buckets.map(
        ({ upper_bound, interval, cumulative }) =>
          `B${upper_bound >= 1e6 ? upper_bound.toExponential() : upper_bound}(${interval},${cumulative})`,
      );
      return `${name}: ${texts.join(' ')}`;
    });
  });
  return Buffer.from(`${lines.join('\n')}\n`);
}

function scalars({ layout, values }: StatsReading): Map<string, number> {
  return new Map(layout.scalars.map((name, slot) => [name, values[slot] ?? Number.NaN]));
}

function histograms(reading: StatsReading): Map<string, SparseBins> {
  return new Map(
    reading.layout.histograms.map((name, slot) => {
      const [start, end] = [reading.binStarts[slot], reading.binStarts[slot + 1]];
      return [name, { keys: [...reading.binKeys.slice(start, end)], counts: [...reading.binCounts.slice(start, end)] }];
    }),
  );
}

describe.each(VERSIONS)('Envoy $version', ({ version, boundsInclusive }) => {
  const detailed = new TextStatsReader().read(capture(`${version}/${DETAILED}`));
  const bins = histograms(detailed);
  const bucketed = {
    'JSON, cumulative': new JsonStatsReader(boundsInclusive).read(capture(`${version}/${CUMULATIVE}`)),
    'text, cumulative': new TextStatsReader(boundsInclusive).read(
      cumulativeText(captureJson<Cumulative>(`${version}/${CUMULATIVE}`)),
    ),
    Prometheus: new PrometheusStatsReader(boundsInclusive).read(capture(`${version}/${PROMETHEUS}`)),
  };

  test.each(Object.entries(bucketed))('%s: every bucket is a sum of bins', (_, reading) => {
    let compared = 0;
    for (const [name, buckets] of histograms(reading)) {
      const fine = bins.get(name);
      if (!fine || !name.endsWith('rq_time') || name.startsWith('http.admin.')) continue;
      expect([name, sampleCount(buckets)]).toEqual([name, sampleCount(fine)]);
      buckets.keys.forEach((key, i) => {
        const [from, to] = binBounds(key);
        const within = fine.keys.map((fineKey, j) =>
          binBounds(fineKey)[0] >= from && binBounds(fineKey)[0] < to ? (fine.counts[j] ?? 0) : 0,
        );
        expect([name, from, to, buckets.counts[i]]).toEqual([
          name,
          from,
          to,
          within.reduce((sum, count) => sum + count, 0),
        ]);
      });
      compared++;
    }
    expect(compared).toBeGreaterThan(30);
  });

  test.each(Object.entries(bucketed))('%s: a percentile lies in the bucket that holds the true one', (_, reading) => {
    const buckets = histograms(reading).get('cluster.service_a.upstream_rq_time') ?? { keys: [], counts: [] };
    const fine = bins.get('cluster.service_a.upstream_rq_time') ?? { keys: [], counts: [] };
    for (const q of [0.5, 0.9, 0.99]) {
      const shown = quantile(buckets, q);
      const truth = quantile(fine, q).valueMs ?? Number.NaN;
      expect(shown.bin?.[0]).toBeLessThanOrEqual(truth);
      expect(shown.bin?.[1]).toBeGreaterThanOrEqual(truth);
    }
  });

  test('text and Prometheus have equal counters for every request figure', () => {
    const text = scalars(detailed);
    const prometheus = scalars(bucketed.Prometheus);
    const figures = [...text].filter(([name]) =>
      /^cluster\.[^.]+\.upstream_(?:rq_(?:[2-5]xx|completed|total|timeout|retry)|cx_connect_fail)$|^http\.(?!admin)[^.]+\.downstream_rq_(?:[2-5]xx|completed)$/.test(
        name,
      ),
    );
    expect(figures.length).toBeGreaterThan(150);
    for (const [name, value] of figures) expect([name, prometheus.get(name)]).toEqual([name, value]);
  });

  test('clusters with dots in their names are put together again', () => {
    const prometheus = scalars(bucketed.Prometheus);
    const text = scalars(detailed);
    for (const cluster of [
      'backend.default.svc.cluster.local',
      'outbound|8080|v1|reviews.default.svc.cluster.local',
      'web.default.dc1.internal.11111111-2222-3333-4444-555555555555.consul',
    ]) {
      const stat = `cluster.${cluster}.upstream_rq_completed`;
      expect([cluster, prometheus.get(stat)]).toEqual([cluster, text.get(stat)]);
      expect(prometheus.get(stat)).toBeGreaterThan(0);
    }
  });
});

describe('Prometheus text', () => {
  const read = (text: string) => scalars(new PrometheusStatsReader().read(Buffer.from(text)));
  const CASES: readonly [why: string, text: string, expected: Record<string, number>][] = [
    [
      'a class',
      'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="a"} 7\n',
      { 'cluster.a.upstream_rq_2xx': 7 },
    ],
    [
      'Istio names the class itself',
      'envoy_cluster_upstream_rq{response_code_class="5xx",cluster_name="a"} 7\n',
      { 'cluster.a.upstream_rq_5xx': 7 },
    ],
    [
      'single codes repeat the class',
      'envoy_cluster_upstream_rq{envoy_response_code="200",envoy_cluster_name="a"} 7\nenvoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 9\n',
      { 'cluster.a.upstream_rq_total': 9 },
    ],
    [
      'a copy',
      'envoy_cluster_external_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="a"} 7\nenvoy_cluster_zone_x_y_upstream_rq_completed{envoy_cluster_name="a"} 7\n',
      {},
    ],
    [
      'a listener repeats its connection manager',
      'envoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="in",envoy_listener_address="0.0.0.0_80"} 7\n',
      {},
    ],
    [
      'a series given twice is one',
      'envoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 3\nenvoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 4\n',
      { 'cluster.a.upstream_rq_total': 7 },
    ],
    [
      'escapes',
      'envoy_cluster_upstream_rq_total{envoy_cluster_name="a\\"b\\\\c}{ d"} 3\n',
      { 'cluster.a"b\\c}{ d.upstream_rq_total': 3 },
    ],
    [
      'foreign lines, exponents, timestamps, no end of line',
      '# HELP x y\nmy_app_total{a="envoy_cluster_"} 5\nenvoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 1.2e+03 1700000000000\nother 4\nenvoy_cluster_upstream_rq_retry{envoy_cluster_name="a"} 2',
      { 'cluster.a.upstream_rq_total': 1200, 'cluster.a.upstream_rq_retry': 2 },
    ],
    [
      'gRPC failures',
      'envoy_cluster_grpc_failure{envoy_grpc_bridge_service="S",envoy_grpc_bridge_method="M",envoy_cluster_name="a"} 4\n',
      { 'cluster.a.grpc.S.M.failure': 4 },
    ],
  ];

  test.each(CASES)('%s', (_, text, expected) => {
    expect(Object.fromEntries(read(text))).toEqual(expected);
  });

  test.each([
    ['', 'there is no metric of Envoy among the lines'],
    ['# HELP go_goroutines x\ngo_goroutines 5\n', 'there is no metric of Envoy among the lines'],
    ['envoy_cluster_upstream_rq_total{envoy_cluster_name="a} 5\n', 'not a line of Prometheus text'],
    ...['NaN', '-3', '+Inf', '-Inf', '1e400', 'many', ''].map((value): [string, string] => [
      `envoy_cluster_upstream_rq_total{envoy_cluster_name="a"} ${value}\n`,
      `"${value}" is no count`,
    ]),
    [
      `envoy_cluster_upstream_rq_total{envoy_cluster_name="${'x'.repeat(20_000)}"} 5\n`,
      'a line is longer than 16384 bytes',
    ],
  ])('bad text %# is refused', (text, reason) => {
    expect(() => read(text)).toThrow(reason);
  });

  test('the layout stays while the lines do, and follows them when they change', () => {
    const reader = new PrometheusStatsReader();
    const body = (count: number, more = '') =>
      Buffer.from(`envoy_cluster_upstream_rq_total{envoy_cluster_name="a"} ${count}\n${more}`);
    const first = reader.read(body(1));
    expect(reader.read(body(22)).layout).toBe(first.layout);
    const changed = reader.read(body(3, 'envoy_cluster_upstream_rq_total{envoy_cluster_name="b"} 4\n'));
    expect(Object.fromEntries(scalars(changed))).toEqual({
      'cluster.a.upstream_rq_total': 3,
      'cluster.b.upstream_rq_total': 4,
    });
  });
});
