import { setTimeout as delay } from 'node:timers/promises';
import type { Transferable, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { StoreError, StoreThreadError } from '../store.ts';

export interface ThreadsOptions {
  /** Module of this folder whose functions run in the threads; one of them is `awake`, which does nothing. */
  readonly file: string;
  readonly count: number;
  readonly workerData: unknown;
  /** Most of V8's heap that each may take, in MiB. */
  readonly heapMiB: number;
  /** What the threads do, for messages: `writes`. */
  readonly task: string;
  /** Called when a thread has ended by itself, with the reason in words; another one is then on its way. */
  readonly onLost: (reason: string) => void;
}

/** Short-lived objects are collected this early, and with them what SQLite holds for them. */
const YOUNG_MIB = 6;
/** Between two tries to start a thread that does not start. */
const RETRY_MS = 500;
/** Longer than loading takes on a busy machine. */
const LOADING_MS = 3000;

/** Threads that outlive whatever happens to one of them: a lost one costs the call it was at, and is replaced. */
export class Threads {
  private readonly options: ThreadsOptions;
  private readonly pool: Piscina;
  private readonly watched = new WeakSet<Worker>();
  /** Resolves when every thread has loaded its modules: one that is ended while it loads may take the process along. */
  private loaded: Promise<unknown> = Promise.resolve();
  private closing = false;

  constructor(options: ThreadsOptions) {
    this.options = options;
    const { file, count, workerData, heapMiB } = options;
    this.pool = new Piscina({
      filename: new URL(file, import.meta.url).href,
      minThreads: count,
      maxThreads: count,
      idleTimeout: Infinity,
      // A thread that waits for calls by Atomics never comes to free native memory, such as that of statements.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: YOUNG_MIB },
      workerData,
    });
    // Without a listener Node ends the process; the thread's own end tells the same, and for threads at work too.
    this.pool.on('error', () => {});
    this.watch();
    this.awaken(count);
  }

  /** @throws StoreThreadError when the thread was lost, otherwise StoreError with the message of the function's error. */
  async run<Result>(name: string, argument?: unknown, transferList: Transferable[] = []): Promise<Result> {
    try {
      return await this.pool.run(argument, { name, transferList });
    } catch (error) {
      if (this.closing) throw new StoreError('the store is closed');
      if (isLoss(error)) throw new StoreThreadError(`${this.lostLine(reasonOf(error))}: ask again`);
      throw new StoreError(error instanceof Error ? error.message : String(error));
    }
  }

  /** Ends the threads; calls that are under way fail. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.race([this.loaded, delay(LOADING_MS, undefined, { ref: false })]);
    await this.pool.destroy();
  }

  /** Threads at the moment; for tests. */
  get workers(): readonly Worker[] {
    return this.pool.threads;
  }

  private watch(): void {
    for (const worker of this.pool.threads) {
      if (this.watched.has(worker)) continue;
      this.watched.add(worker);
      let reason = '';
      worker.once('error', (error) => {
        reason = reasonOf(error);
      });
      worker.once('exit', (code) => this.lost(reason === '' ? `it exited with code ${code}` : reason));
    }
  }

  private lost(reason: string): void {
    if (this.closing) return;
    this.options.onLost(this.lostLine(reason));
    this.watch();
    this.awaken(1);
    // The pool gives up on threads that fail while they start, until it is asked for something again.
    setTimeout(() => this.closing || this.awaken(1), RETRY_MS).unref();
  }

  private lostLine(reason: string): string {
    return `the thread that ${this.options.task} ended (${reason}) and is started anew`;
  }

  private awaken(count: number): void {
    const calls = Array.from({ length: count }, () => this.pool.run(undefined, { name: 'awake' }).catch(() => {}));
    this.loaded = Promise.all([this.loaded, ...calls]);
    void this.loaded.then(() => this.watch());
  }
}

const LOSSES = /^(?:worker exited with code|Terminating worker thread)/;

function isLoss(error: unknown): boolean {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  return code === 'ERR_WORKER_OUT_OF_MEMORY' || LOSSES.test(message);
}

function reasonOf(error: unknown): string {
  const { code, message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it ran out of memory' : message;
}
