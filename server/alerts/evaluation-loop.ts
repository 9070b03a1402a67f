import { setTimeout as delay } from 'node:timers/promises';
import { BackgroundLoop } from '../model/background-loop.ts';

export interface EvaluationLoopOptions {
  readonly intervalMs: number;
  /** Never rejects. */
  readonly evaluate: () => Promise<void>;
}

/** One evaluation after the other, begun an interval apart; one that takes longer delays the next. */
export function evaluationLoop({ intervalMs, evaluate }: EvaluationLoopOptions): BackgroundLoop {
  return new BackgroundLoop(async (signal) => {
    let rest = intervalMs;
    for (;;) {
      await delay(rest, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      const began = performance.now();
      await evaluate();
      rest = Math.max(0, intervalMs - (performance.now() - began));
    }
  });
}
