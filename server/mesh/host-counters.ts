/** What the counters of clusters' hosts grew by from one reading of `/clusters` to the next. */

import type { ClusterHost, ClusterHosts } from '../envoy/clusters.ts';
import { keyOf } from '../model/labels.ts';
import { type HostName, sharedHosts } from './host-lists.ts';

/** What one host answered. */
export interface HostGrowth
  extends Pick<ClusterHost, 'address' | 'hostname' | 'region' | 'zone' | 'success' | 'error'> {}

/** Hosts' counters as they stood; hosts without any are not kept: one that is missed counts from zero. */
export interface HostCounts {
  readonly names: readonly HostName[];
  /** {@link COUNTS} of each host, one after the other. */
  readonly counts: Float64Array;
}

const COUNTS = ['total', 'success', 'error'] as const;
export const COUNTS_PER_HOST = COUNTS.length;

type Count = Pick<ClusterHost, (typeof COUNTS)[number]>;

export class HostCounters {
  /** Undefined until a first reading. */
  private before: HostCounts | undefined;
  /** Where each host is among those before; undefined where nobody asked. */
  private places: ReadonlyMap<string, number> | undefined;
  /** Goes up whenever the hosts that are counted may be others than before. */
  version = 0;

  constructor(stored: HostCounts | undefined) {
    this.before = stored && { names: sharedHosts(stored.names), counts: stored.counts };
  }

  /** Everything counts from zero: another process answers. */
  restart(): void {
    this.take({ names: [], counts: new Float64Array(0) });
  }

  /** The same as long as nothing was read. */
  get counts(): HostCounts | undefined {
    return this.before;
  }

  /** Growth by cluster, hosts without any left out; empty for the first reading, which is the baseline. */
  advance(clusters: readonly ClusterHosts[]): Map<string, HostGrowth[]> {
    const { before } = this;
    const isSame = before !== undefined && areInOrder(before.names, clusters);
    const grown = before ? this.growth(clusters, isSame) : new Map<string, HostGrowth[]>();
    if (isSame) this.before = { names: before.names, counts: countsOf(clusters, before.counts.length) };
    else this.take(countedOf(clusters));
    return grown;
  }

  private take(counted: HostCounts): void {
    this.before = counted;
    this.places = undefined;
    this.version++;
  }

  private growth(clusters: readonly ClusterHosts[], isSame: boolean): Map<string, HostGrowth[]> {
    const grown = new Map<string, HostGrowth[]>();
    let next = 0;
    for (const { cluster, hosts } of clusters) {
      const growth: HostGrowth[] = [];
      for (const host of isSame ? hosts : uniqueHosts(cluster, hosts)) {
        if (!hasCounted(host)) continue;
        const found = growthOf(host, this.countBefore(isSame ? next++ : this.placeOf(cluster, host)));
        if (found) growth.push(found);
      }
      if (growth.length > 0) grown.set(cluster, growth);
    }
    return grown;
  }

  private countBefore(place: number): Count {
    const at = place * COUNTS_PER_HOST;
    const counts = place < 0 ? undefined : this.before?.counts;
    return { total: counts?.[at] ?? 0, success: counts?.[at + 1] ?? 0, error: counts?.[at + 2] ?? 0 };
  }

  private placeOf(cluster: string, host: ClusterHost): number {
    this.places ??= new Map(this.before?.names.map((name, place) => [hostKey(name), place]));
    return this.places.get(hostKey({ cluster, ...host })) ?? -1;
  }
}

function hasCounted({ total, success, error }: Count): boolean {
  return total + success + error > 0;
}

/** Whether the hosts that counted anything are those, in that order. */
function areInOrder(names: readonly HostName[], clusters: readonly ClusterHosts[]): boolean {
  let next = 0;
  for (const { cluster, hosts } of clusters)
    for (const host of hosts) {
      if (!hasCounted(host)) continue;
      const name = names[next++];
      if (name?.address !== host.address || name.cluster !== cluster || name.hostname !== host.hostname) return false;
    }
  return next === names.length;
}

function countsOf(clusters: readonly ClusterHosts[], length: number): Float64Array {
  const counts = new Float64Array(length);
  let at = 0;
  for (const { hosts } of clusters)
    for (const host of hosts) if (hasCounted(host)) for (const count of COUNTS) counts[at++] = host[count];
  return counts;
}

function countedOf(clusters: readonly ClusterHosts[]): HostCounts {
  const counted = clusters.flatMap(({ cluster, hosts }) =>
    uniqueHosts(cluster, hosts)
      .filter(hasCounted)
      .map((host) => ({ cluster, host })),
  );
  const names = counted.map(({ cluster, host: { address, hostname } }) => ({ cluster, address, hostname }));
  const counts = counted.flatMap(({ host }) => COUNTS.map((count) => host[count]));
  return { names: sharedHosts(names), counts: Float64Array.from(counts) };
}

function growthOf(now: ClusterHost, then: Count): HostGrowth | undefined {
  const restarted = now.total < then.total || now.success < then.success || now.error < then.error;
  const success = now.success - (restarted ? 0 : then.success);
  const error = now.error - (restarted ? 0 : then.error);
  if (success + error === 0) return undefined;
  const { address, hostname, region, zone } = now;
  return { address, hostname, region, zone, success, error };
}

function uniqueHosts(cluster: string, hosts: readonly ClusterHost[]): ClusterHost[] {
  return [...new Map(hosts.map((host) => [hostKey({ cluster, ...host }), host])).values()];
}

function hostKey({ cluster, address, hostname }: HostName): string {
  return keyOf([cluster, address, hostname]);
}
