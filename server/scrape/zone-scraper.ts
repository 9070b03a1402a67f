import type { StatsForm } from '../envoy/requests.ts';
import { NO_STATS, StatsError, type StatsReader, type StatsReading } from '../envoy/stats.ts';
import type { AdminAnswer } from './admin-client.ts';
import { ScrapeError } from './scrape-error.ts';
import type { Asks } from './target-scraper.ts';

/** What a target told by zone, and when, Unix milliseconds. */
export interface ZoneAnswer {
  readonly reading: StatsReading;
  readonly at: number;
  readonly bodyBytes: number;
}

/** How the target was asked for its other stats just before. */
export interface AskedBefore {
  readonly form: StatsForm;
  readonly boundsInclusive: boolean;
  readonly connection: number;
  /** Whether its answer holds all that the target has by zone, too. */
  readonly holdsZones: boolean;
}

/** Asks one target, at some scrapes, for what it has by zone. */
export class ZoneScraper {
  private readonly admin: Asks;
  private readonly every: number;
  /** Called zones that the target ever told of. */
  private readonly known = new Set<string>();
  /** Whether the last answer had anything by zone, be it of zones that can't be told. */
  private unknown = false;
  private untilNext = 0;
  private reader: { readonly of: AskedBefore; readonly reader: StatsReader } | undefined;

  constructor(admin: Asks, every: number) {
    this.admin = admin;
    this.every = every;
  }

  /** Tells of called zones that are in an answer to the ordinary request; new ones are asked for at once. */
  saw({ zones, any }: { zones: Iterable<string>; any: boolean }): void {
    this.unknown = any;
    for (const zone of zones) {
      if (this.known.has(zone)) continue;
      this.known.add(zone);
      this.untilNext = 0;
    }
  }

  /** Zones that the ordinary request need not tell. */
  get leftOut(): ReadonlySet<string> {
    return this.known;
  }

  /**
   * `before`: the answer to the ordinary request, over the same connection. Undefined where it is not time to ask, or
   * where nothing certain was answered: the next answer then covers more time.
   */
  async scrape(
    before: { readonly reading: StatsReading; readonly at: number },
    asked: AskedBefore,
  ): Promise<ZoneAnswer | 'none' | undefined> {
    if (this.every === 0) return undefined;
    if (this.known.size === 0) return this.unknown ? undefined : 'none';
    if (this.untilNext-- > 0) return undefined;
    this.untilNext = this.every - 1;
    const path = asked.form.zonesPath;
    if (asked.holdsZones || path === undefined) return { reading: before.reading, at: before.at, bodyBytes: 0 };
    const answer = await this.ask(path);
    const reading = answer?.connection === asked.connection ? this.read(answer, asked) : undefined;
    return answer && reading && { reading, at: answer.at, bodyBytes: answer.body.length };
  }

  /** Undefined where it failed: the other stats are good all the same. */
  private async ask(path: string): Promise<AdminAnswer | undefined> {
    try {
      return await this.admin.get(path);
    } catch (error) {
      if (error instanceof ScrapeError) return undefined;
      throw error;
    }
  }

  private read({ status, body }: AdminAnswer, asked: AskedBefore): StatsReading | undefined {
    if (status !== 200) return undefined;
    if (body.length === 0) return NO_STATS;
    try {
      return this.readerFor(asked).read(body);
    } catch (error) {
      if (error instanceof StatsError) return undefined;
      throw error;
    }
  }

  private readerFor(asked: AskedBefore): StatsReader {
    const known = this.reader;
    if (known?.of.form === asked.form && known.of.boundsInclusive === asked.boundsInclusive) return known.reader;
    const reader = asked.form.reader(asked.boundsInclusive);
    this.reader = { of: asked, reader };
    return reader;
  }
}
