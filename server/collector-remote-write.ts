/** Remote write of the running collector: one writer for every receiver, on a clock of its own. */

import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { RemoteWriteStatus } from './api/contract.ts';
import type { Config } from './config/config.ts';
import type { RemoteWriteConfig } from './config/remote-write-config.ts';
import { VERSION } from './config/version.ts';
import type { CollectorFamily } from './exporter/collector-families.ts';
import { FLOW_FAMILIES, SIDECAR_FAMILIES } from './exporter/mesh-families.ts';
import { ReceiverState } from './exporter/remote-write/receiver-state.ts';
import { RemoteWriter, type RoundForm } from './exporter/remote-write/remote-writer.ts';
import type { Live } from './live/live.ts';
import { spreadOf } from './scrape/scrape-manager.ts';
import type { QuietLog } from './telemetry/quiet-log.ts';
import { RemoteWriteMetrics } from './telemetry/remote-write-metrics.ts';
import { TickClock } from './tick-clock.ts';

type UsedConfig = Pick<Config, 'remoteWrite' | 'scrape' | 'exporter' | 'storage' | 'web'>;

export interface CollectorRemoteWriteOptions {
  readonly config: UsedConfig;
  readonly live: Live;
  /** Whether every mechanism of discovery has told what there is. */
  readonly isDiscovered: () => boolean;
  /** The collector's own metrics as they stand. */
  readonly own: () => Promise<readonly CollectorFamily[]>;
  readonly registry: Registry;
  readonly log: Logger;
  readonly warnings: QuietLog;
  readonly now: () => number;
}

interface Running {
  readonly writer: RemoteWriter;
  readonly clock: TickClock;
  readonly state: ReceiverState;
}

const IN_MEMORY = ':memory:';
/** For the newest samples to be sent when the collector stops. */
const GRACE_MS = 1000;
const LEAST_INTERVAL_MS = 1000;

export class CollectorRemoteWrite {
  private readonly options: CollectorRemoteWriteOptions;
  private readonly metrics: RemoteWriteMetrics;
  private readonly running = new Map<string, Running>();
  private config: UsedConfig;
  private changing: Promise<void> = Promise.resolve();

  constructor(options: CollectorRemoteWriteOptions) {
    this.options = options;
    this.config = options.config;
    this.metrics = new RemoteWriteMetrics(options.registry);
  }

  start(): void {
    this.changing = this.removeOthers().then(() => this.apply(this.config));
  }

  /** Another configuration: receivers that stay go on. */
  reload(config: UsedConfig): void {
    this.changing = this.changing.then(() => this.apply(config));
  }

  /** There are more or fewer targets. */
  targetsChanged(): void {
    for (const { clock, writer } of this.running.values()) clock.configure(this.times(writer.config));
  }

  async stop(): Promise<void> {
    await this.changing;
    await Promise.all([...this.running.values()].map((running) => this.end(running, GRACE_MS)));
  }

  /** Brings the metrics of remote write up to date. */
  setMetrics(): void {
    this.metrics.set(this.status());
  }

  status(): RemoteWriteStatus[] {
    const now = this.options.now();
    return [...this.running.values()].map(({ writer: { config }, state }) => {
      const { sent, requests, dropped, pending, queueBytes, series, oldest, lastError } = state.totals;
      return {
        name: config.name,
        state: state.message === '' ? 'ok' : 'failing',
        message: state.message,
        failingSince: state.failingSince,
        lastError,
        samplesSent: sent,
        samplesDropped: { ...dropped },
        samplesPending: pending,
        requests: { ...requests },
        rounds: state.rounds,
        series,
        queueBytes,
        maxQueueBytes: config.maxQueueBytes,
        lagMs: pending === 0 || oldest === null ? 0 : Math.max(0, now - oldest),
      };
    });
  }

  private async apply(config: UsedConfig): Promise<void> {
    this.config = config;
    const wanted = new Map(config.remoteWrite.map((entry) => [entry.name, entry]));
    for (const [name, running] of this.running) {
      const entry = wanted.get(name);
      if (entry && isDeepStrictEqual(entry, running.writer.config)) {
        running.writer.configure(this.form());
        running.clock.configure(this.times(entry));
        continue;
      }
      await this.end(running, 0);
      this.running.delete(name);
      if (entry) this.begin(entry, running.state);
      else await this.forget(running);
    }
    for (const [name, entry] of wanted) if (!this.running.has(name)) this.begin(entry);
  }

  private begin(config: RemoteWriteConfig, known?: ReceiverState): void {
    const { live, log, warnings, now, own, isDiscovered } = this.options;
    const { name, maxQueueBytes } = config;
    const state = known ?? new ReceiverState({ name, maxQueueBytes, log, warnings, now });
    const writer = new RemoteWriter({
      config,
      folder: this.folder(name),
      userAgent: `sidelight/${VERSION}`,
      metadata: [...FLOW_FAMILIES, ...SIDECAR_FAMILIES].map(({ unit = '', ...family }) => {
        return { name: family.name, type: family.type, help: family.help, unit };
      }),
      form: this.form(),
      now,
      events: state,
    });
    const gather = async () => ({ own: await own(), targets: live.all(), isComplete: isDiscovered() });
    const onTick = () => void writer.tick(gather);
    const clock = new TickClock({ ...this.times(config), now, onTick });
    this.running.set(name, { writer, clock, state });
    clock.start();
  }

  private async end({ writer, clock, state }: Running, graceMs: number): Promise<void> {
    clock.stop();
    await writer.stop(graceMs);
    const { name } = writer.config;
    const { pending } = state.totals;
    if (pending > 0 && this.folder(name) === undefined)
      this.options.log.warn(`remote write to ${name}: ${pending} samples were in memory only and are lost`);
    state.threadEnded();
  }

  /** What waits for a receiver that is no longer configured is of no use: later its samples would be too old. */
  private async forget({ writer }: Running): Promise<void> {
    await writer.removeQueue();
    this.options.log.info(`remote write to ${writer.config.name} has ended, and its queue is removed`);
  }

  /** Queues of receivers that were taken out of the configuration while the collector did not run. */
  private async removeOthers(): Promise<void> {
    const folder = this.folder('');
    if (folder === undefined) return;
    const wanted = new Set(this.config.remoteWrite.map(({ name }) => encodeURIComponent(name)));
    const found = await readdir(folder).catch(() => []);
    for (const name of found.filter((entry) => !wanted.has(entry))) {
      await rm(join(folder, name), { recursive: true, force: true });
      this.options.log.info(`remote write to ${decodeURIComponent(name)} is not configured: its queue is removed`);
    }
  }

  private folder(name: string): string | undefined {
    const { path } = this.config.storage;
    return path === IN_MEMORY ? undefined : join(`${path}.remote-write`, encodeURIComponent(name));
  }

  private form(): RoundForm {
    const { exporter, web } = this.config;
    const ownLabels = { job: 'sidelight', instance: `${hostname()}:${web.port}` };
    return { level: exporter.level, buckets: exporter.buckets, seriesLimit: exporter.seriesLimit, ownLabels };
  }

  private times({ intervalMs }: RemoteWriteConfig) {
    const scraped = this.config.scrape.intervalMs;
    return {
      intervalMs: intervalMs ?? Math.max(LEAST_INTERVAL_MS, scraped),
      spreadMs: spreadOf(this.options.live.size, scraped),
    };
  }
}
