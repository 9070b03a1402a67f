import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { FlowKey, Identity } from '../../model/flow.ts';
import { keyOf } from '../../model/labels.ts';
import { DIRECTIONS } from '../record.ts';
import { FLOW_LABELS, UNIT_LABELS, type UnitLabel } from '../series-labels.ts';
import { packText } from './packed-bytes.ts';
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

/** Ids of everything that has a name; made as they are needed, and remembered. */
export class Catalog {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly units = new Map<string, number>();
  private readonly series = new Map<string, number>();
  private readonly layouts = new Map<string, Layout>();
  private readonly layoutsById = new Map<number, Layout>();
  /** By unit, then by series. */
  private readonly into = new Map<number, Map<number, number>>();
  private readonly layoutsInto = new Map<number, readonly (readonly number[])[]>();
  /** By hash: texts are long, and others whenever a target's hosts are. */
  private readonly shapes = new Map<string, number>();

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  /** What a transaction that was taken back had remembered is not true any more. */
  forget(): void {
    const { units, series, layouts, layoutsById, into, layoutsInto, shapes } = this;
    for (const map of [units, series, layouts, layoutsById, into, layoutsInto, shapes]) map.clear();
  }

  forgetShapes(): void {
    this.shapes.clear();
  }

  targetUnits(target: number, { service, namespace, instance, region, zone }: Identity): TargetUnits {
    const none = { service, namespace, instance: '', region: '', zone: '' };
    const serviceUnit = this.unit({ kind: SERVICE, target: 0, place: 0, feeds: 0 }, none);
    const place = this.unit({ kind: PLACE, target: 0, place: 0, feeds: 0 }, { ...none, region, zone });
    const own = this.unit(
      { kind: TARGET, target, place, feeds: serviceUnit },
      { service, namespace, instance, region, zone },
    );
    return { target: own, place, service: serviceUnit };
  }

  private unit(keys: { kind: number; target: number; place: number; feeds: number }, labels: UnitLabels): number {
    const values = UNIT_LABELS.map((label) => labels[label]);
    return remembered(this.units, keyOf([String(keys.kind), String(keys.target), ...values]), () =>
      Number(this.statements.keepUnit.get(keys.kind, keys.target, ...values, keys.place, keys.feeds)),
    );
  }

  seriesOf(unit: number, flow: FlowKey): number {
    const direction = (DIRECTIONS as readonly string[]).indexOf(flow.direction);
    const values = [flow.source, ...FLOW_LABELS.map(({ of }) => of(flow))];
    return this.keepSeries(unit, direction, values);
  }

  private keepSeries(unit: number, direction: number, values: readonly string[]): number {
    return remembered(this.series, keyOf([String(unit), String(direction), ...values]), () =>
      Number(this.statements.keepSeries.get(unit, direction, ...values)),
    );
  }

  /** The series of another unit that a series adds up into. */
  seriesInto(series: number, unit: number): number {
    const known = this.into.get(unit) ?? new Map<number, number>();
    this.into.set(unit, known);
    const id = known.get(series);
    if (id !== undefined) return id;
    const [direction, ...values] = this.statements.series.get(series) as [number, ...string[]];
    const made = this.keepSeries(unit, direction, values);
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
    const text = JSON.stringify(series);
    const key = `${unit}:${text}`;
    const known = this.layouts.get(key);
    if (known) return known;
    const layout = { id: Number(this.statements.keepLayout.get(unit, text)), series };
    this.layouts.set(key, layout);
    this.layoutsById.set(layout.id, layout);
    return layout;
  }

  layout(id: number): Layout {
    const known = this.layoutsById.get(id);
    if (known) return known;
    const layout = { id, series: JSON.parse(String(this.statements.layout.get(id))) as number[][] };
    this.layoutsById.set(id, layout);
    return layout;
  }

  shapeOf(text: string): number {
    const hash = createHash('sha256').update(text).digest('hex');
    return remembered(this.shapes, hash, () => Number(this.statements.keepShape.get({ hash, text: packText(text) })));
  }
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
