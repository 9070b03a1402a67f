import { setTimeout as delay } from 'node:timers/promises';

export interface UpkeepOptions {
  /** One slice of work; resolves to whether there is more. */
  readonly slice: () => Promise<boolean>;
  readonly onFailure: (error: unknown) => void;
  /** After a slice that worked. */
  readonly onSuccess: () => void;
  /** How long to rest once all is done, or after a failure, in milliseconds. */
  readonly restMs: number;
}

/** Between two slices, so that rounds and queries come in between. */
const BETWEEN_MS = 20;

/** Packs, rolls up and forgets in small slices, as long as it runs. Never rejects. */
export class Upkeep {
  private readonly options: UpkeepOptions;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(options: UpkeepOptions) {
    this.options = options;
  }

  start(): void {
    this.running = this.run();
  }

  /** Waits for the slice under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const isMore = await this.slice();
      await delay(isMore ? BETWEEN_MS : this.options.restMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  private async slice(): Promise<boolean> {
    try {
      const isMore = await this.options.slice();
      this.options.onSuccess();
      return isMore;
    } catch (error) {
      this.options.onFailure(error);
      return false;
    }
  }
}
