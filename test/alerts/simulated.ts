/** Alert rules on a real store and simulated time: a scrape every 10 s, an evaluation after each. */

import { AlertEngine } from '../../server/alerts/alert-engine.ts';
import { rulesOf } from '../../server/alerts/builtin-rules.ts';
import { parseConfig } from '../../server/config/load.ts';
import { Live } from '../../server/live/live.ts';
import type { KeptAlert } from '../../server/model/alert.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { MEMORY_PATH, MemoryStore } from '../../server/store/memory-store.ts';
import type { Store } from '../../server/store/store.ts';
import { discovered } from '../live/live-targets.ts';
import { storeOptions } from '../store/options.ts';
import { type FlowSpec, failedScrape, goodScrape } from '../store/records.ts';

export const STEP = 10_000;
export const MINUTE = 60_000;
/** A whole hour of Unix time. */
export const START = 1_699_999_200_000;

/** Ten seconds of a service: flows, or why its sidecar did not answer. */
export type Behaviour = readonly FlowSpec[] | string;

/** So many requests in ten seconds, of so many milliseconds, some of which fail. */
export function traffic(count: number, { latencyMs = 20, failed = 0 } = {}): FlowSpec[] {
  const latency = count > 0 ? { [latencyMs]: count } : {};
  return [{ counters: { '2xx': count - failed, '5xx': failed }, latency }];
}

/** Keeps the rules of a configuration evaluated. */
export class Simulation {
  readonly store: Store;
  readonly live = new Live();
  readonly problems: string[] = [];
  /** Every change of phase, as `SECONDS RULE SERVICE PHASE`. */
  readonly told: string[] = [];
  now = START;
  engine: AlertEngine;
  /** End of each target's last good scrape. */
  private readonly scrapedTo = new Map<string, number>();

  constructor(store: Store = new MemoryStore(storeOptions(MEMORY_PATH))) {
    this.store = store;
    this.engine = this.newEngine();
  }

  private newEngine(): AlertEngine {
    return new AlertEngine({
      store: this.store,
      live: this.live,
      slotMs: STEP,
      deadlineMs: 60_000,
      now: () => this.now,
      link: (labels) => `https://mesh.example/services/${labels.service}`,
      onChange: (events) => {
        for (const { at, rule, labels, phase } of events)
          this.told.push(`${(at - START) / 1000} ${rule} ${labels.instance ?? labels.service} ${phase}`);
      },
      onProblem: (problem) => this.problems.push(problem),
    });
  }

  async start(yaml: string): Promise<this> {
    await this.engine.start(rules(yaml));
    return this;
  }

  /** As when the collector is stopped and started. */
  async restart(yaml: string): Promise<void> {
    this.engine.stop();
    this.engine = this.newEngine();
    await this.engine.start(rules(yaml));
  }

  reload(yaml: string): Promise<void> {
    return this.engine.setRules(rules(yaml));
  }

  setTargets(...services: readonly string[]): void {
    this.live.setTargets(
      services.map((service) => discovered(addressOf(service))),
      [],
    );
  }

  /** Goes on for a time while services behave like this; those that are not named are not scraped. */
  async run(durationMs: number, services: Readonly<Record<string, Behaviour>>): Promise<void> {
    for (const until = this.now + durationMs; this.now < until; ) {
      this.now += STEP;
      const round = Object.entries(services).map(([service, behaviour]) => this.scrape(service, behaviour));
      await this.store.append(round);
      this.live.apply(round);
      this.engine.scraped(round);
      await this.engine.evaluate();
    }
  }

  private scrape(service: string, behaviour: Behaviour): ScrapeRecord {
    const target = addressOf(service);
    if (typeof behaviour === 'string') return failedScrape(target, this.now, behaviour);
    const from = this.scrapedTo.get(target) ?? this.now - STEP;
    this.scrapedTo.set(target, this.now);
    const identity = { service, instance: `${service}-1` };
    return goodScrape({ target, from, to: this.now, identity, flows: behaviour });
  }

  alert(rule: string): KeptAlert | undefined {
    return this.engine.alerts().find((alert) => alert.rule === rule);
  }
}

export function addressOf(service: string): string {
  return `${service}.mesh:9901`;
}

export function rules(yaml: string) {
  const loaded = parseConfig(`alerts:\n${yaml}`, 'conf.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  return rulesOf(loaded.config.alerts);
}
