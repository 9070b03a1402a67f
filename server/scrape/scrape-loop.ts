import { owned } from '../envoy/stats.ts';
import type { Target } from '../model/discovered-target.ts';
import type { PaceInForce } from '../model/scrape-record.ts';
import type { SecretFiles } from '../reach/credentials.ts';
import { AdminClient } from './admin-client.ts';
import { ExtrasScraper, type ScrapedExtras } from './extras-scraper.ts';
import type { Limiter } from './limiter.ts';
import type { OwnDelay } from './own-delay.ts';
import { Pace } from './pace.ts';
import { ScrapeError } from './scrape-error.ts';
import { skippedScrapes } from './skipped-scrapes.ts';
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
  /** From this scrape on. */
  readonly pace?: PaceInForce | undefined;
}

/** A scrape, and whether it failed because the target did not answer in time. */
interface Tried extends ScrapeResult {
  readonly timedOut: boolean;
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
  /** From 0 to 1. */
  readonly random: () => number;
  readonly ownDelay: OwnDelay;
  readonly onResult: (result: ScrapeResult) => void;
  /** Told how many scrapes were left out, whenever some were: see {@link skippedScrapes}. */
  readonly onSkipped: (count: number) => void;
}

/** A timer may end so much before its time by the wall clock; its scrape is not to come again. */
const EARLY_MS = 20;

/** Scrapes one target on the clock, one request after the other. Never rejects. */
export class ScrapeLoop {
  private readonly options: ScrapeLoopOptions;
  private readonly client: AdminClient;
  private readonly scraper: TargetScraper;
  private readonly extras: ExtrasScraper;
  private readonly pace: Pace;
  private target: Target;
  private settings: ScrapeSettings;
  phase: Phase;
  private timer: NodeJS.Timeout | undefined;
  /** When the next scrape is to begin, or the one that runs was to, by the clock of {@link performance}. */
  private dueMs = 0;
  /** What counting the answer before took. */
  private countingMs = 0;
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
    this.pace = new Pace(settings, options.random);
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
    this.pace.configure(settings);
    if (settings.intervalMs !== intervalMs && this.timer !== undefined)
      this.schedule(this.delayFrom(this.options.now()));
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
    this.dueMs = performance.now() + delayMs;
    this.timer = setTimeout(() => void this.tick(), delayMs);
  }

  private async tick(): Promise<void> {
    this.timer = undefined;
    const { limiter, ownDelay, now } = this.options;
    const { dueMs } = this;
    const wasSlowed = this.pace.isSlowed;
    let started = now();
    let lateMs = 0;
    const { timedOut, ...result } = await limiter.run(async () => {
      started = now();
      lateMs = ownDelay.lateMs;
      return this.withExtras(await this.scrape());
    });
    if (this.stopped) return;
    const tookMs = result.durationMs + (result.extras?.durationMs ?? 0);
    const busyMs = Math.max(0, tookMs - (ownDelay.lateMs - lateMs));
    const ownMs = this.scraper.takeReadingMs() + this.countingMs;
    this.pace.asked({ busyMs, timedOut, ownMs });
    const counting = performance.now();
    this.options.onResult({ ...result, pace: this.pace.inForce });
    this.countingMs = performance.now() - counting;
    this.schedule(this.delayFrom(started));
    if (!wasSlowed && !this.pace.isSlowed) this.tellSkipped(this.dueMs - dueMs, busyMs);
  }

  private tellSkipped(betweenMs: number, busyMs: number): void {
    const count = skippedScrapes({ betweenMs, busyMs, intervalMs: this.settings.intervalMs });
    if (count > 0) this.options.onSkipped(count);
  }

  /**
   * Other targets are read while this one is asked more: its reading is then kept in memory of its own. A target that is
   * slowed down is asked nothing more.
   */
  private async withExtras(result: Tried): Promise<Tried> {
    const { good } = result;
    const isWanted = () => this.options.wantsClusters(this.target.key);
    if (!good || this.stopped || this.pace.isSlowed || !this.extras.isTurn(good, isWanted())) return result;
    const kept = { ...good, reading: owned(good.reading) };
    return { ...result, good: kept, extras: await this.extras.ask(good) };
  }

  private async scrape(): Promise<Tried> {
    const { now } = this.options;
    const started = performance.now();
    try {
      const good = await this.scraper.scrape({ onlyNeeded: this.pace.isSlowed });
      const durationMs = performance.now() - started;
      return { target: this.target, at: good.at, durationMs, error: '', good, timedOut: false };
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
        timedOut: error instanceof ScrapeError && error.timedOut,
      };
    }
  }

  /** Time to the next scrape, after one that began at `started`: in phase, or later where the target is slowed down. */
  private delayFrom(started: number): number {
    const now = this.options.now();
    if (this.pace.isSlowed) return Math.max(0, started + this.pace.delayMs() - now);
    const { intervalMs } = this.settings;
    const phaseMs = this.phase.ms;
    const after = Math.max(now + 1, started + EARLY_MS);
    return Math.ceil((after - phaseMs) / intervalMs) * intervalMs + phaseMs - now;
  }
}

function extrasOf({ clustersEvery, seriesLimit }: ScrapeSettings) {
  return { every: clustersEvery, hostLimit: seriesLimit };
}
