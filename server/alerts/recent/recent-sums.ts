import { COUNTERS, type Direction, type FlowIncrement, type FlowKey, STORED_GAUGES } from '../../model/flow.ts';
import { keyOf } from '../../model/labels.ts';
import { type Interval, overlapMs } from '../../model/spread.ts';
import { lengthOf, partsIn, unionOf } from '../../store/coverage.ts';
import { FLOW_LABELS, PLACE_LABELS, UNIT_LABELS } from '../../store/series-labels.ts';
import type { Cell, Group, SeriesLabel, SeriesLabels, SumQuery } from '../../store/store.ts';
import { NUMBERS_OF_FLOW, type RecentUnit, type RecentUnits } from './recent-units.ts';
import type { SlotGrid } from './slot-grid.ts';
import { SlotSums } from './slot-sums.ts';

/** What sums are told apart by. */
export interface SumsShape {
  readonly direction: Direction;
  readonly by: readonly SeriesLabel[];
  readonly bins: boolean;
}

interface RecentGroup {
  readonly labels: SeriesLabels;
  /** Whose measured time is the group's: targets, or all targets of a service where places are not told apart. */
  readonly members: Set<ReadonlySet<RecentUnit>>;
  /** Undefined while nobody asks for the group. */
  sums: SlotSums | undefined;
  /** Since when everything is in `sums`, Unix milliseconds. */
  since: number;
}

/** Which group each flow of a target is added to. */
type Routes = Map<FlowKey, RecentGroup>;

/** Plans are made anew now and then, with names of their own for the same flows. */
const MOST_ROUTES_BESIDES = 64;

/** More groups than these are left to the store: callers may name as many services as they like. */
const MOST_GROUPS = 3000;

/** What was counted lately of all groups of one shape. */
export class RecentSums {
  readonly shape: SumsShape;
  private readonly grid: SlotGrid;
  private readonly units: RecentUnits;
  private readonly groups = new Map<string, RecentGroup>();
  private routes = new WeakMap<RecentUnit, Routes>();
  private readonly since: number;
  /** Whether there were too many groups: nothing is known then. */
  isFull = false;

  constructor(shape: SumsShape, { grid, units, since }: { grid: SlotGrid; units: RecentUnits; since: number }) {
    this.shape = shape;
    this.grid = grid;
    this.units = units;
    this.since = since;
  }

  /** Over the time that the grid is set to. */
  add(unit: RecentUnit, flows: readonly FlowIncrement[]): void {
    if (this.isFull) return;
    const routes = this.routesOf(unit, flows.length);
    for (let i = 0; i < flows.length; i++) {
      const increment = flows[i];
      if (increment?.flow.direction !== this.shape.direction) continue;
      const group = routes.get(increment.flow) ?? this.newRoute(unit, increment.flow, routes);
      group.sums?.add(increment);
    }
    if (this.groups.size <= MOST_GROUPS) return;
    this.isFull = true;
    this.groups.clear();
    this.routes = new WeakMap();
  }

  /** By the names of the flows: those of plans that are not used any more are forgotten where there are too many. */
  private routesOf(unit: RecentUnit, flows: number): Routes {
    const known = this.routes.get(unit);
    if (known && known.size <= 2 * flows + MOST_ROUTES_BESIDES) return known;
    const routes: Routes = new Map();
    this.routes.set(unit, routes);
    return routes;
  }

  private newRoute(unit: RecentUnit, flow: FlowKey, routes: Routes): RecentGroup {
    const labels = labelsOf(unit, flow, this.shape.by);
    const key = keyOf(Object.values(labels));
    const group = this.groups.get(key) ?? this.newGroup(labels);
    this.groups.set(key, group);
    group.members.add(this.isByPlace ? unit.alone : unit.service);
    routes.set(flow, group);
    return group;
  }

  private newGroup(labels: SeriesLabels): RecentGroup {
    const sums = new SlotSums(this.grid, this.shape.bins);
    return { labels, members: new Set(), sums, since: this.since };
  }

  private get isByPlace(): boolean {
    return this.shape.by.some((label) => PLACE_LABELS.includes(label));
  }

  move(by: number): void {
    for (const { sums } of this.groups.values()) sums?.move(by);
  }

  /** Groups that nobody was measured of are forgotten; to be called after units were. */
  forget(): void {
    for (const [key, { members }] of this.groups) {
      for (const units of members) if (!isMeasured(units)) members.delete(units);
      if (members.size === 0) this.groups.delete(key);
    }
  }

  /**
   * The groups of a query whose ends are slots' edges. Undefined where not everything of its time is known here; it is
   * from then on, as long as the same is asked for.
   */
  answer(query: SumQuery, now: number): Iterable<Group> | undefined {
    if (this.isFull) return undefined;
    const wanted: RecentGroup[] = [];
    const without = (query.without ?? []).map(({ labels, keys }) => ({ labels, keys: new Set(keys) }));
    let isKnown = query.from >= Math.max(this.since, this.grid.fromMs);
    for (const group of this.groups.values()) {
      if (isLeftOut(group.labels, without)) {
        group.sums = undefined;
        continue;
      }
      if (!group.sums) {
        group.sums = new SlotSums(this.grid, this.shape.bins);
        group.since = now;
      }
      if (query.from < group.since) isKnown = false;
      wanted.push(group);
    }
    return isKnown ? this.cells(wanted, query) : undefined;
  }

  private *cells(groups: readonly RecentGroup[], query: SumQuery): Generator<Group> {
    for (const group of groups) {
      const cell = this.cell(group, query);
      if (cell) yield { labels: group.labels, cells: [cell] };
    }
  }

  private cell(group: RecentGroup, { from, to, bins, quantiles }: SumQuery): Cell | undefined {
    const units = [...group.members].flatMap((some) => [...some]);
    const { newest } = this.units;
    const within = { from, to };
    const runs = unionOf(units.flatMap((unit) => partsIn(unit.runs, within)));
    if (runs.length === 0 || !group.sums) return undefined;
    const current = units.filter(({ last }) => last.to > from);
    const tails = current.map((unit) => unit.tail(newest));
    const measured = partsIn(unionOf([...runs, ...tails]), within);
    const counts = group.sums.counts({ from, to, bins, quantiles });
    const standing = (): Standing => this.standing(group, { units: current, within });
    return new RecentCell({ ...counts, measured }, standing);
  }

  /** What the last scrapes of a group's targets tell of the time since, and of the moment. */
  private standing(
    group: RecentGroup,
    { units, within }: { units: readonly RecentUnit[]; within: Interval },
  ): Standing {
    const { newest } = this.units;
    const moment = Math.min(within.to, newest);
    const expected = new Float64Array(COUNTERS.length);
    const gauges = new Float64Array(STORED_GAUGES.length);
    let isHeld = false;
    for (const unit of units) {
      const { last, lastFlows, lastNumbers } = unit;
      const tail = unit.tail(newest);
      const share = overlapMs(tail, within) / (last.to - last.from);
      const isNow = last.from < moment && tail.to >= moment;
      isHeld ||= isNow;
      const routes = this.routesOf(unit, lastFlows.length);
      for (const [index, flow] of lastFlows.entries()) {
        if (flow.direction !== this.shape.direction) continue;
        if ((routes.get(flow) ?? this.newRoute(unit, flow, routes)) !== group) continue;
        const at = index * NUMBERS_OF_FLOW;
        if (share > 0) addTo(expected, lastNumbers, { at, share });
        if (isNow) addTo(gauges, lastNumbers, { at: at + COUNTERS.length, share: 1 });
      }
    }
    return { expected, gauges: isHeld ? gauges : null };
  }
}

interface Standing {
  readonly expected: Float64Array;
  readonly gauges: Float64Array | null;
}

/** Rates and gauges are worked out for those only who ask for them. */
class RecentCell implements Cell {
  readonly counters: Cell['counters'];
  readonly bins: Cell['bins'];
  readonly quantiles: Cell['quantiles'];
  readonly meanMs: Cell['meanMs'];
  readonly timeoutsWithoutSample: number;
  readonly downstreamSamples: number;
  readonly upstreamSamples: number;
  readonly measured: Cell['measured'];
  private readonly stand: () => Standing;
  private known: Standing | undefined;

  constructor(counts: Omit<Cell, 'rates' | 'gauges'>, stand: () => Standing) {
    this.counters = counts.counters;
    this.bins = counts.bins;
    this.quantiles = counts.quantiles;
    this.meanMs = counts.meanMs;
    this.timeoutsWithoutSample = counts.timeoutsWithoutSample;
    this.downstreamSamples = counts.downstreamSamples;
    this.upstreamSamples = counts.upstreamSamples;
    this.measured = counts.measured;
    this.stand = stand;
  }

  private get standing(): Standing {
    this.known ??= this.stand();
    return this.known;
  }

  get rates(): Float64Array {
    const { expected } = this.standing;
    const seconds = lengthOf(this.measured) / 1000;
    return this.counters.map((count, index) => (count + (expected[index] ?? 0)) / seconds);
  }

  get gauges(): Float64Array | null {
    return this.standing.gauges;
  }
}

function addTo(sums: Float64Array, numbers: Float64Array, { at, share }: { at: number; share: number }): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (numbers[at + i] ?? 0) * share;
}

function labelsOf({ identity }: RecentUnit, flow: FlowKey, by: readonly SeriesLabel[]): SeriesLabels {
  const values: Partial<Record<SeriesLabel, string>> = {};
  for (const { label, of } of FLOW_LABELS) values[label] = of(flow);
  for (const label of UNIT_LABELS) values[label] = identity[label];
  return Object.fromEntries(by.map((label) => [label, values[label] ?? '']));
}

interface LeftOut {
  /** All of them are among those that groups are told apart by. */
  readonly labels: readonly SeriesLabel[];
  readonly keys: ReadonlySet<string>;
}

function isLeftOut(labels: SeriesLabels, without: readonly LeftOut[]): boolean {
  return without.some((left) => left.keys.has(keyOf(left.labels.map((label) => labels[label] ?? ''))));
}

function isMeasured(units: ReadonlySet<RecentUnit>): boolean {
  for (const unit of units) if (unit.runs.length > 0) return true;
  return false;
}
