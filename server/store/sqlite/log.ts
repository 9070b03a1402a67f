import type Database from 'better-sqlite3';
import { DIRECTIONS } from '../record.ts';
import { recordsOfSlots, SlotMatrix } from '../slot-matrix.ts';
import type { OldestRows } from './oldest.ts';
import type { KeptTarget } from './targets.ts';

/** A scrape that covers more than this, after an outage, is kept in several rows. */
const LONGEST_ROW_MS = 3_600_000;
const MOST_ROWS = 200;

interface Scrape {
  readonly t0: number;
  readonly t1: number;
  readonly data: Uint8Array;
}

/** The rows that targets' scrapes become. */
export class Log {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly oldest: OldestRows;
  /** End of the newest scrape by unit. */
  private readonly newest = new Map<number, number>();

  constructor(database: Database.Database, oldest: OldestRows) {
    this.oldest = oldest;
    this.statements = prepare(database);
  }

  forget(): void {
    this.newest.clear();
  }

  /** False when the scrape is there already. */
  add({ units, layout }: KeptTarget, scrape: Scrape): boolean {
    const { t0, t1, data } = scrape;
    const newest = this.newest.get(units.target);
    if ((newest === undefined || t1 <= newest) && this.isKnown(units.target, t1)) return false;
    if (newest === undefined || t1 > newest) this.newest.set(units.target, t1);
    const rows = t1 - t0 > LONGEST_ROW_MS ? partsOf(scrape, layout.series) : [{ t0, t1, data }];
    this.oldest.added(units.target, rows[0]?.t1 ?? t1, data.length);
    for (const row of rows) this.statements.add.run(units.target, units.service, row.t0, row.t1, layout.id, row.data);
    return true;
  }

  private isKnown(unit: number, t1: number): boolean {
    if (this.statements.find.get(unit, t1) !== undefined) return true;
    return sealedScrapes(this.statements.sealed.get(unit)).includes(t1);
  }
}

/** Ends of scrapes, as the table `sealed` has them. */
export function sealedScrapes(value: unknown): Float64Array {
  return value instanceof Uint8Array ? new Float64Array(value.slice().buffer) : new Float64Array();
}

function partsOf({ t0, t1, data }: Scrape, series: readonly (readonly number[])[]): Scrape[] {
  const stepMs = Math.max(LONGEST_ROW_MS, Math.ceil((t1 - t0) / MOST_ROWS));
  const steps = Math.ceil((t1 - t0) / stepMs);
  const matrix = new SlotMatrix(t1 - steps * stepMs, stepMs, steps);
  const interval = { from: t0, to: t1 };
  DIRECTIONS.forEach((_, direction) => {
    matrix.addRecord({ data, interval, within: interval }, direction, series[direction] ?? []);
  });
  return recordsOfSlots(matrix, series, [...DIRECTIONS.keys()]).map((record, slot) => ({
    t0: Math.max(t0, matrix.grid.fromMs + slot * stepMs),
    t1: matrix.grid.fromMs + (slot + 1) * stepMs,
    data: record ?? EMPTY,
  }));
}

const EMPTY = new Uint8Array(2 * DIRECTIONS.length);

function prepare(database: Database.Database) {
  return {
    add: database.prepare(
      'INSERT INTO log (unit, feeds, direction, t0, t1, layout, data) VALUES (?, ?, -1, ?, ?, ?, ?)',
    ),
    find: database.prepare('SELECT 1 FROM log WHERE unit = ? AND direction = -1 AND t1 = ?').pluck(),
    sealed: database.prepare('SELECT scrapes FROM sealed WHERE unit = ?').pluck(),
  };
}
