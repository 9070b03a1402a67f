/** What /clusters adds to an answer of /stats, as data: to whom clusters' traffic goes, where that is, what failed. */

import type { ClusterHosts } from '../envoy/clusters.ts';
import { isPassedThrough, type Party, partyOf } from './host-parties.ts';
import { peerOf } from './peer-names.ts';

export interface ExplainedHost {
  readonly cluster: string;
  readonly address: string;
  /** The service that it is of. */
  readonly service: string;
  /** In words, what told the service. */
  readonly by: string;
  readonly region: string;
  readonly zone: string;
  /** Tries since its Envoy knows it. */
  readonly answered: number;
  readonly failed: number;
}

/** Hosts of the clusters that go to peers, those that were sent something first. */
export function explainedHosts(
  clusters: readonly ClusterHosts[],
  party: Party,
  peerClusters: ReadonlySet<string>,
): ExplainedHost[] {
  const hosts = clusters
    .filter(({ cluster }) => peerClusters.has(cluster))
    .flatMap(({ cluster, hosts: all }) =>
      all.map((host): ExplainedHost => {
        const { address, region, zone, success, error } = host;
        const passed = isPassedThrough(host) ? partyOf(cluster, host, party) : undefined;
        const { service, by } = passed ? { ...passed, by: 'pass-through: the host' } : peerOf(cluster, party.rules);
        return {
          cluster,
          address,
          service,
          by: passed ? by : 'the cluster',
          region,
          zone,
          answered: success,
          failed: error,
        };
      }),
    );
  return hosts.sort((a, b) => b.answered + b.failed - (a.answered + a.failed));
}
