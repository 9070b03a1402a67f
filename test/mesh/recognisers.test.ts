import { describe, expect, test } from 'vitest';
import { compileNamingRules, NO_RULES } from '../../server/mesh/naming-rules.ts';
import { ownName } from '../../server/mesh/own-names.ts';
import { peerOf } from '../../server/mesh/peer-names.ts';
import {
  gatewayProductsOf,
  infrastructureBy,
  isInboundManager,
  isInfrastructureManager,
  isOutboundManager,
  localBy,
  roleByName,
} from '../../server/mesh/recognisers.ts';

const TRUST_DOMAIN = '11111111-2222-3333-4444-555555555555.consul';

describe('peers', () => {
  test.each([
    // Kubernetes
    ['reviews.default.svc.cluster.local', 'reviews', 'default'],
    ['reviews.default.svc', 'reviews', 'default'],
    ['reviews.default.svc.cluster.local_9080', 'reviews', 'default'],
    ['reviews.default.svc_9080', 'reviews', 'default'],
    ['reviews.default.svc.my-domain.example', 'reviews', 'default'],
    // Istio
    ['outbound|8080|v1|reviews.default.svc.cluster.local', 'reviews', 'default'],
    ['outbound|80||reviews.default.svc.cluster.local;', 'reviews', 'default'],
    ['outbound|443||api.facebook.com', 'api.facebook.com', ''],
    ['outbound|80||reviews', 'reviews', ''],
    ['outbound_.9080_.v1_.reviews.default.svc.cluster.local', 'reviews', 'default'],
    ['outbound_.9080_._.reviews.default.svc.cluster.local', 'reviews', 'default'],
    ['inbound-vip|80|http|reviews.default.svc.cluster.local', 'reviews', 'default'],
    // Consul
    [`web.default.dc1.internal.${TRUST_DOMAIN}`, 'web', 'default'],
    [`v1.web.default.dc1.internal.${TRUST_DOMAIN}`, 'web', 'default'],
    [`web.shop.dc1.internal.${TRUST_DOMAIN}`, 'web', 'shop'],
    [`web.shop.team.dc1.internal-v1.${TRUST_DOMAIN}`, 'web', 'shop'],
    [`v2.web.shop.team.dc1.internal-v1.${TRUST_DOMAIN}`, 'web', 'shop'],
    [`web.shop.default.cluster-02.external.${TRUST_DOMAIN}`, 'web', 'shop'],
    [`web.shop.cluster-02.external.${TRUST_DOMAIN}`, 'web', 'shop'],
    [`0123abcd~web.default.dc1.internal.${TRUST_DOMAIN}`, 'web', 'default'],
    [`passthrough~web.default.dc1.internal.${TRUST_DOMAIN}`, 'web', 'default'],
    [`failover-target~0~web.default.dc1.internal.${TRUST_DOMAIN}`, 'web', 'default'],
    // Kuma
    ['backend_kuma-demo_svc_3001', 'backend', 'kuma-demo'],
    ['backend_kuma-demo_svc_3001-0123456789abcdef', 'backend', 'kuma-demo'],
    ['my_backend_kuma-demo_svc_3001', 'my_backend', 'kuma-demo'],
    // Envoy Gateway
    ['httproute/shop/checkout/rule/0', 'checkout', 'shop'],
    ['grpcroute/shop/checkout/rule/3/backend/1', 'checkout', 'shop'],
    ['tcproute/shop/db/rule/-1', 'db', 'shop'],
    // Contour
    ['default/kuard/80/da39a3ee5e', 'kuard', 'default'],
    ['default_kuard_80', 'default_kuard', ''], // a host with a port, unless it is known to be Contour's
    // Gloo, kgateway
    ['kube-upstream_default-petstore-8080_gloo-system_default_petstore_8080', 'petstore', 'default'],
    ['kube-svc_name_ns_shop_cart_8080', 'cart', 'shop'],
    ['kube_shop_stock_9000', 'stock', 'shop'],
    ['httpbin_gloo-system', 'httpbin', ''],
    // App Mesh
    ['cds_egress_mesh_color_shop_http_8080', 'color_shop', ''],
    ['cds_egress_mesh_stock_grpc_9000', 'stock', ''],
    // host:port
    ['cart_8080', 'cart', ''],
    ['cart_80', 'cart', ''],
    ['10.0.0.5_9080', '10.0.0.5', ''],
    ['api.example.com_443', 'api.example.com', ''],
    // names as they are
    ['service_a', 'service_a', ''],
    ['service_1', 'service_1', ''],
    ['team_12', 'team_12', ''],
    ['sale_2024', 'sale_2024', ''],
    ['cart_v2', 'cart_v2', ''],
    ['cart8080', 'cart8080', ''],
    ['default/checkout/http', 'default/checkout/http', ''],
    ['odd.upstream_rq_time', 'odd.upstream_rq_time', ''],
    ['backend.default', 'backend.default', ''],
    ['sérvice ünï 服务 ✓', 'sérvice ünï 服务 ✓', ''],
    ['quo"te\\back{x="1"}', 'quo"te\\back{x="1"}', ''],
    ['', '', ''],
    [';', '', ''],
  ])('%s is service %s in namespace "%s"', (cluster, service, namespace) => {
    expect(peerOf(cluster, NO_RULES)).toMatchObject({ service, namespace });
  });

  const RULES = compileNamingRules(
    [
      { match: '^(.+)_v\\d+$', service: '$1' },
      { match: 'eu-(?P<name>\\w+)-(\\d+)', service: `\${name}.$2` },
      { match: 'money', service: 'cost$$' },
      { match: 'outbound\\|9\\|\\|(.*)', service: 'nine-$1' },
      { match: 'jaeger', service: 'tracing-shop' },
      { match: 'gone(x)?', service: 'gone$1' },
      { match: 'empty(x)?', service: '$1' },
    ],
    ['my_app', 'localhost_9.*', 'outbound\\|.*\\|own'],
  );

  test.each([
    ['a group', 'checkout_v12', 'checkout'],
    ['named groups', 'eu-cart-3', 'cart.3'],
    ['a dollar sign', 'money', 'cost$'],
    ['a rule before a shape', 'outbound|9||a.b.svc.cluster.local', 'nine-a.b.svc.cluster.local'],
    ['the mark of Istio is no part of the name', 'checkout_v12;', 'checkout'],
    ['a rule for the whole name only', 'checkout_v12_eu', 'checkout_v12_eu'],
    ['a group that takes no part', 'gone', 'gone'],
    ['a rule that gives no name', 'empty', 'empty'],
    ['no rule', 'cart', 'cart'],
  ])('rules of the user: %s', (_, cluster, service) => {
    expect(peerOf(cluster, RULES)).toMatchObject({ service, namespace: '' });
  });

  test.each([
    ['my_app', true],
    ['my_app;', true],
    ['my_app_2', false],
    ['localhost_9000', true],
    ['outbound|80||own', true],
    ['outbound|80||other', false],
  ])('a rule of the user makes %s local: %s', (cluster, local) => {
    expect(localBy(cluster, 'web', RULES) !== undefined).toBe(local);
  });

  test('what the user names is no infrastructure', () => {
    expect(infrastructureBy('jaeger', NO_RULES) !== undefined).toBe(true);
    expect(infrastructureBy('jaeger', RULES) !== undefined).toBe(false);
    expect(infrastructureBy('jaeger;', RULES) !== undefined).toBe(false);
  });
});

describe('local clusters', () => {
  test.each([
    ['inbound|9080||', true],
    ['inbound|9080||;', true],
    ['inbound|9080|http|reviews.default.svc.cluster.local', true],
    ['local_app', true],
    ['localhost_8080', true],
    ['127.0.0.1_8080', true],
    ['local_service', true],
    ['grpc_local_service', true],
    ['rest_local_service', true],
    ['local_service_8080', true],
    ['self_inbound_dp_http', true],
    ['service_a', true],
    ['service_a_8080', true],
    ['service_a;', true],
    ['service_b', false],
    ['service_a_v2', false],
    ['my_service_a', false],
    ['service', false],
    ['outbound|80||service_a', false],
    ['outbound|8080||local_service.default.svc.cluster.local', false],
    ['outbound|80||service_a;', false],
    ['localhost', false],
    ['localhost_8080_v2', false],
    ['my_localhost_8080', false],
    ['local_application', false],
    ['inbound', false],
  ])('%s behind service_a: %s', (cluster, local) => {
    expect(localBy(cluster, 'service_a', NO_RULES) !== undefined).toBe(local);
  });

  test('a service whose name holds a colon finds its own cluster', () => {
    expect(localBy('web_v2', 'web:v2', NO_RULES) !== undefined).toBe(true);
  });
});

describe('infrastructure clusters', () => {
  test.each([
    // Envoy by hand
    ['admin'],
    ['envoy_admin'],
    ['envoy-admin'],
    ['admin_cluster'],
    ['admin_port_cluster'],
    ['xds_cluster'],
    ['xds-grpc'],
    ['xds'],
    ['rest_xds_cluster'],
    ['ads_cluster'],
    ['sds-grpc'],
    ['eds_cluster'],
    ['rls'],
    // Istio
    ['BlackHoleCluster'],
    ['PassthroughCluster'],
    ['InboundPassthroughCluster'],
    ['InboundPassthroughClusterIpv4'],
    ['prometheus_stats'],
    ['agent'],
    ['zipkin'],
    ['xds-grpc;'],
    ['PassthroughCluster;'],
    // Consul
    ['self_admin'],
    ['prometheus_backend'],
    ['consul-dataplane'],
    ['original-destination'],
    // Kuma
    ['kuma_envoy_admin'],
    ['_kuma_metrics_hijacker'],
    ['inbound_passthrough_ipv4'],
    ['outbound_passthrough_ipv6'],
    ['access_log_sink'],
    ['meshtrace_zipkin'],
    ['meshaccesslog_opentelemetry_0'],
    ['system_envoy_admin'],
    ['self_transparentproxy_passthrough_outbound_ipv4'],
    // Contour, Envoy Gateway, Emissary, App Mesh
    ['contour'],
    ['projectcontour_contour_8001'],
    ['projectcontour_service-stats_9001'],
    ['securitypolicy/shop/auth/extauth/0'],
    ['cluster_127_0_0_1_8877_default'],
    ['cluster_extauth_auth_default'],
    ['cds_egress_howto-mesh_amazonaws'],
    ['service-stats'],
    ['wasm_cluster'],
    // telemetry
    ['jaeger'],
    ['jaeger-collector'],
    ['jaeger_agent_9411'],
    ['otel_collector'],
    ['otel-collector'],
    ['opentelemetry_collector'],
    ['opentelemetry-collector'],
    ['otlp-grpc'],
    ['otel_traces'],
    ['datadog_agent'],
    ['lightstep-saas'],
    ['statsd'],
    ['dogstatsd'],
    ['statsd-exporter'],
    ['access_log'],
    ['accesslog_service'],
    ['access-logs-sink'],
    ['als_cluster'],
    // services that Envoy asks
    ['ext_authz'],
    ['ext-authz'],
    ['extauthz_cluster'],
    ['ext_auth_service'],
    ['rate_limit'],
    ['ratelimit'],
    ['rate_limit_cluster'],
    ['ratelimit-service'],
    // the same in products' shapes
    ['outbound|9411||zipkin.istio-system.svc.cluster.local'],
    ['outbound|4317||opentelemetry-collector.observability.svc.cluster.local;'],
    ['jaeger-collector.observability.svc.cluster.local_14250'],
    [`statsd.default.dc1.internal.${TRUST_DOMAIN}`],
    ['ratelimit_kuma-demo_svc_8081'],
  ])('%s', (cluster) => {
    expect(infrastructureBy(cluster, NO_RULES) !== undefined).toBe(true);
  });

  test.each([
    ['admin-ui'],
    ['admin-api'],
    ['admin-service'],
    ['admin-server'],
    ['backoffice-admin'],
    ['administration'],
    ['prometheus'],
    ['prometheus-adapter'],
    ['metrics-api'],
    ['metrics'],
    ['statsd-proxy'],
    ['stats'],
    ['rate-limiter'],
    ['rates'],
    ['exchange-rate'],
    ['rate-limit-dashboard'],
    ['jaeger-query'],
    ['zipkin-shop'],
    ['otel-demo-frontend'],
    ['hotel_collector'],
    ['motel'],
    ['ads'],
    ['ads-service'],
    ['ads-server'],
    ['adservice'],
    ['sds2'],
    ['cds-shop'],
    ['auth'],
    ['authz'],
    ['external-auth-portal'],
    ['passthrough'],
    ['agents'],
    ['user-agent'],
    ['access-control'],
    ['accesslog-analytics'],
    ['collector'],
    ['grpc_backend'],
    ['http_service'],
    ['cluster'],
    ['cluster_quote_default'],
    ['system_orders'],
    ['shop_contour_80'],
    ['outbound|80||admin-ui.shop.svc.cluster.local'],
    ['outbound|80||reviews.zipkin.svc.cluster.local'],
    ['outbound|80||ads.shop.svc.cluster.local'],
    [`rate-limiter.default.dc1.internal.${TRUST_DOMAIN}`],
    ['dynamic_forward_proxy_cluster'],
    ['original_dst'],
  ])('%s is a service', (cluster) => {
    expect(infrastructureBy(cluster, NO_RULES) !== undefined).toBe(false);
  });

  test('a product is known by the clusters of its gateways alone', () => {
    const known = (cluster: string) => [...gatewayProductsOf(['shop_cart_80', cluster])];
    expect(known('projectcontour_contour_8001;')).toEqual(['Contour']);
    expect(known('shop/cart/80/da39a3ee5e')).toEqual(['Contour']);
    expect(known('httproute/shop/cart/rule/0')).toEqual(['Envoy Gateway']);
    expect(known('cluster_127_0_0_1_8877_default')).toEqual(['Emissary']);
    expect(known('contour')).toEqual([]);
    expect(peerOf('shop_cart_80', NO_RULES, new Set(['Contour']))).toMatchObject({
      service: 'cart',
      namespace: 'shop',
    });
  });

  test('a hostile name is judged in no time', () => {
    const names = ['otel_', 'http.', 'a_1', 'rate-limit-', '.', '|', '~', 'x_svc_1', '/', 'zipkin', '_a', '.shop'].map(
      (part) => part.repeat(4000 / part.length),
    );
    const started = process.cpuUsage();
    for (const name of names.flatMap((one) => Array<string>(10).fill(one))) {
      infrastructureBy(`${name}!`, NO_RULES);
      isInfrastructureManager(`${name}!`);
      localBy(`${name}!`, 'web', NO_RULES);
      peerOf(`${name}.consul`, NO_RULES);
      ownName({ nodeId: name, nodeCluster: `${name}!` });
      gatewayProductsOf([`${name}!`]);
      for (const start of ['kube-svc_', 'kri_msvc_', 'cds_egress_', 'cluster_extauth_']) peerOf(start + name, NO_RULES);
      isInboundManager(name);
      roleByName(name);
    }
    expect(process.cpuUsage(started).user).toBeLessThan(1_500_000); // microseconds of CPU, however busy the machine is
  });
});

describe('connection managers', () => {
  test.each([
    ['ingress_http', 'inbound'],
    ['ingress', 'inbound'],
    ['ingress_https', 'inbound'],
    ['inbound_0.0.0.0_8080', 'inbound'],
    ['inbound_0.0.0.0_8080;', 'inbound'],
    ['public_listener', 'inbound'],
    ['public_listener_http', 'inbound'],
    ['localhost_8080', 'inbound'],
    ['self_inbound_dp_8080', 'inbound'],
    ['INGRESS', 'inbound'],
    ['egress', 'outbound'],
    ['egress_http', 'outbound'],
    ['outbound_0.0.0.0_80;', 'outbound'],
    ['frontend', ''],
    ['router', ''],
    ['progress_http', ''],
    ['ingressive', ''],
    ['inbounds', ''],
    ['my_public_listeners', ''],
    ['localhost', ''],
    ['backend_kuma-demo_svc_3001', ''],
    ['http-10080', ''],
  ])('%s is %s', (prefix, direction) => {
    const directions = [isInboundManager(prefix) ? 'inbound' : '', isOutboundManager(prefix) ? 'outbound' : ''];
    expect(directions.join('')).toBe(direction);
    expect(isInfrastructureManager(prefix)).toBe(false);
  });

  test.each([
    'admin',
    'async-client',
    'stats',
    'stats;',
    'prometheus',
    'prometheus_stats',
    'envoy_prometheus_metrics',
    'envoy_prometheus_metrics_listener',
    'metrics',
    'metrics_9102',
    'http_metrics',
    'readiness',
    'ready',
    'probe_listener',
    'healthz',
    'health-check',
    'agent',
    'eg-stats-http',
    'eg-ready-http',
    'kuma_envoy_admin',
    'kuma_metrics_prometheus',
    'system_envoy_admin',
    'read_config',
  ])('%s is infrastructure', (prefix) => {
    expect(isInfrastructureManager(prefix)).toBe(true);
  });

  test.each([
    'admin-ui',
    'admin_ui_ingress',
    'ingress_admin-ui',
    'metrics-api',
    'prometheus-adapter',
    'stats-service',
    'user-agent',
    'health',
    'probe-station',
    'ready-to-ship',
    'http',
    'https',
    'http-80',
    'listener',
  ])('%s takes requests to a service', (prefix) => {
    expect(isInfrastructureManager(prefix)).toBe(false);
  });
});

describe('roleByName', () => {
  test.each([
    [['gateway'], 'gateway'],
    [['ingress'], 'gateway'],
    [['edge'], 'gateway'],
    [['front-proxy'], 'gateway'],
    [['front_proxy'], 'gateway'],
    [['front-envoy'], 'gateway'],
    [['istio-ingress-7d9f'], 'gateway'],
    [['payment-gateway'], 'gateway'],
    [['eu.edge.1'], 'gateway'],
    [['Edge_1'], 'gateway'],
    [['web', 'pod-1', 'node~edge~1'], 'gateway'],
    [['istio-ingressgateway.istio-system'], 'gateway'],
    [['istio-egressgateway'], 'gateway'],
    [['web', 'router~10.0.0.1~web-1.shop~shop.svc.cluster.local'], 'gateway'],
    [['web', 'waypoint~10.0.0.1~web-1.shop~shop.svc.cluster.local'], 'gateway'],
    [['mesh/shop/virtualGateway/web'], 'gateway'],
    [['mesh/shop/virtualNode/web'], 'sidecar'],
    [['sidecar~10.0.0.1~web-1.edge~edge.svc.cluster.local'], 'sidecar'],
    [['sidecar~10.0.0.1~router-1.shop~shop.svc.cluster.local'], 'sidecar'],
    [['frontend'], 'sidecar'],
    [['front'], 'sidecar'],
    [['proxy'], 'sidecar'],
    [['knowledge'], 'sidecar'],
    [['edges'], 'sidecar'],
    [['gateway2'], 'sidecar'],
    [['ingressive'], 'sidecar'],
    [['reverse-front-proxying'], 'sidecar'],
    [['checkout', 'checkout-7d9f', ''], 'sidecar'],
    [[], 'sidecar'],
  ])('%j is a %s', (names, role) => {
    expect(roleByName(...names)).toBe(role);
  });
});
