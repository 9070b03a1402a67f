import type Database from 'better-sqlite3';
import type { FlowKey } from '../../model/flow.ts';
import { DIRECTIONS } from '../record.ts';
import type { Catalog, Layout, TargetUnits } from './catalog.ts';
import { packBytes } from './packed-bytes.ts';
import type { TargetLayout } from './round.ts';

export interface KeptTarget {
  readonly id: number;
  readonly units: TargetUnits;
  readonly layout: Layout;
}

export interface LastTotals {
  readonly lastScrape: number;
  /** NaN where it is not known. */
  readonly startedAt: number;
  readonly totals: Uint8Array;
  /** Entries of the log up to this one are in them. */
  readonly entry: number;
}

/** Instead of an entry: nothing is known of the totals. */
export const NO_TOTALS = -1;

/**
 * The targets, with the totals that their next increments are counted from: now and then as a whole; what they have grown
 * by since is in the log, scrape by scrape.
 */
export class Targets {
  private readonly catalog: Catalog;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly known = new Map<number, KeptTarget>();
  /** By target, the number of the layout that its row goes by. */
  private readonly current = new Map<number, number>();
  /** By target, which of its totals are kept last. */
  private readonly sequences = new Map<number, number>();

  constructor(database: Database.Database, catalog: Catalog) {
    this.catalog = catalog;
    this.statements = prepare(database);
  }

  forget(): void {
    this.known.clear();
    this.current.clear();
    this.sequences.clear();
  }

  /** Names may have got other ids; which totals are kept stays known, but for the targets that were deleted. */
  forgetNames(deleted: readonly number[]): void {
    this.known.clear();
    this.current.clear();
    for (const id of deleted) this.sequences.delete(id);
  }

  drop(layout: number): void {
    const target = this.known.get(layout)?.id ?? 0;
    this.known.delete(layout);
    if (this.current.get(target) === layout) this.current.delete(target);
  }

  of(layout: TargetLayout): KeptTarget {
    const known = this.known.get(layout.number);
    if (known && this.current.get(known.id) === layout.number) return known;
    const { service, namespace, instance, region, zone, role } = layout.identity;
    const fields = { service, namespace, instance, region, zone, role, address: layout.address };
    const shape = this.catalog.shapeOf(layout.shape);
    const id = Number(this.statements.keep.get({ ...fields, shape, inbound: layout.inbound ? 1 : 0 }));
    this.current.set(id, layout.number);
    if (known?.id === id) return known;
    const units = this.catalog.targetUnits(id, layout.identity);
    const kept = { id, units, layout: this.layoutOf(units, layout.flows) };
    this.known.set(layout.number, kept);
    return kept;
  }

  setTotals({ id }: KeptTarget, { lastScrape, startedAt, totals, entry }: LastTotals, sequence: number): void {
    const { bytes, plainSize } = packBytes(totals);
    this.statements.setTotals.run(Number.isNaN(startedAt) ? null : startedAt, lastScrape, bytes, plainSize, entry, id);
    this.sequences.set(id, sequence);
  }

  /** Whether growth leads from what is kept to the totals of this number; if not, there are none until the next whole ones. */
  grow({ id }: KeptTarget, sequence: number): boolean {
    if (this.sequences.get(id) === sequence - 1) {
      this.sequences.set(id, sequence);
      return true;
    }
    this.sequences.delete(id);
    this.statements.setNone.run(id);
    return false;
  }

  /** Whoever asks for a place or a service finds its series before anything was added up into them. */
  private layoutOf({ target, place, service }: TargetUnits, flows: readonly FlowKey[]): Layout {
    for (const unit of [place, service]) for (const flow of flows) this.catalog.sumSeriesOf(unit, flow);
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
        `INSERT INTO targets (address, service, namespace, instance, region, zone, role, inbound, last_scrape, shape, totals, entry)
         VALUES (:address, :service, :namespace, :instance, :region, :zone, :role, :inbound, 0, :shape, X'', ${NO_TOTALS})
         ON CONFLICT (address) DO UPDATE SET service = :service, namespace = :namespace, instance = :instance, region = :region,
           zone = :zone, role = :role, inbound = :inbound, shape = :shape RETURNING id`,
      )
      .pluck(),
    setTotals: database.prepare(
      'UPDATE targets SET started_at = ?, last_scrape = ?, totals = ?, plain_size = ?, entry = ?, growth = NULL WHERE id = ?',
    ),
    setNone: database.prepare(
      `UPDATE targets SET totals = X'', plain_size = 0, growth = NULL, entry = ${NO_TOTALS} WHERE id = ?`,
    ),
  };
}
