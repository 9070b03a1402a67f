import type Database from 'better-sqlite3';
import { BlockWriter } from '../blocks.ts';
import type { SlotMatrix } from '../slot-matrix.ts';
import { TIERS } from '../store.ts';
import { blockTable } from './schema.ts';

export interface NewBlock {
  readonly tier: number;
  readonly unit: number;
  readonly direction: number;
  readonly matrix: SlotMatrix;
  /** Series of the matrix that belong into this block. */
  readonly ids: readonly number[];
  /** The unit of the next tier that the block is still to be added to. */
  readonly pendingFor?: number;
}

/** Writes blocks. */
export class BlockTables {
  private readonly writer = new BlockWriter();
  private readonly statements: ReturnType<typeof prepare>;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
  }

  /** Nothing is written where all is 0. */
  add({ tier, unit, direction, matrix, ids, pendingFor }: NewBlock): void {
    const series = matrix.blockSeries(ids);
    if (series.length === 0) return;
    const { fromMs, stepMs, steps, toMs } = matrix.grid;
    const data = this.writer.encode({ fromMs, stepMs, slots: steps, series });
    const { lastInsertRowid } = this.statements.add[tier]?.run(unit, direction, fromMs, toMs, data) ?? {};
    if (pendingFor !== undefined && lastInsertRowid !== undefined)
      this.statements.addPending.run(tier, pendingFor, direction, fromMs, toMs, lastInsertRowid);
  }
}

function prepare(database: Database.Database) {
  return {
    add: TIERS.map((tier) =>
      database.prepare(`INSERT INTO ${blockTable(tier)} (unit, direction, t0, t1, data) VALUES (?, ?, ?, ?, ?)`),
    ),
    addPending: database.prepare(
      'INSERT INTO pending (tier, unit, direction, t0, t1, block) VALUES (?, ?, ?, ?, ?, ?)',
    ),
  };
}
