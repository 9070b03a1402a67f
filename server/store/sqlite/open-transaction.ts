import type Database from 'better-sqlite3';

/** Work that was not kept yet is kept after this long at the latest. */
const LONGEST_MS = 1000;

/**
 * The writer's transaction. It may stay open after one piece of work until another one is to be kept: both then become
 * one, and a page that both changed is written to the disk once. Whoever reads meanwhile does not see what is in it.
 */
export class OpenTransaction {
  private readonly database: Database.Database;
  private readonly begin: Database.Statement;
  private readonly commit: Database.Statement;
  private readonly rollBack: Database.Statement;
  private since = 0;

  constructor(database: Database.Database) {
    this.database = database;
    this.begin = database.prepare('BEGIN');
    this.commit = database.prepare('COMMIT');
    this.rollBack = database.prepare('ROLLBACK');
  }

  /**
   * Does some work, and keeps it and all before where `isKept` says so of its result, or what is open has become old.
   * @throws Error of the work or of SQLite, after all that was not kept yet has been taken back.
   */
  run<Result>(work: () => Result, isKept: (result: Result) => boolean = () => true): Result {
    try {
      if (!this.database.inTransaction) {
        this.begin.run();
        this.since = performance.now();
      }
      const result = work();
      if (isKept(result) || performance.now() - this.since >= LONGEST_MS) this.commit.run();
      return result;
    } catch (error) {
      if (this.database.inTransaction) this.rollBack.run();
      throw error;
    }
  }

  /** Keeps what is open, if anything. */
  finish(): void {
    if (this.database.inTransaction) this.commit.run();
  }
}
