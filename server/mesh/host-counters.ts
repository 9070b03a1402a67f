/** What the counters of clusters' hosts grew by from one reading of `/clusters` to the next. */

import type { ClusterHost, ClusterHosts } from '../envoy/clusters.ts';
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
    if (before && areInOrder(before.names, clusters)) return this.advanceInOrder(clusters, before);
    const { counted, grown } = compared(clusters, before);
    this.take(counted);
    return grown;
  }

  private take(counted: HostCounts): void {
    this.before = counted;
    this.version++;
  }

  private advanceInOrder(clusters: readonly ClusterHosts[], before: HostCounts): Map<string, HostGrowth[]> {
    const counts = new Float64Array(before.counts.length);
    const grown = new Map<string, HostGrowth[]>();
    let place = 0;
    for (const { cluster, hosts } of clusters) {
      const growth: HostGrowth[] = [];
      for (const host of hosts) {
        if (!hasCounted(host)) continue;
        const found = growthOf(host, before.counts, place);
        if (found) growth.push(found);
        setCounts(counts, place++, host);
      }
      if (growth.length > 0) grown.set(cluster, growth);
    }
    this.before = { names: before.names, counts };
    return grown;
  }
}

/** The counts of hosts that may be others than before, each found again by its name; once where it is told twice. */
function compared(clusters: readonly ClusterHosts[], before: HostCounts | undefined) {
  const places = placesOf(before?.names ?? []);
  const names: HostName[] = [];
  const counted: Count[] = [];
  const grown = new Map<string, HostGrowth[]>();
  for (const { cluster, hosts } of clusters) {
    const growth: HostGrowth[] = [];
    const known = places.get(cluster);
    for (const [key, host] of hostsByKey(hosts)) {
      if (!hasCounted(host)) continue;
      const found = before && growthOf(host, before.counts, known?.get(key));
      if (found) growth.push(found);
      names.push({ cluster, address: host.address, hostname: host.hostname });
      counted.push(host);
    }
    if (growth.length > 0) grown.set(cluster, growth);
  }
  const counts = new Float64Array(counted.length * COUNTS_PER_HOST);
  for (const [place, host] of counted.entries()) setCounts(counts, place, host);
  return { counted: { names: sharedHosts(names), counts }, grown };
}

function hostsByKey(hosts: readonly ClusterHost[]): Map<string, ClusterHost> {
  const byKey = new Map<string, ClusterHost>();
  for (const host of hosts) byKey.set(hostKey(host), host);
  return byKey;
}

/** Where the hosts of each cluster are, by their keys. */
function placesOf(names: readonly HostName[]): Map<string, Map<string, number>> {
  const places = new Map<string, Map<string, number>>();
  let cluster: string | undefined;
  let own = new Map<string, number>();
  for (const [place, name] of names.entries()) {
    if (name.cluster !== cluster) {
      cluster = name.cluster;
      own = places.get(cluster) ?? new Map();
      places.set(cluster, own);
    }
    own.set(hostKey(name), place);
  }
  return places;
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

function setCounts(counts: Float64Array, place: number, { total, success, error }: Count): void {
  const at = place * COUNTS_PER_HOST;
  counts[at] = total;
  counts[at + 1] = success;
  counts[at + 2] = error;
}

/** `place`: where it is among the counts of before; undefined for a host that had none. */
function growthOf(now: ClusterHost, counts: Float64Array, place: number | undefined): HostGrowth | undefined {
  const at = place === undefined ? counts.length : place * COUNTS_PER_HOST;
  const [total, before, failed] = [counts[at] ?? 0, counts[at + 1] ?? 0, counts[at + 2] ?? 0];
  const restarted = now.total < total || now.success < before || now.error < failed;
  const success = now.success - (restarted ? 0 : before);
  const error = now.error - (restarted ? 0 : failed);
  if (success + error === 0) return undefined;
  const { address, hostname, region, zone } = now;
  return { address, hostname, region, zone, success, error };
}

/** Among the hosts of one cluster. The length keeps the two names apart; an address needs no text to be made of it. */
function hostKey({ address, hostname }: Pick<HostName, 'address' | 'hostname'>): string {
  return hostname === '' ? address : ` ${address.length} ${address}${hostname}`;
}
