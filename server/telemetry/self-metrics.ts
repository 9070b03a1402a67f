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

  setTargets(live: { count(health: 'up' | 'down' | 'unknown'): number }): void {
    for (const health of ['up', 'down', 'unknown'] as const) this.targets.set({ health }, live.count(health));
  }
}
