import { owned } from '../envoy/stats.ts';
import type { Target } from '../model/discovered-target.ts';
import { AdminClient } from './admin-client.ts';
import { ExtrasScraper, type ScrapedExtras } from './extras-scraper.ts';
import type { Limiter } from './limiter.ts';
import { ScrapeError } from './scrape-error.ts';
import { type GoodScrape, TargetScraper } from './target-scraper.ts';

/** One scrape, good or failed. */
export interface ScrapeResult {
  readonly target: Target;
  readonly at: number;
  readonly durationMs: number;
  /** Empty when it was good. */
  readonly error: string;
  readonly good: GoodScrape | undefined;
  /** What was asked for besides, after a good scrape. */
  readonly extras?: ScrapedExtras | undefined;
}

export interface ScrapeLoopOptions {
  readonly target: Target;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
  /** At every how many scrapes zones are asked for; 0: never. */
  readonly zonesEvery: number;
  /** Ask a slow target less often. */
  readonly slowDown: boolean;
  /** Milliseconds into each interval at which this target is scraped. */
  readonly phaseMs: number;
  /** Ask for /clusters after every so many scrapes; 0 is never. */
  readonly clustersEvery: number;
  /** Most hosts that an answer to /clusters may have. */
  readonly seriesLimit: number;
  /** Whether /clusters of a target adds enough to be asked for that often. */
  readonly wantsClusters: (target: string) => boolean;
  readonly limiter: Limiter;
  readonly now: () => number;
  readonly onResult: (result: ScrapeResult) => void;
}

/** A target is never kept busy for more than this share of the time. */
const BUSY_SHARE = 0.2;

/** Scrapes one target on the clock, one request after the other. Never rejects. */
export class ScrapeLoop {
  private readonly options: ScrapeLoopOptions;
  private readonly client: AdminClient;
  private readonly scraper: TargetScraper;
  private readonly extras: ExtrasScraper;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(options: ScrapeLoopOptions) {
    this.options = options;
    const { target, timeoutMs, bodyLimitBytes, zonesEvery, clustersEvery, seriesLimit, now } = options;
    this.client = new AdminClient({ address: target.address, timeoutMs, bodyLimitBytes, now });
    this.scraper = new TargetScraper(this.client, { zonesEvery });
    this.extras = new ExtrasScraper(this.client, { every: clustersEvery, hostLimit: seriesLimit, key: target.key });
  }

  /** The first scrape comes at once, apart from the phase's part of a second, so that figures begin early. */
  start(): void {
    this.schedule(this.options.phaseMs % 1000);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.client.close();
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.tick(), delayMs);
  }

  private async tick(): Promise<void> {
    const result = await this.options.limiter.run(async () => this.withExtras(await this.scrape()));
    if (this.stopped) return;
    this.options.onResult(result);
    this.schedule(this.delayAfter(result.durationMs + (result.extras?.durationMs ?? 0)));
  }

  /** Other targets are read while this one is asked more: its reading is then kept in memory of its own. */
  private async withExtras(result: ScrapeResult): Promise<ScrapeResult> {
    const { good } = result;
    const { wantsClusters, target } = this.options;
    if (!good || this.stopped || !this.extras.isTurn(good, wantsClusters(target.key))) return result;
    const kept = { ...good, reading: owned(good.reading) };
    return { ...result, good: kept, extras: await this.extras.ask(good) };
  }

  private async scrape(): Promise<ScrapeResult> {
    const { target, now } = this.options;
    const started = performance.now();
    try {
      const good = await this.scraper.scrape();
      return { target, at: good.at, durationMs: performance.now() - started, error: '', good };
    } catch (error) {
      const reason =
        error instanceof ScrapeError
          ? error.message
          : `unexpected: ${error instanceof Error ? error.message : String(error)}`;
      return { target, at: now(), durationMs: performance.now() - started, error: reason, good: undefined };
    }
  }

  /** Time to the next scrape in phase, later when the last one kept the target busy for long. */
  private delayAfter(durationMs: number): number {
    const { intervalMs, phaseMs, now, slowDown } = this.options;
    const earliest = now() + (slowDown ? durationMs / BUSY_SHARE - durationMs : 0);
    const next = Math.ceil((earliest - phaseMs + 1) / intervalMs) * intervalMs + phaseMs;
    return next - now();
  }
}
