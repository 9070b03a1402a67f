import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import type { LogRow } from './sources.ts';

/** More rows of one service are listed anew each time; so many of all are remembered. */
const MOST_ROWS = 2000;
const MOST_OF_ALL = 100_000;

/**
 * Targets' rows that are not in their service's rows yet. They stay what they are until they are, so that a reader
 * that is asked often lists only those that came since.
 */
export class OpenRows {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly known = new Map<number, LogRow[]>();
  private size = 0;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  of(service: number, { from, to }: Interval): LogRow[] {
    const closed = Number(this.statements.closed.get(service) ?? 0);
    const before = (this.known.get(service) ?? []).filter(({ id }) => id > closed);
    const added = this.statements.after.all(service, before.at(-1)?.id ?? closed, MOST_ROWS) as LogRow[];
    if (before.length + added.length >= MOST_ROWS) {
      this.keep(service, []);
      return this.statements.within.all({ service, closed, from, to }) as LogRow[];
    }
    const rows = [...before, ...added];
    this.keep(service, rows);
    return rows.filter(({ t0, t1 }) => t1 > from && t0 < to);
  }

  private keep(service: number, rows: LogRow[]): void {
    this.size += rows.length - (this.known.get(service)?.length ?? 0);
    this.known.set(service, rows);
    if (this.size <= MOST_OF_ALL) return;
    this.known.clear();
    this.size = 0;
  }
}

function prepare(database: Database.Database) {
  return {
    closed: database.prepare('SELECT closed FROM progress WHERE service = ?').pluck(),
    after: database.prepare(
      'SELECT id, unit, t0, t1, layout FROM log WHERE feeds > 0 AND feeds = ? AND id > ? ORDER BY id LIMIT ?',
    ),
    within: database.prepare(
      `SELECT id, unit, t0, t1, layout FROM log
       WHERE feeds > 0 AND feeds = :service AND id > :closed AND t1 > :from AND t0 < :to`,
    ),
  };
}
