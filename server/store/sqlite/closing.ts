import type Database from 'better-sqlite3';
import type { Interval } from '../../model/spread.ts';
import { BlockWriter } from '../blocks.ts';
import { DIRECTIONS } from '../record.ts';
import { SlotMatrix } from '../slot-matrix.ts';
import type { StoreOptions } from '../store.ts';
import { slotMsOf } from '../tiers.ts';
import { inGroups } from './block-tables.ts';
import type { Catalog } from './catalog.ts';
import { CoverageTable } from './coverage-table.ts';
import type { Log } from './log.ts';
import type { LogData } from './log-data.ts';
import type { LogIndex, LogRow } from './log-index.ts';
import { BLOCK } from './schema.ts';
import type { Chore } from './writer.ts';

export interface Parts {
  readonly database: Database.Database;
  readonly catalog: Catalog;
  readonly options: StoreOptions;
  readonly log: Log;
  readonly index: LogIndex;
  readonly data: LogData;
  /** To be called when names were deleted that others may have remembered, and with the targets that were. */
  forgetNames(targets: readonly number[]): void;
}

/** Scrape intervals that are gathered before they are added up. */
const GATHERED = 3;
/** A target's next scrape is overdue after this many of its intervals. */
const OVERDUE = 1.5;
const LONGEST_INTERVAL_MS = 300_000;
const MOST_ROWS = 600;
const MOST_SLOTS = 400;
/** A row that covers more slots, after an outage, is taken over as it is. */
const LONG_SLOTS = 20;

/**
 * Adds up the rows of a service's targets into rows of the service: small blocks. The newest row of a target waits
 * until the next one is there, so that whoever asks for the present finds every target's last rate.
 */
export class Closing implements Chore {
  private readonly parts: Parts;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly coverage: CoverageTable;
  private readonly writer = new BlockWriter();
  private readonly slotMs: number;
  private readonly gatherMs: number;
  /** By service: since when its rows wait. */
  private waiting: Map<number, number> | undefined;
  private current: Generator<void, void> | undefined;
  /** Services that are due soon are closed with those that are due: their pages are then written together. */
  private inWave = false;

  constructor(parts: Parts) {
    this.parts = parts;
    this.statements = prepare(parts.database);
    this.coverage = new CoverageTable(parts.database);
    this.slotMs = slotMsOf(parts.options.intervalMs);
    this.gatherMs = GATHERED * parts.options.intervalMs;
  }

  forget(): void {
    this.waiting = undefined;
    this.current = undefined;
  }

  added(service: number, t1: number): void {
    if (!this.known().has(service)) this.known().set(service, t1);
  }

  step(now: number): boolean {
    this.current ??= this.next(now);
    if (!this.current) return false;
    if (this.current.next().done) this.current = undefined;
    return true;
  }

  private next(now: number): Generator<void, void> | undefined {
    const least = this.gatherMs - (this.inWave ? this.parts.options.intervalMs : 0);
    for (const [service, since] of this.known()) {
      if (since > now + this.gatherMs) this.known().set(service, now);
      this.inWave = now - since >= least;
      if (this.inWave) return this.close(service, now);
    }
    return undefined;
  }

  private known(): Map<number, number> {
    this.waiting ??= new Map(
      [...this.parts.index.services()].flatMap((service): [number, number][] => {
        const [first] = this.parts.index.feeding(service, this.closedOf(service));
        return first ? [[service, first.t1]] : [];
      }),
    );
    return this.waiting;
  }

  private closedOf(service: number): number {
    return Number(this.statements.closed.get(service) ?? 0);
  }

  /** Nothing is written before all is worked out. */
  private *close(service: number, now: number): Generator<void, void> {
    const rows = this.parts.index.feeding(service, this.closedOf(service)).slice(0, MOST_ROWS);
    const end = rows.length < MOST_ROWS ? firstNeeded(rows, this.present(now)) : Number.POSITIVE_INFINITY;
    const taken = rows.filter(({ id }) => id < end);
    if (rows.length === MOST_ROWS) this.waiting = undefined;
    else if (taken.length < rows.length) this.known().set(service, now);
    else this.known().delete(service);
    const last = taken.at(-1);
    if (!last) return;
    const isLong = ({ t0, t1 }: LogRow): boolean => t1 - t0 > LONG_SLOTS * this.slotMs;
    const blocks: ServiceRow[] = [];
    for (const row of taken.filter(isLong))
      blocks.push(...(yield* this.addUp(service, [row], { from: row.t0, slotMs: row.t1 - row.t0 })));
    const short = taken.filter((row) => !isLong(row));
    for (const group of nearby(short, MOST_SLOTS * this.slotMs)) {
      const from = Math.min(...group.map(({ t0 }) => t0));
      const start = { from: Math.floor(from / this.slotMs) * this.slotMs, slotMs: this.slotMs };
      blocks.push(...(yield* this.addUp(service, group, start)));
    }
    this.statements.setClosed.run(service, last.id);
    const runs = taken.map(({ t0, t1 }) => ({ from: t0, to: t1 }));
    this.coverage.extend(service, runs);
    for (const { direction, from, to, data } of blocks)
      this.parts.log.add({ ...OF_SERVICE, unit: service, direction, t0: from, t1: to, data });
    this.parts.log.flush();
    this.parts.index.refresh();
  }

  /** What counts as now to whoever asks: the newest scrape of all, unless all scraping has ended. */
  private present(now: number): number {
    const newest = Number(this.statements.newest.get() ?? 0);
    return now - newest > LONGEST_INTERVAL_MS ? now : Math.min(now, newest);
  }

  private *addUp(
    service: number,
    rows: readonly LogRow[],
    { from, slotMs }: { from: number; slotMs: number },
  ): Generator<void, ServiceRow[]> {
    const steps = Math.ceil((Math.max(...rows.map(({ t1 }) => t1)) - from) / slotMs);
    const matrix = new SlotMatrix(from, slotMs, steps);
    const all = DIRECTIONS.map(() => new Set<number>());
    for (const row of rows) {
      const interval = { from: row.t0, to: row.t1 };
      const data = this.parts.data.record(row.id);
      this.parts.catalog.layoutInto(row.layout, service).forEach((into, direction) => {
        for (const id of into) all[direction]?.add(id);
        matrix.addRecord({ data, interval, within: interval }, direction, into);
      });
      yield;
    }
    const added: ServiceRow[] = [];
    const groups = [...all.entries()].flatMap(([direction, ids]) =>
      inGroups([...ids]).map((some) => ({ direction, some })),
    );
    for (const { direction, some } of groups) {
      const series = matrix.blockSeries(some);
      if (series.length === 0) continue;
      const data = this.writer.encode({ fromMs: from, stepMs: slotMs, slots: steps, series });
      added.push({ direction, from, to: matrix.grid.toMs, data });
      yield;
    }
    matrix.release();
    return added;
  }
}

const OF_SERVICE = { feeds: 0, layout: BLOCK, growth: new Uint8Array() };

/** A row that is to be written of a service. */
interface ServiceRow extends Interval {
  readonly direction: number;
  readonly data: Uint8Array;
}

/** Id of the first row that has to wait: the newest one of a target whose next scrape is not overdue. */
function firstNeeded(rows: readonly LogRow[], now: number): number {
  const newest = new Map<number, LogRow>();
  for (const row of rows) newest.set(row.unit, row);
  let first = Number.POSITIVE_INFINITY;
  for (const { id, t0, t1 } of newest.values())
    if (now - t1 <= OVERDUE * Math.min(t1 - t0, LONGEST_INTERVAL_MS)) first = Math.min(first, id);
  return first;
}

/** Rows in groups that each span at most so long, as far as rows do not do so by themselves. */
export function nearby<R extends { t0: number; t1: number }>(rows: readonly R[], spanMs: number): R[][] {
  const groups: { span: Interval; rows: R[] }[] = [];
  for (const row of rows) {
    const group = groups.find(({ span }) => Math.max(span.to, row.t1) - Math.min(span.from, row.t0) <= spanMs);
    if (!group) groups.push({ span: { from: row.t0, to: row.t1 }, rows: [row] });
    else {
      group.rows.push(row);
      group.span = { from: Math.min(group.span.from, row.t0), to: Math.max(group.span.to, row.t1) };
    }
  }
  return groups.map(({ rows }) => rows);
}

function prepare(database: Database.Database) {
  return {
    newest: database.prepare("SELECT value FROM state WHERE name = 'newest'").pluck(),
    closed: database.prepare('SELECT closed FROM progress WHERE service = ?').pluck(),
    setClosed: database.prepare(
      'INSERT INTO progress (service, closed) VALUES (?, ?) ON CONFLICT (service) DO UPDATE SET closed = excluded.closed',
    ),
  };
}
