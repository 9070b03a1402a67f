import { describe, expect, test } from 'vitest';
import { compileNamingRules, NO_RULES } from '../../server/mesh/naming-rules.ts';
import { compilePlan, type Plan, type PlanInput } from '../../server/mesh/plan.ts';
import { COUNTERS, GAUGES } from '../../server/model/flow.ts';

interface Envoy extends Partial<Omit<PlanInput, 'layout'>> {
  readonly clusters?: readonly string[];
  /** Connection managers with requests. */
  readonly busy?: readonly string[];
  readonly scalars?: readonly string[];
  readonly histograms?: readonly string[];
}

const ALWAYS = ['http.admin.downstream_rq_2xx', 'http.admin.downstream_rq_completed', 'server.uptime'];

function layoutOf({ clusters = [], busy = [], scalars = [], histograms = [] }: Envoy): PlanInput['layout'] {
  return {
    scalars: [
      ...ALWAYS,
      ...clusters.flatMap((name) => [`cluster.${name}.membership_total`, `cluster.${name}.upstream_rq_2xx`]),
      ...busy.flatMap((name) => [`http.${name}.downstream_rq_2xx`, `http.${name}.downstream_rq_completed`]),
      ...scalars,
    ],
    histograms: [
      ...clusters.map((name) => `cluster.${name}.upstream_rq_time`),
      ...busy.map((name) => `http.${name}.downstream_rq_time`),
      ...histograms,
    ],
  };
}

function planOf(envoy: Envoy): Plan {
  const {
    service = 'service_a',
    labelledRole = '',
    namedRole = 'sidecar',
    managers = new Set(),
    rules = NO_RULES,
  } = envoy;
  return compilePlan({ layout: layoutOf(envoy), service, labelledRole, namedRole, managers, rules });
}

/** `inbound` or the peer, and for each flow where its 2xx come from. */
function requestSources(envoy: Envoy): Record<string, string[]> {
  const plan = planOf(envoy);
  const { scalars } = layoutOf(envoy);
  return Object.fromEntries(
    plan.flows.map((flow, index) => {
      const steps = plan.counters.filter((step) => step.flow === index && COUNTERS[step.field] === '2xx');
      const name = flow.direction === 'inbound' ? `inbound ${flow.source}` : flow.peer;
      return [name, steps.map(({ slot }) => (scalars[slot] ?? '').replace(/\.(?:up|down)stream_rq_2xx$/, ''))];
    }),
  );
}

describe('the meshes that must be understood', () => {
  test.each<[string, Envoy, Record<string, string[]>, string]>([
    [
      'three-services: a sidecar with an ingress and two egress listeners',
      { clusters: ['service_a', 'service_b', 'service_c'], busy: ['ingress', 'egress'] },
      { 'inbound downstream': ['http.ingress'], service_b: ['cluster.service_b'], service_c: ['cluster.service_c'] },
      'sidecar',
    ],
    [
      'three-services: a sidecar without calls',
      { service: 'service_b', clusters: ['service_b'], busy: ['ingress'] },
      { 'inbound downstream': ['http.ingress'] },
      'sidecar',
    ],
    [
      'three-services: the front proxy',
      { service: 'front-proxy', namedRole: 'gateway', clusters: ['service_a'], busy: ['ingress_http'] },
      { 'inbound downstream': ['http.ingress_http'], service_a: ['cluster.service_a'] },
      'gateway',
    ],
    [
      'front-and-sidecar: the same stat prefix before the application',
      { service: 'web', clusters: ['local_service', 'api'], busy: ['ingress_http'] },
      { 'inbound downstream': ['http.ingress_http'], api: ['cluster.api'] },
      'sidecar',
    ],
    [
      'a gateway: every connection manager, however it is called',
      { service: 'edge', namedRole: 'gateway', clusters: ['api'], busy: ['http-80', 'egress_to_partners', 'stats'] },
      { 'inbound downstream': ['http.http-80', 'http.egress_to_partners'], api: ['cluster.api'] },
      'gateway',
    ],
    [
      'a gateway by label',
      { labelledRole: 'gateway', clusters: ['api'], busy: ['everything'] },
      { 'inbound downstream': ['http.everything'], api: ['cluster.api'] },
      'gateway',
    ],
    [
      'a sidecar by label, though it is called edge',
      { service: 'edge', labelledRole: 'sidecar', namedRole: 'gateway', clusters: ['api'], busy: ['everything'] },
      { api: ['cluster.api'] },
      'sidecar',
    ],
    [
      'a local cluster makes a gateway by name a sidecar',
      { service: 'payment-gateway', namedRole: 'gateway', clusters: ['local_app', 'bank'], busy: ['in', 'out'] },
      { 'inbound upstream': ['cluster.local_app'], bank: ['cluster.bank'] },
      'sidecar',
    ],
    [
      'basic: outbound only',
      { clusters: ['service_b', 'service_c', 'eds_cluster'], busy: ['egress_http'] },
      { service_b: ['cluster.service_b'], service_c: ['cluster.service_c'] },
      'sidecar',
    ],
    [
      'basic: one listener for all calls, whose name tells nothing',
      { clusters: ['service_b'], busy: ['all_services'] },
      { service_b: ['cluster.service_b'] },
      'sidecar',
    ],
    [
      'passthrough: local clusters per protocol',
      {
        service: 'web',
        clusters: ['grpc_local_service', 'rest_local_service', 'grpc_proxy_cluster', 'rest_proxy_cluster'],
        busy: ['ingress_http', 'egress_http'],
      },
      {
        'inbound downstream': ['http.ingress_http'],
        grpc_proxy_cluster: ['cluster.grpc_proxy_cluster'],
        rest_proxy_cluster: ['cluster.rest_proxy_cluster'],
      },
      'sidecar',
    ],
    [
      'Istio: subsets and ports of one peer meet',
      {
        service: 'productpage',
        clusters: [
          'inbound|9080||;',
          'outbound|9080|v1|reviews.default.svc.cluster.local;',
          'outbound|9080|v2|reviews.default.svc.cluster.local;',
          'outbound|9411||zipkin.istio-system.svc.cluster.local;',
          'outbound|9080||productpage.default.svc.cluster.local;',
          'InboundPassthroughCluster;',
          'PassthroughCluster;',
          'BlackHoleCluster;',
          'xds-grpc;',
          'agent;',
          'prometheus_stats;',
        ],
        busy: ['inbound_0.0.0.0_9080;', 'outbound_0.0.0.0_9080;', 'agent', 'stats'],
      },
      {
        'inbound downstream': ['http.inbound_0.0.0.0_9080;'],
        reviews: [
          'cluster.outbound|9080|v1|reviews.default.svc.cluster.local;',
          'cluster.outbound|9080|v2|reviews.default.svc.cluster.local;',
        ],
        productpage: ['cluster.outbound|9080||productpage.default.svc.cluster.local;'],
      },
      'sidecar',
    ],
    [
      'Istio: a gateway does not count the probes of its agent',
      {
        namedRole: 'gateway',
        clusters: ['outbound|80||web.shop.svc.cluster.local;', 'agent', 'prometheus_stats'],
        busy: ['outbound_0.0.0.0_8080;', 'agent', 'stats'],
      },
      {
        'inbound downstream': ['http.outbound_0.0.0.0_8080;'],
        web: ['cluster.outbound|80||web.shop.svc.cluster.local;'],
      },
      'gateway',
    ],
    [
      'Consul',
      {
        service: 'web',
        clusters: ['local_app', 'api.default.dc1.internal.1-2.consul', 'self_admin', 'prometheus_backend'],
        busy: ['public_listener', 'upstream.api.default.default.dc1', 'envoy_prometheus_metrics'],
      },
      { 'inbound downstream': ['http.public_listener'], api: ['cluster.api.default.dc1.internal.1-2.consul'] },
      'sidecar',
    ],
    [
      'Kuma',
      {
        service: 'demo',
        clusters: ['localhost_5000', 'redis_kuma-demo_svc_6379', 'ads_cluster', 'kuma_envoy_admin', 'access_log_sink'],
        busy: ['localhost_5000', 'redis_kuma-demo_svc_6379', 'kuma_envoy_admin'],
      },
      { 'inbound downstream': ['http.localhost_5000'], redis: ['cluster.redis_kuma-demo_svc_6379'] },
      'sidecar',
    ],
  ])('%s', (_, envoy, expected, role) => {
    expect(requestSources(envoy)).toEqual(expected);
    const plan = planOf(envoy);
    expect(plan.role).toBe(role);
    expect(plan.inbound).toBe(plan.flows.some(({ direction }) => direction === 'inbound'));
  });
});

describe('the inbound connection manager', () => {
  test.each<[string, Envoy, string[]]>([
    ['the only one of an Envoy without outbound clusters', { clusters: ['local_app'], busy: ['web'] }, ['http.web']],
    ['the only one, no cluster at all', { busy: ['web'] }, ['http.web']],
    [
      'the only one beside infrastructure',
      { clusters: ['xds-grpc', 'local_app'], busy: ['web', 'stats'] },
      ['http.web'],
    ],
    ['none of two that tell nothing', { clusters: ['local_app'], busy: ['web', 'api'] }, ['cluster.local_app']],
    ['not the only one that is outbound', { clusters: ['local_app'], busy: ['egress'] }, ['cluster.local_app']],
    ['not the only one beside a peer', { clusters: ['local_app', 'b'], busy: ['web'] }, ['cluster.local_app']],
    [
      'all that are named inbound',
      { clusters: ['b'], busy: ['ingress_http', 'ingress_https', 'x'] },
      ['http.ingress_http', 'http.ingress_https'],
    ],
    [
      'an idle one counts: it is not the only one',
      { busy: ['web'], clusters: ['local_app'], managers: new Set(['web', 'api']) },
      ['cluster.local_app'],
    ],
    [
      'an idle one counts: requests would come there',
      { clusters: ['local_app', 'b'], busy: [], managers: new Set(['ingress', 'admin']) },
      [],
    ],
  ])('%s', (_, envoy, sources) => {
    const found = Object.entries(requestSources(envoy)).find(([name]) => name.startsWith('inbound'));
    expect(found?.[1]).toEqual(sources);
  });

  test('an Envoy with nothing but infrastructure has no flow', () => {
    const plan = planOf({ clusters: ['xds_cluster', 'zipkin'], busy: ['stats'] });
    expect([plan.flows, plan.inbound, plan.counters, plan.histograms]).toEqual([[], false, [], []]);
  });
});

describe('rules of the user', () => {
  test('local beats every shape, peers names and rescues from infrastructure', () => {
    const rules = compileNamingRules(
      [
        { match: '(statsd)_for_shops', service: '$1-shop' },
        { match: 'jaeger', service: 'jaeger' },
      ],
      ['my_app'],
    );
    expect(requestSources({ clusters: ['my_app', 'statsd_for_shops', 'jaeger', 'zipkin'], rules })).toEqual({
      'inbound upstream': ['cluster.my_app'],
      'statsd-shop': ['cluster.statsd_for_shops'],
      jaeger: ['cluster.jaeger'],
    });
  });

  test('clusters that rules give one name become one flow, with the latency of both', () => {
    const rules = compileNamingRules([{ match: '(.+)_v\\d+', service: '$1' }], []);
    const plan = planOf({ clusters: ['cart_v1', 'cart_v2'], rules });
    expect(plan.flows.map(({ peer }) => peer)).toEqual(['cart']);
    expect(plan.histograms.map(({ flow }) => flow)).toEqual([0, 0]);
    expect(new Set(plan.counters.map(({ owner }) => owner)).size).toBe(2);
  });
});

describe('stats', () => {
  const SCALARS = [
    'cluster.b.membership_total',
    'cluster.b.membership_healthy',
    'cluster.b.outlier_detection.ejections_active',
    'cluster.b.upstream_rq_5xx',
    'cluster.b.upstream_rq_1xx',
    'cluster.b.upstream_rq_timeout',
    'cluster.b.upstream_rq_pending_overflow',
    'cluster.b.upstream_rq_active_overflow',
    'cluster.b.upstream_rq_active',
    'cluster.b.external.upstream_rq_5xx',
    'cluster.b.retry.upstream_rq_5xx',
    'cluster.b.zone.x..upstream_rq_5xx',
    'cluster.b.grpc.shop.Cart.Add.failure',
    'cluster.b.grpc.shop.Cart.Del.failure',
    'cluster.b.grpc.shop.Cart.Add.13',
    'cluster.local_app.membership_total',
    'cluster.local_app.membership_healthy',
    'cluster.local_app.upstream_rq_2xx',
    'cluster.local_app.upstream_rq_timeout',
    'cluster.local_app.upstream_rq_active',
    'cluster.local_app.grpc.shop.Cart.Add.failure',
    'http.ingress.downstream_rq_2xx',
    'http.ingress.downstream_rq_tx_reset',
    'http.ingress.fault.aborts_injected',
    'http.ingress.downstream_rq_active',
    'http.egress.downstream_rq_2xx',
    'http.admin.downstream_rq_2xx',
    'listener.0.0.0.0_80.http.ingress.downstream_rq_2xx',
    'listener.0.0.0.0_443.ssl.certificate.a.expiration_unix_time_seconds',
    'cluster.b.ssl.certificate.b.expiration_unix_time_seconds',
  ];
  const layout = {
    scalars: SCALARS,
    histograms: [
      'cluster.b.external.upstream_rq_time',
      'cluster.b.grpc.shop.Cart.Add.upstream_rq_time',
      'cluster.b.upstream_rq_time',
      'cluster.local_app.upstream_rq_time',
      'http.egress.downstream_rq_time',
      'http.ingress.downstream_rq_time',
    ],
  };
  const input = {
    layout,
    service: 'a',
    labelledRole: '',
    namedRole: 'sidecar',
    managers: new Set<string>(),
    rules: NO_RULES,
  } as const;

  /** `stat -> flow field`, flow 0 being inbound and 1 the peer. */
  function steps(plan: Plan): string[] {
    return [
      ...plan.counters.map(({ slot, flow, field }) => `${layout.scalars[slot]} -> ${flow} ${COUNTERS[field]}`),
      ...plan.gauges.map(({ slot, flow, field }) => `${layout.scalars[slot]} -> ${flow} ${GAUGES[field]}`),
      ...plan.histograms.map(({ slot, flow }) => `${layout.histograms[slot]} -> ${flow}`),
    ];
  }

  test('an inbound connection manager counts requests, its local cluster what went wrong', () => {
    const plan = compilePlan(input);
    expect(plan.flows.map(({ direction, source }) => [direction, source])).toEqual([
      ['inbound', 'downstream'],
      ['outbound', 'upstream'],
    ]);
    expect(steps(plan)).toEqual([
      'cluster.b.upstream_rq_5xx -> 1 5xx',
      'cluster.b.upstream_rq_timeout -> 1 timeout',
      'cluster.b.upstream_rq_pending_overflow -> 1 overflow',
      'cluster.b.upstream_rq_active_overflow -> 1 overflow',
      'cluster.b.grpc.shop.Cart.Add.failure -> 1 grpc_failed',
      'cluster.b.grpc.shop.Cart.Del.failure -> 1 grpc_failed',
      'cluster.local_app.upstream_rq_timeout -> 0 timeout',
      'cluster.local_app.grpc.shop.Cart.Add.failure -> 0 grpc_failed',
      'http.ingress.downstream_rq_2xx -> 0 2xx',
      'http.ingress.downstream_rq_tx_reset -> 0 cut_off',
      'http.ingress.fault.aborts_injected -> 0 fault',
      'cluster.b.membership_total -> 1 endpoints_total',
      'cluster.b.membership_healthy -> 1 endpoints_healthy',
      'cluster.b.outlier_detection.ejections_active -> 1 endpoints_ejected',
      'cluster.b.upstream_rq_active -> 1 active_requests',
      'http.ingress.downstream_rq_active -> 0 active_requests',
      'cluster.b.upstream_rq_time -> 1',
      'http.ingress.downstream_rq_time -> 0',
    ]);
    expect(plan.certificateExpiry.map((slot) => SCALARS[slot])).toEqual(SCALARS.slice(-2));
  });

  test('without one, the local cluster counts both', () => {
    const renamed = { ...layout, scalars: SCALARS.map((name) => name.replace('http.ingress.', 'http.main.')) };
    const plan = compilePlan({ ...input, layout: renamed });
    expect(plan.flows[0]?.source).toBe('upstream');
    expect(steps(plan).filter((step) => step.includes(' -> 0'))).toEqual([
      'cluster.local_app.upstream_rq_2xx -> 0 2xx',
      'cluster.local_app.upstream_rq_timeout -> 0 timeout',
      'cluster.local_app.grpc.shop.Cart.Add.failure -> 0 grpc_failed',
      'cluster.local_app.membership_total -> 0 endpoints_total',
      'cluster.local_app.membership_healthy -> 0 endpoints_healthy',
      'cluster.local_app.upstream_rq_active -> 0 active_requests',
      'cluster.local_app.upstream_rq_time -> 0',
    ]);
  });

  test('a cluster without a host, which lists no membership, is a peer all the same', () => {
    const scalars = [
      'cluster.shop.membership_total',
      'cluster.shop.v2.upstream_rq_5xx',
      'cluster.shop.v2.external.upstream_rq_5xx',
    ];
    const plan = compilePlan({ ...input, layout: { scalars, histograms: [] } });
    expect(plan.flows.map(({ peer }) => peer)).toEqual(['shop', 'shop.v2']);
    expect(plan.counters.map(({ slot }) => scalars[slot])).toEqual(['cluster.shop.v2.upstream_rq_5xx']);
  });

  test('an idle peer has a flow, so that it is known', () => {
    const plan = compilePlan({ ...input, layout: { scalars: ['cluster.b.membership_total'], histograms: [] } });
    expect(plan.flows).toEqual([{ direction: 'outbound', peer: 'b', peerNamespace: '', source: 'upstream' }]);
  });
});
