import type { Logger } from 'pino';
import type { StatusAnswer } from './api/contract.ts';
import { type ConfigReload, withoutSecretValues } from './collector-reload.ts';
import { VERSION } from './config/version.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { Live } from './live/live.ts';
import type { Store } from './store/store.ts';
import type { SelfMetrics } from './telemetry/self-metrics.ts';

/** Whether rounds can be stored; tells when that changes. */
export class StoreState {
  private readonly log: Logger;
  private readonly metrics: SelfMetrics;
  message = '';

  constructor(log: Logger, metrics: SelfMetrics) {
    this.log = log;
    this.metrics = metrics;
  }

  /** After a round. */
  settled(failure: { error: unknown; dropped: number } | undefined): void {
    if (failure) {
      this.failed(failure.error, failure.dropped);
      return;
    }
    if (this.message !== '') this.log.info('rounds can be stored again');
    this.message = '';
    this.metrics.storeFailing.set(0);
  }

  failed(error: unknown, dropped = 0): void {
    const reason = error instanceof Error ? error.message : String(error);
    const lost = dropped > 0 ? `; ${dropped} scrapes are lost to history so far` : '';
    if (this.message === '')
      this.log.error(`rounds can not be stored: ${reason}. Live figures go on; storing is tried again at every round`);
    this.message = `${reason}${lost}`;
    this.metrics.storeFailing.set(1);
  }
}

export interface StatusParts {
  readonly configs: ConfigReload;
  readonly discovery: Discovery;
  readonly store: Store;
  readonly live: Live;
  readonly storeState: StoreState;
  readonly startedAt: number;
  readonly now: () => number;
}

export async function collectorStatus({
  configs,
  discovery,
  store,
  live,
  storeState,
  startedAt,
  now,
}: StatusParts): Promise<StatusAnswer> {
  const { path, bytes, schemaVersion, oldest } = await store.status();
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
    storage: {
      path,
      bytes,
      schemaVersion,
      oldest,
      state: storeState.message === '' ? 'ok' : 'failing',
      message: storeState.message,
    },
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
    config: withoutSecretValues(config),
  };
}
