/** Names of hosts, which are most of what is known of them: in memory once for all targets that call the same ones. */

import type { ClusterHost } from '../envoy/clusters.ts';
import { LayoutPool } from '../envoy/layout-pool.ts';

export interface HostName extends Pick<ClusterHost, 'address' | 'hostname'> {
  readonly cluster: string;
}

/** A host of a cluster and where it is. */
export type PlacedHost = Pick<ClusterHost, 'address' | 'hostname' | 'region' | 'zone'>;

export interface PlacedHosts {
  readonly cluster: string;
  readonly hosts: readonly PlacedHost[];
}

interface Shared<Names> {
  readonly names: readonly Names[];
  /** What it is told apart by. */
  readonly bytes: Uint8Array;
}

const HOSTS = new LayoutPool<Shared<HostName>>();
const CLUSTERS = new LayoutPool<Shared<PlacedHosts>>();
/** The lists that are shared keep what they are told apart by. */
const SHARED = new WeakMap<readonly unknown[], object>();

/** The same list for the same names. */
export function sharedHosts(names: readonly HostName[]): readonly HostName[] {
  const lines = names.map(({ cluster, address, hostname }) => `${cluster}\n${address}\n${hostname}`);
  return shared(HOSTS, names, lines);
}

/** The same list for the same clusters with the same hosts in the same places. */
export function sharedClusters(clusters: readonly PlacedHosts[]): readonly PlacedHosts[] {
  const lines = clusters.map(
    ({ cluster, hosts }) =>
      `${cluster}\n${hosts.map((host) => `${host.address}\n${host.hostname}\n${host.region}\n${host.zone}`).join('\n')}\n`,
  );
  const named = clusters.map(({ cluster, hosts }) => {
    return {
      cluster,
      hosts: hosts.map(({ address, hostname, region, zone }) => ({ address, hostname, region, zone })),
    };
  });
  return shared(CLUSTERS, named, lines);
}

function shared<Names>(
  pool: LayoutPool<Shared<Names>>,
  names: readonly Names[],
  lines: readonly string[],
): readonly Names[] {
  const bytes = Buffer.from(lines.join('\n'));
  const found = pool.share({ names, bytes }, [bytes]);
  SHARED.set(found.names, found);
  return found.names;
}

/** Whether they are the same clusters with the same hosts in the same places. */
export function areSame(some: readonly PlacedHosts[], others: readonly PlacedHosts[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ cluster, hosts }, index) => {
      const other = others[index];
      return (
        other?.cluster === cluster &&
        other.hosts.length === hosts.length &&
        hosts.every((host, at) => isSame(host, other.hosts[at]))
      );
    })
  );
}

function isSame(host: PlacedHost, other: PlacedHost | undefined): boolean {
  return (
    host.address === other?.address &&
    host.hostname === other.hostname &&
    host.region === other.region &&
    host.zone === other.zone
  );
}
