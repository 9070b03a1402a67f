/** How scraping and answering /metrics go beside something else: 1,000 replayed sidecars, one rendering every two seconds. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ExporterOptions, renderMetrics } from '../../server/exporter/render.ts';
import type { Live } from '../../server/live/live.ts';
import { Slices } from '../../server/measure/slices.ts';
import { Scraping, targetAt } from './scrape.ts';

const FLEET = fileURLToPath(new URL('./replayed-sidecars.ts', import.meta.url));
const INTERVAL_MS = 10_000;
const RENDER_EVERY_MS = 2000;

/** Milliseconds of the clock, the load of the machine included. */
export interface Beside {
  readonly seconds: number;
  readonly scrapes: number;
  readonly failed: number;
  /** By how much scrapes began later than one interval after the one before. */
  readonly scrapeLateMs: Spread;
  readonly renderMs: Spread;
  readonly loopDelayMs: Spread;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export interface BesideOptions {
  readonly sidecars: number;
  /** What is rendered, at the level of instances. */
  readonly live: Live;
  readonly form: Pick<ExporterOptions, 'level' | 'buckets' | 'seriesLimit'>;
}

/** Scrapes from `start` to `stop`; each `take` tells of the time since the one before. */
export class ScrapingBeside {
  private readonly options: BesideOptions;
  private readonly fleet;
  private readonly scraping: Scraping;
  private readonly loop = monitorEventLoopDelay({ resolution: 5 });
  private readonly lastAt = new Map<string, number>();
  private late: number[] = [];
  private renders: number[] = [];
  private began = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private rendering: Promise<void> = Promise.resolve();

  constructor(options: BesideOptions) {
    this.options = options;
    this.fleet = fork(FLEET, [String(options.sidecars), '100'], { execArgv: [] });
    this.scraping = new Scraping(INTERVAL_MS, ({ target, at }) => {
      const last = this.lastAt.get(target);
      if (last !== undefined) this.late.push(Math.max(0, at - last - INTERVAL_MS));
      this.lastAt.set(target, at);
    });
  }

  /** Resolves when two rounds went by. */
  async start(): Promise<void> {
    const [{ ports }] = (await once(this.fleet, 'message')) as [{ ports: number[] }];
    this.scraping.manager.apply(ports.map(targetAt));
    this.timer = setInterval(() => {
      this.rendering = this.rendering.then(() => this.render());
    }, RENDER_EVERY_MS);
    await delay(2 * INTERVAL_MS);
    this.loop.enable();
    this.take();
  }

  take(): Beside {
    const { scrapes, failed } = this.scraping.counts;
    const told: Beside = {
      seconds: (performance.now() - this.began) / 1000,
      scrapes,
      failed,
      scrapeLateMs: spreadOf(this.late),
      renderMs: spreadOf(this.renders),
      loopDelayMs: {
        p50: this.loop.percentile(50) / 1e6,
        p99: this.loop.percentile(99) / 1e6,
        most: this.loop.max / 1e6,
      },
    };
    this.scraping.counts = { scrapes: 0, failed: 0, bodyBytes: 0 };
    [this.late, this.renders, this.began] = [[], [], performance.now()];
    this.loop.reset();
    return told;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.loop.disable();
    await this.rendering;
    await this.scraping.stop();
    this.fleet.disconnect();
  }

  private async render(): Promise<void> {
    const { live, form } = this.options;
    const began = performance.now();
    const slices = new Slices();
    const input = {
      ...form,
      filter: () => true,
      targets: live.all(),
      own: [],
      format: 'text',
      now: Date.now(),
    } as const;
    for (const _ of renderMetrics(input)) await slices.pause();
    this.renders.push(performance.now() - began);
  }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}
