import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import { type PackedBlock, type PackedSums, packRecord, packSlots, packTotals } from '../packed.ts';
import { DIRECTIONS } from '../record.ts';
import { TIERS } from '../store.ts';
import { MINUTE, type Segment, TIER_LIST } from '../tiers.ts';
import { LogData } from './log-data.ts';
import { LogIndex, type LogRow } from './log-index.ts';
import type { ReaderCatalog, Unit } from './reader-catalog.ts';
import { blockTable, SERVICE, TARGET } from './schema.ts';
import { Unpacked } from './unpacked.ts';

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

export interface StoredState {
  /** End of the newest scrape. */
  readonly newest: number;
  /** By tier: until then all was forgotten. */
  readonly keptFrom: readonly number[];
  /** How many units' names were. */
  readonly forgotten: number;
}

/** What is wanted of a row. */
export interface Wanted {
  readonly direction: number;
  readonly bins: boolean;
  /** Whether it is not going to be asked for again soon. */
  readonly isLast: boolean;
}

/** After the tiers: blocks in the log, and its records by direction. */
const LOG_BLOCKS = TIERS.length;
const LOG_RECORDS = LOG_BLOCKS + 1;
const TABLES = LOG_RECORDS + DIRECTIONS.length;
const UNPACKED_BYTES = 48 * 1024 * 1024;

/** Everything that is stored of a unit and a time, wherever it is: each request once. */
export class Sources {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly index: LogIndex;
  private readonly logData: LogData;
  private closed: ReadonlyMap<number, number> = new Map();
  /** Of the file, as of {@link refresh}: it changes with all that others write. */
  private version: unknown;
  private readonly unpacked = new Unpacked(UNPACKED_BYTES);
  /** By tier, as of {@link refresh}. */
  private ends: number[] = [];
  private stateThen: StoredState | undefined;

  constructor(database: Database.Database) {
    this.statements = prepare(database);
    this.index = new LogIndex(database);
    this.logData = new LogData(database, this.index);
  }

  /** To be called first in every transaction: a file that is as it was is not looked into. */
  refresh(): void {
    this.unpacked.begin();
    const version = this.statements.version.get();
    if (version === this.version) return;
    this.index.refresh();
    this.closed = new Map(this.statements.closed.all() as [number, number][]);
    this.index.close(this.closed);
    this.ends = [];
    this.stateThen = undefined;
    this.version = version;
  }

  /** As of {@link refresh}. */
  state(): StoredState {
    this.stateThen ??= this.readState();
    return this.stateThen;
  }

  private readState(): StoredState {
    const values = new Map(this.statements.state.all() as [string, number][]);
    return {
      newest: values.get('newest') ?? 0,
      forgotten: values.get('forgotten') ?? 0,
      keptFrom: TIERS.map((name) => values.get(`kept:${name}`) ?? 0),
    };
  }

  /** As {@link LogIndex.takeEarliest}, as of {@link refresh}. */
  takeEarliest(): number | undefined {
    return this.index.takeEarliest();
  }

  /** As it is now. */
  get log(): { readonly index: LogIndex; readonly data: LogData } {
    this.refresh();
    return { index: this.index, data: this.logData };
  }

  coverage(unit: Unit, { from, to }: Interval): Interval[] {
    return this.statements.coverage.all(unit.id, from, to) as Interval[];
  }

  /** What is in no block yet. `members` are the targets that a place stands for. */
  rows(unit: Unit, { from, to, direction }: Interval & { direction: number }, members: readonly Unit[]): LogRow[] {
    const { index } = this;
    const time = { from, to };
    const found: LogRow[] = [];
    if (unit.kind === TARGET) return index.addTo(found, unit.id, time);
    for (const member of members) index.addTo(found, member.id, time);
    if (unit.kind !== SERVICE) return found;
    for (const row of index.of(unit.id, time)) if (row.direction === direction) found.push(row);
    return index.addFeeding(found, { service: unit.id, closed: this.closed.get(unit.id) ?? 0 }, time);
  }

  /** Whether the log has an entry of the same target that ends later. */
  isFollowed({ unit, t1 }: LogRow): boolean {
    return this.index.of(unit, { from: t1, to: Number.POSITIVE_INFINITY }).some((other) => other.t1 > t1);
  }

  /** Blocks of the segment's tier, and those of finer ones that are not in it yet. */
  blocks(unit: Unit, { from, to, tier }: Segment, direction: number): BlockPlace[] {
    const { longestMs = 0 } = TIER_LIST[tier] ?? {};
    const range = { unit: unit.id, direction, from, to };
    const places: BlockPlace[] = [];
    if (from < this.endOf(tier)) {
      const own = (this.statements.blocks[tier]?.all({ ...range, back: from - longestMs }) ?? []) as BlockRow[];
      for (const row of own) places.push({ table: tier, ...row });
    }
    for (let finer = tier - 1; finer >= MINUTE; finer--) {
      if (from >= this.endOf(finer)) continue;
      for (const row of this.statements.pending.all({ ...range, tier: finer }) as BlockRow[])
        places.push({ table: finer, ...row });
    }
    return places;
  }

  /** Where the last block of a tier ends: what is newer need not be looked for unit by unit. */
  private endOf(tier: number): number {
    this.ends[tier] ??= Number(this.statements.end[tier]?.get() ?? 0);
    return this.ends[tier];
  }

  /** A record of the log, one direction of it. */
  record({ id, layout }: LogRow, wanted: Wanted, catalog: ReaderCatalog): PackedSums {
    const key = id * TABLES + LOG_RECORDS + wanted.direction;
    const unpack = (): PackedSums =>
      packRecord(this.data(LOG_BLOCKS, id), wanted, catalog.layout(layout)[wanted.direction] ?? []);
    return wanted.isLast
      ? this.unpacked.once(key, wanted.bins, unpack)
      : this.unpacked.totals(key, wanted.bins, unpack);
  }

  /** A block, its slots added up. */
  totals({ table, id }: BlockPlace, bins: boolean): PackedBlock {
    return this.unpacked.totals(id * TABLES + table, bins, () => packTotals(this.data(table, id), bins));
  }

  /** A block slot by slot: those slots that end after `from`. */
  slots({ table, id }: BlockPlace, bins: boolean, from: number): PackedBlock {
    const wanted = { bins, from };
    return this.unpacked.slots(id * TABLES + table, wanted, () => packSlots(this.data(table, id), bins, from));
  }

  private data(table: number, id: number): Uint8Array {
    if (table === LOG_BLOCKS) return this.logData.record(id);
    return this.statements.data[table]?.get(id) as Uint8Array;
  }
}

/** Where a row of the log that is a block is found. */
export function logBlock({ id, t0, t1 }: LogRow): BlockPlace {
  return { table: LOG_BLOCKS, id, t0, t1 };
}

function prepare(database: Database.Database) {
  return {
    version: database.prepare('PRAGMA data_version').pluck(),
    state: database.prepare('SELECT name, value FROM state').raw(),
    coverage: database.prepare('SELECT t0 AS "from", t1 AS "to" FROM coverage WHERE unit = ? AND t1 > ? AND t0 < ?'),
    closed: database.prepare('SELECT service, closed FROM progress').raw(),
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
    end: TIERS.map((tier) => database.prepare(`SELECT max(t1) FROM ${blockTable(tier)}`).pluck()),
    data: TIERS.map((tier) => database.prepare(`SELECT data FROM ${blockTable(tier)} WHERE id = ?`).pluck()),
  };
}
