/**
 * What real Envoys tell that are named as each mesh product names them, against what was sent: which services it was
 * sent to, what came in, who is a gateway. Recorded by test/fixtures/products/record.ts.
 */

import { describe, expect, test } from 'vitest';
import { PrometheusStatsReader } from '../../server/envoy/stats-prometheus.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { identify } from '../../server/mesh/identity.ts';
import { increments } from '../../server/mesh/increments.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { reasonedPlan } from '../../server/mesh/plan.ts';
import type { FlowIncrement, Identity } from '../../server/model/flow.ts';
import { HOSTILE_NAMES, PRODUCTS } from '../fixtures/products/products.ts';
import { type ProductTruth, productBody, productTruth, type SentRequests } from '../fixtures/products/recorded.ts';
import { told } from './faults.ts';

interface Expected {
  /** The service itself, with its namespace where its node tells it. */
  readonly own: string;
  readonly role: Identity['role'];
  /** Connection managers that requests to the service, or through the gateway, come in by. */
  readonly inbound: readonly string[];
  /** Service, with its namespace where the name tells it, to the clusters that lead there. */
  readonly peers: Readonly<Record<string, readonly string[]>>;
  readonly local: readonly string[];
  readonly infrastructure: readonly string[];
}

const TRUST_DOMAIN = '8c7f2a90-1b2c-4d3e-8f90-a1b2c3d4e5f6.consul';
const KUMA_OWN = [
  '_kuma_metrics_hijacker',
  'access_log_sink',
  'ads_cluster',
  'inbound_passthrough_ipv4',
  'kuma_envoy_admin',
  'outbound_passthrough_ipv6',
];

const EXPECTED: Readonly<Record<string, Expected>> = {
  'istio-sidecar': {
    own: 'reviews.default',
    role: 'sidecar',
    inbound: ['inbound_0.0.0.0_9080;'],
    peers: {
      'ratings.default': [
        'outbound|9080|v1|ratings.default.svc.cluster.local;',
        'outbound|9080|v2|ratings.default.svc.cluster.local;',
      ],
      'stock.shop': ['outbound|50051||stock.shop.svc.cluster.local;'],
      'api.example.com': ['outbound|443||api.example.com;'],
    },
    local: ['inbound|9080||;'],
    infrastructure: [
      'BlackHoleCluster;',
      'InboundPassthroughCluster;',
      'PassthroughCluster;',
      'agent;',
      'prometheus_stats;',
      'xds-grpc;',
    ],
  },
  'istio-sidecar-before-1.23': {
    own: 'web.shop',
    role: 'sidecar',
    inbound: ['inbound_10.244.1.7_8080'],
    peers: {
      'cart.shop': ['outbound|80||cart.shop.svc.cluster.local'],
      'cart.eu': ['outbound|80||cart.eu.svc.cluster.local'],
    },
    local: ['inbound|8080|http|web.shop.svc.cluster.local'],
    infrastructure: ['InboundPassthroughClusterIpv4', 'sds-grpc'],
  },
  'istio-gateway': {
    own: 'istio-ingressgateway.istio-system',
    role: 'gateway',
    inbound: ['outbound_0.0.0.0_8080;', 'outbound_0.0.0.0_8443;'],
    peers: {
      'productpage.default': ['outbound|9080||productpage.default.svc.cluster.local;'],
      'reviews.default': ['outbound_.9080_.v2_.reviews.default.svc.cluster.local;'],
      'stock.shop': ['outbound|50051||stock.shop.svc.cluster.local;'],
      'idle.default': [],
    },
    local: [],
    infrastructure: ['BlackHoleCluster;', 'agent;', 'prometheus_stats;', 'xds-grpc;'],
  },
  'consul-sidecar': {
    own: 'web',
    role: 'sidecar',
    inbound: ['public_listener'],
    peers: {
      'api.default': [`api.default.dc1.internal.${TRUST_DOMAIN}`, `v2.api.default.dc1.internal.${TRUST_DOMAIN}`],
      'cart.shop': [`0f1e2d3c~cart.shop.dc1.internal.${TRUST_DOMAIN}`],
      'stock.default': [`stock.default.dc1.internal.${TRUST_DOMAIN}`],
    },
    local: ['local_app'],
    infrastructure: ['consul-dataplane', 'original-destination', 'prometheus_backend', 'self_admin'],
  },
  'consul-partitions-and-peers': {
    own: 'web',
    role: 'sidecar',
    inbound: ['public_listener'],
    peers: {
      'api.shop': [
        `api.shop.team-a.dc1.internal-v1.${TRUST_DOMAIN}`,
        `v2.api.shop.team-a.dc1.internal-v1.${TRUST_DOMAIN}`,
      ],
      'cart.default': [`cart.default.cluster-02.external.${TRUST_DOMAIN}`],
      'stock.shop': [`stock.shop.team-b.cluster-02.external.${TRUST_DOMAIN}`],
      'mail.default': [`passthrough~mail.default.dc1.internal.${TRUST_DOMAIN}`],
    },
    local: ['local_app'],
    infrastructure: [],
  },
  'consul-ingress-gateway': {
    own: 'ingress-gateway',
    role: 'gateway',
    inbound: ['ingress_upstream_8080'],
    peers: { 'api.default': [`api.default.dc1.internal.${TRUST_DOMAIN}`] },
    local: [],
    infrastructure: ['local_agent'],
  },
  nomad: {
    own: 'count-dashboard',
    role: 'sidecar',
    inbound: ['public_listener'],
    peers: { 'count-api.default': [`count-api.default.dc1.internal.${TRUST_DOMAIN}`] },
    local: ['local_app'],
    infrastructure: ['self_admin'],
  },
  'kuma-sidecar': {
    own: 'demo-app.kuma-demo',
    role: 'sidecar',
    inbound: ['localhost_5000'],
    peers: {
      'backend.kuma-demo': ['backend_kuma-demo_svc_3001', 'backend_kuma-demo_svc_3001-0123456789abcdef'],
      'redis.kuma-demo': ['redis_kuma-demo_svc_6379'],
    },
    local: ['localhost_5000'],
    infrastructure: KUMA_OWN,
  },
  'kuma-unified-names': {
    own: 'demo-app',
    role: 'sidecar',
    inbound: ['self_inbound_dp_5000'],
    peers: {
      'backend.kuma-demo': ['kri_msvc_default_zone-1_kuma-demo_backend_3001'],
      mail: ['kri_extsvc_default___mail_443'],
    },
    local: ['self_inbound_dp_5000'],
    infrastructure: [
      'self_transparentproxy_passthrough_outbound_ipv4',
      'system_envoy_admin',
      'system_kubernetes_control_plane',
    ],
  },
  'kuma-gateway': {
    own: 'edge-gateway',
    role: 'gateway',
    inbound: ['edge-gateway'],
    peers: {
      'demo-app.kuma-demo': ['demo-app_kuma-demo_svc_5000-647e122deac173b0'],
      'backend.kuma-demo': ['backend_kuma-demo_svc_3001-1108861019293a52'],
    },
    local: [],
    infrastructure: KUMA_OWN,
  },
  'envoy-gateway': {
    own: 'eg.default',
    role: 'gateway',
    inbound: ['http-10080', 'https-10443'],
    peers: {
      'checkout.shop': [
        'httproute/shop/checkout/rule/0',
        'httproute/shop/checkout/rule/1',
        'httproute/shop/checkout/rule/0/backend/1',
      ],
      'stock.shop': ['grpcroute/shop/stock/rule/0'],
    },
    local: [],
    infrastructure: ['prometheus_stats', 'wasm_cluster', 'xds_cluster'],
  },
  contour: {
    own: 'projectcontour',
    role: 'gateway',
    inbound: ['ingress_http', 'ingress_https'],
    peers: { 'cart.shop': ['shop_cart_80'], 'cart-v2.shop': ['shop_cart-v2_8080'], 'kuard.blog': ['blog_kuard_3000'] },
    local: [],
    infrastructure: ['projectcontour_contour_8001', 'projectcontour_service-stats_9001'],
  },
  emissary: {
    own: 'ambassador-default',
    role: 'gateway',
    inbound: ['ingress_http', 'ingress_https'],
    peers: {
      cluster_quote_shop_default: ['cluster_quote_shop_default'],
      cluster_http___cart_8080_default: ['cluster_http___cart_8080_default'],
      tour: ['tour'],
    },
    local: [],
    infrastructure: ['cluster_127_0_0_1_8877_default', 'cluster_extauth_auth_default', 'xds_cluster'],
  },
  gloo: {
    own: 'gateway',
    role: 'gateway',
    inbound: ['http'],
    peers: {
      'petstore.default': ['kube-upstream_default-petstore-8080_gloo-system_default_petstore_8080'],
      'cart.shop': ['kube-svc_shop-cart-8080_gloo-system_shop_cart_8080'],
      httpbin: ['httpbin_gloo-system'],
      'stock.shop': ['kube_shop_stock_9000'],
    },
    local: [],
    infrastructure: ['admin_port_cluster', 'rest_xds_cluster', 'xds_cluster'],
  },
  'app-mesh': {
    own: 'front_shop',
    role: 'sidecar',
    inbound: ['ingress'],
    peers: {
      color_shop: ['cds_egress_howto-mesh_color_shop_http_8080'],
      'color-v2_shop': ['cds_egress_howto-mesh_color-v2_shop_http2_8080'],
      stock: ['cds_egress_howto-mesh_stock_grpc_9000'],
    },
    local: ['cds_ingress_howto-mesh_front_shop_http_8080'],
    infrastructure: ['cds_egress_howto-mesh_amazonaws'],
  },
  'app-mesh-gateway': {
    own: 'front_shop',
    role: 'gateway',
    inbound: ['ingress'],
    peers: { color_shop: ['cds_egress_howto-mesh_color_shop_http_8080'] },
    local: [],
    infrastructure: [],
  },
  'kubernetes-hosts': {
    own: 'web',
    role: 'sidecar',
    inbound: ['ingress_http'],
    peers: {
      'cart.shop': ['cart.shop.svc.cluster.local'],
      'cart.blog': ['cart.blog.svc.cluster.local_8080'],
      'stock.shop': ['stock.shop.svc'],
      mail: ['mail_8080'],
      'api.example.com': ['api.example.com_443'],
      '10.0.0.7': ['10.0.0.7_9090'],
      '[2001_db8__1]': ['[2001_db8__1]_8080'],
      team_7: ['team_7'],
      sale_2024: ['sale_2024'],
    },
    local: ['local_service'],
    infrastructure: [],
  },
  'hostile-names': {
    own: 'web',
    role: 'sidecar',
    inbound: ['ingress.http.cluster.x'],
    peers: Object.fromEntries(HOSTILE_NAMES.map((name) => [name, [name]])),
    local: ['local_service'],
    infrastructure: [],
  },
};

/** What the flow of these requests must say; empty without any. */
function countsOf(sent: readonly SentRequests[]): string {
  const counts: Record<string, number> = {};
  const add = (name: string, count: number) => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  for (const { grpc, statuses } of sent)
    for (const [status, count] of Object.entries(statuses)) {
      add(grpc ? '2xx' : `${status[0]}xx`, count);
      if (grpc && status !== '0') add('grpc_failed', count);
      add('samples', count);
    }
  const { samples = 0, ...others } = counts;
  if (samples === 0) return '';
  const names = Object.keys(others).filter((name) => others[name] !== 0);
  const ordered = names.sort((a, b) => Number(a === 'grpc_failed') - Number(b === 'grpc_failed') || (a < b ? -1 : 1));
  return `${ordered.map((name) => `${name} ${others[name]}`).join(', ')}; ${samples} samples`;
}

function expectedFlows({ inbound, peers }: Expected, { sent }: ProductTruth): Record<string, string> {
  const flows = Object.entries(peers).map(([peer, clusters]) => [
    peer,
    countsOf(sent.filter(({ cluster }) => clusters.includes(cluster))),
  ]);
  return { inbound: countsOf(sent.filter(({ manager }) => inbound.includes(manager))), ...Object.fromEntries(flows) };
}

function seenFlows(flows: readonly FlowIncrement[]): Record<string, string> {
  return Object.fromEntries(
    flows.map((one) => {
      const { direction, peer, peerNamespace } = one.flow;
      const name = direction === 'inbound' ? 'inbound' : [peer, peerNamespace].filter((part) => part !== '').join('.');
      return [name, told(one)] as const;
    }),
  );
}

function understood(product: string, form: 'txt' | 'prom') {
  const { node } = productTruth(product);
  const info = {
    version: '1.40.0',
    uptimeSeconds: 60,
    nodeId: node.id,
    nodeCluster: node.cluster,
    region: '',
    zone: '',
  };
  const named = identify({ labels: {}, address: '10.0.0.5:9901', host: '10.0.0.5', info });
  const reader = form === 'txt' ? new TextStatsReader() : new PrometheusStatsReader(true);
  const reading = reader.read(productBody(product, form));
  const reasoned = reasonedPlan({ ...named, layout: reading.layout, managers: new Set(), rules: NO_RULES });
  const clustersThatAre = (kind: string) =>
    [...reasoned.parts.clusters].flatMap(([name, { is }]) => (is === kind ? [name.replace(/;$/, '')] : [])).sort();
  const own = [named.service, named.namespace].filter((part) => part !== '').join('.');
  return {
    own,
    flows: seenFlows(increments(reasoned.plan, reading, undefined)),
    role: reasoned.plan.role,
    clustersThatAre,
  };
}

const RECORDED = PRODUCTS.flatMap(({ name, prometheus }) => [
  [name, 'txt'] as const,
  ...(prometheus ? [[name, 'prom'] as const] : []),
]);

describe.each(RECORDED)('%s, form %s', (name, form) => {
  const expected = EXPECTED[name];
  if (!expected) throw new Error(`nothing is expected of ${name}`);
  const { own, flows, role, clustersThatAre } = understood(name, form);
  const unmarked = (clusters: readonly string[]) => clusters.map((cluster) => cluster.replace(/;$/, '')).sort();

  test('who it is, and what its clusters are', () => {
    expect(own).toBe(expected.own);
    expect(role).toBe(expected.role);
    expect(clustersThatAre('local')).toEqual(unmarked(expected.local));
    expect(clustersThatAre('infrastructure')).toEqual(unmarked(expected.infrastructure));
  });

  test('what came in and what went to each peer is what was sent', () => {
    expect(flows).toEqual(expectedFlows(expected, productTruth(name)));
  });
});
