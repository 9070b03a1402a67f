import type { Discoverer, DiscoverySink, Endpoint, TargetGroup } from '../../server/discovery/discoverer.ts';

/** Keeps what a mechanism tells, as discovery would. */
export interface RecordingSink extends DiscoverySink {
  readonly groups: Map<string, TargetGroup>;
  /** How often groups were told. */
  readonly updates: () => number;
  readonly error: () => string;
  /** Every health that was told, in order. */
  readonly told: string[];
  /** Every update, in order. */
  readonly batches: (readonly TargetGroup[])[];
  /** Every address that is found now, sorted. */
  readonly addresses: () => string[];
  readonly endpoints: () => Endpoint[];
}

export function recordingSink(): RecordingSink {
  const groups = new Map<string, TargetGroup>();
  const told: string[] = [];
  const batches: (readonly TargetGroup[])[] = [];
  const endpoints = () => [...groups.values()].flatMap(({ targets }) => [...targets]);
  return {
    groups,
    updates: () => batches.length,
    error: () => told.at(-1) ?? '',
    told,
    batches,
    endpoints,
    addresses: () =>
      endpoints()
        .map(({ address }) => address)
        .sort(),
    update(changed) {
      batches.push(changed);
      for (const group of changed) {
        if (group.targets.length === 0 && !group.excluded?.length) groups.delete(group.source);
        else groups.set(group.source, group);
      }
    },
    health(error) {
      told.push(error);
    },
  };
}

/** A mechanism at work, and what it tells. */
export function started(discoverer: Discoverer): RecordingSink {
  const sink = recordingSink();
  discoverer.start(sink);
  return sink;
}
