/** The service behind a node, by what mesh products call their nodes; so that it is the one that its callers name. */

import type { PeerName } from './naming-rules.ts';

interface Node {
  readonly nodeId: string;
  readonly nodeCluster: string;
}

/**
 * By product: `node.id`, a line break and `node.cluster`, with groups `service` and, where the node tells it,
 * `namespace`.
 */
const NODE_SHAPES: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  // kind~address~pod.namespace~namespace.svc.domain, service.namespace
  { name: 'Istio', pattern: /^[a-z]+~[^~]*~[^~]*~(?<namespace>[^.~\n]+)\.svc\.[^\n]*\n(?<service>.+)\.\k<namespace>$/ },
  // mesh.dataplane, service_namespace_svc_port
  { name: 'Kuma', pattern: /\n(?<service>.+)_(?<namespace>[^_]+)_svc_\d+$/ },
  // mesh/M/virtualNode/V, both
  { name: 'App Mesh', pattern: /\nmesh\/[^/]+\/virtual(?:Node|Gateway)\/(?<service>[^/]+)$/ },
  // envoy-namespace-gateway-hash-pod, namespace/gateway
  { name: 'Envoy Gateway', pattern: /^envoy-[^\n]+\n(?<namespace>[^/]+)\/(?<service>[^/]+)$/ },
];

/** The service of a node and its namespace; `node.cluster` as it is where no product's shape knows it. */
export function ownName({ nodeId, nodeCluster }: Node): PeerName {
  for (const { pattern } of NODE_SHAPES) {
    const { service, namespace = '' } = pattern.exec(`${nodeId}\n${nodeCluster}`)?.groups ?? {};
    if (service !== undefined) return { service, namespace };
  }
  return { service: nodeCluster, namespace: '' };
}
