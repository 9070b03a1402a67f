/** Work that goes on until it is stopped. */
export class BackgroundLoop {
  private readonly run: (stopped: AbortSignal) => Promise<void>;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  /** `run` returns soon after `stopped` and never rejects. */
  constructor(run: (stopped: AbortSignal) => Promise<void>) {
    this.run = run;
  }

  /** Aborted once it is to stop. */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  start(): void {
    this.running = this.run(this.stopped);
  }

  /** Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }
}
