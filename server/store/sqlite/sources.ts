import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import { type PackedBlock, type PackedSums, packRecord, packSlots, packTotals } from '../packed.ts';
import { DIRECTIONS } from '../record.ts';
import { TIERS } from '../store.ts';
import { MINUTE, type Segment, TIER_LIST } from '../tiers.ts';
import { OpenRows } from './open-rows.ts';
import type { ReaderCatalog, Unit } from './reader-catalog.ts';
import { blockTable, SERVICE, TARGET } from './schema.ts';
import { Unpacked } from './unpacked.ts';

export interface LogRow {
  readonly id: number;
  readonly unit: number;
  readonly t0: number;
  readonly t1: number;
  readonly layout: number;
}

/** A block by the table that it is in: a tier's, or the log. */
export interface BlockPlace {
  readonly table: number;
  readonly id: number;
  readonly t0: number;
  readonly t1: number;
}

interface BlockRow {
  readonly id: number;
  readonly t0: number;
  readonly t1: number;
}

/** What is wanted of a row. */
export interface Wanted {
  readonly direction: number;
  readonly bins: boolean;
}

/** Direction of rows that hold both. */
const BOTH = -1;
/** After the tiers: blocks in the log, and its records by direction. */
const LOG_BLOCKS = TIERS.length;
const LOG_RECORDS = LOG_BLOCKS + 1;
const TABLES = LOG_RECORDS + DIRECTIONS.length;
const UNPACKED_BYTES = 40 * 1024 * 1024;

/** Everything that is stored of a unit and a time, wherever it is: each request once. */
export class Sources {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly open: OpenRows;
  private readonly unpacked = new Unpacked(UNPACKED_BYTES);

  constructor(database: Database.Database) {
    this.statements = prepare(database);
    this.open = new OpenRows(database);
  }

  /** To be called first in every transaction. */
  refresh(): void {
    this.open.refresh();
    this.unpacked.begin();
  }

  /** End of the newest scrape, by tier until when all was forgotten, and how many units' names were. */
  state(): { newest: number; keptFrom: number[]; forgotten: number } {
    const values = new Map(this.statements.state.all() as [string, number][]);
    return {
      newest: values.get('newest') ?? 0,
      forgotten: values.get('forgotten') ?? 0,
      keptFrom: TIERS.map((name) => values.get(`kept:${name}`) ?? 0),
    };
  }

  coverage(unit: Unit, { from, to }: Interval): Interval[] {
    return this.statements.coverage.all(unit.id, from, to) as Interval[];
  }

  /** What is in no block yet. `members` are the targets that a place stands for. */
  rows(unit: Unit, { from, to, direction }: Interval & { direction: number }, members: readonly Unit[]): LogRow[] {
    const { rows } = this.statements;
    if (unit.kind === TARGET) return rows.all(unit.id, BOTH, from, to) as LogRow[];
    if (unit.kind === SERVICE)
      return [...(rows.all(unit.id, direction, from, to) as LogRow[]), ...this.open.of(unit.id, { from, to })];
    return members.flatMap((member) => rows.all(member.id, BOTH, from, to) as LogRow[]);
  }

  /** Blocks of the segment's tier, and those of finer ones that are not in it yet. */
  blocks(unit: Unit, { from, to, tier }: Segment, direction: number): BlockPlace[] {
    const { longestMs = 0 } = TIER_LIST[tier] ?? {};
    const range = { unit: unit.id, direction, from, to };
    const own = (this.statements.blocks[tier]?.all({ ...range, back: from - longestMs }) ?? []) as BlockRow[];
    const places = own.map((row) => ({ table: tier, ...row }));
    for (let finer = tier - 1; finer >= MINUTE; finer--)
      for (const row of this.statements.pending.all({ ...range, tier: finer }) as BlockRow[])
        places.push({ table: finer, ...row });
    return places;
  }

  /** A record of the log, one direction of it. */
  record({ id, layout }: LogRow, wanted: Wanted, catalog: ReaderCatalog): PackedSums {
    return this.unpacked.totals(id * TABLES + LOG_RECORDS + wanted.direction, wanted.bins, () =>
      packRecord(this.data(LOG_BLOCKS, id), wanted, catalog.layout(layout)[wanted.direction] ?? []),
    );
  }

  /** A block, its slots added up. */
  totals({ table, id }: BlockPlace, bins: boolean): PackedBlock {
    return this.unpacked.totals(id * TABLES + table, bins, () => packTotals(this.data(table, id), bins));
  }

  /** A block slot by slot. */
  slots({ table, id }: BlockPlace, bins: boolean): PackedBlock {
    return this.unpacked.slots(id * TABLES + table, bins, () => packSlots(this.data(table, id), bins));
  }

  private data(table: number, id: number): Uint8Array {
    return this.statements.data[table]?.get(id) as Uint8Array;
  }
}

/** Where a row of the log that is a block is found. */
export function logBlock({ id, t0, t1 }: LogRow): BlockPlace {
  return { table: LOG_BLOCKS, id, t0, t1 };
}

function prepare(database: Database.Database) {
  const tables = [...TIERS.map(blockTable), 'log'];
  return {
    state: database.prepare('SELECT name, value FROM state').raw(),
    coverage: database.prepare('SELECT t0 AS "from", t1 AS "to" FROM coverage WHERE unit = ? AND t1 > ? AND t0 < ?'),
    rows: database.prepare(
      'SELECT id, unit, t0, t1, layout FROM log WHERE unit = ? AND direction = ? AND t1 > ? AND t0 < ?',
    ),
    blocks: TIERS.map((tier) =>
      database.prepare(
        `SELECT id, t0, t1 FROM ${blockTable(tier)}
         WHERE unit = :unit AND direction = :direction AND t0 > :back AND t0 < :to AND t1 > :from`,
      ),
    ),
    pending: database.prepare(
      `SELECT block AS id, t0, t1 FROM pending
       WHERE tier = :tier AND unit = :unit AND direction = :direction AND t0 < :to AND t1 > :from`,
    ),
    data: tables.map((table) => database.prepare(`SELECT data FROM ${table} WHERE id = ?`).pluck()),
  };
}
