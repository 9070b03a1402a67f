/** Sorts the clusters and connection managers of a target by what they are (contract, sections 1 and 2). */

import type { Identity } from '../model/flow.ts';
import type { NamingRules } from './naming-rules.ts';
import {
  isInboundManager,
  isInfrastructureCluster,
  isInfrastructureManager,
  isLocalByServiceName,
  isLocalCluster,
  isOutboundManager,
} from './recognisers.ts';

/** What a target is made of: the names of its parts, sorted by what they are. */
export interface Parts {
  readonly localClusters: ReadonlySet<string>;
  readonly peerClusters: ReadonlySet<string>;
  readonly inboundManagers: ReadonlySet<string>;
  readonly role: Identity['role'];
}

export interface PartsInput {
  readonly service: string;
  /** Role by label; empty when none is given. */
  readonly labelledRole: string;
  /** Role by the target's names, for an Envoy that shows no local cluster. */
  readonly namedRole: Identity['role'];
  readonly rules: NamingRules;
}

export interface PartNames {
  readonly clusters: Iterable<string>;
  readonly managers: ReadonlySet<string>;
  /** Clusters that answered requests. */
  readonly answering: ReadonlySet<string>;
}

/**
 * Tells local, peer and infrastructure clusters and the inbound connection managers apart. A sidecar that holds the
 * route table of the whole mesh has a cluster of its own service's name too, which is not the application behind it:
 * without a listener for what comes in, and beside other peers, such a cluster counts as local only once it answered.
 */
export function sortParts(input: PartsInput, { clusters, managers, answering }: PartNames): Parts {
  const localClusters = new Set<string>();
  const peerClusters = new Set<string>();
  for (const cluster of clusters) {
    if (isLocalCluster(cluster, input.service, input.rules)) localClusters.add(cluster);
    else if (!isInfrastructureCluster(cluster, input.rules)) peerClusters.add(cluster);
  }
  const own = [...managers].filter((manager) => !isInfrastructureManager(manager));
  const named = own.filter((manager) => isInboundManager(manager) && !isOutboundManager(manager));
  if (named.length === 0 && peerClusters.size > 0) {
    for (const cluster of localClusters)
      if (!answering.has(cluster) && isLocalByServiceName(cluster, input.service, input.rules))
        localClusters.delete(cluster);
  }
  const role = roleOf(input, localClusters);
  const only = own.length === 1 && peerClusters.size === 0 ? own.filter((manager) => !isOutboundManager(manager)) : [];
  const inbound = role === 'gateway' ? own : named.length > 0 ? named : only;
  return { localClusters, peerClusters, inboundManagers: new Set(inbound), role };
}

function roleOf(input: PartsInput, localClusters: ReadonlySet<string>): Identity['role'] {
  if (input.labelledRole === 'gateway' || input.labelledRole === 'sidecar') return input.labelledRole;
  return localClusters.size > 0 ? 'sidecar' : input.namedRole;
}
