import { describe, expect, test } from 'vitest';
import { ClusterNames } from '../../server/envoy/cluster-names.ts';
import { clusterNames, connectionManagerNames, parseStatName } from '../../server/envoy/stat-names.ts';
import { JsonStatsReader } from '../../server/envoy/stats-json.ts';
import { capture, captureJson, sentByCluster, type Truth } from './captures.ts';

const KNOWN = [
  'web',
  'foo.internal',
  'foo.canary.retry',
  'backend.default.svc.cluster.local',
  'odd',
  'odd.upstream_rq_time',
  'outbound|80||a.b.svc.cluster.local;',
  'grpc',
  'a.grpc.b',
  'a',
];

function namesOf(names: readonly string[]): ClusterNames {
  const clusters = new ClusterNames();
  for (const name of names) clusters.add(name);
  return clusters;
}

/** `owner > stat`, or nothing for a name without a figure of ours. */
function parsed(name: string, clusters: ClusterNames): string {
  const found = parseStatName(name, clusters);
  return found ? `${found.scope}: ${found.owner} > ${found.stat}` : '';
}

describe('stats of known clusters', () => {
  test.each([
    ['cluster.web.upstream_rq_2xx', 'cluster: web > upstream_rq_2xx'],
    ['cluster.web.membership_total', 'cluster: web > membership_total'],
    ['cluster.foo.internal.upstream_rq_2xx', 'cluster: foo.internal > upstream_rq_2xx'],
    ['cluster.foo.internal.internal.upstream_rq_2xx', ''],
    ['cluster.foo.internal.external.upstream_rq_time', ''],
    ['cluster.foo.canary.retry.upstream_rq_5xx', 'cluster: foo.canary.retry > upstream_rq_5xx'],
    ['cluster.foo.canary.retry.retry.upstream_rq_5xx', ''],
    [
      'cluster.backend.default.svc.cluster.local.upstream_rq_time',
      'cluster: backend.default.svc.cluster.local > upstream_rq_time',
    ],
    ['cluster.odd.upstream_rq_time', 'cluster: odd > upstream_rq_time'],
    ['cluster.odd.upstream_rq_time.upstream_rq_time', 'cluster: odd.upstream_rq_time > upstream_rq_time'],
    ['cluster.odd.upstream_rq_time.external.upstream_rq_time', ''],
    [
      'cluster.outbound|80||a.b.svc.cluster.local;.upstream_rq_2xx',
      'cluster: outbound|80||a.b.svc.cluster.local; > upstream_rq_2xx',
    ],
    ['cluster.web.outlier_detection.ejections_active', 'cluster: web > outlier_detection.ejections_active'],
    ['cluster.web.ratelimit.over_limit', 'cluster: web > ratelimit.over_limit'],
    ['cluster.web.ratelimit.by_user.over_limit', 'cluster: web > ratelimit.over_limit'],
    ['cluster.new.one.ratelimit.over_limit', 'cluster: new.one > ratelimit.over_limit'],
  ])('%s is %s', (name, expected) => {
    expect(parsed(name, namesOf(KNOWN))).toBe(expected);
  });

  test.each([
    'cluster.web.internal.upstream_rq_2xx',
    'cluster.web.external.upstream_rq_completed',
    'cluster.web.canary.upstream_rq_time',
    'cluster.web.retry.upstream_rq_5xx',
    'cluster.web.zone.eu-west-1a.eu-west-1b.upstream_rq_2xx',
    'cluster.web.zone.eu-west-1a..upstream_rq_2xx',
    'cluster.web.zone...upstream_rq_2xx',
    'cluster.web.zone.rack.1.rack.2.upstream_rq_2xx',
    'cluster.web.grpc.shop.v1.Cart.Add.0',
    'cluster.web.grpc.shop.v1.Cart.Add.success',
    'cluster.web.grpc.shop.v1.Cart.Add.total',
    'cluster.web.grpc.shop.v1.Cart.Add.upstream_rq_time',
    'cluster.web.grpc.success',
    'cluster.web.grpc.upstream_rq_time',
  ])('%s repeats what is counted elsewhere', (name) => {
    expect(parsed(name, namesOf(KNOWN))).toBe('');
  });

  test.each([
    ['cluster.web.grpc.shop.v1.Cart.Add.failure', 'web'],
    ['cluster.web.grpc.failure', 'web'],
    ['cluster.web.grpc.grpc.health.v1.Health.Check.failure', 'web'],
    ['cluster.grpc.grpc.shop.Cart.Add.failure', 'grpc'],
    ['cluster.grpc.grpc.failure', 'grpc'],
    ['cluster.a.grpc.shop.Cart.Add.failure', 'a'],
    ['cluster.a.grpc.b.grpc.shop.Cart.Add.failure', 'a.grpc.b'],
    ['cluster.backend.default.svc.cluster.local.grpc.shop.Cart.Add.failure', 'backend.default.svc.cluster.local'],
  ])('%s is a failed call of %s', (name, owner) => {
    expect(parsed(name, namesOf(KNOWN))).toBe(`cluster: ${owner} > grpc.failure`);
  });
});

describe('stats of clusters that list no membership', () => {
  test.each([
    ['cluster.web.upstream_rq_2xx', 'cluster: web > upstream_rq_2xx'],
    ['cluster.odd.upstream_rq_time.upstream_rq_completed', 'cluster: odd.upstream_rq_time > upstream_rq_completed'],
    ['cluster.backend.default.svc.upstream_cx_active', 'cluster: backend.default.svc > upstream_cx_active'],
    ['cluster.web.internal.upstream_rq_2xx', ''],
    ['cluster.web.retry.upstream_rq_5xx', ''],
    ['cluster.web.canary.upstream_rq_time', ''],
    ['cluster.web.zone.eu-west-1a..upstream_rq_2xx', ''],
    ['cluster.web.grpc.shop.v1.Cart.Add.0', ''],
    ['cluster.web.grpc.total', ''],
    ['cluster.web.grpc.failure', 'cluster: web > grpc.failure'],
    ['cluster.web.grpc.shop.v1.Cart.Add.failure', 'cluster: web > grpc.failure'],
    ['cluster.web.outlier_detection.ejections_active', 'cluster: web > outlier_detection.ejections_active'],
    ['cluster.web', ''],
    ['cluster..upstream_rq_2xx', ''],
  ])('%s is %s', (name, expected) => {
    expect(parsed(name, namesOf([]))).toBe(expected);
  });

  test('one whose name begins like a known one is its own', () => {
    const clusters = namesOf(['shop']);
    expect(parsed('cluster.shop.v2.upstream_rq_5xx', clusters)).toBe('cluster: shop.v2 > upstream_rq_5xx');
    expect(parsed('cluster.shop.v2.internal.upstream_rq_5xx', clusters)).toBe('');
  });
});

describe('other stats', () => {
  test.each([
    ['http.ingress_http.downstream_rq_2xx', 'http: ingress_http > downstream_rq_2xx'],
    ['http.my.ingress.downstream_rq_time', 'http: my.ingress > downstream_rq_time'],
    ['http.ingress_http.no_route', 'http: ingress_http > no_route'],
    ['http.ingress_http.fault.aborts_injected', 'http: ingress_http > fault.aborts_injected'],
    ['http.ingress_http.user_agent.ios.downstream_rq_total', ''],
    ['http.ingress_http.user_agent.ios.downstream_cx_total', ''],
    ['listener.127.0.0.1_8080.http.ingress_http.downstream_rq_2xx', ''],
    ['listener.0.0.0.0_8080.downstream_cx_total', ''],
    ['vhost.backend.vcluster.other.upstream_rq_2xx', ''],
    ['server.uptime', ''],
    ['route_limiter.http_local_rate_limit.rate_limited', ''],
    ['http', ''],
    ['http.', ''],
    ['', ''],
  ])('%s is %s', (name, expected) => {
    expect(parsed(name, namesOf(KNOWN))).toBe(expected);
  });

  test('a fault that one downstream cluster caused is not added to all of them', () => {
    expect(parsed('http.in.fault.web.aborts_injected', namesOf(KNOWN))).not.toContain('in > fault.aborts_injected');
  });
});

describe('names of a whole answer', () => {
  test.each(['1.36.4', '1.40.0'])('clusters of the capture of %s', (version) => {
    const { layout } = new JsonStatsReader().read(capture(`${version}/1_stats_detailed_usedonly.json`));
    const clusters = [...clusterNames(layout.scalars)];
    expect(clusters).toHaveLength(58); // of 60: the two without a host list no membership
    const truth = captureJson<Truth>(`${version}/truth.json`);
    expect(clusters).toEqual(expect.arrayContaining([...sentByCluster(truth.phase_1).keys()]));
    expect([...connectionManagerNames(layout.scalars)].sort()).toEqual([
      'admin',
      'egress_http',
      'ingress_http',
      'ingress_https',
    ]);
  });

  test.each([
    [['http.ingress.downstream_rq_completed'], ['ingress']],
    [['http.ingress.downstream_rq_5xx'], ['ingress']],
    [['http.a.b.downstream_rq_completed', 'http.a.b.downstream_cx_active'], ['a.b']],
    [['http.async-client.no_route', 'http.x.downstream_rq_total'], []],
    [['http.x.user_agent.ios.downstream_cx_active', 'listener.l.http.x.downstream_rq_completed'], []],
  ])('connection managers of %j are %j', (names, expected) => {
    expect([...connectionManagerNames(names)]).toEqual(expected);
  });

  test('a hostile name is taken apart in no time', () => {
    const parts = ['.grpc', '.a', '.zone', '.fault', '.outlier_detection', '.', '.internal', '.user_agent'];
    const names = parts.flatMap((part) =>
      ['cluster.x', 'http.x'].map((start) => start + part.repeat(4000 / part.length)),
    );
    const clusters = clusterNames(names.map((name) => `${name}.membership_total`));
    const started = performance.now();
    for (const name of names)
      for (const end of ['.failure', '.upstream_rq_2xx', '!']) parseStatName(name + end, clusters);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('ClusterNames', () => {
  test.each([
    ['a.x', 'a'],
    ['a.b.x', 'a.b'],
    ['a.b', 'a'],
    ['a.bc.x', 'a'],
    ['ab.x', undefined],
    ['a', undefined],
    ['', undefined],
    ['..x', '.'],
  ])('%j begins with %j', (text, expected) => {
    expect(namesOf(['a', 'a.b', '.', 'c.d']).atStartOf(text)).toBe(expected);
  });

  test('names are listed once, in order', () => {
    expect([...namesOf(['b', 'a', 'b'])]).toEqual(['b', 'a']);
  });
});
