import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Piscina } from 'piscina';
import type { ScrapeRecord, StoredTarget } from '../../model/scrape-record.ts';
import { type Group, type Store, StoreError, type StoreStatus, type SumQuery } from '../store.ts';

const READERS = 2;
const HOUR_MS = 3_600_000;

/** SQLite in worker threads: one that writes, some that read, so that the main thread never waits for a disk. */
export class SqliteStore implements Store {
  private readonly path: string;
  private readonly writer: Piscina;
  private readonly readers: Piscina;

  private constructor(path: string) {
    this.path = path;
    this.writer = pool('./write-worker.ts', path, 1);
    this.readers = pool('./read-worker.ts', path, READERS);
  }

  /** Opens or creates the file. @throws StoreError that names the file and what to do. */
  static async open(path: string): Promise<SqliteStore> {
    const file = resolve(path);
    let store: SqliteStore | undefined;
    try {
      mkdirSync(dirname(file), { recursive: true });
      store = new SqliteStore(file);
      await store.writer.run(undefined, { name: 'open' });
      return store;
    } catch (error) {
      await store?.destroy();
      throw openError(path, error);
    }
  }

  loadTargets(): Promise<StoredTarget[]> {
    return this.readers.run(undefined, { name: 'loadTargets' });
  }

  append(round: readonly ScrapeRecord[]): Promise<void> {
    return this.writer.run(round.map(storable), { name: 'append' });
  }

  async expire(before: number): Promise<void> {
    while (await this.writer.run({ before, limitMs: HOUR_MS / 4 }, { name: 'expire' }));
  }

  sums(query: SumQuery): Promise<Group[]> {
    return this.readers.run(query, { name: 'sums' });
  }

  async status(): Promise<StoreStatus> {
    const status: StoreStatus = await this.readers.run(undefined, { name: 'status' });
    return { ...status, path: this.path };
  }

  async close(): Promise<void> {
    await this.readers.destroy();
    await this.writer.run(undefined, { name: 'close' });
    await this.writer.destroy();
  }

  private async destroy(): Promise<void> {
    await Promise.all([this.readers.destroy(), this.writer.destroy()]);
  }
}

function pool(file: string, path: string, threads: number): Piscina {
  return new Piscina({
    filename: new URL(file, import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Infinity,
    workerData: { path },
  });
}

/** What the writing thread needs of a record: the live view of the totals stays behind. */
function storable(record: ScrapeRecord): ScrapeRecord {
  return record.findings ? { ...record, findings: { ...record.findings, flowTotals: [] } } : record;
}

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'the folder may not be written: change its permissions, or choose another storage.path',
  EROFS: 'the folder is read-only: choose another storage.path',
  ENOTDIR: 'a part of the path is a file, not a folder: choose another storage.path',
  SQLITE_CANTOPEN:
    'the file can not be opened or created: check its folder and permissions, or choose another storage.path',
  SQLITE_READONLY: 'the file may not be written: change its permissions, or choose another storage.path',
  SQLITE_NOTADB: 'the file is not a SQLite database: choose another storage.path',
  SQLITE_CORRUPT: 'the file is damaged: restore a copy, or move it away to begin anew',
  SQLITE_BUSY: 'another program is writing to the file: stop it, or choose another storage.path',
};

function openError(path: string, error: unknown): StoreError {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  if (error instanceof Error && error.name === 'StoreError') return new StoreError(error.message);
  const remedy = Object.entries(REMEDIES).find(([known]) => code.startsWith(known))?.[1];
  return new StoreError(`storage.path ${path}: ${remedy ?? message}`);
}
