import type Database from 'better-sqlite3';
import type { LatencySource } from '../../model/flow.ts';
import { keyOf } from '../../model/labels.ts';
import { FLOW_LABELS, UNIT_LABELS } from '../series-labels.ts';
import type { SeriesLabel } from '../store.ts';
import { RecentlyUsed } from './recently-used.ts';

export interface Unit {
  readonly id: number;
  readonly kind: number;
  readonly place: number;
  readonly labels: Labels;
  /** By direction, one of each series. */
  readonly flows: ReadFlow[][];
}

/** What a series is within its unit: the same object for all that are named alike, since of series there are many. */
export interface ReadFlow {
  readonly source: LatencySource;
  /** But for those of its unit. */
  readonly labels: Labels;
}

type Labels = Readonly<Partial<Record<SeriesLabel, string>>>;

/** Names behind ids. They never change, so that only new ones are read. */
export class ReaderCatalog {
  readonly units = new Map<number, Unit>();
  /** By series. */
  readonly flows = new Map<number, ReadFlow>();
  /** Grows whenever a name is new. */
  version = 0;
  private readonly layouts = new RecentlyUsed<number, number[][]>();
  private readonly statements: ReturnType<typeof prepare>;
  private readonly known = new Map<string, ReadFlow>();
  /** Each name once: SQLite gives a text of its own with each row. */
  private readonly names = new Map<string, string>();
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
      this.units.set(id, { id, kind, place, labels: this.labelsOf(UNIT_LABELS, values), flows: [] });
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
      const flow = this.flowOf(source, values);
      this.flows.set(id, flow);
      unit.flows[direction] ??= [];
      unit.flows[direction].push(flow);
    }
    return isGrown;
  }

  /** Forgets which series those targets have of which nothing was read since the last turn, to look it up again. */
  turn(): void {
    this.layouts.turn();
  }

  private flowOf(source: LatencySource, values: readonly string[]): ReadFlow {
    const key = keyOf([source, ...values]);
    const known = this.known.get(key);
    if (known) return known;
    const flow = { source, labels: this.labelsOf(FLOW_NAMES, values) };
    this.known.set(key, flow);
    return flow;
  }

  private labelsOf(labels: readonly SeriesLabel[], values: readonly string[]): Labels {
    return Object.fromEntries(labels.map((label, index) => [label, this.nameOf(values[index] ?? '')]));
  }

  private nameOf(text: string): string {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    this.names.set(text, text);
    return text;
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

const FLOW_NAMES = FLOW_LABELS.map(({ label }) => label);

function prepare(database: Database.Database) {
  return {
    units: database
      .prepare(`SELECT id, kind, place, ${UNIT_LABELS.join(', ')} FROM units WHERE id > ? ORDER BY id`)
      .raw(),
    series: database
      .prepare(`SELECT id, unit, direction, source, ${FLOW_NAMES.join(', ')} FROM series WHERE id > ? ORDER BY id`)
      .raw(),
    layout: database.prepare('SELECT series FROM layouts WHERE id = ?').pluck(),
  };
}
