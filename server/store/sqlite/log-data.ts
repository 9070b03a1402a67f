import type Database from 'better-sqlite3';
import type { LogIndex } from './log-index.ts';
import { positionOfEntry, rowOfEntry } from './log-row.ts';

/** Rows are unpacked once for all entries that are read of them soon after one another. */
const MOST_BYTES = 4 * 1024 * 1024;

/** What entries of the log hold. */
export class LogData {
  private readonly index: LogIndex;
  private readonly statement: Database.Statement;
  private young = new Map<number, Uint8Array>();
  private old = new Map<number, Uint8Array>();
  private bytes = 0;

  constructor(database: Database.Database, index: LogIndex) {
    this.index = index;
    this.statement = database.prepare('SELECT data FROM log WHERE id = ?').pluck();
  }

  forget(): void {
    this.young.clear();
    this.old.clear();
    this.bytes = 0;
  }

  /** A record or block. */
  record(entry: number): Uint8Array {
    return this.index.heads(entry)?.recordIn(this.plain(entry), positionOfEntry(entry)) ?? NOTHING;
  }

  /** What the totals of its target grew by; empty where it does not tell. */
  growth(entry: number): Uint8Array {
    return this.index.heads(entry)?.growthIn(this.plain(entry), positionOfEntry(entry)) ?? NOTHING;
  }

  private plain(entry: number): Uint8Array {
    const id = rowOfEntry(entry);
    const known = this.young.get(id);
    if (known) return known;
    const plain = this.old.get(id) ?? this.index.heads(entry)?.unpack(this.statement.get(id) as Uint8Array) ?? NOTHING;
    this.young.set(id, plain);
    this.bytes += plain.length;
    if (this.bytes > MOST_BYTES / 2) {
      this.old = this.young;
      this.young = new Map();
      this.bytes = 0;
    }
    return plain;
  }
}

const NOTHING = new Uint8Array();
