import { owned } from '../envoy/stats.ts';
import type { Target } from '../model/discovered-target.ts';
import type { SecretFiles } from '../reach/credentials.ts';
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

/** What may change while loops run; it counts from the next scrape on. */
export interface ScrapeSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
  /** At every how many scrapes zones are asked for; 0: never. */
  readonly zonesEvery: number;
  /** Ask a slow target less often. */
  readonly slowDown: boolean;
  /** Ask for /clusters after every so many scrapes; 0 is never. */
  readonly clustersEvery: number;
  /** Most hosts that an answer to /clusters may have. */
  readonly seriesLimit: number;
}

/** When in each interval a target is scraped. */
export interface Phase {
  readonly ms: number;
  /** Part of the interval over which all targets are spread. */
  readonly spreadMs: number;
}

export interface ScrapeLoopOptions {
  readonly target: Target;
  readonly settings: ScrapeSettings;
  readonly phase: Phase;
  /** Whether /clusters of a target adds enough to be asked for that often. */
  readonly wantsClusters: (target: string) => boolean;
  readonly limiter: Limiter;
  readonly secrets: SecretFiles;
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
  private target: Target;
  private settings: ScrapeSettings;
  phase: Phase;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(options: ScrapeLoopOptions) {
    this.options = options;
    this.target = options.target;
    this.settings = options.settings;
    this.phase = options.phase;
    const { target, settings, secrets, now } = options;
    this.client = new AdminClient({ ...settings, address: target.address, reach: target.reach, secrets, now });
    this.scraper = new TargetScraper(this.client, settings);
    this.extras = new ExtrasScraper(this.client, { ...extrasOf(settings), key: target.key });
  }

  /** Whether `target` is reached over the connection that this loop has. */
  takes(target: Target): boolean {
    return target.key === this.target.key && target.reach?.key === this.target.reach?.key;
  }

  /** Another target that this loop takes, other settings, another phase; the connection stays. */
  configure(target: Target, settings: ScrapeSettings, phase: Phase): void {
    this.target = target;
    this.phase = phase;
    if (this.settings === settings) return;
    const { intervalMs } = this.settings;
    this.settings = settings;
    this.client.limit(settings);
    this.scraper.configure(settings);
    this.extras.configure(extrasOf(settings));
    if (settings.intervalMs !== intervalMs && this.timer !== undefined) this.schedule(this.delayAfter(0));
  }

  /** The first scrape comes at once, apart from the phase's part of a second, so that figures begin early. */
  start(): void {
    this.schedule(this.phase.ms % 1000);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.client.close();
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tick(), delayMs);
  }

  private async tick(): Promise<void> {
    this.timer = undefined;
    const result = await this.options.limiter.run(async () => this.withExtras(await this.scrape()));
    if (this.stopped) return;
    this.options.onResult(result);
    this.schedule(this.delayAfter(result.durationMs + (result.extras?.durationMs ?? 0)));
  }

  /** Other targets are read while this one is asked more: its reading is then kept in memory of its own. */
  private async withExtras(result: ScrapeResult): Promise<ScrapeResult> {
    const { good } = result;
    const isWanted = () => this.options.wantsClusters(this.target.key);
    if (!good || this.stopped || !this.extras.isTurn(good, isWanted())) return result;
    const kept = { ...good, reading: owned(good.reading) };
    return { ...result, good: kept, extras: await this.extras.ask(good) };
  }

  private async scrape(): Promise<ScrapeResult> {
    const { now } = this.options;
    const started = performance.now();
    try {
      const good = await this.scraper.scrape();
      return { target: this.target, at: good.at, durationMs: performance.now() - started, error: '', good };
    } catch (error) {
      const reason =
        error instanceof ScrapeError
          ? error.message
          : `unexpected: ${error instanceof Error ? error.message : String(error)}`;
      return {
        target: this.target,
        at: now(),
        durationMs: performance.now() - started,
        error: reason,
        good: undefined,
      };
    }
  }

  /** Time to the next scrape in phase, later when the last one kept the target busy for long. */
  private delayAfter(durationMs: number): number {
    const { now } = this.options;
    const { intervalMs, slowDown } = this.settings;
    const phaseMs = this.phase.ms;
    const earliest = now() + (slowDown ? durationMs / BUSY_SHARE - durationMs : 0);
    const next = Math.ceil((earliest - phaseMs + 1) / intervalMs) * intervalMs + phaseMs;
    return next - now();
  }
}

function extrasOf({ clustersEvery, seriesLimit }: ScrapeSettings) {
  return { every: clustersEvery, hostLimit: seriesLimit };
}
