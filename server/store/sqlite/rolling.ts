import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import { SlotMatrix } from '../slot-matrix.ts';
import { TIERS } from '../store.ts';
import { TIER_LIST } from '../tiers.ts';
import { BlockTables, type NewBlock } from './block-tables.ts';
import type { Parts } from './closing.ts';
import type { Chore } from './writer.ts';

const MINUTE_MS = 60_000;
const LAG_MS = 5 * MINUTE_MS;
/** Most blocks that are added up at once. */
const MOST_BLOCKS = 200;
const LOOK_EVERY_MS = MINUTE_MS;
/** Units that one piece of work looks at. */
const WORK_AT_ONCE = 200;

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

/** Fewer blocks of one unit than these are left as they are. */
const LEAST_MERGED = 3;

/**
 * Adds blocks up into those of the next tier, 1m into 10m and 10m into 1h, and puts those of one unit together, as large
 * blocks are smaller. Nothing is written before all is worked out: in between, what is stored stays as it was.
 */
export class Rolling implements Chore {
  private readonly parts: Parts;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly blocks: BlockTables;
  private due: Work[] = [];
  private current: Generator<void, void> | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
    this.statements = prepare(parts.database);
    this.blocks = new BlockTables(parts.database);
  }

  forget(): void {
    this.due = [];
    this.current = undefined;
    this.lookedAt = Number.NEGATIVE_INFINITY;
  }

  step(now: number): boolean {
    this.current ??= this.next(now);
    if (!this.current) return false;
    if (this.current.next().done) this.current = undefined;
    return true;
  }

  private next(now: number): Generator<void, void> | undefined {
    const work = this.due.pop();
    if (work) return this.roll(work, this.endFor(work, now));
    return now >= this.lookedAt && now < this.lookedAt + LOOK_EVERY_MS ? undefined : this.lookUp(now);
  }

  private *lookUp(now: number): Generator<void, void> {
    let last: Pick<Work, 'tier' | 'unit' | 'direction'> = { tier: -1, unit: 0, direction: 0 };
    for (;;) {
      const some = this.statements.waiting.all(last.tier, last.unit, last.direction, WORK_AT_ONCE) as Work[];
      this.due.push(...some.filter((work) => work.first <= this.endFor(work, now)));
      const next = some.at(-1);
      if (!next) break;
      last = next;
      yield;
    }
    if (this.due.length === 0) this.lookedAt = now;
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

  private *roll(work: Work, end: number): Generator<void, void> {
    const { tier, unit, direction, first } = work;
    const { stepMs, chunkMs } = TIER_LIST[tier + 1] ?? { stepMs: 1, chunkMs: 1 };
    const range = { tier, unit, direction, end: Math.min(end, first + chunkMs), limit: MOST_BLOCKS };
    const pending = this.statements.pending.all(range) as PendingBlock[];
    const matrix = matrixOf(pending, stepMs);
    const read: ReadBlock[] = [];
    for (const block of pending) {
      const of = { ...block, ...this.blocks.read(tier, block.block) };
      matrix.addBlock(of.data, (series) => this.parts.catalog.seriesInto(series, unit));
      read.push(of);
      yield;
    }
    const ids = [...matrix.series.keys()];
    const isLast = tier + 2 >= TIERS.length;
    const keys = { unit, direction, ...(isLast ? {} : { pendingFor: unit }) };
    const rolled = yield* this.blocks.encode({ tier: tier + 1, ...keys, matrix, ids });
    matrix.release();
    const merged: NewBlock[] = [];
    const replaced: number[] = [];
    for (const own of Map.groupBy(read, (one) => one.unit).values()) {
      if (!isWorthMerging(own, tier)) continue;
      merged.push(...(yield* this.merge(own, work)));
      replaced.push(...own.map(({ block }) => block));
    }
    for (const block of [...rolled, ...merged]) this.blocks.add(block);
    for (const { block, t0 } of pending) this.statements.done.run(tier, unit, direction, t0, block);
    for (const block of replaced) this.blocks.drop(tier, block);
  }

  private *merge(blocks: readonly ReadBlock[], { tier, direction }: Work): Generator<void, NewBlock[]> {
    const matrix = matrixOf(blocks, TIER_LIST[tier]?.stepMs ?? 1);
    for (const { data } of blocks) {
      matrix.addBlock(data, (series) => series);
      yield;
    }
    const unit = blocks[0]?.unit ?? 0;
    const merged = yield* this.blocks.encode({ tier, unit, direction, matrix, ids: [...matrix.series.keys()] });
    matrix.release();
    return merged;
  }
}

interface ReadBlock extends PendingBlock {
  readonly unit: number;
  readonly data: Uint8Array;
}

function matrixOf(blocks: readonly PendingBlock[], stepMs: number): SlotMatrix {
  const { from, to } = spanOf(blocks);
  const start = Math.floor(from / stepMs) * stepMs;
  return new SlotMatrix(start, stepMs, Math.ceil((to - start) / stepMs));
}

function spanOf(blocks: readonly PendingBlock[]): Interval {
  return { from: Math.min(...blocks.map(({ t0 }) => t0)), to: Math.max(...blocks.map(({ t1 }) => t1)) };
}

function isWorthMerging(blocks: readonly ReadBlock[], tier: number): boolean {
  const { from, to } = spanOf(blocks);
  return blocks.length >= LEAST_MERGED && to - from < (TIER_LIST[tier]?.longestMs ?? 0);
}

function prepare(database: Database.Database) {
  return {
    waiting: database.prepare(
      `SELECT tier, unit, direction, min(t1) AS first FROM pending WHERE (tier, unit, direction) > (?, ?, ?)
       GROUP BY tier, unit, direction LIMIT ?`,
    ),
    pending: database.prepare(
      `SELECT block, t0, t1 FROM pending WHERE tier = :tier AND unit = :unit AND direction = :direction AND t1 <= :end
       ORDER BY t0 LIMIT :limit`,
    ),
    done: database.prepare(
      'DELETE FROM pending WHERE tier = ? AND unit = ? AND direction = ? AND t0 = ? AND block = ?',
    ),
  };
}
