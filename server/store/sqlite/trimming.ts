import type Database from 'better-sqlite3';
import { foldGrowth } from '../../model/growth.ts';
import type { Parts } from './closing.ts';
import { framed, framesOf } from './growth-frames.ts';
import { entryId, type RowHeads, rowOfEntry } from './log-row.ts';
import type { Chore } from './writer.ts';

const LOOK_EVERY_MS = 30_000;
/** Rows that one piece of work deletes: adding up the growth in so many takes some milliseconds. */
const SLICE = 16;

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
    this.keepGrowth(rows);
    this.statements.drop.run(last.id);
    this.statements.dropSealings.run(entryId(last.id + 1, 0));
    index.refresh();
    return rows.length === SLICE;
  }

  /** A target that was not scraped since its last whole totals may still need what they grew by: all of it as one. */
  private keepGrowth(rows: readonly RowHeads[]): void {
    for (const [target, { frames, lastScrape }] of this.growthIn(rows)) {
      const before = framesOf(this.statements.growth.get(target) as Uint8Array | null);
      this.statements.setGrowth.run(framed(foldGrowth([...before, ...frames])), lastScrape, target);
    }
  }

  /** By target, whose totals are older. */
  private growthIn(rows: readonly RowHeads[]): Map<number, { frames: Uint8Array[]; lastScrape: number }> {
    const found = new Map<number, { frames: Uint8Array[]; lastScrape: number }>();
    for (const row of rows)
      for (let position = 0; position < row.count; position++) {
        if (!row.grows(position)) continue;
        const id = entryId(row.id, position);
        const target = this.statements.target.get(row.unit(position), id);
        if (typeof target !== 'number') continue;
        const frames = [...(found.get(target)?.frames ?? []), this.parts.data.growth(id)];
        found.set(target, { frames, lastScrape: row.t1(position) });
      }
    return found;
  }
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
    growth: database.prepare('SELECT growth FROM targets WHERE id = ?').pluck(),
    setGrowth: database.prepare('UPDATE targets SET growth = ?, last_scrape = ? WHERE id = ?'),
  };
}
