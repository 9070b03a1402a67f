import type Database from 'better-sqlite3';
import { BlockWriter } from '../blocks.ts';
import type { SlotMatrix } from '../slot-matrix.ts';
import { TIERS } from '../store.ts';
import { blockTable } from './schema.ts';

/** Series of one block; where there are more, there are several. */
const SERIES_AT_ONCE = 24;

/** A block that is still to be written. */
export interface NewBlock {
  readonly tier: number;
  readonly unit: number;
  readonly direction: number;
  readonly t0: number;
  readonly t1: number;
  readonly data: Uint8Array;
  /** The unit of the next tier that the block is still to be added to. */
  readonly pendingFor?: number;
}

/** Series of a matrix that belong into blocks. */
export interface BlockSource extends Pick<NewBlock, 'tier' | 'unit' | 'direction' | 'pendingFor'> {
  readonly matrix: SlotMatrix;
  readonly ids: readonly number[];
}

/** Makes blocks, and writes them. */
export class BlockTables {
  private readonly writer = new BlockWriter();
  private readonly statements: ReturnType<typeof prepare>;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  /** None where all is 0; yields between pieces of work. */
  *encode({ matrix, ids, ...keys }: BlockSource): Generator<void, NewBlock[]> {
    const { fromMs, stepMs, steps, toMs } = matrix.grid;
    const blocks: NewBlock[] = [];
    for (const some of inGroups(ids)) {
      const series = matrix.blockSeries(some);
      if (series.length === 0) continue;
      const data = this.writer.encode({ fromMs, stepMs, slots: steps, series });
      blocks.push({ ...keys, t0: fromMs, t1: toMs, data });
      yield;
    }
    return blocks;
  }

  add({ tier, unit, direction, t0, t1, data, pendingFor }: NewBlock): void {
    const { lastInsertRowid } = this.statements.add[tier]?.run(unit, direction, t0, t1, data) ?? {};
    if (pendingFor !== undefined && lastInsertRowid !== undefined)
      this.statements.addPending.run(tier, pendingFor, direction, t0, t1, lastInsertRowid);
  }

  /** A block, and the unit it is of. */
  read(tier: number, block: number): { unit: number; data: Uint8Array } {
    return this.statements.read[tier]?.get(block) as { unit: number; data: Uint8Array };
  }

  drop(tier: number, block: number): void {
    this.statements.drop[tier]?.run(block);
  }
}

/** As many series as one piece of work may have. */
export function inGroups(ids: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(ids.length / SERIES_AT_ONCE) }, (_, group) =>
    ids.slice(group * SERIES_AT_ONCE, (group + 1) * SERIES_AT_ONCE),
  );
}

function prepare(database: Database.Database) {
  return {
    add: TIERS.map((tier) =>
      database.prepare(`INSERT INTO ${blockTable(tier)} (unit, direction, t0, t1, data) VALUES (?, ?, ?, ?, ?)`),
    ),
    addPending: database.prepare(
      'INSERT INTO pending (tier, unit, direction, t0, t1, block) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    read: TIERS.map((tier) => database.prepare(`SELECT unit, data FROM ${blockTable(tier)} WHERE id = ?`)),
    drop: TIERS.map((tier) => database.prepare(`DELETE FROM ${blockTable(tier)} WHERE id = ?`)),
  };
}
