import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import { SERVICE } from './schema.ts';
import type { LogRow } from './sources.ts';

/** More rows of all services are listed anew each time. */
const MOST_ROWS = 200_000;

interface OpenRow extends LogRow {
  readonly feeds: number;
}

/**
 * Targets' rows that are not in their service's rows yet. They stay what they are until they are, so that a reader
 * that is asked often lists only those that came since.
 */
export class OpenRows {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly known = new Map<number, OpenRow[]>();
  private closed = new Map<number, number>();
  private size = 0;
  /** Id of the newest row that was seen; undefined before the first time. */
  private newest: number | undefined;
  private isTooMany = false;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  /** To be called first in every transaction. */
  refresh(): void {
    this.closed = new Map(this.statements.closed.all() as [number, number][]);
    if (this.isTooMany) return;
    const added = (
      this.newest === undefined ? this.statements.all.all(SERVICE) : this.statements.after.all(this.newest)
    ) as OpenRow[];
    this.newest = Math.max(this.newest ?? 0, Number(this.statements.newest.get() ?? 0));
    for (const row of added) this.add(row);
    if (this.size > MOST_ROWS) this.giveUp();
  }

  of(service: number, { from, to }: Interval): LogRow[] {
    const closed = this.closed.get(service) ?? 0;
    if (this.isTooMany) return this.statements.within.all({ service, closed, from, to }) as LogRow[];
    const rows = this.known.get(service);
    if (!rows) return [];
    const open = rows.findIndex(({ id }) => id > closed);
    this.size -= rows.splice(0, open < 0 ? rows.length : open).length;
    return rows.filter(({ t0, t1 }) => t1 > from && t0 < to);
  }

  private add(row: OpenRow): void {
    const rows = this.known.get(row.feeds);
    if (rows) rows.push(row);
    else this.known.set(row.feeds, [row]);
    this.size++;
  }

  private giveUp(): void {
    for (const service of this.known.keys()) this.of(service, { from: 0, to: 0 });
    if (this.size <= MOST_ROWS) return;
    this.isTooMany = true;
    this.known.clear();
  }
}

const COLUMNS = 'log.id, log.unit, log.feeds, t0, t1, layout';

function prepare(database: Database.Database) {
  return {
    closed: database.prepare('SELECT service, closed FROM progress').raw(),
    newest: database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'log'").pluck(),
    all: database.prepare(
      `SELECT ${COLUMNS} FROM units CROSS JOIN log ON log.feeds = units.id
       WHERE units.kind = ? AND log.feeds > 0
         AND log.id > coalesce((SELECT closed FROM progress WHERE service = units.id), 0)
       ORDER BY log.id`,
    ),
    /** By their ids, not by the index of services. */
    after: database.prepare(`SELECT ${COLUMNS} FROM log WHERE id > ? AND +feeds > 0 ORDER BY id`),
    within: database.prepare(
      `SELECT ${COLUMNS} FROM log WHERE feeds > 0 AND feeds = :service AND id > :closed AND t1 > :from AND t0 < :to`,
    ),
  };
}
