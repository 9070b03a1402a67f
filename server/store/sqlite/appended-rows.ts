import type Database from 'better-sqlite3';

/** Follows what is stored: targets' rows, which are the only ones that bring something new. */
export class AppendedRows {
  private readonly statements: ReturnType<typeof prepare>;
  /** Id of the newest row that was seen. */
  private newest: number | undefined;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  /**
   * Where the earliest row begins that is new since the last time; infinity where none is. Undefined where that isn't
   * known: some have been packed and deleted meanwhile.
   */
  refresh(): number | undefined {
    const before = this.newest;
    const newest = Number(this.statements.newest.get() ?? 0);
    this.newest = newest;
    if (before === undefined || newest < before) return undefined;
    if (newest === before) return Number.POSITIVE_INFINITY;
    const { rows, earliest } = this.statements.since.get(before) as { rows: number; earliest: number | null };
    return rows === newest - before ? (earliest ?? Number.POSITIVE_INFINITY) : undefined;
  }
}

function prepare(database: Database.Database) {
  return {
    newest: database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'log'").pluck(),
    since: database.prepare(
      'SELECT count(*) AS rows, min(CASE WHEN feeds > 0 THEN t0 END) AS earliest FROM log WHERE id > ?',
    ),
  };
}
