import type { PlannedUnit, QueryPlan } from './query-plan.ts';

/**
 * Units by what has to be read together, as their groups may be the same; where those are small, several of them, of at
 * most about so many groups. `kinds`: those of the units that are read.
 */
export function* batchesOf(plan: QueryPlan, kinds: ReadonlySet<number>, most: number): Generator<PlannedUnit[]> {
  let batch: PlannedUnit[] = [];
  let open = 0;
  for (const { units, groups } of partitionsOf(plan, kinds)) {
    if (open > 0 && open + groups > most) {
      yield batch;
      [batch, open] = [[], 0];
    }
    for (const unit of units) batch.push(unit);
    open += groups;
  }
  if (batch.length > 0) yield batch;
}

interface Partition {
  readonly units: readonly PlannedUnit[];
  readonly groups: number;
}

function partitionsOf(plan: QueryPlan, kinds: ReadonlySet<number>): Iterable<Partition> {
  const [first, ...others] = [...kinds].map((kind) => plan.unitsOf(kind));
  if (!first || others.length === 0) return first?.values() ?? [];
  const joined = new Map<string, Partition>(first);
  for (const partitions of others)
    for (const [key, { units, groups }] of partitions) {
      const known = joined.get(key);
      const both = known && { units: [...known.units, ...units], groups: Math.max(known.groups, groups) };
      joined.set(key, both ?? { units, groups });
    }
  return joined.values();
}
