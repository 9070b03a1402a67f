/**
 * What a cluster or connection manager is, by its name. One row per product and shape; names are as Envoy
 * prints them in stats (`:` comes as `_`).
 */

import type { Identity } from '../model/flow.ts';
import type { NamingRules, PeerName } from './naming-rules.ts';

/** Clusters that carry the mesh's own traffic, not requests between services. */
const INFRASTRUCTURE_CLUSTERS: readonly RegExp[] = [
  /^(?:xds|ads|sds|rls|cds|eds|lds)[-_.]?(?:grpc|cluster|server)?$/i, // control planes as commonly named
  /^xds[-_]|[-_]xds$/i,
  /^(?:BlackHole|Passthrough|InboundPassthrough)Cluster(?:Ipv[46])?$/, // Istio
  /^(?:agent|prometheus_stats|AllowAnyDynamicDNSCluster)$/, // Istio
  /^(?:self_admin|prometheus_backend|consul-dataplane|original-destination)$/, // Consul
  /^(?:ads_cluster|access_log_sink|kuma_envoy_admin|_kuma_.+|inbound_passthrough_.+|outbound_passthrough_.+|meshtrace_.+)$/, // Kuma
  /(?:^|[^a-z])(?:jaeger|zipkin|otel|otlp|opentelemetry|lightstep|datadog_agent|statsd|access[-_]?logs?|als)(?:$|[^a-z])/i,
  /(?:^|[^a-z])(?:ext[-_]?authz|rate[-_]?limit(?:er)?|ratelimit)(?:$|[^a-z])/i,
  /^(?:envoy[-_.]?)?admin(?:[-_.](?:cluster|port|interface))?$/i,
];

const INFRASTRUCTURE_MANAGERS =
  /(?:^|[^a-z0-9])(?:admin|async-client|stats|prometheus|metrics|readiness|ready|probe)(?:$|[^a-z0-9])/i;

/** Clusters that are the application behind its own sidecar. */
const LOCAL_CLUSTERS: readonly RegExp[] = [
  /^inbound\|/, // Istio
  /^local_app$/, // Consul
  /^(?:localhost|127\.0\.0\.1)_\d{1,5}$/, // Kuma, and `localhost:PORT` by hand
  /local_service/,
];

const INBOUND_MANAGER =
  /(?:^|[^a-z0-9])(?:inbound|ingress)(?:$|[^a-z0-9])|(?:^|[^a-z0-9])public_listener(?:$|[^a-z0-9])|^localhost_\d{1,5}$/i;
const OUTBOUND_MANAGER = /(?:^|[^a-z0-9])(?:outbound|egress)(?:$|[^a-z0-9])/i;

/** Whole words of a name that mark a gateway. */
const GATEWAY = /(?:^|[^a-z0-9])(?:gateway|ingress|edge|front-proxy|front-envoy)(?:$|[^a-z0-9])/i;

const NAMESPACED_HOST = /^([^.]+)\.([^.]+)\.svc(?:\.[^|]*)?$/;

interface PeerShape {
  readonly pattern: RegExp;
  peer(groups: string[]): PeerName;
}

const PEER_SHAPES: readonly PeerShape[] = [
  // Istio: outbound|port|subset|host
  { pattern: /^outbound\|\d*\|[^|]*\|(.+)$/, peer: ([, host = '']) => peerOfHost(host) },
  // Consul: [hash~][subset.]service.namespace.[partition.]datacenter.internal.<trust domain>.consul
  {
    pattern:
      /^(?:[0-9a-f]+~)?(?:[^.]+\.)??([^.]+)\.([^.]+)\.(?:[^.]+\.)?[^.]+\.(?:internal|internal-v1|external)\.[^.]+\.consul$/,
    peer: ([, service = '', namespace = '']) => ({ service, namespace }),
  },
  // Kuma: service_namespace_svc_port[-hash]
  {
    pattern: /^(.+)_([^_]+)_svc_\d+(?:-[0-9a-f]{16})?$/,
    peer: ([, service = '', namespace = '']) => ({ service, namespace }),
  },
  // Contour: namespace/service/port/hash
  {
    pattern: /^([^/]+)\/([^/]+)\/[^/]+\/[0-9a-f]{10}$/,
    peer: ([, namespace = '', service = '']) => ({ service, namespace }),
  },
  // Kubernetes: service.namespace.svc[.domain][:port]
  { pattern: /^(.+?)(?:_\d{1,5})?$/, peer: ([, host = '']) => peerOfHost(host) },
];

/** The service that a cluster stands for; the name as it is where no rule and no shape knows it. */
export function peerOf(cluster: string, rules: NamingRules): PeerName {
  const name = withoutMark(cluster);
  const ruled = rules.peerOf(name);
  if (ruled) return ruled;
  for (const { pattern, peer } of PEER_SHAPES) {
    const match = pattern.exec(name);
    const found = match ? peer([...match]) : undefined;
    if (found && found.namespace !== '') return found;
    if (found && name.includes('|')) return found;
  }
  return { service: name, namespace: '' };
}

function peerOfHost(host: string): PeerName {
  const match = NAMESPACED_HOST.exec(host);
  return match ? { service: match[1] ?? host, namespace: match[2] ?? '' } : { service: host, namespace: '' };
}

export function isInfrastructureCluster(cluster: string): boolean {
  return INFRASTRUCTURE_CLUSTERS.some((pattern) => pattern.test(withoutMark(cluster)));
}

export function isInfrastructureManager(prefix: string): boolean {
  return INFRASTRUCTURE_MANAGERS.test(prefix);
}

/** Whether a cluster is the application behind the sidecar of `service`. */
export function isLocalCluster(cluster: string, service: string, rules: NamingRules): boolean {
  const name = withoutMark(cluster);
  if (rules.isLocal(name)) return true;
  if (name.startsWith('outbound|')) return false;
  return name === service.replaceAll(':', '_') || LOCAL_CLUSTERS.some((pattern) => pattern.test(name));
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
