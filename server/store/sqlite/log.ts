import type Database from 'better-sqlite3';
import { DIRECTIONS } from '../record.ts';
import { recordsOfSlots, SlotMatrix } from '../slot-matrix.ts';
import { ENTRIES_OF_ROW, entryId, LONGEST_SPAN_MS, type NewEntry, packRow } from './log-row.ts';
import type { KeptTarget } from './targets.ts';

/** A scrape that covers more than this, after an outage, is kept in several entries. */
const LONGEST_ENTRY_MS = 3_600_000;
const MOST_ENTRIES = 200;
const NO_GROWTH = new Uint8Array();

interface Scrape {
  readonly t0: number;
  readonly t1: number;
  readonly data: Uint8Array;
}

/** Writes the log: entries are gathered into rows until {@link flush}, which is to be called before a transaction ends. */
export class Log {
  private readonly statements: ReturnType<typeof prepare>;
  private readonly onRow: (id: number, records: Uint8Array) => void;
  private open: NewEntry[] = [];
  private nextRow: number | undefined;

  /** `onRow` is told of each row that is written, and of the records in it. */
  constructor(database: Database.Database, onRow: (id: number, records: Uint8Array) => void) {
    this.statements = prepare(database);
    this.onRow = onRow;
  }

  forget(): void {
    this.open = [];
    this.nextRow = undefined;
  }

  /** `growth`: of the target's totals. @returns the id of the last entry that it became. */
  addScrape({ units, layout }: KeptTarget, scrape: Scrape, growth: Uint8Array): number {
    const { t0, t1 } = scrape;
    const parts = t1 - t0 > LONGEST_ENTRY_MS ? partsOf(scrape, layout.series) : [scrape];
    const keys = { unit: units.target, feeds: units.service, direction: -1, layout: layout.id };
    for (const [index, part] of parts.entries())
      this.add({ ...keys, ...part, growth: index === parts.length - 1 ? growth : NO_GROWTH });
    return this.newest;
  }

  add(entry: NewEntry): void {
    const first = this.open[0];
    if (first && Math.abs(entry.t1 - first.t1) > LONGEST_SPAN_MS) this.flush();
    this.open.push(entry);
    if (this.open.length === ENTRIES_OF_ROW) this.flush();
  }

  /** Id of the newest entry of all. */
  get newest(): number {
    return entryId(this.row, 0) + this.open.length - 1;
  }

  flush(): void {
    if (this.open.length === 0) return;
    const { heads, data, records } = packRow(this.open);
    this.statements.add.run(this.row, heads, data);
    this.onRow(this.row, records);
    this.nextRow = this.row + 1;
    this.open = [];
  }

  /** Id of the row that is being gathered. */
  private get row(): number {
    this.nextRow ??= Number(this.statements.newest.get() ?? 0) + 1;
    return this.nextRow;
  }
}

function partsOf({ t0, t1, data }: Scrape, series: readonly (readonly number[])[]): Scrape[] {
  const stepMs = Math.max(LONGEST_ENTRY_MS, Math.ceil((t1 - t0) / MOST_ENTRIES));
  const steps = Math.ceil((t1 - t0) / stepMs);
  const matrix = new SlotMatrix(t1 - steps * stepMs, stepMs, steps);
  const interval = { from: t0, to: t1 };
  DIRECTIONS.forEach((_, direction) => {
    matrix.addRecord({ data, interval, within: interval }, direction, series[direction] ?? []);
  });
  return recordsOfSlots(matrix, series, [...DIRECTIONS.keys()]).map((record, slot) => ({
    t0: Math.max(t0, matrix.grid.fromMs + slot * stepMs),
    t1: matrix.grid.fromMs + (slot + 1) * stepMs,
    data: record ?? EMPTY,
  }));
}

const EMPTY = new Uint8Array(2 * DIRECTIONS.length);

function prepare(database: Database.Database) {
  return {
    add: database.prepare('INSERT INTO log (id, heads, data) VALUES (?, ?, ?)'),
    newest: database.prepare('SELECT max(id) FROM log').pluck(),
  };
}
