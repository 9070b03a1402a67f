/** Sorts the clusters and connection managers of a target by what they are (contract, sections 1 and 2), and says why. */

import type { Identity } from '../model/flow.ts';
import type { NamingRules } from './naming-rules.ts';
import type { Products } from './peer-names.ts';
import {
  gatewayProductsOf,
  infrastructureBy,
  isInboundManager,
  isInfrastructureManager,
  isOutboundManager,
  localBy,
  OWN_NAME,
} from './recognisers.ts';

/** What a cluster is: `unused` for one that is neither the application nor a peer, though no infrastructure either. */
export interface ClusterPart {
  readonly is: 'local' | 'peer' | 'infrastructure' | 'unused';
  /** In words, what told it; empty for peers, which are what is left. */
  readonly by: string;
}

/** What a connection manager is; only inbound ones are counted. */
export interface ManagerPart {
  readonly is: 'inbound' | 'outbound' | 'infrastructure' | 'unknown';
  /** In words, what told it. */
  readonly by: string;
}

/** What a target is made of, by the names of its parts. */
export interface Parts {
  readonly clusters: ReadonlyMap<string, ClusterPart>;
  readonly managers: ReadonlyMap<string, ManagerPart>;
  readonly localClusters: ReadonlySet<string>;
  readonly peerClusters: ReadonlySet<string>;
  readonly inboundManagers: ReadonlySet<string>;
  /** Whether requests come in by every connection manager but those of infrastructure. */
  readonly inboundOnly: boolean;
  /** Products whose gateway this is, by clusters that only such gateways have. */
  readonly products: Products;
  readonly role: Identity['role'];
  /** In words, what told the role. */
  readonly roleBy: string;
}

export interface PartsInput {
  readonly service: string;
  /** Role by label; empty when none is given. */
  readonly labelledRole: string;
  /** Role by the target's names, for an Envoy that shows no local cluster. */
  readonly namedRole: Identity['role'];
  readonly rules: NamingRules;
}

interface ClusterInput extends PartsInput {
  readonly products: Products;
}

export interface PartNames {
  readonly clusters: Iterable<string>;
  readonly managers: ReadonlySet<string>;
  /** Clusters that answered requests. */
  readonly answering: ReadonlySet<string>;
}

/** Tells local, peer and infrastructure clusters and the inbound connection managers apart. */
export function sortParts(input: PartsInput, names: PartNames): Parts {
  const own = [...names.managers].filter((manager) => !isInfrastructureManager(manager));
  const named = own.filter((manager) => isInboundManager(manager) && !isOutboundManager(manager));
  const products = gatewayProductsOf(names.clusters);
  const clusters = sortClusters({ ...input, products }, names, named.length > 0);
  const localClusters = namesOf(clusters, 'local');
  const peerClusters = namesOf(clusters, 'peer');
  const { role, roleBy } = roleOf(input, localClusters, products);
  const only = own.length === 1 && peerClusters.size === 0;
  const partOf = (manager: string): ManagerPart => {
    if (isInfrastructureManager(manager)) return { is: 'infrastructure', by: 'its name' };
    if (role === 'gateway') return { is: 'inbound', by: "a gateway's connection managers all are" };
    if (isOutboundManager(manager)) return { is: 'outbound', by: 'its name' };
    if (isInboundManager(manager)) return { is: 'inbound', by: 'its name' };
    if (only) return { is: 'inbound', by: 'the only one of an Envoy without outbound clusters' };
    return { is: 'unknown', by: 'its name tells neither inbound nor outbound' };
  };
  const managers = new Map([...names.managers].map((manager) => [manager, partOf(manager)]));
  const inboundManagers = namesOf(managers, 'inbound');
  const inboundOnly = inboundManagers.size > 0 && own.every((manager) => inboundManagers.has(manager));
  return { clusters, managers, localClusters, peerClusters, inboundManagers, inboundOnly, products, role, roleBy };
}

/** Whether a rate limit of this stat prefix, which any connection manager may have, is one of the inbound ones. */
export function limitsInbound(prefix: string, { inboundManagers, inboundOnly }: Parts): boolean {
  if (inboundOnly || inboundManagers.has(prefix)) return true;
  return inboundManagers.size > 0 && isInboundManager(prefix) && !isOutboundManager(prefix);
}

/**
 * A sidecar that holds the route table of the whole mesh has a cluster of its own service's name too, which is not the
 * application behind it: without a listener for what comes in, and beside other peers, such a cluster counts as local
 * only once it answered.
 */
function sortClusters(input: ClusterInput, names: PartNames, hasInbound: boolean): Map<string, ClusterPart> {
  const parts = new Map<string, ClusterPart>();
  for (const cluster of names.clusters) parts.set(cluster, clusterPart(cluster, input));
  if (hasInbound || namesOf(parts, 'peer').size === 0) return parts;
  for (const [cluster, { by }] of parts)
    if (by === OWN_NAME && !names.answering.has(cluster))
      parts.set(cluster, { is: 'unused', by: `${OWN_NAME}, but it answered no request, among the clusters of others` });
  return parts;
}

function clusterPart(cluster: string, { service, rules, products }: ClusterInput): ClusterPart {
  const local = localBy(cluster, service, rules);
  if (local !== undefined) return { is: 'local', by: local };
  const infrastructure = infrastructureBy(cluster, rules, products);
  return infrastructure === undefined ? { is: 'peer', by: '' } : { is: 'infrastructure', by: infrastructure };
}

function roleOf(
  input: PartsInput,
  localClusters: ReadonlySet<string>,
  products: Products,
): Pick<Parts, 'role' | 'roleBy'> {
  const { labelledRole, namedRole } = input;
  if (labelledRole === 'gateway' || labelledRole === 'sidecar') return { role: labelledRole, roleBy: 'label role' };
  const [local] = localClusters;
  if (local !== undefined) return { role: 'sidecar', roleBy: `the local cluster ${local}` };
  if (namedRole === 'gateway') return { role: 'gateway', roleBy: 'a word of its service, instance or node.id' };
  const [product] = products;
  if (product !== undefined) return { role: 'gateway', roleBy: `clusters as only gateways of ${product} have` };
  return { role: 'sidecar', roleBy: 'nothing says gateway' };
}

function namesOf<Is extends string>(parts: ReadonlyMap<string, { readonly is: Is }>, is: Is): Set<string> {
  const names = new Set<string>();
  for (const [name, part] of parts) if (part.is === is) names.add(name);
  return names;
}
