/**
 * What a cluster or connection manager is, by its name. One row per product and shape; names are as Envoy
 * prints them in stats (`:` comes as `_`).
 */

import type { Identity } from '../model/flow.ts';
import type { NamingRules, PeerName } from './naming-rules.ts';

/** Names of clusters that mesh products give to what carries the mesh's own traffic. */
const PRODUCT_CLUSTERS: readonly RegExp[] = [
  /^(?:BlackHole|Passthrough|InboundPassthrough)Cluster(?:Ipv[46])?$/, // Istio
  /^(?:agent|prometheus_stats|AllowAnyDynamicDNSCluster)$/, // Istio
  /^(?:self_admin|prometheus_backend|consul-dataplane|original-destination)$/, // Consul
  /^(?:kuma_envoy_admin|_kuma_.+|(?:inbound|outbound)_passthrough_.+|mesh(?:trace|accesslog|metric)_.+)$/, // Kuma
  /^(?:contour|service-stats|wasm_cluster)$/, // Contour, Envoy Gateway
  /^ads[-_.](?:grpc|cluster)$/i, // by hand; `ads` alone may sell advertisements
];

/** What else carries the mesh's own traffic: control planes, the admin port, telemetry, services that Envoy itself asks. */
const INFRASTRUCTURE_SERVICES: readonly ((name: string) => boolean)[] = [
  namesMadeOf('xds|sds|cds|eds|lds|rls', 'envoy|cluster|server|grpc|rest|\\d+'),
  namesMadeOf('admin', 'envoy|cluster|port|interface|\\d+'),
  namesMadeOf(
    'jaeger|zipkin|otel|otlp|open[-_]?telemetry|opencensus|lightstep|datadog|skywalking|(?:dog)?statsd|als' +
      '|access[-_]?logs?|ext(?:ernal)?[-_]?auth[zn]?|rate[-_]?limit',
    'envoy|cluster|server|service|svc|grpc|http|collector|agent|daemon|exporter|receiver|sink|backend|port|saas' +
      '|trac(?:er|es?|ing)|logs?|metrics|v?\\d+',
  ),
];

/** Connection managers of ports that are not for requests between services. */
const INFRASTRUCTURE_MANAGER = namesMadeOf(
  'admin|async-client|stats|prometheus|metrics|readiness|ready|liveness|healthz|health[-_]?checks?|probes?',
  'envoy|eg|kuma|https?|listener|cluster|server|port|endpoint|backend|scrape|\\d+',
);
const ISTIO_AGENT_MANAGER = 'agent';

/** Clusters that are the application behind its own sidecar. */
const LOCAL_CLUSTERS: readonly RegExp[] = [
  /^inbound\|/, // Istio
  /^local_app$/, // Consul
  /^(?:localhost|127\.0\.0\.1)_\d{1,5}$/, // Kuma, and `localhost:PORT` by hand
  /^self_inbound_dp_/, // Kuma with unified names
  /local_service/,
];

const INBOUND_MANAGER =
  /(?:^|[^a-z0-9])(?:inbound|ingress)(?:$|[^a-z0-9])|(?:^|[^a-z0-9])public_listener(?:$|[^a-z0-9])|^localhost_\d{1,5}$/i;
const OUTBOUND_MANAGER = /(?:^|[^a-z0-9])(?:outbound|egress)(?:$|[^a-z0-9])/i;

/** Whole words of a name that mark a gateway. */
const GATEWAY = /(?:^|[^a-z0-9])(?:gateway|ingress|edge|front[-_]proxy|front[-_]envoy)(?:$|[^a-z0-9])/i;

const NAMESPACED_HOST = /^([^.]+)\.([^.]+)\.svc(?:\.[^|]*)?$/;

/** A port behind a host, its `:` printed as `_`; a small number or a year is part of the name: `team_7`, `sale_2024`. */
const HOST_AND_PORT = /^(.+)_(?:80|443|(?!(?:19|20)\d\d$)[1-9]\d{3,4})$/;

interface PeerShape {
  readonly pattern: RegExp;
  peer(groups: string[]): PeerName;
}

const SERVICE_THEN_NAMESPACE = ([, service = '', namespace = '']: string[]): PeerName => ({ service, namespace });
const NAMESPACE_THEN_SERVICE = ([, namespace = '', service = '']: string[]): PeerName => ({ service, namespace });
const BY_HOST = ([, host = '']: string[]): PeerName => peerOfHost(host);

const PEER_SHAPES: readonly PeerShape[] = [
  // Istio: outbound|port|subset|host, and the form of its gateways
  { pattern: /^(?:outbound|inbound-vip)\|\d*\|[^|]*\|(.+)$/, peer: BY_HOST },
  { pattern: /^outbound_\.\d*_\.[^_]*_\.(.+)$/, peer: BY_HOST },
  // Consul: [prefix~][subset.]service.namespace.datacenter.internal.<trust domain>.consul; with partitions
  // …namespace.partition.datacenter.internal-v1…, of a peered cluster service.namespace.partition.peer.external…
  { pattern: /^(?:.*~)?(?:[^.~]+\.)?([^.~]+)\.([^.]+)\.[^.]+\.internal\.[^.]+\.consul$/, peer: SERVICE_THEN_NAMESPACE },
  {
    pattern: /^(?:.*~)?(?:[^.~]+\.)?([^.~]+)\.([^.]+)\.[^.]+\.[^.]+\.internal-v1\.[^.]+\.consul$/,
    peer: SERVICE_THEN_NAMESPACE,
  },
  {
    pattern: /^(?:.*~)?([^.~]+)\.([^.]+)\.(?:[^.]+\.)?[^.]+\.external\.[^.]+\.consul$/,
    peer: SERVICE_THEN_NAMESPACE,
  },
  // Kuma: service_namespace_svc_port[-hash]
  { pattern: /^(.+)_([^_]+)_svc_\d+(?:-[0-9a-f]{16})?$/, peer: SERVICE_THEN_NAMESPACE },
  // Envoy Gateway: kind of route/namespace/route/rule/number[/backend/number]
  { pattern: /^[a-z]+route\/([^/]+)\/([^/]+)\/rule\/-?\d+(?:\/backend\/\d+)?$/, peer: NAMESPACE_THEN_SERVICE },
  // Contour: namespace/service/port/hash
  { pattern: /^([^/]+)\/([^/]+)\/[^/]+\/[0-9a-f]{10}$/, peer: NAMESPACE_THEN_SERVICE },
  // Kubernetes: service.namespace.svc[.domain][:port]
  { pattern: /^([^.]+\.[^.]+\.svc(?:\.[^|]*?)?)(?:_\d{1,5})?$/, peer: BY_HOST },
  { pattern: HOST_AND_PORT, peer: BY_HOST },
];

/** The service that a cluster stands for; the name as it is where no rule and no shape knows it. */
export function peerOf(cluster: string, rules: NamingRules): PeerName {
  const name = withoutMark(cluster);
  return rules.peerOf(name) ?? peerByShape(name);
}

function peerByShape(name: string): PeerName {
  for (const { pattern, peer } of PEER_SHAPES) {
    const match = pattern.exec(name);
    if (match) return peer([...match]);
  }
  return { service: name, namespace: '' };
}

function peerOfHost(host: string): PeerName {
  const match = NAMESPACED_HOST.exec(host);
  return match ? { service: match[1] ?? host, namespace: match[2] ?? '' } : { service: host, namespace: '' };
}

/** Whether a cluster carries the mesh's own traffic; one that the user's rules name never does. */
export function isInfrastructureCluster(cluster: string, rules: NamingRules): boolean {
  const name = withoutMark(cluster);
  if (rules.peerOf(name)) return false;
  if (PRODUCT_CLUSTERS.some((pattern) => pattern.test(name))) return true;
  const { service } = peerByShape(name);
  return INFRASTRUCTURE_SERVICES.some((isMadeOf) => isMadeOf(service));
}

export function isInfrastructureManager(prefix: string): boolean {
  const name = withoutMark(prefix);
  return name === ISTIO_AGENT_MANAGER || INFRASTRUCTURE_MANAGER(name);
}

/** Whether a cluster is the application behind the sidecar of `service`. */
export function isLocalCluster(cluster: string, service: string, rules: NamingRules): boolean {
  const name = withoutMark(cluster);
  if (rules.isLocal(name)) return true;
  if (name.startsWith('outbound|')) return false;
  return isNamedLike(name, service) || LOCAL_CLUSTERS.some((pattern) => pattern.test(name));
}

/** Whether nothing but its own service's name makes a cluster local. */
export function isLocalByServiceName(cluster: string, service: string, rules: NamingRules): boolean {
  const name = withoutMark(cluster);
  return isNamedLike(name, service) && !rules.isLocal(name) && !LOCAL_CLUSTERS.some((pattern) => pattern.test(name));
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

/** Role by name or node id, where nothing better is known. */
export function roleByName(...names: readonly string[]): Identity['role'] {
  return names.some((name) => GATEWAY.test(name)) ? 'gateway' : 'sidecar';
}

/** Istio ends the names in stats with `;` since 1.23. */
function withoutMark(name: string): string {
  return name.endsWith(';') ? name.slice(0, -1) : name;
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
