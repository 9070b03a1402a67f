import type Database from 'better-sqlite3';
import { ENTRIES_OF_ROW, entryId, LONGEST_SPAN_MS, type LogEntry, packRow } from './log-row.ts';

const ROWS_AT_ONCE = 1000;
const NO_GROWTH = new Uint8Array();

interface Row extends LogEntry {
  readonly id: number;
  readonly data: Uint8Array;
}

/** Up to version 7, each entry of the log was a row, found by indexes. */
export function packLog(database: Database.Database): void {
  const next = database.prepare('SELECT * FROM old_log WHERE id > ? ORDER BY id LIMIT ?');
  const packing = new Packing(database);
  for (let last = -1; ; ) {
    const rows = next.all(last, ROWS_AT_ONCE) as Row[];
    for (const row of rows) packing.add(row);
    const newest = rows.at(-1);
    if (!newest) break;
    last = newest.id;
  }
  packing.end();
}

class Packing {
  private readonly insert: Database.Statement;
  private readonly setClosed: Database.Statement;
  /** By service: up to which row it was added up. */
  private readonly closedThen: ReadonlyMap<number, number>;
  private readonly closed = new Map<number, number>();
  private open: Row[] = [];
  private row = 1;

  constructor(database: Database.Database) {
    this.insert = database.prepare('INSERT INTO log (id, heads, data) VALUES (?, ?, ?)');
    this.setClosed = database.prepare('UPDATE progress SET closed = ? WHERE service = ?');
    const progress = database.prepare('SELECT service, closed FROM progress').raw();
    this.closedThen = new Map(progress.all() as [number, number][]);
  }

  add(row: Row): void {
    const first = this.open[0];
    if (first && Math.abs(row.t1 - first.t1) > LONGEST_SPAN_MS) this.flush();
    if (row.feeds > 0 && row.id <= (this.closedThen.get(row.feeds) ?? 0))
      this.closed.set(row.feeds, entryId(this.row, this.open.length));
    this.open.push(row);
    if (this.open.length === ENTRIES_OF_ROW) this.flush();
  }

  end(): void {
    this.flush();
    for (const service of this.closedThen.keys()) this.setClosed.run(this.closed.get(service) ?? 0, service);
  }

  private flush(): void {
    if (this.open.length === 0) return;
    const { heads, data } = packRow(this.open.map((row) => ({ ...row, growth: NO_GROWTH })));
    this.insert.run(this.row, heads, data);
    this.row++;
    this.open = [];
  }
}
