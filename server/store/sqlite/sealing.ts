import type Database from 'better-sqlite3';
import { CODE_CLASSES, COUNTER_INDEX, failureCount, requestCount } from '../../model/flow.ts';
import { quantile } from '../../model/histogram.ts';
import { DIRECTIONS } from '../record.ts';
import type { SeriesColumns } from '../series-columns.ts';
import { SlotMatrix } from '../slot-matrix.ts';
import { MINUTE, RAW, sealedMsOf, slotMsOf } from '../tiers.ts';
import { BlockTables, inGroups, type NewBlock } from './block-tables.ts';
import { nearby, type Parts } from './closing.ts';
import { CoverageTable } from './coverage-table.ts';
import type { LogRow } from './log-index.ts';
import { BLOCK, SERVICE, TARGET } from './schema.ts';
import type { Chore } from './writer.ts';

const MINUTE_MS = 60_000;
/** Rows that are younger than so many scrape intervals stay in the log. */
const LAG_INTERVALS = 8;
const MOST_ROWS = 700;
const LONGEST_MATRIX_MS = 2 * 3_600_000;
/** Rows of a target that has fewer bytes of them wait for so many chunks. */
const FEW_BYTES = 48 * 1024;
const MOST_CHUNKS = 3;
/** Units that are sealed at the same minute; more would leave some minutes of a small fleet without any. */
const NEIGHBOURS = 16;

interface Unit {
  readonly kind: number;
  readonly place: number;
  readonly service: string;
  readonly namespace: string;
}

interface Rows {
  readonly unit: number;
  readonly labels: Unit;
  readonly rows: readonly LogRow[];
}

/** What is to be written of a unit. */
interface Sealed {
  readonly blocks: NewBlock[];
  readonly minutes: { readonly matrix: SlotMatrix; readonly inbound: readonly number[] }[];
}

/** Turns rows of the log into raw blocks and, from the same numbers, into blocks of minutes. */
export class Sealing implements Chore {
  private readonly parts: Parts;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly coverage: CoverageTable;
  private readonly blocks: BlockTables;
  private readonly slotMs: number;
  private readonly chunkMs: number;
  private readonly lagMs: number;
  /** Units; looked up anew when all that was due is done. */
  private due: number[] = [];
  private current: { readonly unit: number; readonly work: Generator<void, boolean> } | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
    this.statements = prepare(parts.database);
    this.coverage = new CoverageTable(parts.database);
    this.blocks = new BlockTables(parts.database);
    this.slotMs = slotMsOf(parts.options.intervalMs);
    this.chunkMs = sealedMsOf(this.slotMs);
    this.lagMs = Math.max(LAG_INTERVALS * parts.options.intervalMs, 2 * MINUTE_MS);
  }

  forget(): void {
    this.lookedAt = Number.NEGATIVE_INFINITY;
    this.due = [];
    this.current = undefined;
  }

  step(now: number): boolean {
    if (!this.current) {
      if (this.due.length === 0) this.lookUp(now);
      const unit = this.due.pop();
      if (unit === undefined) return false;
      this.current = { unit, work: this.seal(unit, now) };
    }
    const { unit, work } = this.current;
    const { done, value: isMore } = work.next();
    if (!done) return true;
    this.current = undefined;
    if (isMore) this.due.push(unit);
    return true;
  }

  /**
   * Where sealing ends now: whole chunks, at a minute of its own for some units each, so that they do not come all at
   * once, and neighbours, whose rows lie on the same pages of an index, come together.
   */
  private endFor(unit: number, now: number): number {
    const phase = (Math.floor(unit / NEIGHBOURS) % (this.chunkMs / MINUTE_MS)) * MINUTE_MS;
    return Math.floor((now - this.lagMs - phase) / this.chunkMs) * this.chunkMs + phase;
  }

  /**
   * A target with little to tell is left for some chunks: large blocks are smaller than several small ones. One that tells
   * nothing more is not waited for: everybody's rows stay in the log as long as its do.
   */
  private isDue(unit: number, now: number): boolean {
    const entries = this.parts.index.ofUnit(unit);
    if (!entries) return false;
    const end = this.endFor(unit, now);
    const isSmall = entries.isTarget && entries.bytes < FEW_BYTES && entries.lastT1 > end;
    return this.isOld(entries.t1, isSmall ? end - (MOST_CHUNKS - 1) * this.chunkMs : end, now);
  }

  /** What is of a time to come was written while the clock was ahead, and does not get any older for long. */
  private isOld(t1: number, end: number, now: number): boolean {
    return t1 <= end || t1 > now + this.lagMs;
  }

  private lookUp(now: number): void {
    if (now >= this.lookedAt && now < this.lookedAt + MINUTE_MS / 2) return;
    this.lookedAt = now;
    this.due = [...this.parts.index.units()].filter((unit) => this.isDue(unit, now));
  }

  /**
   * Nothing is written before all is worked out: in between, the log stays as it was. False when nothing is left
   * before `end`.
   */
  private *seal(unit: number, now: number): Generator<void, boolean> {
    const rows = this.oldRows(unit, now);
    const last = rows.at(-1);
    if (!last) return false;
    const labels = this.statements.unit.get(unit) as Unit;
    const sealed: Sealed = { blocks: [], minutes: [] };
    for (const group of nearby(rows, (MOST_CHUNKS + 1) * this.chunkMs))
      yield* this.sealRows({ unit, labels, rows: group }, sealed);
    for (const block of sealed.blocks) this.blocks.add(block);
    for (const { matrix, inbound } of sealed.minutes) {
      this.addMinutes(labels, matrix, inbound);
      matrix.release();
    }
    this.statements.setSealed.run(unit, last.id);
    this.parts.index.refresh();
    if (labels.kind === TARGET) this.cover(unit, labels, rows);
    return rows.length === MOST_ROWS;
  }

  /** In the order in which they came, as far as they are old and in their service's rows. */
  private oldRows(unit: number, now: number): LogRow[] {
    const end = this.endFor(unit, now);
    const rows = this.parts.index.of(unit).slice(0, MOST_ROWS);
    const closed = Number(this.statements.closed.get(rows[0]?.feeds ?? 0) ?? 0);
    const first = rows.findIndex(({ id, t1, feeds }) => !this.isOld(t1, end, now) || (feeds > 0 && id > closed));
    return first < 0 ? rows : rows.slice(0, first);
  }

  private *sealRows({ unit, labels, rows }: Rows, sealed: Sealed): Generator<void, void> {
    const from = Math.floor(Math.min(...rows.map(({ t0 }) => t0)) / MINUTE_MS) * MINUTE_MS;
    const to = Math.max(...rows.map(({ t1 }) => t1));
    const slotMs = to - from > LONGEST_MATRIX_MS ? MINUTE_MS : this.slotMs;
    for (let start = from; start < to; start += LONGEST_MATRIX_MS) {
      const steps = Math.ceil((Math.min(to, start + LONGEST_MATRIX_MS) - start) / slotMs);
      const matrix = new SlotMatrix(start, slotMs, steps);
      const series = yield* this.fill(matrix, rows);
      const pendingFor = labels.kind === TARGET ? labels.place : unit;
      for (const [direction, all] of series.entries()) {
        for (const ids of inGroups([...all])) {
          sealed.blocks.push(...(yield* this.blocks.encode({ tier: RAW, unit, direction, matrix, ids })));
          const minutes = matrix.coarser(MINUTE_MS / slotMs, ids);
          const keys = { tier: MINUTE, unit, direction, pendingFor };
          sealed.blocks.push(...(yield* this.blocks.encode({ ...keys, matrix: minutes, ids })));
          minutes.release();
        }
      }
      const inbound = [...(series[0] ?? [])];
      if (labels.kind === SERVICE)
        sealed.minutes.push({ matrix: matrix.coarser(MINUTE_MS / slotMs, inbound), inbound });
      matrix.release();
    }
  }

  /** Series by direction. */
  private *fill(matrix: SlotMatrix, rows: readonly LogRow[]): Generator<void, Set<number>[]> {
    const all = DIRECTIONS.map(() => new Set<number>());
    for (const { id, layout, direction: own, t0, t1 } of rows) {
      yield;
      const data = this.parts.data.record(id);
      if (layout === BLOCK) {
        matrix.addBlock(data, (series) => {
          all[own]?.add(series);
          return series;
        });
        continue;
      }
      const interval = { from: t0, to: t1 };
      this.parts.catalog.layout(layout).series.forEach((ids, direction) => {
        for (const series of ids) all[direction]?.add(series);
        matrix.addRecord({ data, interval, within: interval }, direction, ids);
      });
    }
    return all;
  }

  private cover(unit: number, { place }: Unit, rows: readonly LogRow[]): void {
    const runs = rows.map(({ t0, t1 }) => ({ from: t0, to: t1 }));
    this.coverage.extend(unit, runs);
    this.coverage.extend(place, runs);
  }

  /** Rows for plain SQL. */
  private addMinutes({ service, namespace }: Unit, minutes: SlotMatrix, inbound: readonly number[]): void {
    const { fromMs, stepMs, steps } = minutes.grid;
    const columnsOf = (ids: readonly number[]) => ids.flatMap((id) => minutes.series.get(id) ?? []);
    const columns = columnsOf(inbound);
    const withoutSamples = columnsOf(inbound.filter((id) => this.statements.source.get(id) === 'upstream'));
    for (let slot = 0; slot < steps; slot++) {
      const counters = sumOfNumbers(columns, slot);
      const requests = requestCount(counters);
      const bins = sumOfBins(columns, slot);
      const slower = sumOfNumbers(withoutSamples, slot)[COUNTER_INDEX.timed_out] ?? 0;
      const percentiles = [0.5, 0.95, 0.99].map((q) => quantile(bins, q, slower).valueMs);
      const classes = CODE_CLASSES.map((name) => counters[COUNTER_INDEX[name]] ?? 0);
      if (columns.length === 0 || (requests === 0 && bins.keys.length === 0)) continue;
      this.statements.addMinute.run(
        service,
        namespace,
        fromMs + slot * stepMs,
        requests,
        ...classes,
        failureCount(counters),
        ...percentiles,
      );
    }
  }
}

function sumOfNumbers(columns: readonly SeriesColumns[], slot: number): number[] {
  const sum: number[] = [];
  for (const { numbers } of columns)
    numbers.forEach((values, column) => {
      sum[column] = (sum[column] ?? 0) + (values?.[slot] ?? 0);
    });
  return sum;
}

function sumOfBins(columns: readonly SeriesColumns[], slot: number) {
  const sum = new Map<number, number>();
  for (const one of columns)
    for (const [key, counts] of one.binColumns()) {
      const count = counts[slot] ?? 0;
      if (count > 0) sum.set(key, (sum.get(key) ?? 0) + count);
    }
  const sorted = [...sum].sort(([a], [b]) => a - b);
  return { keys: sorted.map(([key]) => key), counts: sorted.map(([, count]) => count) };
}

function prepare(database: Database.Database) {
  return {
    unit: database.prepare('SELECT kind, place, service, namespace FROM units WHERE id = ?'),
    source: database.prepare('SELECT source FROM series WHERE id = ?').pluck(),
    closed: database.prepare('SELECT closed FROM progress WHERE service = ?').pluck(),
    setSealed: database.prepare('INSERT INTO sealed (unit, entry) VALUES (?, ?)'),
    /** Percentiles of two parts of a minute can't be added up: they are unknown then. */
    addMinute: database.prepare(
      `INSERT INTO service_minutes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (service, namespace, minute) DO UPDATE SET requests = requests + excluded.requests,
         requests_2xx = requests_2xx + excluded.requests_2xx, requests_3xx = requests_3xx + excluded.requests_3xx,
         requests_4xx = requests_4xx + excluded.requests_4xx, requests_5xx = requests_5xx + excluded.requests_5xx,
         failures = failures + excluded.failures, p50_ms = NULL, p95_ms = NULL, p99_ms = NULL`,
    ),
  };
}
