import type { CounterStep } from './plan.ts';

/** Two counters of one cluster that may tell the same events: the slots of both. */
export interface SameEvents extends Omit<CounterStep, 'slot'> {
  readonly slots: readonly [number, number];
}

/** The pairs among `steps`, of which every owner has two at most. */
export function sameEvents(steps: readonly CounterStep[]): SameEvents[] {
  const first = new Map<number, CounterStep>();
  return steps.flatMap(({ slot, ...step }) => {
    const other = first.get(step.owner);
    if (!other) first.set(step.owner, { slot, ...step });
    return other ? [{ ...step, slots: [other.slot, slot] as const }] : [];
  });
}
