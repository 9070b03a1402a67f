import { randomInt } from 'node:crypto';
import { mergeNeighbours } from './model/merge-records.ts';
import type { ScrapeRecord } from './model/scrape-record.ts';
import { packed, release } from './store/packed-record.ts';
import { UnsureError } from './store/store.ts';

/** Why a round could not be stored yet. */
export interface RoundFailure {
  readonly error: unknown;
  /** Scrapes that wait to be stored. */
  readonly waiting: number;
  /** Scrapes that had to be dropped so far. */
  readonly dropped: number;
}

export interface RoundsOptions {
  /** What is given again under the same id counts once. */
  readonly append: (round: readonly ScrapeRecord[], id: number) => Promise<void>;
  /** Called for every round in order, once it was stored or could not be; it keeps no record. Does not throw. */
  readonly onSettled: (round: readonly ScrapeRecord[], failure: RoundFailure | undefined) => void;
  /** How long the first scrape of a round waits for others, at the moment. */
  readonly gatherMs: () => number;
  /** A round of so many scrapes waits for no others: it is taken over at once, and must not hold up this thread. */
  readonly mostGathered: number;
  /**
   * Most scrapes that are kept to be stored later while the store fails; where there are more, neighbours are added up,
   * and only where that does not help the oldest are dropped.
   */
  readonly keepScrapes: number;
}

/**
 * Gathers scrapes into rounds and hands one after the other to the store; what could not be stored is stored
 * with the next round that can. Never rejects.
 */
export class Rounds {
  private readonly options: RoundsOptions;
  private gathered: ScrapeRecord[] = [];
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private unsaved: readonly ScrapeRecord[] = [];
  /** A round that may have been stored: it is given again by itself, before all others. */
  private unsure: { readonly id: number; readonly records: readonly ScrapeRecord[] } | undefined;
  private dropped = 0;

  constructor(options: RoundsOptions) {
    this.options = options;
  }

  add(record: ScrapeRecord): void {
    const { gatherMs, mostGathered } = this.options;
    if (this.gathered.push(packed(record)) >= mostGathered) this.send();
    else this.timer ??= setTimeout(() => this.send(), gatherMs());
  }

  /** Stores what was gathered and waits for all rounds. */
  async flush(): Promise<void> {
    this.send();
    await this.writing;
  }

  private send(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const round = this.gathered;
    if (round.length === 0) return;
    this.gathered = [];
    this.writing = this.writing.then(() => this.write(round));
  }

  private async write(round: readonly ScrapeRecord[]): Promise<void> {
    const stored: ScrapeRecord[] = [];
    const failure = await this.store([...this.unsaved, ...round], stored);
    this.options.onSettled(round, failure);
    release(stored);
  }

  /** `stored` is told of all that is stored now. */
  private async store(records: readonly ScrapeRecord[], stored: ScrapeRecord[]): Promise<RoundFailure | undefined> {
    let id = this.unsure?.id ?? newId();
    try {
      if (this.unsure) await this.options.append(this.unsure.records, id);
      stored.push(...(this.unsure?.records ?? []));
      this.unsure = undefined;
      id = newId();
      await this.options.append(records, id);
      stored.push(...records);
      this.unsaved = [];
      return undefined;
    } catch (error) {
      if (error instanceof UnsureError && !this.unsure) {
        this.unsure = { id, records: this.kept(records) };
        this.unsaved = [];
      } else this.unsaved = this.kept(records);
      const waiting = this.unsaved.length + (this.unsure?.records.length ?? 0);
      return { error, waiting, dropped: this.dropped };
    }
  }

  private kept(records: readonly ScrapeRecord[]): readonly ScrapeRecord[] {
    const { keepScrapes } = this.options;
    let good = records.filter(({ findings }) => findings);
    while (good.length > keepScrapes) {
      const fewer = mergeNeighbours(good);
      if (fewer.length === good.length) break;
      good = fewer;
    }
    const kept = good.slice(-keepScrapes);
    this.dropped += good.length - kept.length;
    return kept;
  }
}

/** Of no other round, of this or an earlier life of the collector. */
function newId(): number {
  return randomInt(1, 2 ** 48 - 1);
}
