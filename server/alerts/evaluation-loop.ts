import { setTimeout as delay } from 'node:timers/promises';

export interface EvaluationLoopOptions {
  readonly intervalMs: number;
  /** Never rejects. */
  readonly evaluate: () => Promise<void>;
}

/** One evaluation after the other, begun an interval apart; one that takes longer delays the next. */
export class EvaluationLoop {
  private readonly options: EvaluationLoopOptions;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(options: EvaluationLoopOptions) {
    this.options = options;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const { intervalMs, evaluate } = this.options;
    let rest = intervalMs;
    for (;;) {
      await delay(rest, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      const began = performance.now();
      await evaluate();
      rest = Math.max(0, intervalMs - (performance.now() - began));
    }
  }
}
