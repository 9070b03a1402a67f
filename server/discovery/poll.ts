/** Asks a source again and again. */

export interface PollOptions {
  /** Asks once, and tells how long to wait; does not reject. */
  readonly ask: (signal: AbortSignal) => Promise<number>;
}

/** One question after the other, until it is stopped. */
export class Poll {
  private readonly options: PollOptions;
  private readonly ended = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private asking: Promise<void> = Promise.resolve();

  constructor(options: PollOptions) {
    this.options = options;
  }

  start(): void {
    this.asking = this.round();
  }

  async stop(): Promise<void> {
    this.ended.abort();
    clearTimeout(this.timer);
    await this.asking;
  }

  private async round(): Promise<void> {
    const { signal } = this.ended;
    const delayMs = await this.options.ask(signal);
    if (signal.aborted) return;
    this.timer = setTimeout(() => {
      this.asking = this.round();
    }, delayMs);
  }
}

/** Milliseconds until a failing source is asked again: soon at first, then up to its own time. */
export function retryDelay(failures: number, refreshMs: number): number {
  return Math.min(refreshMs, 1000 * 2 ** Math.min(failures - 1, 20));
}
