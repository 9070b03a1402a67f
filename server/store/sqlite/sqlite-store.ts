import { mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { AlertEvent, AlertFiring, KeptAlert } from '../../model/alert.ts';
import type { ScrapeRecord, StoredTarget } from '../../model/scrape-record.ts';
import { decodeAnswer } from '../answer-view.ts';
import {
  type AlertChange,
  type FiringQuery,
  QueryStoppedError,
  QueryTooLargeError,
  type Store,
  StoreError,
  type StoreLimits,
  type StoreOptions,
  type StoreStatus,
  type SumAnswer,
  type SumQuery,
  UnsureError,
} from '../store.ts';
import { explaining } from './explained.ts';
import { Lanes } from './lanes.ts';
import type { Told } from './read-worker.ts';
import { type EncodedRound, RoundEncoder } from './round.ts';
import { setLimits, sharedLimits, type ThreadOptions } from './shared-limits.ts';
import { Threads } from './threads.ts';

const READERS = 2;
/** Of each thread, beside what SQLite and histograms take. */
const HEAP_MIB = 512;
const FILE_NAME = 'sidelight.db';

/** SQLite in worker threads: one that writes, some that read, so that the main thread never waits for a disk. */
export class SqliteStore implements Store {
  private readonly writer: Threads;
  private readonly readers: Lanes<Threads>;
  private readonly encoder = new RoundEncoder();
  private readonly path: string;
  private readonly limits: SharedArrayBuffer;
  private appending: Promise<void> = Promise.resolve();
  /** Writing threads that have ended by themselves. */
  private writersLost = 0;
  private closing = false;

  private constructor(options: StoreOptions, onThreadLost: (message: string) => void) {
    const { path, intervalMs } = options;
    this.path = path;
    this.limits = sharedLimits(options);
    const workerData: ThreadOptions = { path, intervalMs, limits: this.limits };
    const common = { workerData, heapMiB: HEAP_MIB };
    const onLost = (message: string) => onThreadLost(`storage.path ${options.path}: ${message}`);
    this.writer = new Threads({
      ...common,
      file: './write-worker.ts',
      count: 1,
      task: 'writes',
      onLost: (message) => {
        this.writersLost++;
        this.encoder.forget();
        onLost(message);
      },
    });
    const reading = { ...common, file: './read-worker.ts', count: 1, task: 'reads', onLost };
    this.readers = new Lanes(Array.from({ length: READERS }, () => new Threads(reading)));
  }

  /**
   * Opens or creates the file. `onThreadLost` is told of threads that ended by themselves and are replaced.
   * @throws StoreError that names the file and what to do.
   */
  static async open(options: StoreOptions, onThreadLost: (message: string) => void = () => {}): Promise<SqliteStore> {
    const path = resolve(options.path);
    makeFolder(path);
    const store = new SqliteStore({ ...options, path }, onThreadLost);
    try {
      await store.write('open');
      for (let reader = 0; reader < READERS; reader++) store.read('prepare').catch(() => {});
      return store;
    } catch (error) {
      await store.destroy();
      throw error;
    }
  }

  async loadTargets(): Promise<StoredTarget[]> {
    return withSharedShapes(await this.read<StoredTarget[]>('loadTargets'));
  }

  /** One round after the other: they share an encoder. */
  append(round: readonly ScrapeRecord[], id = 0): Promise<void> {
    const appended = this.appending.then(() => this.appendOnce(round, id));
    this.appending = appended.catch(() => {});
    return appended;
  }

  /** A round that was on its way to a thread that ended is not understood by the next one, and is told anew. */
  private async appendOnce(round: readonly ScrapeRecord[], id: number): Promise<void> {
    const lost = this.writersLost;
    try {
      await this.appendNow(round, id);
    } catch (error) {
      if (error instanceof UnsureError || this.writersLost === lost) throw error;
      await this.appendNow(round, id);
    }
  }

  private async appendNow(round: readonly ScrapeRecord[], id: number): Promise<void> {
    try {
      const encoded = await this.encode(round, id);
      const transferList = [encoded.scrapes.buffer, encoded.bytes.buffer];
      const failure: string | undefined = await this.writer
        .run<string | undefined>('append', encoded, transferList)
        .catch(asUnsureError);
      if (failure !== undefined) throw new StoreError(failure);
    } catch (error) {
      this.encoder.forget();
      throw error;
    }
  }

  upkeep(now: number): Promise<boolean> {
    return this.closing ? Promise.resolve(false) : this.write('upkeep', now);
  }

  limit(limits: StoreLimits): void {
    setLimits(this.limits, limits);
  }

  async sums(query: SumQuery): Promise<SumAnswer> {
    const told = await this.readers.run<Told>('sums', query, laneOf(query));
    if ('tooLarge' in told) throw new QueryTooLargeError(told.tooLarge);
    if ('stopped' in told) throw new QueryStoppedError(told.stopped);
    return decodeAnswer(told.answer);
  }

  loadAlerts(): Promise<KeptAlert[]> {
    return this.read('loadAlerts');
  }

  saveAlerts(change: AlertChange): Promise<void> {
    return this.write('saveAlerts', change);
  }

  alertEvents(query: { after: number; most: number }): Promise<AlertEvent[]> {
    return this.read('alertEvents', query);
  }

  alertHistory(query: { from: number; to: number; most: number }): Promise<AlertEvent[]> {
    return this.read('alertHistory', query);
  }

  alertFirings(query: FiringQuery): Promise<AlertFiring[]> {
    return this.read('alertFirings', query);
  }

  newestAlertEvent(): Promise<number> {
    return this.read('newestAlertEvent');
  }

  loadCursor(receiver: string): Promise<number | undefined> {
    return this.read('loadCursor', receiver);
  }

  saveCursor(receiver: string, event: number): Promise<void> {
    return this.write('saveCursor', { receiver, event });
  }

  status(): Promise<StoreStatus> {
    return this.read('status');
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.closeReaders();
    await this.write('close');
    await this.writer.close();
  }

  /** Those at the moment; for tests. */
  get threads(): { readonly writer: readonly Worker[]; readonly readers: readonly Worker[] } {
    return { writer: this.writer.workers, readers: this.readers.all.flatMap(({ workers }) => workers) };
  }

  private async encode(round: readonly ScrapeRecord[], id: number): Promise<EncodedRound> {
    const encoding = this.encoder.encode(round, id);
    for (;;) {
      const piece = explaining(this.path, () => encoding.next());
      if (piece.done) return piece.value;
      await setImmediate();
    }
  }

  private write<Result = void>(name: string, argument?: unknown): Promise<Result> {
    return this.writer.run(name, argument);
  }

  private read<Result>(name: string, argument?: unknown): Promise<Result> {
    return this.readers.run(name, argument);
  }

  private async destroy(): Promise<void> {
    await Promise.all([this.closeReaders(), this.writer.close()]);
  }

  private async closeReaders(): Promise<void> {
    await Promise.all(this.readers.all.map((reader) => reader.close()));
  }
}

/** Many targets share a shape, of which each got a copy of its own on its way here. */
function withSharedShapes(targets: readonly StoredTarget[]): StoredTarget[] {
  const shapes = new Map<string, string>();
  return targets.map((target) => {
    const { shape } = target.totals;
    const shared = shapes.get(shape) ?? shape;
    shapes.set(shape, shared);
    return { ...target, totals: { ...target.totals, shape: shared } };
  });
}

/** What services received is read by one thread, what they sent by another one: they share no rows. */
function laneOf({ direction }: SumQuery): number {
  return direction.startsWith('inbound') ? 0 : 1;
}

/** One by one, because Node's own recursive mkdir never ends where a file system refuses in its own way (/proc). */
function makeFolders(folder: string): void {
  const known = statSync(folder, { throwIfNoEntry: false });
  if (known?.isDirectory()) return;
  if (!known) makeFolders(dirname(folder));
  mkdirSync(folder);
}

/** @throws StoreError when the file's folder can't be made, or the file is a folder itself. */
function makeFolder(file: string): void {
  explaining(file, () => {
    makeFolders(dirname(file));
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw new StoreError(
        `storage.path ${file}: this is a folder: name a file in it, such as ${join(file, FILE_NAME)}`,
      );
  });
}

function asUnsureError(error: unknown): never {
  throw new UnsureError(error instanceof Error ? error.message : String(error));
}
