import type Database from 'better-sqlite3';

/** By unit, when its oldest row of the log ended: what is to be sealed is found without a look into the file. */
export class OldestRows {
  private readonly all: Database.Statement;
  private readonly one: Database.Statement;
  private byUnit: Map<number, number> | undefined;

  constructor(database: Database.Database) {
    this.all = database.prepare('SELECT unit, min(t1) FROM log GROUP BY unit').raw();
    this.one = database.prepare('SELECT min(t1) FROM log WHERE unit = ?').pluck();
  }

  forget(): void {
    this.byUnit = undefined;
  }

  added(unit: number, t1: number): void {
    const known = this.entries().get(unit);
    if (known === undefined || t1 < known) this.entries().set(unit, t1);
  }

  /** After rows of a unit were deleted. */
  refresh(unit: number): void {
    const oldest = this.one.get(unit);
    if (typeof oldest === 'number') this.entries().set(unit, oldest);
    else this.entries().delete(unit);
  }

  entries(): Map<number, number> {
    this.byUnit ??= new Map(this.all.all() as [number, number][]);
    return this.byUnit;
  }
}
