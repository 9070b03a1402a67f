import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Gauges of prom-client whose names end as only a counter's may; `promtool check metrics` refuses them. */
const MISNAMED = ['handles', 'requests', 'resources'];

/** The collector's own metrics, in a registry of their own. */
export class SelfMetrics {
  readonly registry = new Registry();
  readonly scrapes: Counter<'result'>;
  readonly scrapeSeconds: Histogram;
  readonly targets: Gauge<'health'>;
  readonly storeRounds: Counter<'result'>;
  readonly storeSeconds: Histogram;
  readonly storeFailing: Gauge;
  readonly reloadGood: Gauge;
  readonly reloadGoodAt: Gauge;
  readonly discoveryFailing: Gauge<'entry'>;
  readonly discoveryDropped: Gauge;

  constructor(version: string) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry, prefix: 'sidelight_', eventLoopMonitoringPrecision: 50 });
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
    });
    this.scrapeSeconds = new Histogram({
      name: 'sidelight_scrape_duration_seconds',
      help: 'Duration of scrapes.',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
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
    this.scrapes.inc({ result: error === '' ? 'good' : 'failed' });
    this.scrapeSeconds.observe(durationMs / 1000);
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
