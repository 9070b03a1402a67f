import type Database from 'better-sqlite3';

const STATEMENTS = new WeakMap<Database.Database, Map<string, Database.Statement>>();

/**
 * A statement that is prepared once per connection. SQLite's memory for one is given back when V8 collects its small
 * handle, which is long after: statements that are prepared for each query pile up by the hundred megabytes.
 */
export function prepared(database: Database.Database, sql: string): Database.Statement {
  const known = STATEMENTS.get(database) ?? new Map<string, Database.Statement>();
  STATEMENTS.set(database, known);
  const statement = known.get(sql) ?? database.prepare(sql);
  known.set(sql, statement);
  return statement;
}
