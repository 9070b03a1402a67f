import type Database from 'better-sqlite3';
import type { LatencySource } from '../../model/flow.ts';
import { FLOW_LABELS, UNIT_LABELS } from '../series-labels.ts';
import type { SeriesLabel } from '../store.ts';

export interface Unit {
  readonly id: number;
  readonly kind: number;
  readonly place: number;
  readonly labels: Readonly<Partial<Record<SeriesLabel, string>>>;
  /** By direction. */
  readonly series: ReadSeries[][];
}

export interface ReadSeries {
  readonly id: number;
  readonly unit: Unit;
  readonly source: LatencySource;
  readonly labels: Readonly<Partial<Record<SeriesLabel, string>>>;
}

/** Names behind ids. They never change, so that only new ones are read. */
export class ReaderCatalog {
  readonly units = new Map<number, Unit>();
  readonly series = new Map<number, ReadSeries>();
  /** Grows whenever a name is new. */
  version = 0;
  private readonly layouts = new Map<number, number[][]>();
  private readonly statements: ReturnType<typeof prepare>;
  private lastUnit = 0;
  private lastSeries = 0;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  /** @returns whether a unit that was known has a series that is new: what was measured of it before is its, too. */
  refresh(): boolean {
    const known = this.lastUnit;
    let isGrown = false;
    for (const row of this.statements.units.iterate(this.lastUnit)) {
      const [id, kind, place, ...values] = row as [number, number, number, ...string[]];
      const labels = Object.fromEntries(UNIT_LABELS.map((label, index) => [label, values[index] ?? '']));
      this.units.set(id, { id, kind, place, labels, series: [] });
      this.lastUnit = id;
      this.version++;
    }
    for (const row of this.statements.series.iterate(this.lastSeries)) {
      const [id, unitId, direction, source, ...values] = row as [number, number, number, LatencySource, ...string[]];
      const unit = this.units.get(unitId);
      this.lastSeries = id;
      this.version++;
      isGrown ||= unitId <= known;
      if (!unit) continue;
      const own = Object.fromEntries(FLOW_LABELS.map(({ label }, index) => [label, values[index] ?? '']));
      const series = { id, unit, source, labels: { ...unit.labels, ...own } };
      this.series.set(id, series);
      unit.series[direction] ??= [];
      unit.series[direction].push(series);
    }
    return isGrown;
  }

  layout(id: number): readonly (readonly number[])[] {
    let layout = this.layouts.get(id);
    if (!layout) {
      layout = JSON.parse(String(this.statements.layout.get(id))) as number[][];
      this.layouts.set(id, layout);
    }
    return layout;
  }
}

function prepare(database: Database.Database) {
  const flowColumns = FLOW_LABELS.map(({ label }) => label).join(', ');
  return {
    units: database
      .prepare(`SELECT id, kind, place, ${UNIT_LABELS.join(', ')} FROM units WHERE id > ? ORDER BY id`)
      .raw(),
    series: database
      .prepare(`SELECT id, unit, direction, source, ${flowColumns} FROM series WHERE id > ? ORDER BY id`)
      .raw(),
    layout: database.prepare('SELECT series FROM layouts WHERE id = ?').pluck(),
  };
}
