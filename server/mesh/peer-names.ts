/** The service behind a cluster, by its name as Envoy prints it in stats (`:` comes as `_`). One row per product and shape. */

import type { NamingRules, PeerName } from './naming-rules.ts';

/** A peer, and in words which rule or shape of names told it. */
export interface RecognisedPeer extends PeerName {
  readonly by: string;
}

const NAMESPACED_HOST = /^([^.]+)\.([^.]+)\.svc(?:\.[^|]*)?$/;

/** A port behind a host, its `:` printed as `_`; a small number or a year is part of the name: `team_7`, `sale_2024`. */
export const HOST_AND_PORT = /^(.+)_(?:80|443|(?!(?:19|20)\d\d$)[1-9]\d{3,4})$/;

/** Names of the mesh products that a target is known to belong to, by clusters that only they have. */
export type Products = ReadonlySet<string>;
export const NO_PRODUCTS: Products = new Set();

interface PeerShape {
  readonly name: string;
  readonly pattern: RegExp;
  /** The product whose shape this is alone: elsewhere the same name may mean something else. */
  readonly only?: string;
  peer(groups: string[]): PeerName;
}

const SERVICE_THEN_NAMESPACE = ([, service = '', namespace = '']: string[]): PeerName => ({ service, namespace });
const NAMESPACE_THEN_SERVICE = ([, namespace = '', service = '']: string[]): PeerName => ({ service, namespace });
const BY_HOST = ([, host = '']: string[]): PeerName => peerOfHost(host);

const SERVICE_ONLY = ([, service = '']: string[]): PeerName => ({ service, namespace: '' });

const PEER_SHAPES: readonly PeerShape[] = [
  // outbound|port|subset|host
  { name: 'Istio', pattern: /^(?:outbound|inbound-vip)\|\d*\|[^|]*\|(.+)$/, peer: BY_HOST },
  { name: 'Istio gateway', pattern: /^outbound_\.\d*_\.[^_]*_\.(.+)$/, peer: BY_HOST },
  // [prefix~][subset.]service.namespace.datacenter.internal.<trust domain>.consul
  {
    name: 'Consul',
    pattern: /^(?:.*~)?(?:[^.~]+\.)?([^.~]+)\.([^.]+)\.[^.]+\.internal\.[^.]+\.consul$/,
    peer: SERVICE_THEN_NAMESPACE,
  },
  // …namespace.partition.datacenter.internal-v1…
  {
    name: 'Consul with partitions',
    pattern: /^(?:.*~)?(?:[^.~]+\.)?([^.~]+)\.([^.]+)\.[^.]+\.[^.]+\.internal-v1\.[^.]+\.consul$/,
    peer: SERVICE_THEN_NAMESPACE,
  },
  // service.namespace.partition.peer.external…
  {
    name: 'Consul cluster peering',
    pattern: /^(?:.*~)?([^.~]+)\.([^.]+)\.(?:[^.]+\.)?[^.]+\.external\.[^.]+\.consul$/,
    peer: SERVICE_THEN_NAMESPACE,
  },
  // service_namespace_svc_port[-hash]
  { name: 'Kuma', pattern: /^(.+)_([^_]+)_svc_\d+(?:-[0-9a-f]{16})?$/, peer: SERVICE_THEN_NAMESPACE },
  // kri_kind_mesh_zone_namespace_name_port, of which some may be empty
  {
    name: 'Kuma',
    pattern: /^kri_(?:msvc|mzsvc|extsvc)_[^_]*_[^_]*_([^_]*)_([^_]+)_[^_]*$/,
    peer: NAMESPACE_THEN_SERVICE,
  },
  // kind of route/namespace/route/rule/number[/backend/number]
  {
    name: 'Envoy Gateway',
    pattern: /^[a-z]+route\/([^/]+)\/([^/]+)\/rule\/-?\d+(?:\/backend\/\d+)?$/,
    peer: NAMESPACE_THEN_SERVICE,
  },
  // namespace/service/port/hash
  { name: 'Contour', pattern: /^([^/]+)\/([^/]+)\/[^/]+\/[0-9a-f]{10}$/, peer: NAMESPACE_THEN_SERVICE },
  // namespace_service_port: the same shape as a host with a port whose name holds an underscore
  { name: 'Contour', pattern: /^([^_]+)_([^_]+)_\d+$/, only: 'Contour', peer: NAMESPACE_THEN_SERVICE },
  // kube-upstream_upstream_its namespace_namespace_service_port; kgateway: kube_namespace_service_port
  { name: 'Gloo', pattern: /^kube(?:-(?:upstream|svc)_.*)?_([^_]+)_([^_]+)_\d+$/, peer: NAMESPACE_THEN_SERVICE },
  { name: 'Gloo', pattern: /^(.+)_gloo-system$/, peer: SERVICE_ONLY },
  // cds_egress_mesh_virtual node_protocol_port
  { name: 'App Mesh', pattern: /^cds_egress_[^_]+_(.+)_(?:http|http2|grpc|tcp)_\d+$/, peer: SERVICE_ONLY },
  // service.namespace.svc[.domain][:port]
  { name: 'Kubernetes host', pattern: /^([^.]+\.[^.]+\.svc(?:\.[^|]*?)?)(?:_\d{1,5})?$/, peer: BY_HOST },
  { name: 'host:port', pattern: HOST_AND_PORT, peer: BY_HOST },
];

/** The service that a cluster stands for; the name as it is where no rule and no shape knows it. */
export function peerOf(cluster: string, rules: NamingRules, products = NO_PRODUCTS): RecognisedPeer {
  const name = withoutMark(cluster);
  const ruled = rules.peerOf(name);
  return ruled ? { ...ruled, by: 'peers of the configuration' } : peerByShape(name, products);
}

/** The service by the shape of the name alone. */
export function peerByShape(name: string, products: Products): RecognisedPeer {
  for (const { name: by, pattern, only, peer } of PEER_SHAPES) {
    const match = only === undefined || products.has(only) ? pattern.exec(name) : null;
    if (match) return { ...peer([...match]), by };
  }
  return { service: name, namespace: '', by: 'the name as it is' };
}

function peerOfHost(host: string): PeerName {
  const match = NAMESPACED_HOST.exec(host);
  return match ? { service: match[1] ?? host, namespace: match[2] ?? '' } : { service: host, namespace: '' };
}

/** Istio ends the names in stats with `;` since 1.23. */
export function withoutMark(name: string): string {
  return name.endsWith(';') ? name.slice(0, -1) : name;
}
