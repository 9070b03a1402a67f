import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { FlowKey, Identity } from '../../model/flow.ts';
import { keyOf } from '../../model/labels.ts';
import { DIRECTIONS } from '../record.ts';
import { FLOW_LABELS, UNIT_LABELS, type UnitLabel } from '../series-labels.ts';
import { packText } from './packed-bytes.ts';
import { RecentlyUsed } from './recently-used.ts';
import { PLACE, SERVICE, TARGET } from './schema.ts';

/** Flows of a unit, by direction and position, as records of this layout hold them. */
export interface Layout {
  readonly id: number;
  readonly series: readonly (readonly number[])[];
}

/** A target's unit, and those that its figures go into. */
export interface TargetUnits {
  readonly target: number;
  readonly place: number;
  readonly service: number;
}

type UnitLabels = Readonly<Record<UnitLabel, string>>;

/**
 * Ids of everything that has a name; made as they are needed. Those of services and places are remembered, those of
 * targets as long as they are used: targets come and go.
 */
export class Catalog {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly sumUnits = new Map<string, number>();
  private readonly sumSeries = new Map<string, number>();
  private readonly layouts = new RecentlyUsed<number, Layout>();
  /** By unit, then by series. */
  private readonly into = new Map<number, RecentlyUsed<number, number>>();
  private readonly layoutsInto = new RecentlyUsed<number, readonly (readonly number[])[]>();
  /** By hash: texts are long, and others whenever a target's hosts are. */
  private readonly shapes = new Map<string, number>();

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  /** What a transaction that was taken back had remembered is not true any more. */
  forget(): void {
    const { sumUnits, sumSeries, layouts, into, layoutsInto, shapes } = this;
    for (const map of [sumUnits, sumSeries, layouts, into, layoutsInto, shapes]) map.clear();
  }

  /** Forgets what was not used since the last turn. */
  turn(): void {
    for (const memory of [this.layouts, this.layoutsInto, ...this.into.values()]) memory.turn();
  }

  forgetShapes(): void {
    this.shapes.clear();
  }

  targetUnits(target: number, { service, namespace, instance, region, zone }: Identity): TargetUnits {
    const none = { service, namespace, instance: '', region: '', zone: '' };
    const serviceUnit = this.sumUnit(SERVICE, none);
    const place = this.sumUnit(PLACE, { ...none, region, zone });
    const keys = { kind: TARGET, target, place, feeds: serviceUnit };
    const own = this.keepUnit(keys, { service, namespace, instance, region, zone });
    return { target: own, place, service: serviceUnit };
  }

  private sumUnit(kind: number, labels: UnitLabels): number {
    const key = keyOf([String(kind), ...UNIT_LABELS.map((label) => labels[label])]);
    return remembered(this.sumUnits, key, () => this.keepUnit({ kind, target: 0, place: 0, feeds: 0 }, labels));
  }

  private keepUnit(keys: { kind: number; target: number; place: number; feeds: number }, labels: UnitLabels): number {
    const values = UNIT_LABELS.map((label) => labels[label]);
    return Number(this.statements.keepUnit.get(keys.kind, keys.target, ...values, keys.place, keys.feeds));
  }

  /** The series of a flow of a place or a service. */
  sumSeriesOf(unit: number, flow: FlowKey): number {
    return this.keepSumSeries(unit, namesOf(flow));
  }

  /** That of a target. */
  seriesOf(unit: number, flow: FlowKey): number {
    return this.keepSeries(unit, namesOf(flow));
  }

  private keepSumSeries(unit: number, names: SeriesNames): number {
    const key = keyOf([String(unit), ...names.map(String)]);
    return remembered(this.sumSeries, key, () => this.keepSeries(unit, names));
  }

  private keepSeries(unit: number, names: SeriesNames): number {
    return Number(this.statements.keepSeries.get(unit, ...names));
  }

  /** The series of another unit that a series adds up into. */
  seriesInto(series: number, unit: number): number {
    const known = this.into.get(unit) ?? new RecentlyUsed<number, number>();
    this.into.set(unit, known);
    const id = known.get(series);
    if (id !== undefined) return id;
    const made = this.keepSumSeries(unit, this.statements.series.get(series) as SeriesNames);
    known.set(series, made);
    return made;
  }

  /** The series of its service that those of a target's layout add up into. */
  layoutInto(layout: number, service: number): readonly (readonly number[])[] {
    const known = this.layoutsInto.get(layout);
    if (known) return known;
    const into = this.layout(layout).series.map((ids) => ids.map((id) => this.seriesInto(id, service)));
    this.layoutsInto.set(layout, into);
    return into;
  }

  layoutOf(unit: number, series: readonly (readonly number[])[]): Layout {
    const layout = { id: Number(this.statements.keepLayout.get(unit, JSON.stringify(series))), series };
    this.layouts.set(layout.id, layout);
    return layout;
  }

  layout(id: number): Layout {
    const known = this.layouts.get(id);
    if (known) return known;
    const layout = { id, series: JSON.parse(String(this.statements.layout.get(id))) as number[][] };
    this.layouts.set(id, layout);
    return layout;
  }

  shapeOf(text: string): number {
    const hash = createHash('sha256').update(text).digest('hex');
    return remembered(this.shapes, hash, () => Number(this.statements.keepShape.get({ hash, text: packText(text) })));
  }
}

/** Direction, source, and what flows are told apart by. */
type SeriesNames = [direction: number, ...names: string[]];

function namesOf(flow: FlowKey): SeriesNames {
  const direction = (DIRECTIONS as readonly string[]).indexOf(flow.direction);
  return [direction, flow.source, ...FLOW_LABELS.map(({ of }) => of(flow))];
}

function remembered(known: Map<string, number>, key: string, make: () => number): number {
  const id = known.get(key);
  if (id !== undefined) return id;
  const made = make();
  known.set(key, made);
  return made;
}

/** Upserts return the row's id; the update that changes nothing makes SQLite return it for a known row too. */
function prepare(database: Database.Database) {
  const flowColumns = FLOW_LABELS.map(({ label }) => label).join(', ');
  const marks = (count: number): string => Array.from({ length: count }, () => '?').join(', ');
  return {
    keepUnit: database
      .prepare(
        `INSERT INTO units (kind, target, ${UNIT_LABELS.join(', ')}, place, feeds) VALUES (${marks(4 + UNIT_LABELS.length)})
         ON CONFLICT (kind, target, ${UNIT_LABELS.join(', ')}) DO UPDATE SET kind = kind RETURNING id`,
      )
      .pluck(),
    keepSeries: database
      .prepare(
        `INSERT INTO series (unit, direction, source, ${flowColumns}) VALUES (${marks(3 + FLOW_LABELS.length)})
         ON CONFLICT (unit, direction, source, ${flowColumns}) DO UPDATE SET source = source RETURNING id`,
      )
      .pluck(),
    series: database.prepare(`SELECT direction, source, ${flowColumns} FROM series WHERE id = ?`).raw(),
    keepLayout: database
      .prepare(
        `INSERT INTO layouts (unit, series) VALUES (?, ?) ON CONFLICT (unit, series) DO UPDATE SET unit = unit RETURNING id`,
      )
      .pluck(),
    layout: database.prepare('SELECT series FROM layouts WHERE id = ?').pluck(),
    keepShape: database
      .prepare(
        'INSERT INTO shapes (hash, text) VALUES (:hash, :text) ON CONFLICT (hash) DO UPDATE SET hash = hash RETURNING id',
      )
      .pluck(),
  };
}
