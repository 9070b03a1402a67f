import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import type { LogRow } from './sources.ts';

/** More rows of one service, or more bytes of all, are read anew each time. */
const MOST_ROWS = 2000;
const MOST_BYTES = 16 * 1024 * 1024;

interface OpenRow extends LogRow {
  readonly id: number;
}

/**
 * Targets' rows that are not in their service's rows yet. They stay what they are until they are, so that a reader
 * that is asked often reads only those that came since.
 */
export class OpenRows {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly known = new Map<number, OpenRow[]>();
  private bytes = 0;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  of(service: number, { from, to }: Interval): LogRow[] {
    const closed = Number(this.statements.closed.get(service) ?? 0);
    const before = (this.known.get(service) ?? []).filter(({ id }) => id > closed);
    const added = this.statements.after.all(service, before.at(-1)?.id ?? closed, MOST_ROWS) as OpenRow[];
    if (before.length + added.length >= MOST_ROWS) {
      this.keep(service, []);
      return this.statements.within.all({ service, closed, from, to }) as LogRow[];
    }
    const rows = [...before, ...added];
    this.keep(service, rows);
    return rows.filter(({ t0, t1 }) => t1 > from && t0 < to);
  }

  private keep(service: number, rows: OpenRow[]): void {
    this.bytes += bytesOf(rows) - bytesOf(this.known.get(service) ?? []);
    this.known.set(service, rows);
    if (this.bytes <= MOST_BYTES) return;
    this.known.clear();
    this.bytes = 0;
  }
}

function bytesOf(rows: readonly OpenRow[]): number {
  return rows.reduce((sum, { data }) => sum + data.length, 0);
}

function prepare(database: Database.Database) {
  return {
    closed: database.prepare('SELECT closed FROM progress WHERE service = ?').pluck(),
    after: database.prepare(
      'SELECT id, unit, t0, t1, layout, data FROM log WHERE feeds > 0 AND feeds = ? AND id > ? ORDER BY id LIMIT ?',
    ),
    within: database.prepare(
      `SELECT unit, t0, t1, layout, data FROM log
       WHERE feeds > 0 AND feeds = :service AND id > :closed AND t1 > :from AND t0 < :to`,
    ),
  };
}
