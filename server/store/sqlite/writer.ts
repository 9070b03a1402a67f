import Database from 'better-sqlite3';
import type { AlertChange, StoreOptions } from '../store.ts';
import { AlertTables } from './alert-tables.ts';
import { Catalog } from './catalog.ts';
import { Closing } from './closing.ts';
import { Log } from './log.ts';
import { LogData } from './log-data.ts';
import { LogIndex } from './log-index.ts';
import { OpenTransaction } from './open-transaction.ts';
import { NAMES_TURN_MS } from './recently-used.ts';
import { Retention } from './retention.ts';
import { Rolling } from './rolling.ts';
import { type EncodedRound, LAYOUTS_OF_TARGET, SCRAPE_FIELDS, type TargetLayout } from './round.ts';
import { migrate } from './schema.ts';
import { Sealing } from './sealing.ts';
import { SharedNames } from './shared-names.ts';
import { Targets } from './targets.ts';
import { Trimming } from './trimming.ts';
import { lockForWriting, type WriterLock } from './writer-lock.ts';

const CACHE_KIB = 4 * 1024;
/** Records that are remembered: those of a thousand targets until they are added up to services, half a minute. */
const RECORD_BYTES = 8 * 1024 * 1024;
/** The longer the log ahead of the file, the fewer of its pages are written twice. */
const CHECKPOINT_PAGES = 4000;
/** How long one call of the upkeep goes on beginning new pieces of work; one takes a few milliseconds. */
const SLICE_MS = 15;

/** One kind of upkeep. */
export interface Chore {
  /** Does the next piece, within a transaction; false when nothing is to be done at `now`. */
  step(now: number): boolean;
  /** What a transaction that was taken back had remembered is not true any more. */
  forget(): void;
}

/** The one connection that writes. Synchronous: it lives in a worker thread. */
export class SqliteWriter {
  private readonly database: Database.Database;
  private readonly lock: WriterLock;
  private readonly transaction: OpenTransaction;
  private readonly catalog: Catalog;
  private readonly layouts = new Map<number, TargetLayout>();
  private readonly numbers = new Map<string, number[]>();
  private readonly names = new SharedNames();
  /** When names that nothing had used were forgotten last. */
  private turnedAt = 0;
  private readonly targets: Targets;
  private readonly log: Log;
  private readonly index: LogIndex;
  private readonly data: LogData;
  private readonly chores: readonly Chore[];
  private readonly newest: Database.Statement;
  private readonly setNewest: Database.Statement;
  private readonly lastRound: Database.Statement;
  private readonly setLastRound: Database.Statement;
  private readonly alerts: AlertTables;

  /** @throws StoreError, or SQLite's error when the file can't be opened. */
  constructor(options: StoreOptions) {
    const { path } = options;
    this.lock = lockForWriting(path);
    try {
      this.database = openDatabase(path);
    } catch (error) {
      this.lock.release();
      throw error;
    }
    const { database } = this;
    this.transaction = new OpenTransaction(database);
    this.catalog = new Catalog(database);
    this.targets = new Targets(database, this.catalog);
    const log = new Log(database, (row, records) => data.keep(row, records));
    this.log = log;
    const index = new LogIndex(database, ({ feeds, t1 }) => feeds > 0 && closing.added(feeds, t1));
    this.index = index;
    const data = new LogData(database, index, RECORD_BYTES);
    this.data = data;
    const { catalog } = this;
    const parts = {
      database,
      catalog,
      options,
      log,
      index,
      data,
      forgetNames: (deleted: readonly number[]) => this.forgetNames(deleted),
    };
    const closing = new Closing(parts);
    this.chores = [closing, new Sealing(parts), new Trimming(parts), new Rolling(parts), new Retention(parts)];
    this.alerts = new AlertTables(database);
    const setState = (name: string) =>
      database.prepare(
        `INSERT INTO state (name, value) VALUES ('${name}', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      );
    this.newest = database.prepare("SELECT value FROM state WHERE name = 'newest'").pluck();
    this.setNewest = setState('newest');
    this.lastRound = database.prepare("SELECT value FROM state WHERE name = 'round'").pluck();
    this.setLastRound = setState('round');
  }

  /** @throws Error that has taken the whole round back. */
  append(round: EncodedRound): void {
    for (const told of round.layouts)
      this.layouts.set(told.number, this.names.of(told, round.shapes[told.shape] ?? ''));
    this.undoing(() => this.transaction.run(() => this.appendNow(round)));
    for (const { address, number } of round.layouts) this.dropReplaced(address, number);
    for (const address of round.gone) this.dropGone(address);
  }

  /** A slice of what is to be done; true when there is more: it may then be kept together with what comes next. */
  upkeep(now: number): boolean {
    return this.undoing(() =>
      this.transaction.run(
        () => this.upkeepNow(now),
        (isMore) => !isMore,
      ),
    );
  }

  private upkeepNow(now: number): boolean {
    const until = performance.now() + SLICE_MS;
    this.index.refresh();
    this.turnNames(now);
    const isMore = this.chores.some((chore) => {
      while (chore.step(now)) if (performance.now() >= until) return true;
      return false;
    });
    this.log.flush();
    return isMore;
  }

  private turnNames(now: number): void {
    if (now >= this.turnedAt && now < this.turnedAt + NAMES_TURN_MS) return;
    this.turnedAt = now;
    this.catalog.turn();
  }

  saveAlerts(change: AlertChange): void {
    this.undoing(() => this.transaction.run(() => this.alerts.save(change)));
  }

  saveCursor(receiver: string, event: number): void {
    this.undoing(() => this.transaction.run(() => this.alerts.saveCursor(receiver, event)));
  }

  close(): void {
    try {
      this.transaction.finish();
      this.database.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      this.database.close();
      this.lock.release();
    }
  }

  private forgetNames(deletedTargets: readonly number[]): void {
    this.catalog.forget();
    this.targets.forgetNames(deletedTargets);
    this.log.forget();
  }

  private undoing<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      const { catalog, targets, log, index, data } = this;
      for (const part of [catalog, targets, log, index, data, ...this.chores]) part.forget();
      throw error;
    }
  }

  /** A round may still hold scrapes of the layout that a target had before. */
  private dropReplaced(address: string, number: number): void {
    const numbers = [number, ...(this.numbers.get(address) ?? [])];
    for (const before of numbers.splice(LAYOUTS_OF_TARGET)) {
      this.layouts.delete(before);
      this.targets.drop(before);
    }
    this.numbers.set(address, numbers);
  }

  private dropGone(address: string): void {
    for (const number of this.numbers.get(address) ?? []) {
      this.layouts.delete(number);
      this.targets.drop(number);
    }
    this.numbers.delete(address);
  }

  private appendNow({ id, scrapes, bytes }: EncodedRound): void {
    if (id > 0 && this.lastRound.get() === id) return;
    let at = 0;
    let newest = 0;
    for (let i = 0; i < scrapes.length; i += SCRAPE_FIELDS) {
      const [number = 0, t0 = 0, t1 = 0, startedAt = 0, recordSize = 0, totalsSize = 0, coded = 0] =
        scrapes.subarray(i);
      const scrape = { t0, t1, data: bytes.subarray(at, at + recordSize) };
      const totals = bytes.subarray(at + recordSize, at + recordSize + totalsSize);
      at += recordSize + totalsSize;
      this.keep(number, scrape, { startedAt, totals, sequence: Math.abs(coded), isGrowth: coded < 0 });
      if (t1 > t0) newest = Math.max(newest, t1);
    }
    this.log.flush();
    if (newest > 0) this.setNewest.run(newestOf(Number(this.newest.get() ?? 0), newest));
    if (id > 0) this.setLastRound.run(id);
  }

  private keep(layoutNumber: number, scrape: Scrape, told: ToldTotals): void {
    const layout = this.layouts.get(layoutNumber);
    if (!layout) throw new Error('a layout was not told of');
    const { startedAt, totals, sequence, isGrowth } = told;
    const target = this.targets.of(layout);
    const isLogged = scrape.t1 > scrape.t0;
    const follows = isGrowth && totals.length > 0 && this.targets.grow(target, isLogged ? sequence : Number.NaN);
    const entry = isLogged ? this.log.addScrape(target, scrape, follows ? totals : NO_GROWTH) : this.log.newest;
    if (!isGrowth) this.targets.setTotals(target, { lastScrape: scrape.t1, startedAt, totals, entry }, sequence);
  }
}

interface Scrape {
  readonly t0: number;
  readonly t1: number;
  readonly data: Uint8Array;
}

interface ToldTotals {
  readonly startedAt: number;
  readonly totals: Uint8Array;
  readonly sequence: number;
  readonly isGrowth: boolean;
}

const NO_GROWTH = new Uint8Array();

function openDatabase(path: string): Database.Database {
  const database = new Database(path, { timeout: 5000 });
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    database.pragma(`cache_size = -${CACHE_KIB}`);
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A clock that was put back by more than this is believed; else what ended earlier only came late. */
const PUT_BACK_MS = 3_600_000;

/** End of the newest scrape, after a round whose newest ended then. */
function newestOf(known: number, round: number): number {
  return round < known - PUT_BACK_MS ? round : Math.max(known, round);
}
