import type { ScrapeRecord } from './model/scrape-record.ts';

export interface RoundsOptions {
  readonly append: (round: readonly ScrapeRecord[]) => Promise<void>;
  /** Called for every round in order, once it was stored, or with the error and how many scrapes had to be dropped so far. */
  readonly onSettled: (round: readonly ScrapeRecord[], failure?: { error: unknown; dropped: number }) => void;
  /** How long the first scrape of a round waits for others. */
  readonly gatherMs: number;
  /** Most scrapes that are kept to be stored later while the store fails. */
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
  private dropped = 0;

  constructor(options: RoundsOptions) {
    this.options = options;
  }

  add(record: ScrapeRecord): void {
    this.gathered.push(record);
    this.timer ??= setTimeout(() => this.send(), this.options.gatherMs);
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
    const all = [...this.unsaved, ...round];
    try {
      await this.options.append(all);
      this.unsaved = [];
      this.options.onSettled(round);
    } catch (error) {
      const kept = all.slice(-this.options.keepScrapes);
      this.dropped += all.length - kept.length;
      this.unsaved = kept;
      this.options.onSettled(round, { error, dropped: this.dropped });
    }
  }
}
