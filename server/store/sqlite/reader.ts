import Database from 'better-sqlite3';
import type { StoredTarget } from '../../model/scrape-record.ts';
import type { Interval } from '../../model/spread.ts';
import type { EncodedAnswer } from '../answer.ts';
import { type StoreOptions, type StoreStatus, type SumQuery, TIERS, type TierName, type TierStatus } from '../store.ts';
import { type Segment, slotMsOf, stepOf } from '../tiers.ts';
import { AlertReader } from './alert-tables.ts';
import { BACK_MS } from './due.ts';
import { FreeSums } from './groups.ts';
import { KnownAnswers, type ReadAnswer } from './known-answers.ts';
import { loadTargets } from './load-targets.ts';
import { MovingQuery } from './moving-query.ts';
import { prepared } from './prepared.ts';
import { type Readable, StoreQuery, segmentsOf } from './query.ts';
import { QueryPlans } from './query-plan.ts';
import { ReaderCatalog } from './reader-catalog.ts';
import { NAMES_TURN_MS } from './recently-used.ts';
import { usedBytes } from './retention.ts';
import { RunningSums } from './running-sums.ts';
import { blockTable, SCHEMA_VERSION } from './schema.ts';
import { Sources } from './sources.ts';

const CACHE_KIB = 8 * 1024;
const NOT_LOGGED: LogStatus = { oldest: null, bytes: 0 };
const ANSWER_BYTES = 12 * 1024 * 1024;
const SUM_BYTES = 8 * 1024 * 1024;
/** As many as are held at once. */
const FREE_SUMS = 200;

/** What stands in the log until it is packed: steps of the finest tier. */
interface LogStatus {
  readonly oldest: number | null;
  readonly bytes: number;
}

/** A connection that only reads. Synchronous: it lives in a worker thread. */
export class SqliteReader {
  private readonly database: Database.Database;
  private readonly options: StoreOptions;
  private catalog: ReaderCatalog;
  private plans: QueryPlans;
  private forgotten = 0;
  /** End of the newest scrape that was seen. */
  private newest = 0;
  /** The same when names that nothing had used were forgotten last. */
  private turnedAt = 0;
  private readonly sources: Sources;
  private readonly answers = new KnownAnswers(ANSWER_BYTES);
  private readonly running = new RunningSums(SUM_BYTES);
  private readonly free = new FreeSums(1, FREE_SUMS);
  private readonly slotMs: number;
  readonly alerts: AlertReader;

  constructor(options: StoreOptions) {
    this.options = options;
    this.database = new Database(options.path, { readonly: true, timeout: 5000 });
    this.database.pragma(`cache_size = -${CACHE_KIB}`);
    this.catalog = new ReaderCatalog(this.database);
    this.plans = new QueryPlans(this.catalog);
    this.sources = new Sources(this.database);
    this.alerts = new AlertReader(this.database);
    this.slotMs = slotMsOf(options.intervalMs);
  }

  prepare(): void {
    this.database.transaction(() => this.refresh())();
  }

  /** @throws QueryTooLargeError, QueryStoppedError */
  sums(query: SumQuery): EncodedAnswer {
    return this.database.transaction(() => {
      this.refresh();
      const segments = segmentsOf(query, this.readable);
      if (query.stepMs === undefined) return this.ofOneCell(query, segments);
      return this.answers.answer({ query, segments, read: (from) => this.read(query, segments, from) });
    })();
  }

  private ofOneCell(query: SumQuery, segments: readonly Segment[]): EncodedAnswer {
    const { newest, keptFrom } = this.sources.state();
    return this.running.answer({
      query,
      segments,
      slotMs: this.slotMs,
      newest,
      keptFrom,
      read: () => this.read(query, segments, query.from),
      move: (move) => new MovingQuery(this.readable, { query, move, segments }).run(),
    });
  }

  private read(whole: SumQuery, all: readonly Segment[], from: number): ReadAnswer {
    const { to, stepMs = to - whole.from } = whole;
    const steps = Math.max(1, Math.ceil((to - whole.from) / stepMs));
    const segments = within(all, { from, to });
    const query = new StoreQuery({ ...this.readable, query: { ...whole, from }, segments, steps });
    const answer = query.run();
    return { answer, settledTo: query.settledTo };
  }

  private get readable(): Readable {
    const { catalog, plans, sources, slotMs, free } = this;
    return { catalog, plans, sources, slotMs, free };
  }

  /** Ids are never given twice, but names of units that are gone would pile up. */
  private refresh(): void {
    this.sources.refresh();
    const { forgotten, newest } = this.sources.state();
    const changed = this.sources.takeEarliest();
    const isBack = newest < this.newest - BACK_MS;
    this.newest = isBack ? newest : Math.max(this.newest, newest);
    if (forgotten !== this.forgotten || isBack || changed === undefined) this.forgetAnswers();
    else for (const memory of [this.answers, this.running]) memory.changedFrom(changed);
    if (forgotten !== this.forgotten) {
      this.catalog = new ReaderCatalog(this.database);
      this.plans = new QueryPlans(this.catalog);
    }
    this.forgotten = forgotten;
    if (this.catalog.refresh()) this.forgetAnswers();
    this.turnNames();
  }

  private turnNames(): void {
    if (this.newest >= this.turnedAt && this.newest < this.turnedAt + NAMES_TURN_MS) return;
    this.turnedAt = this.newest;
    this.catalog.turn();
  }

  private forgetAnswers(): void {
    this.answers.forget();
    this.running.forget();
  }

  loadTargets(): StoredTarget[] {
    return this.database.transaction(() => loadTargets(this.database, this.sources.log))();
  }

  status(): StoreStatus {
    return this.database.transaction(() => this.statusNow())();
  }

  private statusNow(): StoreStatus {
    this.sources.refresh();
    const number = (sql: string): number | null => {
      const value = prepared(this.database, sql).pluck().get();
      return typeof value === 'number' ? value : null;
    };
    const pages = number('PRAGMA page_count') ?? 0;
    const pageSize = number('PRAGMA page_size') ?? 0;
    const { newest, keptFrom } = this.sources.state();
    const log = { ...this.sources.log.index.extent(), bytes: number('SELECT sum(length(data)) FROM log') ?? 0 };
    const tiers = TIERS.map((name, tier) => this.tierStatus(name, { tier, newest, kept: keptFrom[tier] ?? 0, log }));
    return {
      path: this.options.path,
      bytes: pages * pageSize,
      usedBytes: usedBytes(this.database),
      maxBytes: this.options.maxBytes,
      schemaVersion: SCHEMA_VERSION,
      oldest: leastOf(number('SELECT min(t0) FROM coverage'), log.oldest),
      tiers,
      logRows: log.scrapes,
      notice: this.notice(tiers),
    };
  }

  private tierStatus(
    name: TierName,
    { tier, newest, kept, log }: { tier: number; newest: number; kept: number; log: LogStatus },
  ): TierStatus {
    const figures = `SELECT min(t0), max(t1), count(*), sum(length(data)) FROM ${blockTable(name)}`;
    const [first, end, blocks, packed] = prepared(this.database, figures).raw().get() as [
      number | null,
      number | null,
      number,
      number | null,
    ];
    const { oldest, bytes } = tier === 0 ? log : NOT_LOGGED;
    const retentionMs = this.options.retentionMs[name];
    return {
      name,
      stepMs: stepOf(tier, this.slotMs),
      retentionMs,
      keptMs: kept > newest - retentionMs && blocks > 0 ? Math.max(0, newest - kept) : retentionMs,
      oldest: leastOf(first, oldest),
      newest: oldest === null ? end : newest,
      bytes: (packed ?? 0) + bytes,
    };
  }

  private notice(tiers: readonly TierStatus[]): string {
    const short = tiers.filter(({ keptMs, retentionMs }) => keptMs < 0.9 * retentionMs).map(({ name }) => name);
    if (short.length === 0) return '';
    return `storage.max_size leaves no room to keep ${short.join(', ')} as long as storage.retention asks for: raise it, or ask for less`;
  }

  close(): void {
    this.database.close();
  }
}

/** Segments as far as they lie in a time. */
function within(segments: readonly Segment[], { from, to }: Interval): Segment[] {
  return segments.flatMap((one) =>
    one.from < to && one.to > from ? [{ ...one, from: Math.max(one.from, from), to: Math.min(one.to, to) }] : [],
  );
}

function leastOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
