import { expect, test } from 'vitest';
import type { RememberedTarget } from '../../server/live/live.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { liveWith } from '../live/live-targets.ts';
import { counters, failedScrape, flowKey, gauges, goodScrape, identity } from '../store/records.ts';
import { rendered as renderedMetrics } from './rendered.ts';

const NOW = 1_700_000_100_000;
const AT = 1_700_000_000_000;
const A = '10.0.0.1:9901';
const B = '10.0.0.2:9901';
const BUCKETS = [0.01, 0.1, 1];

function rendered(
  rounds: readonly ScrapeRecord[],
  { level = 'instance', remembered = [] }: { level?: 'service' | 'instance'; remembered?: RememberedTarget[] } = {},
): string {
  return renderedMetrics(liveWith(rounds, remembered).all(), { buckets: BUCKETS, level, now: NOW });
}

/** Lines of the samples whose names begin so. */
function samples(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name));
}

const shop = (target: string, requests: number, instance = 'shop-1') =>
  goodScrape({
    target,
    from: AT - 1000,
    to: AT,
    identity: { instance, region: 'eu', zone: `zone of ${instance}` },
    flows: [{ counters: { '2xx': requests }, gauges: { active_requests: 1 }, latency: { 20: requests } }],
  });

test('every series of a sidecar', () => {
  const record = goodScrape({
    target: A,
    from: AT - 1000,
    to: AT,
    identity: { service: 'checkout', namespace: 'prod', instance: 'checkout-1', region: 'eu', zone: 'eu-1' },
    flows: [
      {
        counters: { '2xx': 90, '4xx': 4, '5xx': 6, reset: 2, no_route: 1 },
        gauges: { active_requests: 3, active_connections: 5 },
        latency: { 0: 50, 9: 20, 10: 10, 99: 15, 2000: 5 },
      },
      {
        direction: 'outbound',
        peer: 'cart',
        counters: { '2xx': 40, timeout: 2, retries: 7 },
        gauges: { active_requests: 1, active_connections: 2, endpoints_total: 4, endpoints_healthy: 3 },
      },
    ],
    findings: { startedAt: NOW - 3_600_000, certificateExpiry: 1_800_000_000 },
  });
  expect(rendered([record])).toBe(`\
# HELP mesh_requests_total Completed requests by class of HTTP status.
# TYPE mesh_requests_total counter
mesh_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",code_class="2xx"} 90
mesh_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",code_class="3xx"} 0
mesh_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",code_class="4xx"} 4
mesh_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",code_class="5xx"} 6
mesh_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",code_class="2xx"} 40
mesh_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",code_class="3xx"} 0
mesh_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",code_class="4xx"} 0
mesh_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",code_class="5xx"} 0
# HELP mesh_failed_requests_total Completed requests that failed: HTTP 5xx, or a gRPC status other than 0.
# TYPE mesh_failed_requests_total counter
mesh_failed_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound"} 6
mesh_failed_requests_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart"} 0
# HELP mesh_request_failures_total Failure events by reason; tries fail too, so they may exceed failed requests.
# TYPE mesh_request_failures_total counter
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",reason="timeout"} 0
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",reason="connect"} 0
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",reason="reset"} 2
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",reason="overflow"} 0
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",reason="no_route"} 1
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",reason="timeout"} 2
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",reason="connect"} 0
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",reason="reset"} 0
mesh_request_failures_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",reason="overflow"} 0
# HELP mesh_request_retries_total Retried requests.
# TYPE mesh_request_retries_total counter
mesh_request_retries_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound"} 0
mesh_request_retries_total{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart"} 7
# HELP mesh_request_duration_seconds Latency of requests, from the bins of Envoy.
# TYPE mesh_request_duration_seconds histogram
mesh_request_duration_seconds_bucket{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",le="0.01"} 70
mesh_request_duration_seconds_bucket{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",le="0.1"} 95
mesh_request_duration_seconds_bucket{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",le="1"} 95
mesh_request_duration_seconds_bucket{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound",le="+Inf"} 100
mesh_request_duration_seconds_sum{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound"} 12.0625
mesh_request_duration_seconds_count{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound"} 100
mesh_request_duration_seconds_bucket{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",le="0.01"} 0
mesh_request_duration_seconds_bucket{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",le="0.1"} 0
mesh_request_duration_seconds_bucket{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",le="1"} 0
mesh_request_duration_seconds_bucket{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",le="+Inf"} 0
mesh_request_duration_seconds_sum{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart"} 0
mesh_request_duration_seconds_count{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart"} 0
# HELP mesh_active_requests Requests in flight at the last scrape.
# TYPE mesh_active_requests gauge
mesh_active_requests{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound"} 3
mesh_active_requests{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart"} 1
# HELP mesh_active_connections Open connections at the last scrape.
# TYPE mesh_active_connections gauge
mesh_active_connections{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="inbound"} 5
mesh_active_connections{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart"} 2
# HELP mesh_endpoints Endpoints of a peer as its callers know them.
# TYPE mesh_endpoints gauge
mesh_endpoints{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",state="total"} 4
mesh_endpoints{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",state="healthy"} 3
mesh_endpoints{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",direction="outbound",peer="cart",state="ejected"} 0
# HELP mesh_sidecar_up Whether the last scrape was good.
# TYPE mesh_sidecar_up gauge
mesh_sidecar_up{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1"} 1
# HELP mesh_sidecar_uptime_seconds Time since the Envoy process started.
# TYPE mesh_sidecar_uptime_seconds gauge
mesh_sidecar_uptime_seconds{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1"} 3600
# HELP mesh_sidecar_info Version and role of the Envoy.
# TYPE mesh_sidecar_info gauge
mesh_sidecar_info{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1",version="1.40.0",role="sidecar"} 1
# HELP mesh_sidecar_certificate_expiry_seconds Unix time at which the first certificate expires.
# TYPE mesh_sidecar_certificate_expiry_seconds gauge
mesh_sidecar_certificate_expiry_seconds{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1"} 1800000000
# HELP mesh_sidecar_scrape_duration_seconds Duration of the last scrape.
# TYPE mesh_sidecar_scrape_duration_seconds gauge
mesh_sidecar_scrape_duration_seconds{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1"} 0.00325
# HELP mesh_sidecar_scrape_body_bytes Size of the last answer.
# TYPE mesh_sidecar_scrape_body_bytes gauge
mesh_sidecar_scrape_body_bytes{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1"} 2048
# HELP mesh_sidecar_last_scrape_timestamp_seconds Unix time of the last scrape.
# TYPE mesh_sidecar_last_scrape_timestamp_seconds gauge
mesh_sidecar_last_scrape_timestamp_seconds{service="checkout",namespace="prod",region="eu",zone="eu-1",instance="checkout-1"} 1700000000
`);
});

test('without targets there is nothing', () => {
  expect(rendered([])).toBe('');
});

test('labels that are empty are left out, and what text may not hold is escaped', () => {
  const record = goodScrape({
    target: A,
    from: 0,
    to: 1,
    identity: { service: 'a "quoted" \\ back\nslash', instance: 'ü/日本' },
  });
  expect(samples(rendered([record]), 'mesh_sidecar_up')).toEqual([
    String.raw`mesh_sidecar_up{service="a \"quoted\" \\ back\nslash",instance="ü/日本"} 1`,
  ]);
});

test('at the level of services, instances and zones are summed away', () => {
  const text = rendered([shop(A, 30, 'shop-1'), shop(B, 12, 'shop-2')], { level: 'service' });
  expect(samples(text, 'mesh_requests_total').slice(0, 1)).toEqual([
    'mesh_requests_total{service="shop",region="eu",direction="inbound",code_class="2xx"} 42',
  ]);
  expect(samples(text, 'mesh_request_duration_seconds_')).toEqual([
    'mesh_request_duration_seconds_bucket{service="shop",region="eu",direction="inbound",le="0.01"} 0',
    'mesh_request_duration_seconds_bucket{service="shop",region="eu",direction="inbound",le="0.1"} 42',
    'mesh_request_duration_seconds_bucket{service="shop",region="eu",direction="inbound",le="1"} 42',
    'mesh_request_duration_seconds_bucket{service="shop",region="eu",direction="inbound",le="+Inf"} 42',
    'mesh_request_duration_seconds_sum{service="shop",region="eu",direction="inbound"} 0.861',
    'mesh_request_duration_seconds_count{service="shop",region="eu",direction="inbound"} 42',
  ]);
  expect(samples(text, 'mesh_active_requests')).toEqual([
    'mesh_active_requests{service="shop",region="eu",direction="inbound"} 2',
  ]);
});

test('a target that is down keeps its counters, and its gauges are left out', () => {
  const text = rendered([shop(A, 30), failedScrape(A, AT + 1000, 'gone')]);
  const labels = 'service="shop",region="eu",zone="zone of shop-1",instance="shop-1"';
  expect(samples(text, 'mesh_sidecar_up')).toEqual([`mesh_sidecar_up{${labels}} 0`]);
  expect(samples(text, 'mesh_requests_total')[0]).toBe(
    `mesh_requests_total{${labels},direction="inbound",code_class="2xx"} 30`,
  );
  expect(samples(text, 'mesh_active')).toEqual([]);
  expect(samples(text, 'mesh_sidecar_info')).toEqual([]);
  expect(samples(text, 'mesh_sidecar_last_scrape_timestamp_seconds')).toEqual([
    `mesh_sidecar_last_scrape_timestamp_seconds{${labels}} 1700000001`,
  ]);
});

test('the gauges of a service are those of its targets that are up', () => {
  const text = rendered([shop(A, 30), shop(B, 12), failedScrape(B, AT, 'gone')], { level: 'service' });
  expect(samples(text, 'mesh_active_requests')).toEqual([
    'mesh_active_requests{service="shop",region="eu",direction="inbound"} 1',
  ]);
});

test('a target that never answered has only its state, by what discovery says of it', () => {
  const text = rendered([failedScrape(A, AT, 'nothing listens there')]);
  expect(samples(text, 'mesh_')).toEqual([
    'mesh_sidecar_up{instance="10.0.0.1:9901"} 0',
    'mesh_sidecar_scrape_duration_seconds{instance="10.0.0.1:9901"} 0.25',
    'mesh_sidecar_last_scrape_timestamp_seconds{instance="10.0.0.1:9901"} 1700000000',
  ]);
});

test('targets that go by the same labels are counted together, and told apart by their addresses', () => {
  const text = rendered([shop(A, 30), shop(B, 12)]);
  expect(samples(text, 'mesh_requests_total')).toHaveLength(4);
  expect(samples(text, 'mesh_requests_total')[0]).toMatch(/instance="shop-1".* 42$/);
  expect(samples(text, 'mesh_sidecar_up')).toEqual([
    'mesh_sidecar_up{service="shop",region="eu",zone="zone of shop-1",instance="10.0.0.1:9901"} 1',
    'mesh_sidecar_up{service="shop",region="eu",zone="zone of shop-1",instance="10.0.0.2:9901"} 1',
  ]);
});

/** What an earlier life of the collector had counted. */
const before = (target: string, requests: number, instance: string): RememberedTarget => ({
  target,
  identity: identity({ instance, region: 'eu' }),
  inbound: true,
  flows: FlowTotals.of([
    { flow: flowKey({}), counters: counters({ '2xx': requests }), gauges: gauges(), bins: { keys: [], counts: [] } },
  ]),
});

test('after a restart nothing is said of a target that has not been scraped yet', () => {
  expect(rendered([], { remembered: [before(A, 70, 'shop-1')] })).toBe('');
});

test('after a restart a target that is down has the counters that it had', () => {
  const text = rendered([failedScrape(A, AT, 'gone')], { remembered: [before(A, 70, 'shop-1')] });
  expect(samples(text, 'mesh_requests_total')[0]).toBe(
    'mesh_requests_total{service="shop",region="eu",instance="shop-1",direction="inbound",code_class="2xx"} 70',
  );
  expect(samples(text, 'mesh_sidecar_up')).toEqual(['mesh_sidecar_up{service="shop",region="eu",instance="shop-1"} 0']);
});

test.each<[name: string, rounds: ScrapeRecord[], requests: string[]]>([
  ['one instance is scraped', [shop(A, 75, 'shop-1')], []],
  ['both are', [shop(A, 75, 'shop-1'), shop(B, 31, 'shop-2')], ['106']],
  ['the other one is down', [shop(A, 75, 'shop-1'), failedScrape(B, AT, 'gone')], ['105']],
])("after a restart, a service's sum waits for all its instances: %s", (_, rounds, requests) => {
  const remembered = [before(A, 70, 'shop-1'), before(B, 30, 'shop-2')];
  const text = rendered(rounds, { level: 'service', remembered });
  expect(samples(text, 'mesh_requests_total{service="shop",region="eu",direction="inbound",code_class="2xx"}')).toEqual(
    requests.map(
      (count) => `mesh_requests_total{service="shop",region="eu",direction="inbound",code_class="2xx"} ${count}`,
    ),
  );
});

test('failed requests are those of the API, each once, whatever failed', () => {
  const failed = { '2xx': 9, '5xx': 2, grpc_failed: 1, unclassed: 3, unclassed_failed: 1, timeout: 5, reset: 7 };
  const record = goodScrape({ target: A, from: AT - 1000, to: AT, flows: [{ counters: failed }] });
  expect(samples(rendered([record]), 'mesh_failed_requests_total')).toEqual([
    'mesh_failed_requests_total{service="shop",instance="shop-1",direction="inbound"} 4',
  ]);
});

test('requests whose class is unknown are counted, too', () => {
  const record = goodScrape({
    target: A,
    from: AT - 1000,
    to: AT,
    flows: [{ direction: 'outbound', peer: 'cart', counters: { '2xx': 4, unclassed: 3, unclassed_failed: 1 } }],
  });
  const counted = samples(rendered([record]), 'mesh_requests_total').map((line) =>
    line.slice(line.indexOf('code_class')),
  );
  expect(counted).toEqual([
    'code_class="2xx"} 4',
    'code_class="3xx"} 0',
    'code_class="4xx"} 0',
    'code_class="5xx"} 0',
    'code_class="unknown"} 3',
  ]);
});
