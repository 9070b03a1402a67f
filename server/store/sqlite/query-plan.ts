/** Which units a query reads, and into which groups their series go: the same for every time that is asked about. */

import type { LatencySource } from '../../model/flow.ts';
import { keyOf } from '../../model/labels.ts';
import { DIRECTIONS } from '../record.ts';
import { PLACE_LABELS, UNIT_LABELS } from '../series-labels.ts';
import { SERIES_LABELS, type SeriesLabel, type SeriesLabels, type SumQuery } from '../store.ts';
import { TIER_LIST } from '../tiers.ts';
import type { ReaderCatalog, ReadFlow, Unit } from './reader-catalog.ts';
import { PLACE, SERVICE, TARGET } from './schema.ts';

/** What a plan depends on. */
export type Asked = Pick<SumQuery, 'direction' | 'match' | 'without' | 'by'>;

export interface PlannedGroup {
  readonly index: number;
  readonly key: string;
  readonly labels: SeriesLabels;
}

export interface PlannedUnit {
  readonly unit: Unit;
  /** Targets that a place stands for. */
  readonly members: readonly Unit[];
  /** Groups that its series go into: at least one. */
  readonly groups: readonly PlannedGroup[];
  /** Series that were looked up, by the list of their ids. */
  readonly found: WeakMap<readonly number[], readonly (PlannedSeries | undefined)[]>;
}

export interface PlannedSeries {
  readonly group: PlannedGroup;
  readonly source: LatencySource;
}

/** Units that share no group with those of another one, so that few groups have to be held at once. */
export interface Partition {
  readonly units: readonly PlannedUnit[];
  /** How many groups they have. */
  readonly groups: number;
}

export type Partitions = ReadonlyMap<string, Partition>;

export class QueryPlan {
  readonly direction: number;
  private readonly asked: Asked;
  private readonly catalog: ReaderCatalog;
  private readonly groups = new Map<string, PlannedGroup>();
  private readonly partitions = new Map<number, Partitions>();
  private readonly match: readonly (readonly [SeriesLabel, ReadonlySet<string>])[];
  private readonly without: readonly { labels: readonly SeriesLabel[]; keys: ReadonlySet<string> }[];

  constructor(asked: Asked, catalog: ReaderCatalog) {
    this.asked = asked;
    this.catalog = catalog;
    this.direction = (DIRECTIONS as readonly string[]).indexOf(asked.direction);
    this.match = SERIES_LABELS.flatMap((label) => {
      const values = asked.match[label];
      return values ? [[label, new Set(values)] as const] : [];
    });
    this.without = (asked.without ?? []).map(({ labels, keys }) => ({ labels, keys: new Set(keys) }));
  }

  /** Of all units of a kind. */
  unitsOf(kind: number): Partitions {
    let partitions = this.partitions.get(kind);
    if (!partitions) {
      partitions = this.partition(kind);
      this.partitions.set(kind, partitions);
    }
    return partitions;
  }

  /** Where series go when they are read for a unit; undefined for those that the query doesn't want. */
  seriesOf(ids: readonly number[], planned: PlannedUnit): readonly (PlannedSeries | undefined)[] {
    let series = planned.found.get(ids);
    if (!series) {
      series = ids.map((id) => this.find(id, planned));
      planned.found.set(ids, series);
    }
    return series;
  }

  private find(id: number, { unit, groups }: PlannedUnit): PlannedSeries | undefined {
    const flow = this.catalog.flows.get(id);
    const key = flow && this.keyFor(flow, unit);
    const group = groups.find((one) => one.key === key);
    return flow && group ? { group, source: flow.source } : undefined;
  }

  /** Of the units that a tier is read from. */
  kindOf(tier: number): number {
    const asked = [
      ...this.asked.by,
      ...this.match.map(([label]) => label),
      ...this.without.flatMap(({ labels }) => labels),
    ];
    if (!asked.some((label) => PLACE_LABELS.includes(label))) return SERVICE;
    return TIER_LIST[tier]?.instances ? TARGET : PLACE;
  }

  private partition(kind: number): Partitions {
    const labels = UNIT_LABELS.filter((label) => this.asked.by.includes(label));
    const members = kind === PLACE ? this.targetsByPlace() : undefined;
    const partitions = new Map<string, PlannedUnit[]>();
    for (const unit of this.catalog.units.values()) {
      if (unit.kind !== kind) continue;
      const groups = this.groupsOf(unit);
      if (groups.length === 0) continue;
      const key = keyOf(labels.map((label) => unit.labels[label] ?? ''));
      const partition = partitions.get(key) ?? [];
      partition.push({ unit, groups, members: members?.get(unit.id) ?? [], found: new WeakMap() });
      partitions.set(key, partition);
    }
    const sized = new Map<string, Partition>();
    for (const [key, units] of partitions)
      sized.set(key, { units, groups: new Set(units.flatMap(({ groups }) => groups)).size });
    return sized;
  }

  private targetsByPlace(): Map<number, Unit[]> {
    return Map.groupBy(
      [...this.catalog.units.values()].filter(({ kind }) => kind === TARGET),
      ({ place }) => place,
    );
  }

  private groupsOf(unit: Unit): PlannedGroup[] {
    if (this.match.some(([label, values]) => label in unit.labels && !values.has(unit.labels[label] ?? ''))) return [];
    const groups = new Set<PlannedGroup>();
    for (const flow of unit.flows[this.direction] ?? []) {
      const key = this.keyFor(flow, unit);
      if (key !== undefined) groups.add(this.groupFor(key, { ...flow.labels, ...unit.labels }));
    }
    return [...groups];
  }

  private keyFor(flow: ReadFlow, unit: Unit): string | undefined {
    const valueFor = (label: SeriesLabel): string => unit.labels[label] ?? flow.labels[label] ?? '';
    if (this.match.some(([label, values]) => !values.has(valueFor(label)))) return undefined;
    if (this.without.some(({ labels, keys }) => keys.has(keyOf(labels.map(valueFor))))) return undefined;
    return keyOf(this.asked.by.map(valueFor));
  }

  private groupFor(key: string, labels: SeriesLabels): PlannedGroup {
    let group = this.groups.get(key);
    if (!group) {
      const own = Object.fromEntries(this.asked.by.map((label) => [label, labels[label] ?? '']));
      group = { index: this.groups.size, key, labels: own };
      this.groups.set(key, group);
    }
    return group;
  }
}

/** Most plans that are remembered. */
const MOST_PLANS = 32;

/** Plans of what was asked before; they hold as long as no unit and no series is new. */
export class QueryPlans {
  private readonly catalog: ReaderCatalog;
  private readonly plans = new Map<string, QueryPlan>();
  private version = -1;

  constructor(catalog: ReaderCatalog) {
    this.catalog = catalog;
  }

  of({ direction, match, without, by }: Asked): QueryPlan {
    if (this.version !== this.catalog.version) this.plans.clear();
    this.version = this.catalog.version;
    const asked = { direction, match, by, ...(without ? { without } : {}) };
    const key = JSON.stringify(asked);
    const known = this.plans.get(key) ?? new QueryPlan(asked, this.catalog);
    this.plans.delete(key);
    this.plans.set(key, known);
    const [oldest] = this.plans.keys();
    if (this.plans.size > MOST_PLANS && oldest !== undefined) this.plans.delete(oldest);
    return known;
  }
}
