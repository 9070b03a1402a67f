import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import { unionOf } from '../coverage.ts';

/** When units were measured, in runs without a gap. */
export class CoverageTable {
  private readonly statements: ReturnType<typeof prepare>;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  extend(unit: number, intervals: readonly Interval[]): void {
    const [first, ...others] = unionOf(intervals);
    if (!first) return;
    const to = others.at(-1)?.to ?? first.to;
    const known = this.statements.touching.all(unit, first.from, to) as Interval[];
    const runs = unionOf([...known, first, ...others]);
    for (const run of known) if (!runs.some(({ from }) => from === run.from)) this.statements.drop.run(unit, run.from);
    for (const run of runs)
      if (!known.some(({ from, to }) => from === run.from && to === run.to))
        this.statements.keep.run(unit, run.from, run.to);
  }
}

function prepare(database: Database.Database) {
  return {
    touching: database.prepare('SELECT t0 AS "from", t1 AS "to" FROM coverage WHERE unit = ? AND t1 >= ? AND t0 <= ?'),
    drop: database.prepare('DELETE FROM coverage WHERE unit = ? AND t0 = ?'),
    keep: database.prepare(
      'INSERT INTO coverage (unit, t0, t1) VALUES (?, ?, ?) ON CONFLICT (unit, t0) DO UPDATE SET t1 = excluded.t1',
    ),
  };
}
