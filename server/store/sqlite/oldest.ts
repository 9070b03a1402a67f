import type Database from 'better-sqlite3';
import { TARGET } from './schema.ts';

/** Rows of one unit in the log. */
export interface UnitRows {
  /** When the oldest ended. */
  readonly t1: number;
  /** Of the rows of a target; of other units it does not matter how many there are. */
  readonly bytes: number;
}

/** By unit, its rows in the log: what is to be sealed is found without a look into the file. */
export class OldestRows {
  private readonly all: Database.Statement;
  private readonly one: Database.Statement;
  private byUnit: Map<number, UnitRows> | undefined;

  constructor(database: Database.Database) {
    const rows = 'SELECT unit, min(t1), sum(length(data)), kind FROM log JOIN units ON units.id = log.unit';
    this.all = database.prepare(`${rows} GROUP BY unit`).raw();
    this.one = database.prepare(`${rows} WHERE unit = ? GROUP BY unit`).raw();
  }

  forget(): void {
    this.byUnit = undefined;
  }

  added(unit: number, t1: number, bytes = Number.POSITIVE_INFINITY): void {
    const known = this.entries().get(unit);
    this.entries().set(unit, known ? { t1: Math.min(t1, known.t1), bytes: bytes + known.bytes } : { t1, bytes });
  }

  /** After rows of a unit were deleted. */
  refresh(unit: number): void {
    const row = this.one.get(unit) as Row | undefined;
    if (row) this.entries().set(unit, rowsOf(row));
    else this.entries().delete(unit);
  }

  entries(): Map<number, UnitRows> {
    this.byUnit ??= new Map((this.all.all() as Row[]).map((row) => [row[0], rowsOf(row)]));
    return this.byUnit;
  }
}

type Row = [unit: number, t1: number, bytes: number, kind: number];

function rowsOf([, t1, bytes, kind]: Row): UnitRows {
  return { t1, bytes: kind === TARGET ? bytes : Number.POSITIVE_INFINITY };
}
