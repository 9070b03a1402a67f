import { hasBareClusters } from '../envoy/bare-clusters.ts';
import { calledZones, clusterNames } from '../envoy/stat-names.ts';
import type { StatsLayout } from '../envoy/stats.ts';

/** What the names of an answer tell of what to ask for next. */
export interface ListedNames {
  readonly clusters: Iterable<string>;
  readonly hasBareClusters: boolean;
  /** See `calledZones`. */
  readonly called: ReturnType<typeof calledZones>;
}

interface Known extends ListedNames {
  readonly ownZone: string;
}

const KNOWN = new WeakMap<StatsLayout, Known>();

/** Worked out once for all targets that list the same names; `ownZone` is the one that Envoy says it is in. */
export function listedNames(layout: StatsLayout, ownZone: string): ListedNames {
  const known = KNOWN.get(layout);
  if (known?.ownZone === ownZone) return known;
  const { scalars } = layout;
  const listed = {
    clusters: [...clusterNames(scalars)],
    hasBareClusters: hasBareClusters(scalars),
    called: calledZones(scalars, ownZone),
    ownZone,
  };
  KNOWN.set(layout, listed);
  return listed;
}
