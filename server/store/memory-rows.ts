/** What the in-memory store keeps, and how it gets coarser with age. */

import { COUNTERS, type FlowIncrement, type FlowKey, type Identity, STORED_GAUGES } from '../model/flow.ts';
import { mergeBins, type SparseBins } from '../model/histogram.ts';
import { keyOf } from '../model/labels.ts';
import { type Interval, spreadCount } from '../model/spread.ts';
import { unionOf } from './coverage.ts';
import { TIERS, type TierName } from './store.ts';

/** Length of a slot of each tier in milliseconds; raw rows keep the interval that they were measured in. */
export const TIER_STEP_MS: Readonly<Record<TierName, number>> = {
  raw: 1,
  '1m': 60_000,
  '10m': 600_000,
  '1h': 3_600_000,
};

/** What one flow did in one interval. */
export interface MemoryRow {
  readonly flow: FlowKey;
  readonly interval: Interval;
  readonly counters: Float64Array;
  /** At the end of the interval. */
  gauges: Float64Array;
  /** End of the row that the gauges are from; of a row of a scrape its own. */
  gaugesAt: number;
  bins: SparseBins;
}

export type Place = Omit<Identity, 'role'>;

/** One target under one identity, or all instances of a service in one zone where the instance is not known any more. */
export class Unit {
  readonly place: Place;
  /** When it was measured: sorted, apart. */
  runs: Interval[] = [];
  /** The newest scrape's interval. */
  last: Interval = { from: 0, to: 0 };
  readonly rows: Readonly<Record<TierName, Map<string, MemoryRow>>> = {
    raw: new Map(),
    '1m': new Map(),
    '10m': new Map(),
    '1h': new Map(),
  };

  constructor(place: Place) {
    this.place = place;
  }

  measured(interval: Interval): void {
    this.runs = unionOf([...this.runs, interval]);
    if (interval.to > this.last.to) this.last = interval;
  }

  addRaw({ flow, counters, gauges, bins }: FlowIncrement, interval: Interval): void {
    const row: MemoryRow = {
      flow,
      interval,
      counters: Float64Array.from(counters),
      gauges: Float64Array.from(gauges.subarray(0, STORED_GAUGES.length)),
      gaugesAt: interval.to,
      bins,
    };
    const key = rowKey(flow, interval);
    const known = this.rows.raw.get(key);
    // The clock was put back: counts of the same time add up, gauges stay as they were told first.
    if (known) addPart(this.rows.raw, row, { slot: interval, ofOneUnit: true });
    else this.rows.raw.set(key, row);
  }

  forget(tier: TierName, before: number): void {
    for (const [key, { interval }] of this.rows[tier]) if (interval.to <= before) this.rows[tier].delete(key);
  }

  get isEmpty(): boolean {
    return TIERS.every((tier) => this.rows[tier].size === 0);
  }
}

/** Moves a unit's rows of one tier that ended by `border` to a coarser one of `into`, cut into its slots. */
export function foldRows(from: Unit, into: Unit, { tier, next, border }: Fold): void {
  for (const [key, row] of from.rows[tier]) {
    if (row.interval.to > border) continue;
    from.rows[tier].delete(key);
    for (const slot of slotsOf(row.interval, TIER_STEP_MS[next]))
      addPart(into.rows[next], row, { slot, ofOneUnit: from === into });
  }
}

export interface Fold {
  readonly tier: TierName;
  readonly next: TierName;
  readonly border: number;
}

function slotsOf({ from, to }: Interval, stepMs: number): Interval[] {
  const first = Math.floor(from / stepMs);
  const count = Math.ceil(to / stepMs) - first;
  return Array.from({ length: count }, (_, i) => ({ from: (first + i) * stepMs, to: (first + i + 1) * stepMs }));
}

interface Adding {
  readonly slot: Interval;
  /** Whether all that is added to the slot's row is of one unit. */
  readonly ofOneUnit: boolean;
}

/** Adds the part of a row that lies in a slot to the slot's row. */
function addPart(rows: Map<string, MemoryRow>, row: MemoryRow, { slot, ofOneUnit }: Adding): void {
  const key = rowKey(row.flow, slot);
  const sum: MemoryRow = rows.get(key) ?? {
    flow: row.flow,
    interval: slot,
    counters: new Float64Array(COUNTERS.length),
    gauges: new Float64Array(STORED_GAUGES.length),
    gaugesAt: 0,
    bins: { keys: [], counts: [] },
  };
  rows.set(key, sum);
  for (let i = 0; i < COUNTERS.length; i++) sum.counters[i] = (sum.counters[i] ?? 0) + partOf(row, i, slot);
  sum.bins = mergeBins([sum.bins, binsIn(row, slot)]);
  if (!ofOneUnit || row.interval.to !== sum.gaugesAt) addGauges(sum, row);
}

function partOf({ counters, interval }: MemoryRow, index: number, within: Interval): number {
  return spreadCount(counters[index] ?? 0, interval, within.from, within.to);
}

/** The part of a row's histogram that lies in an interval. */
export function binsIn({ bins, interval }: Pick<MemoryRow, 'bins' | 'interval'>, within: Interval): SparseBins {
  if (interval.from >= within.from && interval.to <= within.to) return bins;
  const counts = bins.counts.map((count) => spreadCount(count, interval, within.from, within.to));
  const kept = counts.flatMap((count, index) => (count > 0 ? [index] : []));
  return { keys: kept.map((i) => bins.keys[i] ?? 0), counts: kept.map((i) => counts[i] ?? 0) };
}

/** The newest gauges stand; those of several instances at one time add up. */
function addGauges(sum: MemoryRow, row: MemoryRow): void {
  const at = row.interval.to;
  if (at < sum.gaugesAt) return;
  if (at > sum.gaugesAt) sum.gauges = Float64Array.from(row.gauges);
  else sum.gauges = sum.gauges.map((value, index) => value + (row.gauges[index] ?? 0));
  sum.gaugesAt = at;
}

function rowKey({ direction, peer, peerNamespace, source }: FlowKey, { from, to }: Interval): string {
  return keyOf([direction, peer, peerNamespace, source, String(from), String(to)]);
}
