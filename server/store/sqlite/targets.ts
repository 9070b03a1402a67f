import type Database from 'better-sqlite3';
import type { FlowKey } from '../../model/flow.ts';
import { DIRECTIONS } from '../record.ts';
import type { Catalog, Layout, TargetUnits } from './catalog.ts';
import type { TargetLayout } from './round.ts';

export interface KeptTarget {
  readonly id: number;
  readonly shape: number;
  readonly units: TargetUnits;
  readonly layout: Layout;
}

export interface LastScrape {
  readonly lastScrape: number;
  /** NaN where it is not known. */
  readonly startedAt: number;
  readonly totals: Uint8Array;
}

/** The targets, with the totals that their next increments are counted from. */
export class Targets {
  private readonly catalog: Catalog;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly known = new Map<number, KeptTarget>();
  /** By target, the number of the layout that its row goes by. */
  private readonly current = new Map<number, number>();

  constructor(database: Database.Database, catalog: Catalog) {
    this.catalog = catalog;
    this.statements = prepare(database);
  }

  forget(): void {
    this.known.clear();
    this.current.clear();
  }

  drop(layout: number): void {
    this.known.delete(layout);
  }

  keep(layout: TargetLayout, { lastScrape, startedAt, totals }: LastScrape): KeptTarget {
    const start = Number.isNaN(startedAt) ? null : startedAt;
    const known = this.known.get(layout.number);
    if (known && this.current.get(known.id) === layout.number) {
      this.statements.update.run(start, lastScrape, totals, known.id);
      return known;
    }
    const { service, namespace, instance, region, zone, role } = layout.identity;
    const shape = this.catalog.shapeOf(layout.shape);
    const fields = { service, namespace, instance, region, zone, role, address: layout.address, shape, totals };
    const id = Number(
      this.statements.keep.get({ ...fields, inbound: layout.inbound ? 1 : 0, startedAt: start, lastScrape }),
    );
    this.current.set(id, layout.number);
    if (known?.id === id) return known;
    const units = this.catalog.targetUnits(id, layout.identity);
    const kept = { id, shape, units, layout: this.layoutOf(units, layout.flows) };
    this.known.set(layout.number, kept);
    return kept;
  }

  /** Whoever asks for a place or a service finds its series before anything was added up into them. */
  private layoutOf({ target, place, service }: TargetUnits, flows: readonly FlowKey[]): Layout {
    for (const unit of [place, service]) for (const flow of flows) this.catalog.seriesOf(unit, flow);
    const series = DIRECTIONS.map((direction) =>
      flows.filter((flow) => flow.direction === direction).map((flow) => this.catalog.seriesOf(target, flow)),
    );
    return this.catalog.layoutOf(target, series);
  }
}

function prepare(database: Database.Database) {
  return {
    keep: database
      .prepare(
        `INSERT INTO targets (address, service, namespace, instance, region, zone, role, inbound, started_at, last_scrape, shape, totals)
         VALUES (:address, :service, :namespace, :instance, :region, :zone, :role, :inbound, :startedAt, :lastScrape, :shape, :totals)
         ON CONFLICT (address) DO UPDATE SET service = :service, namespace = :namespace, instance = :instance, region = :region,
           zone = :zone, role = :role, inbound = :inbound, started_at = :startedAt, last_scrape = :lastScrape, shape = :shape,
           totals = :totals RETURNING id`,
      )
      .pluck(),
    update: database.prepare('UPDATE targets SET started_at = ?, last_scrape = ?, totals = ? WHERE id = ?'),
  };
}
