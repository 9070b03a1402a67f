/** What the counters of clusters' hosts grew by from one reading of `/clusters` to the next. */

import type { ClusterHost, ClusterHosts } from '../envoy/clusters.ts';
import { keyOf } from '../model/labels.ts';

/** What one host answered. */
export interface HostGrowth
  extends Pick<ClusterHost, 'address' | 'hostname' | 'region' | 'zone' | 'success' | 'error'> {}

/** A host's counters as they stood; those without any are not kept: a host that is missed counts from zero. */
export interface HostCount extends Pick<ClusterHost, 'address' | 'hostname' | 'total' | 'success' | 'error'> {
  readonly cluster: string;
}

export class HostCounters {
  /** Undefined until a first reading. */
  private before: Map<string, HostCount> | undefined;
  private listed: { readonly of: ReadonlyMap<string, HostCount>; readonly counts: HostCount[] } | undefined;
  /** Goes up whenever the hosts that are counted may be others than before. */
  version = 0;

  constructor(stored: readonly HostCount[] | undefined) {
    if (stored) this.before = byKey(stored);
  }

  /** Everything counts from zero: another process answers. */
  restart(): void {
    this.before = new Map();
    this.version++;
  }

  /** The same list as long as nothing was read. */
  get counts(): HostCount[] | undefined {
    if (this.listed?.of !== this.before)
      this.listed = this.before && { of: this.before, counts: [...this.before.values()] };
    return this.listed?.counts;
  }

  /** Growth by cluster, hosts without any left out; empty for the first reading, which is the baseline. */
  advance(clusters: readonly ClusterHosts[]): Map<string, HostGrowth[]> {
    const { before } = this;
    const counts = byKey(clusters.flatMap(({ cluster, hosts }) => hosts.map((host) => ({ ...host, cluster }))));
    this.before = new Map([...counts].filter(([, { total, success, error }]) => total + success + error > 0));
    if (!before || !sameKeys(before, this.before)) this.version++;
    const grown = new Map<string, HostGrowth[]>();
    if (!before) return grown;
    for (const { cluster, hosts } of clusters) {
      const growth = uniqueHosts(cluster, hosts).flatMap((host) =>
        growthOf(host, before.get(hostKey({ cluster, ...host }))),
      );
      if (growth.length > 0) grown.set(cluster, growth);
    }
    return grown;
  }
}

/** Whether they are the same, in the same order. */
function sameKeys(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): boolean {
  if (one.size !== other.size) return false;
  const others = other.keys();
  for (const key of one.keys()) if (key !== others.next().value) return false;
  return true;
}

function growthOf(now: ClusterHost, then: HostCount | undefined): HostGrowth[] {
  const restarted = then && (now.total < then.total || now.success < then.success || now.error < then.error);
  const base = restarted ? undefined : then;
  const success = now.success - (base?.success ?? 0);
  const error = now.error - (base?.error ?? 0);
  if (success + error === 0) return [];
  const { address, hostname, region, zone } = now;
  return [{ address, hostname, region, zone, success, error }];
}

function uniqueHosts(cluster: string, hosts: readonly ClusterHost[]): ClusterHost[] {
  return [...new Map(hosts.map((host) => [hostKey({ cluster, ...host }), host])).values()];
}

function byKey<T extends HostCount>(counts: readonly T[]): Map<string, HostCount> {
  return new Map(
    counts.map(({ cluster, address, hostname, total, success, error }) => {
      const count = { cluster, address, hostname, total, success, error };
      return [hostKey(count), count];
    }),
  );
}

function hostKey({ cluster, address, hostname }: Pick<HostCount, 'cluster' | 'address' | 'hostname'>): string {
  return keyOf([cluster, address, hostname]);
}
