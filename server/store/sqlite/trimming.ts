import type Database from 'better-sqlite3';
import { VarintWriter } from '../../model/varint.ts';
import type { Parts } from './closing.ts';
import { entryId, type RowHeads, rowOfEntry } from './log-row.ts';
import type { Chore } from './writer.ts';

const LOOK_EVERY_MS = 30_000;
/** Rows that one piece of work deletes. */
const SLICE = 50;

/** Deletes the oldest rows of the log, once all their entries are in blocks; the newest row stays, as ids follow it. */
export class Trimming implements Chore {
  private readonly parts: Parts;
  private readonly statements: ReturnType<typeof prepare>;
  private lookedAt = Number.NEGATIVE_INFINITY;
  /** Rows before this one may go. */
  private end = 0;

  constructor(parts: Parts) {
    this.parts = parts;
    this.statements = prepare(parts.database);
  }

  forget(): void {
    this.lookedAt = Number.NEGATIVE_INFINITY;
    this.end = 0;
  }

  step(now: number): boolean {
    const { index } = this.parts;
    if (now < this.lookedAt || now >= this.lookedAt + LOOK_EVERY_MS) {
      const needed = index.firstNeeded;
      this.end = needed === undefined ? index.newest : rowOfEntry(needed);
      this.lookedAt = now;
    }
    const rows = index.first(SLICE).filter(({ id }) => id < this.end);
    const last = rows.at(-1);
    if (!last) return false;
    for (const row of rows) this.keepGrowth(row);
    this.statements.drop.run(last.id);
    this.statements.dropSealings.run(entryId(last.id + 1, 0));
    index.refresh();
    return rows.length === SLICE;
  }

  /** A target that was not scraped since its last whole totals may still need what they grew by. */
  private keepGrowth(row: RowHeads): void {
    const { data } = this.parts;
    for (let position = 0; position < row.count; position++) {
      if (row.growthSize(position) === 0) continue;
      const id = entryId(row.id, position);
      const target = this.statements.target.get(row.unit(position), id);
      if (typeof target === 'number') this.statements.addGrowth.run(framed(data.growth(id)), row.t1(position), target);
    }
  }
}

function framed(growth: Uint8Array): Uint8Array {
  const out = new VarintWriter(growth.length + 10);
  out.write(growth.length);
  out.writeBytes(growth);
  return out.finish();
}

function prepare(database: Database.Database) {
  return {
    drop: database.prepare('DELETE FROM log WHERE id <= ?'),
    dropSealings: database.prepare('DELETE FROM sealed WHERE entry < ?'),
    target: database
      .prepare(
        `SELECT targets.id FROM units JOIN targets ON targets.id = units.target
         WHERE units.id = ? AND targets.entry >= 0 AND targets.entry < ?`,
      )
      .pluck(),
    addGrowth: database.prepare(
      "UPDATE targets SET growth = CAST(coalesce(growth, X'') || ? AS BLOB), last_scrape = ? WHERE id = ?",
    ),
  };
}
