import type Database from 'better-sqlite3';
import type { LogIndex } from './log-index.ts';
import { positionOfEntry, rowOfEntry } from './log-row.ts';

/** Rows are unpacked once for all records that are read of them soon after one another. */
const MOST_BYTES = 4 * 1024 * 1024;

/** What entries of the log hold. */
export class LogData {
  private readonly index: LogIndex;
  private readonly statement: Database.Statement;
  private readonly most: number;
  private young = new Map<number, Uint8Array>();
  private old = new Map<number, Uint8Array>();
  private bytes = 0;

  /** `most`: bytes of records, about, that are remembered. */
  constructor(database: Database.Database, index: LogIndex, most = MOST_BYTES) {
    this.index = index;
    this.most = most;
    this.statement = database.prepare('SELECT data FROM log WHERE id = ?').pluck();
  }

  forget(): void {
    this.young.clear();
    this.old.clear();
    this.bytes = 0;
  }

  /** A record or block. */
  record(entry: number): Uint8Array {
    return this.index.heads(entry)?.recordIn(this.records(entry), positionOfEntry(entry)) ?? NOTHING;
  }

  /** What the totals of its target grew by; empty where it does not tell. */
  growth(entry: number): Uint8Array {
    return this.index.heads(entry)?.growthIn(this.unpacked(entry), positionOfEntry(entry)) ?? NOTHING;
  }

  /** Remembers the records of a row that was just written: they are read soon. */
  keep(row: number, records: Uint8Array): void {
    this.young.set(row, records);
    this.bytes += records.length;
    if (this.bytes <= this.most / 2) return;
    this.old = this.young;
    this.young = new Map();
    this.bytes = 0;
  }

  /** Of all entries of the row. */
  private records(entry: number): Uint8Array {
    const row = rowOfEntry(entry);
    const known = this.young.get(row);
    if (known) return known;
    const records = this.old.get(row) ?? copyOf(this.index.heads(entry)?.recordsIn(this.unpacked(entry)) ?? NOTHING);
    this.keep(row, records);
    return records;
  }

  private unpacked(entry: number): Uint8Array {
    return this.index.heads(entry)?.unpack(this.statement.get(rowOfEntry(entry)) as Uint8Array) ?? NOTHING;
  }
}

const NOTHING = new Uint8Array();

/** In memory of its own: the growth beside the records, which takes twice as much, is not kept with them; `slice` of a Buffer would. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
