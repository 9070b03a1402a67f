/**
 * What a cluster or connection manager is, by its name. One row per product and shape; names are as Envoy
 * prints them in stats (`:` comes as `_`). A function that ends in `By` tells, in words, which row recognised the name.
 */

import type { Identity } from '../model/flow.ts';
import type { NamingRules } from './naming-rules.ts';
import { HOST_AND_PORT, NO_PRODUCTS, type Products, peerByShape, withoutMark } from './peer-names.ts';

interface NameRow {
  readonly name: string;
  readonly pattern: RegExp;
}

/** Names of clusters that mesh products give to what carries the mesh's own traffic. */
const PRODUCT_CLUSTERS: readonly NameRow[] = [
  { name: 'Istio', pattern: /^(?:BlackHole|Passthrough|InboundPassthrough)Cluster(?:Ipv[46])?$/ },
  { name: 'Istio', pattern: /^(?:agent|prometheus_stats|AllowAnyDynamicDNSCluster)$/ },
  { name: 'Consul', pattern: /^(?:self_admin|local_agent|prometheus_backend|consul-dataplane|original-destination)$/ },
  {
    name: 'Kuma',
    pattern: /^(?:kuma_envoy_admin|_kuma_.+|(?:inbound|outbound)_passthrough_.+|mesh(?:trace|accesslog|metric)_.+)$/,
  },
  // its names by resource
  { name: 'Kuma', pattern: /^(?:self_transparentproxy_.+|system_(?:envoy|kubernetes|kuma|dns|readiness)(?:_.+)?)$/ },
  { name: 'Contour', pattern: /^(?:contour|service-stats|[^_]+_(?:contour_8001|service-stats_\d+))$/ },
  { name: 'Envoy Gateway', pattern: /^(?:wasm_cluster|(?:securitypolicy|envoyextensionpolicy)\/.+)$/ },
  { name: 'Emissary', pattern: /^cluster_(?:127_0_0_1_(?:8877|8500)|extauth|ratelimit|tracing|logging)_.+$/ },
  { name: 'App Mesh', pattern: /^cds_egress_.+_amazonaws$/ },
  { name: 'control plane', pattern: /^ads[-_.](?:grpc|cluster)$/i }, // by hand; `ads` alone may sell advertisements
];

interface WordsRow {
  readonly name: string;
  isMadeOf(service: string): boolean;
}

/** What else carries the mesh's own traffic: control planes, the admin port, telemetry, services that Envoy itself asks. */
const INFRASTRUCTURE_SERVICES: readonly WordsRow[] = [
  { name: 'control plane', isMadeOf: namesMadeOf('xds|sds|cds|eds|lds|rls', 'envoy|cluster|server|grpc|rest|\\d+') },
  { name: 'admin port', isMadeOf: namesMadeOf('admin', 'envoy|cluster|port|interface|\\d+') },
  {
    name: 'telemetry, authorisation or rate limits',
    isMadeOf: namesMadeOf(
      'jaeger|zipkin|otel|otlp|open[-_]?telemetry|opencensus|lightstep|datadog|skywalking|(?:dog)?statsd|als' +
        '|access[-_]?logs?|ext(?:ernal)?[-_]?auth[zn]?|rate[-_]?limit',
      'envoy|cluster|server|service|svc|grpc|http|collector|agent|daemon|exporter|receiver|sink|backend|port|saas' +
        '|trac(?:er|es?|ing)|logs?|metrics|v?\\d+',
    ),
  },
];

/** Connection managers of ports that are not for requests between services. */
const INFRASTRUCTURE_MANAGER = namesMadeOf(
  'admin|async-client|stats|prometheus|metrics|readiness|ready|liveness|healthz|health[-_]?checks?|probes?',
  'envoy|eg|kuma|https?|listener|cluster|server|port|endpoint|backend|scrape|\\d+',
);
const PRODUCT_MANAGERS: readonly NameRow[] = [
  { name: 'Istio', pattern: /^agent$/ },
  { name: 'Gloo', pattern: /^read_config$/ },
  { name: 'Kuma', pattern: /^system_(?:envoy|kubernetes|kuma|dns|readiness)(?:_.+)?$/ },
];

/** Clusters that only a product's gateways have; their names are read as that product's. */
const GATEWAY_PRODUCTS: readonly NameRow[] = [
  { name: 'Contour', pattern: /^(?:[^_]+_(?:contour_8001|service-stats_\d+)|[^/]+\/[^/]+\/[^/]+\/[0-9a-f]{10})$/ },
  { name: 'Envoy Gateway', pattern: /^[a-z]+route\/[^/]+\/[^/]+\/rule\/-?\d+(?:\/backend\/\d+)?$/ },
  { name: 'Emissary', pattern: /^cluster_127_0_0_1_(?:8877|8500)_.+$/ },
];

/** Clusters that are the application behind its own sidecar. */
const LOCAL_CLUSTERS: readonly NameRow[] = [
  { name: 'Istio', pattern: /^inbound\|/ },
  { name: 'Consul', pattern: /^local_app$/ },
  { name: 'localhost:port', pattern: /^(?:localhost|127\.0\.0\.1)_\d{1,5}$/ }, // Kuma, and by hand
  { name: 'Kuma', pattern: /^self_inbound_dp_/ },
  { name: 'App Mesh', pattern: /^cds_ingress_/ },
  { name: 'local_service', pattern: /local_service/ },
];

/** What {@link localBy} says of a cluster that nothing but its own service's name makes local. */
export const OWN_NAME = 'the name of its own service';

const INBOUND_MANAGER =
  /(?:^|[^a-z0-9])(?:inbound|ingress)(?:$|[^a-z0-9])|(?:^|[^a-z0-9])public_listener(?:$|[^a-z0-9])|^localhost_\d{1,5}$/i;
const OUTBOUND_MANAGER = /(?:^|[^a-z0-9])(?:outbound|egress)(?:$|[^a-z0-9])/i;

/** Whole words of a name that mark a gateway; `router` and `waypoint` are what Istio begins the node.id of such proxies with. */
const GATEWAY =
  /(?:^|[^a-z0-9])(?:(?:ingress|egress|virtual)?gateway|ingress|edge|front[-_]proxy|front[-_]envoy)(?:$|[^a-z0-9])|^(?:router|waypoint)~/i;

/** What tells that a cluster carries the mesh's own traffic; undefined for others and for all that the user's rules name. */
export function infrastructureBy(cluster: string, rules: NamingRules, products = NO_PRODUCTS): string | undefined {
  const name = withoutMark(cluster);
  if (rules.peerOf(name)) return undefined;
  const product = PRODUCT_CLUSTERS.find(({ pattern }) => pattern.test(name));
  if (product) return product.name;
  const { service } = peerByShape(name, products);
  return INFRASTRUCTURE_SERVICES.find(({ isMadeOf }) => isMadeOf(service))?.name;
}

export function isInfrastructureManager(prefix: string): boolean {
  const name = withoutMark(prefix);
  return PRODUCT_MANAGERS.some(({ pattern }) => pattern.test(name)) || INFRASTRUCTURE_MANAGER(name);
}

/** What tells that a cluster is the application behind the sidecar of `service`; undefined for others. */
export function localBy(cluster: string, service: string, rules: NamingRules): string | undefined {
  const name = withoutMark(cluster);
  if (rules.isLocal(name)) return 'local of the configuration';
  if (name.startsWith('outbound|')) return undefined;
  const shape = LOCAL_CLUSTERS.find(({ pattern }) => pattern.test(name));
  return shape?.name ?? (isNamedLike(name, service) ? OWN_NAME : undefined);
}

function isNamedLike(name: string, service: string): boolean {
  const own = service.replaceAll(':', '_');
  return name === own || HOST_AND_PORT.exec(name)?.[1] === own;
}

/** Whether a sidecar's connection manager takes the requests to its service. */
export function isInboundManager(prefix: string): boolean {
  return INBOUND_MANAGER.test(withoutMark(prefix));
}

export function isOutboundManager(prefix: string): boolean {
  return OUTBOUND_MANAGER.test(withoutMark(prefix));
}

/** Products whose gateways alone have clusters of these names. */
export function gatewayProductsOf(clusters: Iterable<string>): Products {
  const products = new Set<string>();
  for (const cluster of clusters) {
    const name = withoutMark(cluster);
    for (const { name: product, pattern } of GATEWAY_PRODUCTS) if (pattern.test(name)) products.add(product);
  }
  return products;
}

/** What Istio begins the node.id of a sidecar with; the words after it are of its namespace. */
const ISTIO_SIDECAR = /^sidecar~/;

/** Role by name or node id, where nothing better is known. */
export function roleByName(...names: readonly string[]): Identity['role'] {
  return names.some((name) => GATEWAY.test(name) && !ISTIO_SIDECAR.test(name)) ? 'gateway' : 'sidecar';
}

/**
 * Tells names that are made of `kinds` and of words that add nothing to them: `otel`, `otel_collector`,
 * `envoy-otel-4317`, but not `otel-shop`. Both are alternatives of a regular expression.
 */
function namesMadeOf(kinds: string, fillers: string): (name: string) => boolean {
  const word = `(?:${kinds}|${fillers})`;
  const onlyWords = new RegExp(`^[-_.]?${word}(?:[-_.]+${word})*$`, 'i');
  const anyKind = new RegExp(`(?:^|[-_.])(?:${kinds})(?:$|[-_.])`, 'i');
  return (name) => anyKind.test(name) && onlyWords.test(name);
}
