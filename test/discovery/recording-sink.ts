import type { Discoverer, DiscoverySink, Endpoint, TargetGroup } from '../../server/discovery/discoverer.ts';

/** Keeps what a mechanism tells, as discovery would. */
export interface RecordingSink extends DiscoverySink {
  readonly groups: Map<string, TargetGroup>;
  /** How often groups were told. */
  readonly updates: () => number;
  readonly error: () => string;
  /** Every address that is found now, sorted. */
  readonly addresses: () => string[];
  readonly endpoints: () => Endpoint[];
}

export function recordingSink(): RecordingSink {
  const groups = new Map<string, TargetGroup>();
  let updates = 0;
  let error = '';
  const endpoints = () => [...groups.values()].flatMap(({ targets }) => [...targets]);
  return {
    groups,
    updates: () => updates,
    error: () => error,
    endpoints,
    addresses: () =>
      endpoints()
        .map(({ address }) => address)
        .sort(),
    update(told) {
      updates++;
      for (const group of told) {
        if (group.targets.length === 0 && !group.excluded?.length) groups.delete(group.source);
        else groups.set(group.source, group);
      }
    },
    health(told) {
      error = told;
    },
  };
}

/** A mechanism at work, and what it tells. */
export function started(discoverer: Discoverer): RecordingSink {
  const sink = recordingSink();
  discoverer.start(sink);
  return sink;
}
