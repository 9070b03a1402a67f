/** Istio's own metrics, as its sidecars tell them on ports 15020 and 15090. */

import { expect, test } from 'vitest';
import { PrometheusStatsReader } from '../../server/envoy/stats-prometheus.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import {
  CODE_CLASSES,
  COUNTER_INDEX,
  COUNTERS,
  FAILURE_REASONS,
  failureCount,
  GAUGE_INDEX,
} from '../../server/model/flow.ts';
import { quantile, sampleCount } from '../../server/model/histogram.ts';

interface Series {
  readonly reporter: 'source' | 'destination';
  readonly to: string;
  readonly code: string;
  readonly grpc?: string;
  readonly flags?: string;
  readonly count: number;
}

function labels({ reporter, to, code, grpc = '', flags = '-' }: Series): string {
  const pairs = {
    reporter,
    source_workload: 'web',
    destination_service_name: to,
    destination_service_namespace: 'shop',
    response_code: code,
    grpc_response_status: grpc,
    response_flags: flags,
  };
  return Object.entries(pairs)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');
}

function body(series: readonly Series[]): Buffer {
  const counters = series.map((one) => `istio_requests_total{${labels(one)}} ${one.count}`);
  const latencies = series.flatMap((one) => [
    `istio_request_duration_milliseconds_bucket{${labels(one)},le="5"} 0`,
    `istio_request_duration_milliseconds_bucket{${labels(one)},le="10"} ${one.count}`,
    `istio_request_duration_milliseconds_bucket{${labels(one)},le="+Inf"} ${one.count}`,
    `istio_request_duration_milliseconds_sum{${labels(one)}} 1`,
    `istio_request_duration_milliseconds_count{${labels(one)}} ${one.count}`,
  ]);
  const ignored = [
    'envoy_cluster_upstream_rq_total{cluster_name="outbound|80||cart.shop.svc.cluster.local"} 99',
    'istio_request_bytes_sum{reporter="source"} 5',
    'my_app_requests_total 7',
  ];
  return Buffer.from(`# TYPE istio_requests_total counter\n${[...counters, ...latencies, ...ignored].join('\n')}\n`);
}

/** Increments between two answers. */
function grown(first: readonly Series[], second: readonly Series[]) {
  return observed([body(first), body(second)]);
}

/** What the second answer brought. */
function observed([first, second]: readonly [Buffer, Buffer]) {
  const reader = new PrometheusStatsReader();
  const mesh = new TargetMesh({
    labels: { service: 'web' },
    address: 'a:15020',
    host: 'a',
    rules: NO_RULES,
    seriesLimit: 1000,
    stored: undefined,
  });
  const scrape = (answer: Buffer, at: number) =>
    mesh.observe({
      reading: reader.read(answer),
      precision: 'buckets',
      at,
      info: undefined,
      infoAt: at,
      managers: new Set(),
      previousRound: null,
    });
  scrape(first, 1000);
  return scrape(second, 2000);
}

const ok: Series = { reporter: 'source', to: 'cart', code: '200', count: 10 };

test('requests by peer and class, from both ends, and nothing of Envoy besides', () => {
  const inbound: Series = { reporter: 'destination', to: 'web', code: '404', count: 3 };
  const { observation, inbound: seen } = grown(
    [ok, inbound],
    [
      { ...ok, count: 15 },
      { ...inbound, count: 4 },
    ],
  );
  const counts = observation.flows.map(({ flow, counters }) => [
    flow.direction,
    flow.peer,
    flow.peerNamespace,
    CODE_CLASSES.map((name) => counters[COUNTER_INDEX[name]]),
  ]);
  expect(counts).toEqual([
    ['outbound', 'cart', 'shop', [5, 0, 0, 0]],
    ['inbound', '', '', [0, 0, 1, 0]],
  ]);
  expect(seen).toBe(true);
});

test.each<[string, Partial<Series>, failed: number, reasons: Record<string, number>]>([
  ['a 5xx', { code: '503' }, 5, {}],
  ['a gRPC status under 200', { grpc: '13' }, 5, {}],
  ['gRPC status 0', { grpc: '0' }, 0, {}],
  ['a gRPC status under 503 is one failure', { code: '503', grpc: '14' }, 5, {}],
  ['a timeout', { code: '504', flags: 'UT' }, 5, { timeout: 5 }],
  ['no connection', { code: '503', flags: 'UF,URX' }, 5, { connect: 5 }],
  ['a full circuit breaker', { code: '503', flags: 'UO' }, 5, { overflow: 5 }],
  ['no route', { code: '404', flags: 'NR' }, 0, { no_route: 5 }],
])('%s', (_, kind, failed, reasons) => {
  const series = { ...ok, ...kind };
  const counters =
    grown([{ ...series, count: 1 }], [{ ...series, count: 6 }]).observation.flows[0]?.counters ?? new Float64Array();
  expect(failureCount(counters)).toBe(failed);
  const events = FAILURE_REASONS.flatMap((reason) =>
    counters[COUNTER_INDEX[reason]] ? [[reason, counters[COUNTER_INDEX[reason]]]] : [],
  );
  expect(Object.fromEntries(events)).toEqual(reasons);
});

test('a request that the caller gave up is none', () => {
  const gone = { ...ok, code: '0', flags: 'DC' };
  const flows = grown([ok, gone], [ok, { ...gone, count: 20 }]).observation.flows;
  expect(flows.map(({ counters }) => counters[COUNTER_INDEX['2xx']])).toEqual([0]);
});

test('gRPC failures of a peer stand beside the 5xx of another', () => {
  const failing: Series = { ...ok, to: 'stock', grpc: '5', count: 1 };
  const broken: Series = { ...ok, code: '503', count: 1 };
  const flows = grown(
    [broken, failing],
    [
      { ...broken, count: 9 },
      { ...failing, count: 4 },
    ],
  ).observation.flows;
  expect(flows.map(({ flow, counters }) => [flow.peer, failureCount(counters)])).toEqual([
    ['cart', 8],
    ['stock', 3],
  ]);
});

/** TCP and bytes of one caller of `store`, in the form that Istio's sidecars have. */
function tcpBody(reporter: 'source' | 'destination', times: number): Buffer {
  const tcp = `{reporter="${reporter}",source_workload="web",destination_service_name="store",destination_service_namespace="shop",request_protocol="tcp",response_flags="-"}`;
  const http = `{reporter="${reporter}",source_workload="web",destination_service_name="store",destination_service_namespace="shop",request_protocol="http",response_code="200",response_flags="-"}`;
  return Buffer.from(
    [
      '# TYPE istio_tcp_connections_opened_total counter',
      `istio_tcp_connections_opened_total${tcp} ${7 * times}`,
      `istio_tcp_connections_closed_total${tcp} ${4 * times}`,
      `istio_tcp_sent_bytes_total${tcp} ${5000 * times}`,
      `istio_tcp_received_bytes_total${tcp} ${300 * times}`,
      `istio_requests_total${http} ${2 * times}`,
      `istio_request_bytes_bucket${http.replace('}', ',le="1000"}')} ${2 * times}`,
      `istio_request_bytes_sum${http} ${40 * times}`,
      `istio_request_bytes_count${http} ${2 * times}`,
      `istio_response_bytes_sum${http} ${60 * times}`,
      `istio_response_bytes_count${http} ${2 * times}`,
      '',
    ].join('\n'),
  );
}

test.each([
  ['source', 'outbound', { bytes_rx: 5060, bytes_tx: 340 }],
  ['destination', 'inbound', { bytes_rx: 340, bytes_tx: 5060 }],
] as const)('connections and bytes by reporter %s', (reporter, direction, bytes) => {
  const { observation } = observed([tcpBody(reporter, 1), tcpBody(reporter, 2)]);
  const [flow, ...others] = observation.flows;
  expect(others).toEqual([]);
  expect(flow?.flow).toMatchObject({ direction, peer: direction === 'outbound' ? 'store' : '' });
  const counts = Object.fromEntries(COUNTERS.map((name, index) => [name, flow?.counters[index]]));
  expect(counts).toMatchObject({ '2xx': 2, '5xx': 0, connections: 7, connect: 0, reset: 0, ...bytes });
  expect(flow?.gauges[GAUGE_INDEX.active_connections]).toBe(6);
  expect(flow?.gauges[GAUGE_INDEX.active_requests]).toBe(0);
});

test('latency by bucket', () => {
  const { bins } = grown([ok], [{ ...ok, count: 30 }]).observation.flows[0] ?? { bins: { keys: [], counts: [] } };
  expect(sampleCount(bins)).toBe(20);
  expect(quantile(bins, 0.5)).toEqual({ valueMs: 7.5, bin: [5, 10], capped: false });
});

test('a series that is dropped and told again counts from zero, the others go on', () => {
  const other: Series = { ...ok, code: '500', count: 7 };
  const flow = grown([ok, other], [{ ...ok, count: 12 }]).observation.flows[0];
  expect(flow?.counters[COUNTER_INDEX['2xx']]).toBe(2);
  expect(flow?.counters[COUNTER_INDEX['5xx']]).toBe(0);
});
