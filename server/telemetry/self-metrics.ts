import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { measureEventLoopDelay } from './event-loop-delay.ts';

/** Gauges of prom-client whose names end as only a counter's may; `promtool check metrics` refuses them. */
const MISNAMED = ['handles', 'requests', 'resources'];

const STORE_GAUGES = {
  bytes: ['sidelight_store_file_bytes', 'Size of the database file.'],
  usedBytes: ['sidelight_store_used_bytes', 'What is in use in the database file.'],
  maxBytes: ['sidelight_store_max_bytes', 'The largest that may be in use: storage.max_size.'],
  logRows: ['sidelight_store_log_rows', 'Scrapes that are not packed into blocks yet.'],
} as const;

const TIER_GAUGES = {
  bytes: ['sidelight_store_tier_bytes', 'Size of the figures of a resolution.'],
  oldest: ['sidelight_store_tier_oldest_timestamp_seconds', 'Start of the oldest figure of a resolution.'],
  keptMs: ['sidelight_store_tier_kept_seconds', 'How long a resolution can be kept within the largest size.'],
  retentionMs: ['sidelight_store_tier_retention_seconds', 'How long a resolution is to be kept.'],
} as const;

interface StoreStateFigures {
  readonly failingSince: number | null;
  readonly waiting: number;
  readonly lost: number;
}

/** What of a store's status is told as metrics. */
interface StoreFigures extends Readonly<Record<keyof typeof STORE_GAUGES, number>> {
  readonly tiers: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly oldest: number | null;
    readonly keptMs: number;
    readonly retentionMs: number;
  }[];
}

function mapValues<Name extends string, From, To>(
  from: Readonly<Record<Name, From>>,
  change: (value: From) => To,
): Record<Name, To> {
  const entries = (Object.keys(from) as Name[]).map((name) => [name, change(from[name])] as const);
  return Object.fromEntries(entries) as Record<Name, To>;
}

/** Scrapes that wait to be observed together. */
const MOST_UNOBSERVED = 256;

/** The collector's own metrics, in a registry of their own. */
export class SelfMetrics {
  readonly registry = new Registry();
  readonly scrapes: Counter<'result'>;
  readonly scrapeSeconds: Histogram;
  readonly skipped: Counter;
  readonly targets: Gauge<'health'>;
  readonly storeRounds: Counter<'result'>;
  readonly storeSeconds: Histogram;
  private readonly storeFailing: Gauge;
  private readonly storeWaiting: Gauge;
  private readonly storeLost: Gauge;
  readonly storeThreadsLost: Counter;
  private readonly storeLag: Gauge;
  private readonly upkeepSeconds: Histogram;
  private readonly storeGauges: Record<keyof typeof STORE_GAUGES, Gauge>;
  private readonly tierGauges: Record<keyof typeof TIER_GAUGES, Gauge<'tier'>>;
  readonly reloadGood: Gauge;
  readonly reloadGoodAt: Gauge;
  readonly discoveryFailing: Gauge<'entry'>;
  readonly discoveryDropped: Gauge;

  /** Of scrapes that are not observed yet. */
  private readonly newDurationsMs: number[] = [];
  private newFailed = 0;

  constructor(version: string) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry, prefix: 'sidelight_', eventLoopMonitoringPrecision: 1000 });
    measureEventLoopDelay(this.registry, 'sidelight_');
    for (const name of MISNAMED) this.registry.removeSingleMetric(`sidelight_nodejs_active_${name}_total`);
    new Gauge({
      name: 'sidelight_build_info',
      help: 'Version of this collector.',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version, node: process.version }, 1);
    this.scrapes = new Counter({
      name: 'sidelight_scrapes_total',
      help: 'Scrapes by result.',
      labelNames: ['result'],
      registers,
      collect: () => this.observeScrapes(),
    });
    this.scrapeSeconds = new Histogram({
      name: 'sidelight_scrape_duration_seconds',
      help: 'Duration of scrapes.',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
      registers,
      collect: () => this.observeScrapes(),
    });
    this.skipped = new Counter({
      name: 'sidelight_scrapes_skipped_total',
      help: 'Scrapes that were left out because their interval passed before the collector could begin them.',
      registers,
    });
    this.targets = new Gauge({
      name: 'sidelight_targets',
      help: 'Targets by health.',
      labelNames: ['health'],
      registers,
    });
    this.storeRounds = new Counter({
      name: 'sidelight_store_rounds_total',
      help: 'Rounds of scrapes handed to the store, by result.',
      labelNames: ['result'],
      registers,
    });
    this.storeSeconds = new Histogram({
      name: 'sidelight_store_append_duration_seconds',
      help: 'Duration of storing a round.',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
      registers,
    });
    this.storeFailing = new Gauge({
      name: 'sidelight_store_failing',
      help: '1 while rounds can not be stored.',
      registers,
    });
    this.storeWaiting = new Gauge({
      name: 'sidelight_store_waiting_scrapes',
      help: 'Scrapes that wait to be stored, those of one target added up.',
      registers,
    });
    this.storeLost = new Gauge({
      name: 'sidelight_store_lost_scrapes',
      help: 'Scrapes that could neither be stored nor kept until they could.',
      registers,
    });
    this.storeThreadsLost = new Counter({
      name: 'sidelight_store_threads_lost_total',
      help: 'Threads of the store that ended by themselves and were replaced.',
      registers,
    });
    this.storeLag = new Gauge({
      name: 'sidelight_store_lag_seconds',
      help: 'Time since the newest scrape that is stored.',
      registers,
    });
    this.upkeepSeconds = new Histogram({
      name: 'sidelight_store_upkeep_duration_seconds',
      help: 'Duration of one slice of packing, rolling up and forgetting.',
      buckets: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1],
      registers,
    });
    this.storeGauges = mapValues(STORE_GAUGES, ([name, help]) => new Gauge({ name, help, registers }));
    this.tierGauges = mapValues(
      TIER_GAUGES,
      ([name, help]) => new Gauge({ name, help, labelNames: ['tier'] as const, registers }),
    );
    this.reloadGood = new Gauge({
      name: 'sidelight_config_last_reload_successful',
      help: '1 when the configuration was good the last time it was read.',
      registers,
    });
    this.reloadGoodAt = new Gauge({
      name: 'sidelight_config_last_reload_success_timestamp_seconds',
      help: 'When the configuration was read and good last.',
      registers,
    });
    this.discoveryFailing = new Gauge({
      name: 'sidelight_discovery_failing',
      help: '1 for an entry of discovery that fails; what it found last stays.',
      labelNames: ['entry'],
      registers,
    });
    this.discoveryDropped = new Gauge({
      name: 'sidelight_discovery_dropped_targets',
      help: 'Discovered, and no target: dropped by a rule, or with an address that is none.',
      registers,
    });
    for (const result of ['good', 'failed']) {
      this.scrapes.inc({ result }, 0);
      this.storeRounds.inc({ result }, 0);
    }
  }

  /** Counts a scrape. */
  scraped({ error, durationMs }: { error: string; durationMs: number }): void {
    if (error !== '') this.newFailed++;
    if (this.newDurationsMs.push(durationMs) >= MOST_UNOBSERVED) this.observeScrapes();
  }

  /** Many at once: observed one by one, each would take as long as reading an answer does. */
  private observeScrapes(): void {
    const { newDurationsMs, newFailed } = this;
    this.scrapes.inc({ result: 'good' }, newDurationsMs.length - newFailed);
    this.scrapes.inc({ result: 'failed' }, newFailed);
    for (const durationMs of newDurationsMs) this.scrapeSeconds.observe(durationMs / 1000);
    newDurationsMs.length = 0;
    this.newFailed = 0;
  }

  /** Runs and times the storing of a round. */
  async timeStore(store: () => Promise<void>): Promise<void> {
    const stop = this.storeSeconds.startTimer();
    let result = 'failed';
    try {
      await store();
      result = 'good';
    } finally {
      stop();
      this.storeRounds.inc({ result });
    }
  }

  /** Runs and times a slice of upkeep. */
  async timeUpkeep(upkeep: () => Promise<boolean>): Promise<boolean> {
    const stop = this.upkeepSeconds.startTimer();
    try {
      return await upkeep();
    } finally {
      stop();
    }
  }

  setStoreState({ failingSince, waiting, lost }: StoreStateFigures): void {
    this.storeFailing.set(failingSince === null ? 0 : 1);
    this.storeWaiting.set(waiting);
    this.storeLost.set(lost);
  }

  /** `lagMs`: since the newest scrape that is stored; null before the first. */
  setStore(status: StoreFigures, lagMs: number | null): void {
    if (lagMs !== null) this.storeLag.set(lagMs / 1000);
    for (const name of ['bytes', 'usedBytes', 'maxBytes', 'logRows'] as const) this.storeGauges[name].set(status[name]);
    for (const { name: tier, bytes, oldest, keptMs, retentionMs } of status.tiers) {
      this.tierGauges.bytes.set({ tier }, bytes);
      this.tierGauges.keptMs.set({ tier }, keptMs / 1000);
      this.tierGauges.retentionMs.set({ tier }, retentionMs / 1000);
      if (oldest === null) this.tierGauges.oldest.remove({ tier });
      else this.tierGauges.oldest.set({ tier }, oldest / 1000);
    }
  }

  setConfig({ errors, goodAt }: { errors: readonly string[]; goodAt: number }): void {
    this.reloadGood.set(errors.length === 0 ? 1 : 0);
    this.reloadGoodAt.set(goodAt / 1000);
  }

  setDiscovery(entries: readonly { name: string; error: string }[], dropped: number): void {
    this.discoveryFailing.reset();
    for (const { name, error } of entries) this.discoveryFailing.set({ entry: name }, error === '' ? 0 : 1);
    this.discoveryDropped.set(dropped);
  }

  setTargets(live: { count(health: 'up' | 'down' | 'unknown'): number }): void {
    for (const health of ['up', 'down', 'unknown'] as const) this.targets.set({ health }, live.count(health));
  }
}
