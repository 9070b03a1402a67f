import type Database from 'better-sqlite3';
import { SlotMatrix } from '../slot-matrix.ts';
import { TIERS } from '../store.ts';
import { TIER_LIST } from '../tiers.ts';
import { BlockTables } from './block-tables.ts';
import type { Parts } from './closing.ts';
import { blockTable } from './schema.ts';
import type { Chore } from './writer.ts';

const MINUTE_MS = 60_000;
const LAG_MS = 5 * MINUTE_MS;
/** Most blocks that are added up at once; one takes up to a tenth of a millisecond. */
const MOST_BLOCKS = 200;
const LOOK_EVERY_MS = MINUTE_MS;

/** Pending blocks of a tier that go into one unit. */
interface Work {
  readonly tier: number;
  readonly unit: number;
  readonly direction: number;
  /** End of the one that ends first. */
  readonly first: number;
}

interface PendingBlock {
  readonly block: number;
  readonly t0: number;
  readonly t1: number;
}

/** Adds blocks up into those of the next tier: 1m into 10m, 10m into 1h. */
export class Rolling implements Chore {
  private readonly parts: Parts;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly blocks: BlockTables;
  private due: Work[] = [];
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
    this.statements = prepare(parts.database);
    this.blocks = new BlockTables(parts.database);
  }

  forget(): void {
    this.due = [];
    this.lookedAt = Number.NEGATIVE_INFINITY;
  }

  step(now: number): boolean {
    if (this.due.length === 0) this.lookUp(now);
    const work = this.due.pop();
    if (!work) return false;
    this.roll(work, this.endFor(work, now));
    if (this.due.length === 0) this.lookedAt = Number.NEGATIVE_INFINITY;
    return true;
  }

  private lookUp(now: number): void {
    if (now >= this.lookedAt && now < this.lookedAt + LOOK_EVERY_MS) return;
    this.lookedAt = now;
    const all = this.statements.waiting.all() as Work[];
    this.due = all.filter((work) => work.first <= this.endFor(work, now));
  }

  /** Whole chunks, at a time of its own for each unit so that they do not come all at once. */
  private endFor({ tier, unit }: Work, now: number): number {
    const chunkMs = this.chunkOf(tier);
    const phase = ((unit * 7) % 12) * Math.floor(chunkMs / 12);
    return Math.floor((now - LAG_MS - phase) / chunkMs) * chunkMs + phase;
  }

  /** Less than usual where the finer tier is kept for a short time only. */
  private chunkOf(tier: number): number {
    const next = TIER_LIST[tier + 1];
    const retention = this.parts.options.retentionMs[TIERS[tier] ?? 'raw'];
    return Math.max(next?.stepMs ?? 0, Math.min(next?.chunkMs ?? 0, retention / 4));
  }

  private roll({ tier, unit, direction, first }: Work, end: number): void {
    const { stepMs, chunkMs } = TIER_LIST[tier + 1] ?? { stepMs: 1, chunkMs: 1 };
    const blocks = this.statements.pending.all({
      tier,
      unit,
      direction,
      end: Math.min(end, first + chunkMs),
      limit: MOST_BLOCKS,
    }) as PendingBlock[];
    const start = Math.floor(Math.min(...blocks.map(({ t0 }) => t0)) / stepMs) * stepMs;
    const to = Math.max(...blocks.map(({ t1 }) => t1));
    const matrix = new SlotMatrix(start, stepMs, Math.ceil((to - start) / stepMs));
    for (const { block } of blocks) {
      const data = this.statements.data[tier]?.get(block) as Uint8Array;
      matrix.addBlock(data, (series) => this.parts.catalog.seriesInto(series, unit));
    }
    const isLast = tier + 2 >= TIERS.length;
    const ids = [...matrix.series.keys()];
    this.blocks.add({ tier: tier + 1, unit, direction, matrix, ids, ...(isLast ? {} : { pendingFor: unit }) });
    for (const { block, t0 } of blocks) this.statements.done.run(tier, unit, direction, t0, block);
  }
}

function prepare(database: Database.Database) {
  return {
    waiting: database.prepare(
      'SELECT tier, unit, direction, min(t1) AS first FROM pending GROUP BY tier, unit, direction',
    ),
    pending: database.prepare(
      `SELECT block, t0, t1 FROM pending WHERE tier = :tier AND unit = :unit AND direction = :direction AND t1 <= :end
       ORDER BY t0 LIMIT :limit`,
    ),
    data: TIERS.map((tier) => database.prepare(`SELECT data FROM ${blockTable(tier)} WHERE id = ?`).pluck()),
    done: database.prepare(
      'DELETE FROM pending WHERE tier = ? AND unit = ? AND direction = ? AND t0 = ? AND block = ?',
    ),
  };
}
