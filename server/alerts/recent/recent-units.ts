/** Which targets the newest scrapes are of, and when they were measured. */

import { COUNTERS, type FlowIncrement, type FlowKey, type Identity, STORED_GAUGES } from '../../model/flow.ts';
import { keyOf } from '../../model/labels.ts';
import type { Interval } from '../../model/spread.ts';
import { partsIn, unionOf } from '../../store/coverage.ts';
import { UNIT_LABELS } from '../../store/series-labels.ts';

/** Numbers of each flow in {@link RecentUnit.lastNumbers}: its counters, then its stored gauges. */
export const NUMBERS_OF_FLOW = COUNTERS.length + STORED_GAUGES.length;

/** A target's next scrape is overdue after this many of its intervals: the store's own rule. */
const OVERDUE = 1.5;

/** Where there are more, those that nothing happened in are not worth their memory. */
const MANY_FLOWS = 100;

const hasHappened = ({ counters, gauges }: FlowIncrement): boolean =>
  counters.some((count) => count !== 0) || gauges.some((value) => value !== 0);

/** One target under one identity. */
export class RecentUnit {
  readonly identity: Identity;
  /** All of its service, itself among them. */
  readonly service: Set<RecentUnit>;
  readonly alone: ReadonlySet<RecentUnit> = new Set([this]);
  /** When it was measured: sorted, apart. */
  runs: { from: number; to: number }[] = [];
  last: Interval = { from: 0, to: 0 };
  /** What happened in its last scrape: in which flows, and {@link NUMBERS_OF_FLOW} of each. */
  readonly lastFlows: FlowKey[] = [];
  lastNumbers = new Float64Array(0);

  constructor(identity: Identity, service: Set<RecentUnit>) {
    this.identity = identity;
    this.service = service;
    service.add(this);
  }

  measured(interval: Interval, flows: readonly FlowIncrement[]): void {
    const run = this.runs.at(-1);
    if (run && interval.from >= run.from && interval.from <= run.to) run.to = Math.max(run.to, interval.to);
    else this.runs = unionOf([...this.runs, { ...interval }]);
    if (interval.to <= this.last.to) return;
    this.last = interval;
    this.keepLast(flows.length > MANY_FLOWS ? flows.filter(hasHappened) : flows);
  }

  /** In the memory that it has where that fits: what is kept from scrape to scrape would be most of all old garbage. */
  private keepLast(flows: readonly FlowIncrement[]): void {
    const { lastFlows } = this;
    const size = flows.length * NUMBERS_OF_FLOW;
    if (this.lastNumbers.length !== size) this.lastNumbers = new Float64Array(size);
    lastFlows.length = flows.length;
    let at = 0;
    for (let i = 0; i < flows.length; i++) {
      const increment = flows[i];
      if (!increment) continue;
      lastFlows[i] = increment.flow;
      at = this.keepNumbers(increment.counters, COUNTERS.length, at);
      at = this.keepNumbers(increment.gauges, STORED_GAUGES.length, at);
    }
  }

  private keepNumbers(numbers: Float64Array, count: number, from: number): number {
    const { lastNumbers } = this;
    for (let i = 0; i < count; i++) lastNumbers[from + i] = numbers[i] ?? 0;
    return from + count;
  }

  /** From its last scrape to the newest of all, as long as its next one is not overdue. */
  tail(newest: number): Interval {
    const { from, to } = this.last;
    const isDue = newest <= to + OVERDUE * (to - from);
    return { from: to, to: isDue ? Math.max(to, newest) : to };
  }

  /** False when nothing is left. */
  forget(before: number): boolean {
    if ((this.runs[0]?.from ?? before) < before)
      this.runs = partsIn(this.runs, { from: before, to: Number.POSITIVE_INFINITY });
    return this.runs.length > 0;
  }
}

export class RecentUnits {
  /** End of the newest scrape of all. */
  newest = 0;
  private readonly byKey = new Map<string, RecentUnit>();
  private readonly byTarget = new Map<string, RecentUnit>();
  private readonly services = new Map<string, Set<RecentUnit>>();

  of(target: string, identity: Identity): RecentUnit {
    const last = this.byTarget.get(target);
    if (last && isSame(last.identity, identity)) return last;
    const key = keyOf([target, ...UNIT_LABELS.map((label) => identity[label])]);
    const unit = this.byKey.get(key) ?? new RecentUnit(identity, this.serviceOf(identity));
    this.byKey.set(key, unit);
    this.byTarget.set(target, unit);
    return unit;
  }

  private serviceOf({ service, namespace }: Identity): Set<RecentUnit> {
    const key = keyOf([service, namespace]);
    const known = this.services.get(key) ?? new Set();
    this.services.set(key, known);
    return known;
  }

  /** What was measured before that moment is of no interest any more. */
  forget(before: number): void {
    const gone = new Set<RecentUnit>();
    for (const [key, unit] of this.byKey) {
      if (unit.forget(before)) continue;
      this.byKey.delete(key);
      unit.service.delete(unit);
      gone.add(unit);
    }
    if (gone.size === 0) return;
    for (const [target, unit] of this.byTarget) if (gone.has(unit)) this.byTarget.delete(target);
    for (const [key, units] of this.services) if (units.size === 0) this.services.delete(key);
  }
}

function isSame(a: Identity, b: Identity): boolean {
  return a === b || UNIT_LABELS.every((label) => a[label] === b[label]);
}
