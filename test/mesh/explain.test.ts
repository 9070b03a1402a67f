import { describe, expect, test } from 'vitest';
import { hasInclusiveBounds } from '../../server/envoy/requests.ts';
import { parseServerInfo } from '../../server/envoy/server-info.ts';
import { formOf, readerOf } from '../../server/envoy/stats-form.ts';
import { unreadLines } from '../../server/envoy/unread-lines.ts';
import { type ExplainInput, type Explanation, explain } from '../../server/mesh/explain.ts';
import { compileNamingRules, NO_RULES } from '../../server/mesh/naming-rules.ts';
import { capture } from '../envoy/captures.ts';

const INFO = parseServerInfo(capture('1.40.0/server_info.json'));

function explained(body: Buffer, given: Partial<ExplainInput> = {}): Explanation {
  const form = formOf(body);
  const reader = readerOf(form, hasInclusiveBounds(given.info?.version ?? ''));
  const reading = reader.read(body);
  return explain({
    labels: {},
    address: '10.0.0.5:9901',
    addressIs: 'address',
    host: '10.0.0.5',
    info: undefined,
    form,
    bytes: body.length,
    reading,
    unread: unreadLines(body, form),
    precision: reader.precision,
    managers: new Set(),
    rules: NO_RULES,
    seriesLimit: 20_000,
    ...given,
  });
}

/** An answer as text: every name counts one, every histogram has one sample of a millisecond. */
function bodyOf(scalars: readonly string[], histograms: readonly string[] = []): Buffer {
  const lines = scalars.map((name) => `${name}: 1\n`);
  const bins = histograms.map((name) => `${name}:\n  totals=1,0.1:1\n  intervals=\n  summary=P0(nan,1)\n`);
  return Buffer.from([...lines, ...bins].join(''));
}

const cluster = (name: string) => [
  `cluster.${name}.membership_total`,
  `cluster.${name}.upstream_rq_2xx`,
  `cluster.${name}.upstream_rq_completed`,
];
const manager = (prefix: string) => [`http.${prefix}.downstream_rq_2xx`, `http.${prefix}.downstream_rq_completed`];

const clustersOf = ({ clusters }: Explanation) =>
  Object.fromEntries(
    clusters.map(({ name, is, by, service, namespace }) => [
      name,
      is === 'peer' ? `${service}/${namespace} by ${by}` : `${is} by ${by}`,
    ]),
  );
const managersOf = ({ managers }: Explanation) =>
  Object.fromEntries(managers.map(({ name, is, by }) => [name, `${is} by ${by}`]));
const figuresOf = ({ figures }: Explanation) =>
  Object.fromEntries(figures.map(({ figure, inbound, outbound, target }) => [figure, [inbound, outbound, target]]));
const ignoredOf = ({ ignored }: Explanation) => Object.fromEntries(ignored.map(({ why, stats }) => [why, stats]));
const usesOf = ({ stats }: Explanation) =>
  Object.fromEntries(
    stats.map(({ name, figures, why }) => [
      name,
      why || figures.map(({ figure, direction }) => `${direction} ${figure}`.trim()).join(', '),
    ]),
  );

describe('a real Envoy with everything', () => {
  const text = explained(capture('1.40.0/1_stats_detailed_usedonly.txt'), { info: INFO });
  const prometheus = explained(capture('1.40.0/1_stats_usedonly.prom'), { info: INFO });

  test('who it is and what tells it', () => {
    expect(text.identity).toEqual({
      service: { value: 'lab', from: 'node.cluster of /server_info' },
      instance: { value: 'rich-1', from: 'node.id of /server_info' },
      namespace: { value: '', from: '' },
      region: { value: 'eu-west-1', from: 'node.locality of /server_info' },
      zone: { value: 'eu-west-1a', from: 'node.locality of /server_info' },
      role: { value: 'sidecar', from: 'the local cluster inbound|9080||' },
    });
    expect(text).toMatchObject({
      envoyVersion: '1.40.0',
      vantage: { value: 'server' },
      source: { value: 'downstream', from: 'the inbound connection managers' },
      grpcFailures: { value: 'grpc_stats', from: '9 stats cluster.….grpc.….failure' },
    });
  });

  test('connection managers', () => {
    expect(managersOf(text)).toEqual({
      admin: 'infrastructure by its name',
      egress_http: 'outbound by its name',
      ingress_http: 'inbound by its name',
      ingress_https: 'inbound by its name',
    });
  });

  test('clusters by their recognisers', () => {
    expect(clustersOf(text)).toMatchObject({
      'inbound|9080||': 'local by Istio',
      local_app: 'local by Consul',
      localhost_8080: 'local by localhost:port',
      'backend.default.svc.cluster.local': 'backend/default by Kubernetes host',
      'outbound|8080|v1|reviews.default.svc.cluster.local': 'reviews/default by Istio',
      'web.default.dc1.internal.11111111-2222-3333-4444-555555555555.consul': 'web/default by Consul',
      service_a: 'service_a/ by the name as it is',
    });
  });

  test('every line is used or has a reason, and copies have theirs', () => {
    const { answer, stats } = text;
    expect(stats.filter(({ figures, why }) => figures.length > 0 === (why !== ''))).toEqual([]);
    expect(answer.used + answer.ignored).toBe(stats.length);
    expect(ignoredOf(text)).toMatchObject({
      'copy: internal requests are in the plain stat already': 4,
      'copy: external requests are in the plain stat already': 283,
      'copy: requests to canaries are in the plain stat already': 8,
      'copy: retries, which are tries and no requests': 6,
      'copy: requests from zone to zone are in the plain stat already': 271,
      'of a connection manager that is infrastructure (admin)': 17,
    });
  });

  test('the same figures from Prometheus, in buckets', () => {
    const { 'certificate expiry': expiry, 'connection duration': durations, ...others } = figuresOf(text);
    expect([expiry, durations]).toEqual([
      [0, 0, 4],
      [0, 2, 0],
    ]);
    expect(figuresOf(prometheus)).toEqual(others);
    expect([text.precision.value, prometheus.precision.value]).toEqual(['bins', 'buckets']);
    expect(prometheus.advice[0]).toMatch(/^percentiles are only as fine as the buckets/);
  });
});

test('an idle Envoy, saved without parameters', () => {
  const idle = explained(capture('1.40.0/idle_stats.txt'), {
    addressIs: 'file name',
    address: 'idle.txt',
    host: 'idle.txt',
  });
  expect(idle.identity.service).toEqual({ value: 'idle.txt', from: 'file name' });
  expect(idle.precision).toEqual({ value: 'none', from: "histograms come as Envoy's own quantiles" });
  expect(idle.advice.map((line) => line.split(/[:(]/)[0])).toEqual([
    'the service is unknown',
    'histograms come as quantiles ',
    'if calls are gRPC',
  ]);
});

describe('shapes of three-services', () => {
  const labels = { service: 'service_a', region: 'eu' };

  test('a sidecar with its application behind a cluster of its own name', () => {
    const body = bodyOf(
      [
        ...cluster('service_a'),
        ...cluster('service_b'),
        ...manager('ingress'),
        ...manager('egress'),
        'cluster.service_b.upstream_rq_200',
        'cluster.service_b.zone.a.b.upstream_rq_2xx',
        'cluster.xds_cluster.membership_total',
        'listener.0.0.0.0_80.downstream_cx_total',
      ],
      ['http.ingress.downstream_rq_time', 'cluster.service_a.upstream_rq_time', 'cluster.service_b.upstream_rq_time'],
    );
    const told = explained(body, { labels, info: INFO });
    expect(clustersOf(told)).toEqual({
      service_a: 'local by the name of its own service',
      service_b: 'service_b/ by the name as it is',
      xds_cluster: 'infrastructure by control plane',
    });
    const repeated = 'of the local cluster: the inbound connection manager counts the same requests';
    expect(usesOf(told)).toEqual({
      'cluster.service_a.membership_total': repeated,
      'cluster.service_a.upstream_rq_2xx': repeated,
      'cluster.service_a.upstream_rq_completed': 'signs of a restart',
      'cluster.service_b.membership_total': 'outbound endpoints total',
      'cluster.service_b.upstream_rq_2xx': 'outbound requests by code class',
      'cluster.service_b.upstream_rq_completed': 'signs of a restart',
      'http.ingress.downstream_rq_2xx': 'inbound requests by code class',
      'http.ingress.downstream_rq_completed': 'signs of a restart',
      'http.egress.downstream_rq_2xx':
        'of an outbound connection manager: the clusters of the peers count the same requests',
      'http.egress.downstream_rq_completed':
        'of an outbound connection manager: the clusters of the peers count the same requests',
      'cluster.service_b.upstream_rq_200': 'counter of a single status code, which its class counts already',
      'cluster.service_b.zone.a.b.upstream_rq_2xx': 'copy: requests from zone to zone are in the plain stat already',
      'cluster.xds_cluster.membership_total': 'of a cluster that is infrastructure',
      'listener.0.0.0.0_80.downstream_cx_total': 'neither of a cluster nor of a connection manager',
      'http.ingress.downstream_rq_time': 'inbound latency',
      'cluster.service_a.upstream_rq_time': repeated,
      'cluster.service_b.upstream_rq_time': 'outbound latency',
    });
    expect(told.advice).toEqual([
      'if calls are gRPC: add the HTTP filter envoy.filters.http.grpc_stats, else failed calls under HTTP 200 count as successes',
    ]);
  });

  test('a front proxy', () => {
    const body = bodyOf([...cluster('service_a'), ...manager('web')]);
    const told = explained(body, { labels: { service: 'front-proxy' } });
    expect(told.identity.role).toEqual({ value: 'gateway', from: 'a word of its service, instance or node.id' });
    expect(managersOf(told)).toEqual({ web: "inbound by a gateway's connection managers all are" });
  });

  test('outbound only: its callers have to tell, or its configuration', () => {
    const body = bodyOf([...cluster('service_b'), ...cluster('service_c'), ...manager('proxy'), ...manager('other')]);
    const told = explained(body, { labels });
    expect(told.vantage.value).toBe('client');
    expect(told.advice).toContain(
      'no connection manager is recognised as inbound (there is proxy, other): name its stat_prefix ingress, or name the cluster of the application under local',
    );
    const rules = compileNamingRules([{ match: '(service)_c', service: '$1' }], ['service_b']);
    expect(clustersOf(explained(body, { labels, rules }))).toEqual({
      service_b: 'local by local of the configuration',
      service_c: 'service/ by peers of the configuration',
    });
  });

  test("its own route among others' is not its application", () => {
    const body = bodyOf([...cluster('service_b'), 'cluster.service_a.membership_total']);
    expect(clustersOf(explained(body, { labels })).service_a).toMatch(/^unused by the name of its own service, but /);
  });
});

test("Istio's own metrics, and other programs' beside them", () => {
  const labels = 'destination_service_name="cart",destination_service_namespace="shop",response_code="200"';
  const body = [
    `istio_requests_total{reporter="source",${labels},api_key="hidden"} 5`,
    `istio_request_duration_milliseconds_bucket{reporter="source",${labels},le="+Inf"} 5`,
    `istio_request_duration_milliseconds_sum{reporter="source",${labels}} 5`,
    'envoy_cluster_upstream_rq_completed{cluster_name="outbound|80||cart.shop.svc"} 5',
    '# TYPE my_app counter',
    'my_app 7',
  ].join('\n');
  const told = explained(Buffer.from(`${body}\n`), { labels: { service: 'web' } });
  expect(clustersOf(told)).toEqual({ '': "cart/shop by Istio's destination labels" });
  expect(usesOf(told)).toEqual({
    'istio_requests_total (outbound cart.shop 2xx)': 'outbound requests by code class',
    'istio_request_duration_milliseconds (outbound cart.shop)': 'outbound latency',
    istio_request_duration_milliseconds_sum: 'sum or count of a histogram, which its buckets tell already',
    'cluster.outbound|80||cart.shop.svc.upstream_rq_completed': "Istio's own metrics count the same requests",
  });
  expect(ignoredOf(told)['metrics of other programs or other parts of Envoy']).toBe(1);
});

test("Istio's own metrics as text are not guessed at: the form of Prometheus has their labels", () => {
  const labels = 'reporter.source.source_workload.web.source_version.destination_service.cart.shop.svc.cluster.local';
  const told = explained(
    bodyOf(
      ['server.live', `istiocustom.istio_requests_total.${labels}.response_code.200`],
      [
        `istiocustom.istio_request_duration_milliseconds.${labels}`,
        'wasmcustom.reporter=.=source;.;_istio_request_bytes',
      ],
    ),
  );
  expect(Object.entries(ignoredOf(told))).toContainEqual([expect.stringMatching(/^one of Istio's own metrics/), 3]);
  expect(told.advice).toContainEqual(
    expect.stringMatching(/^this is one of Istio's proxies.*15020.*\/stats\/prometheus/),
  );
  const hidden = explained(
    bodyOf(['cluster.xds-grpc;.membership_total', 'http.inbound_0.0.0.0_80;.downstream_cx_active']),
  );
  expect(hidden.advice).toContainEqual(expect.stringMatching(/^this is one of Istio's proxies/));
  const open = explained(bodyOf([...cluster('outbound|80||cart.shop.svc.cluster.local;'), 'server.live']));
  expect(open.advice).not.toContainEqual(expect.stringMatching(/^this is one of Istio's proxies/));
});

test.for<[what: string, body: Buffer, given: Partial<ExplainInput>, advice: string]>([
  ['no node.cluster', bodyOf(cluster('a')), { info: INFO && { ...INFO, nodeCluster: '' } }, 'no node.cluster: set'],
  ['a refused /server_info', bodyOf(cluster('a')), {}, '/server_info is refused: allow it'],
  ['no locality', bodyOf(cluster('a')), { info: INFO && { ...INFO, region: '' } }, 'no region: set node.locality'],
  ['no traffic', bodyOf(['server.uptime']), {}, 'no request is counted so far'],
  ['no latency', bodyOf(cluster('a')), {}, 'requests are counted, but no latency'],
  ['a local cluster only', bodyOf(cluster('local_app')), {}, 'inbound figures are those of the local cluster'],
  ['a strange name', bodyOf(cluster('a/b~c')), {}, 'no recogniser knows the shape of a/b~c: a rule under peers'],
  ['too many stats', bodyOf(cluster('a')), { seriesLimit: 1 }, '2 stats would be used, more than scrape.series_limit'],
])('%s has a remedy', ([, body, given, advice]) => {
  const told = explained(body, given).advice;
  expect(told.filter((line) => line.startsWith(advice))).toHaveLength(1);
});
