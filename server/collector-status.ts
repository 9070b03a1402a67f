import type { Logger } from 'pino';
import type { OtlpStatus, StatusAnswer, StorageStatus } from './api/contract.ts';
import { type ConfigReload, withoutSecretValues } from './collector-reload.ts';
import { VERSION } from './config/version.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { Live } from './live/live.ts';
import { formatDuration } from './model/duration.ts';
import type { ScrapeRecord } from './model/scrape-record.ts';
import type { RoundFailure } from './rounds.ts';
import { type Store, type StoreOptions, type StoreStatus, StoreThreadError } from './store/store.ts';
import type { SelfMetrics } from './telemetry/self-metrics.ts';

/** Whether rounds can be stored, and upkeep done; tells when that changes. */
export class StoreState {
  private readonly log: Logger;
  private readonly metrics: SelfMetrics;
  private readonly now: () => number;
  private rounds = '';
  private upkeep = '';
  /** Since when rounds can't be stored, Unix milliseconds. */
  failingSince: number | null = null;
  waiting = 0;
  lost = 0;
  /** When the newest scrape that is stored was, Unix milliseconds. */
  newestStored: number | null = null;

  /** Threads that ended by themselves, and the newest of them. */
  threads: StorageStatus['threads'] = { lost: 0, last: null };

  constructor(log: Logger, metrics: SelfMetrics, now: () => number) {
    this.log = log;
    this.metrics = metrics;
    this.now = now;
  }

  /** What is wrong and what to do; empty when nothing is. */
  get message(): string {
    const lost = this.rounds !== '' && this.lost > 0 ? `${this.lost} scrapes are lost to history so far` : '';
    return [this.rounds, lost, this.upkeep].filter((part) => part !== '').join('; ');
  }

  /** After a round. */
  settled(round: readonly ScrapeRecord[], failure: RoundFailure | undefined): void {
    this.waiting = failure?.waiting ?? 0;
    this.lost = failure?.dropped ?? this.lost;
    if (failure) this.roundFailed(failure.error);
    else this.roundStored(round);
    this.metrics.setStoreState(this);
  }

  /** What only comes of a thread that was lost is not told: {@link threadLost} has told of that. */
  private roundFailed(error: unknown): void {
    const reason = reasonOf(error);
    this.failingSince ??= this.now();
    if (this.rounds !== reason && !(error instanceof StoreThreadError))
      this.log.error(`rounds can not be stored: ${reason}. Live figures go on; storing is tried again at every round`);
    this.rounds = reason;
  }

  private roundStored(round: readonly ScrapeRecord[]): void {
    for (const { at } of round) this.newestStored = Math.max(this.newestStored ?? at, at);
    if (this.failingSince !== null) {
      const lost = this.lost > 0 ? `${this.lost} scrapes are lost to history` : 'nothing is lost';
      this.log.info(`rounds can be stored again after ${formatDuration(this.now() - this.failingSince)}: ${lost}`);
    }
    this.rounds = '';
    this.failingSince = null;
  }

  upkeepFailed(error: unknown): void {
    const reason = `old figures can not be packed or forgotten: ${reasonOf(error)}`;
    const isTold = this.rounds !== '' || error instanceof StoreThreadError;
    if (this.upkeep !== reason && !isTold) this.log.error(`${reason}. It is tried again`);
    this.upkeep = reason;
  }

  /** A thread that fails again and again for the same reason is told of once. */
  threadLost(message: string): void {
    if (this.threads.last?.message !== message) this.log.error(message);
    this.threads = { lost: this.threads.lost + 1, last: { at: this.now(), message } };
    this.metrics.storeThreadsLost.inc();
  }

  upkeepDone(): void {
    if (this.upkeep !== '') this.log.info('upkeep of the store works again');
    this.upkeep = '';
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A store's status, the last one known while it can't tell. */
export class StoreWatch {
  private readonly store: Pick<Store, 'status'>;
  private known: StoreStatus;

  constructor(store: Pick<Store, 'status'>, options: StoreOptions) {
    this.store = store;
    this.known = { ...UNKNOWN, path: options.path, maxBytes: options.maxBytes };
  }

  async read(): Promise<StoreStatus> {
    try {
      this.known = await this.store.status();
    } catch {
      // What is wrong with it is told by the rounds that can't be stored.
    }
    return this.known;
  }
}

const UNKNOWN = { bytes: 0, usedBytes: 0, schemaVersion: 0, oldest: null, tiers: [], logRows: 0, notice: '' } as const;

export interface StatusParts {
  readonly configs: ConfigReload;
  readonly discovery: Discovery;
  readonly store: StoreWatch;
  readonly live: Live;
  readonly storeState: StoreState;
  readonly remoteWrite: () => StatusAnswer['remoteWrite'];
  readonly otlp: { status(): OtlpStatus | null };
  readonly startedAt: number;
  readonly now: () => number;
}

export async function collectorStatus({
  configs,
  discovery,
  store,
  live,
  storeState,
  remoteWrite,
  otlp,
  startedAt,
  now,
}: StatusParts): Promise<StatusAnswer> {
  const { config, state } = configs;
  const { scrape, storage } = config;
  return {
    build: { version: VERSION, node: process.version },
    startedAt,
    now: now(),
    scrape: {
      intervalMs: scrape.intervalMs,
      timeoutMs: scrape.timeoutMs,
      targets: live.size,
      up: live.count('up'),
      down: live.count('down'),
    },
    storage: storageStatus(await store.read(), storeState, now()),
    retention: { ...storage.retentionMs },
    limits: {
      bodyLimitBytes: scrape.bodyLimitBytes,
      seriesLimit: scrape.seriesLimit,
      concurrency: scrape.concurrency,
      maxSizeBytes: storage.maxSizeBytes,
      targetsLimit: config.discovery.targetsLimit,
    },
    reload: { at: state.at, goodAt: state.goodAt, errors: [...state.errors] },
    discovery: discovery.states(),
    remoteWrite: remoteWrite(),
    otlp: otlp.status(),
    config: withoutSecretValues(config),
  };
}

function storageStatus(store: StoreStatus, state: StoreState, now: number): StorageStatus {
  const { message, failingSince, waiting, lost, newestStored, threads } = state;
  const lagMs = newestStored === null ? null : Math.max(0, now - newestStored);
  const { tiers, ...rest } = store;
  const own = {
    state: message === '' ? 'ok' : 'failing',
    message,
    failingSince,
    waiting,
    lost,
    lagMs,
    threads,
  } as const;
  return { ...rest, ...own, tiers: tiers.map((tier) => ({ ...tier })) };
}
