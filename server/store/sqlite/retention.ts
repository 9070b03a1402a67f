import type Database from 'better-sqlite3';
import { TIERS, type TierName } from '../store.ts';
import type { Parts } from './closing.ts';
import { blockTable } from './schema.ts';
import type { Chore } from './writer.ts';

const MINUTE_MS = 60_000;
/** Blocks that one piece of work deletes. */
const SLICE = 100;
const LOOK_EVERY_MS = MINUTE_MS;

/** Forgets what is too old, and what there is no room for. */
export class Retention implements Chore {
  private readonly parts: Parts;
  private readonly statements: ReturnType<typeof prepare>;
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
    this.statements = prepare(parts.database);
  }

  forget(): void {
    this.lookedAt = Number.NEGATIVE_INFINITY;
  }

  step(now: number): boolean {
    if (now >= this.lookedAt && now < this.lookedAt + LOOK_EVERY_MS) return false;
    for (const [tier, name] of TIERS.entries()) if (this.expire(tier, name, now)) return true;
    if (this.makeRoom()) return true;
    this.expireRest(now);
    this.lookedAt = now;
    return false;
  }

  private expire(tier: number, name: TierName, now: number): boolean {
    return this.forgetBefore(tier, name, now - this.parts.options.retentionMs[name]);
  }

  /** Forgets a slice of a tier's blocks, as far as the next tier has them; false when there was none. */
  private forgetBefore(tier: number, name: TierName, cut: number): boolean {
    const oldest = this.statements.oldest[name].get();
    if (typeof oldest !== 'number' || oldest > cut) return false;
    const pending = this.statements.pending.get(tier);
    const before = Math.floor(typeof pending === 'number' ? Math.min(cut, pending) : cut);
    if (oldest > before) return false;
    this.parts.database.transaction(() => {
      this.statements.setKept.run(`kept:${name}`, before);
      this.statements.drop[name].run(before, SLICE);
    })();
    return true;
  }

  /** Shortens the tier that reaches back farthest. */
  private makeRoom(): boolean {
    if (usedBytes(this.parts.database) <= this.parts.options.maxBytes) return false;
    const reach = TIERS.flatMap((name, tier) => {
      const oldest = this.statements.oldest[name].get();
      return typeof oldest === 'number' ? [{ tier, name, oldest }] : [];
    });
    for (const { tier, name } of reach.sort((a, b) => a.oldest - b.oldest)) {
      const cut = this.statements.sliceEnd[name].get(SLICE - 1) ?? this.statements.newest[name].get();
      if (typeof cut === 'number' && this.forgetBefore(tier, name, cut)) return true;
    }
    return false;
  }

  private expireRest(now: number): void {
    const longest = Math.max(...TIERS.map((name) => this.parts.options.retentionMs[name]));
    this.statements.expireCoverage.run(now - longest);
    this.statements.expireShapes.run();
    this.parts.catalog.forgetShapes();
  }
}

/** What of a file is in use. */
export function usedBytes(database: Database.Database): number {
  const number = (name: string): number => Number(database.pragma(name, { simple: true }));
  return (number('page_count') - number('freelist_count')) * number('page_size');
}

function prepare(database: Database.Database) {
  const each = (sql: (table: string) => string, pluck = true): Record<TierName, Database.Statement> => {
    const entries = TIERS.map((name) => {
      const statement = database.prepare(sql(blockTable(name)));
      return [name, pluck ? statement.pluck() : statement];
    });
    return Object.fromEntries(entries) as Record<TierName, Database.Statement>;
  };
  return {
    oldest: each((table) => `SELECT min(t1) FROM ${table}`),
    newest: each((table) => `SELECT max(t1) FROM ${table}`),
    sliceEnd: each((table) => `SELECT t1 FROM ${table} ORDER BY t1 LIMIT 1 OFFSET ?`),
    drop: each(
      (table) => `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE t1 <= ? ORDER BY t1 LIMIT ?)`,
      false,
    ),
    pending: database.prepare('SELECT min(t0) FROM pending WHERE tier = ?').pluck(),
    setKept: database.prepare(
      'INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)',
    ),
    expireCoverage: database.prepare('DELETE FROM coverage WHERE t1 < ?'),
    /** Names that no target's totals go by any more. */
    expireShapes: database.prepare('DELETE FROM shapes WHERE id NOT IN (SELECT shape FROM targets)'),
  };
}
