import type { Outcome } from './outcome.ts';
import type { PushResult } from './push.ts';

/** How pushing goes. */
export interface PushState {
  /** When the receiver took something last, Unix milliseconds; null while it never did. */
  acceptedAt: number | null;
  /** Why it takes nothing, or not all; empty when it takes everything. */
  problem: string;
  /** Points that the receiver took. */
  accepted: number;
  /** Points that it said it did not take, of requests that it took. */
  rejected: number;
  /** Points of requests that it refused for good. */
  dropped: number;
  /** Requests that were not answered, or with "later". */
  retries: number;
}

export interface PushLoopOptions {
  readonly intervalMs: number;
  /** Tells everything as it is now; nothing is tried again after `until`, Unix milliseconds. */
  readonly push: (limits: { until: number; signal: AbortSignal }) => Promise<PushResult>;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** The last push, when the collector ends, may take as long as this. */
const LAST_PUSH_MS = 1500;

/** Pushes once per interval, one push at a time. Never rejects. */
export class PushLoop {
  private readonly options: PushLoopOptions;
  private readonly ending = new AbortController();
  private running: Promise<void> = Promise.resolve();
  readonly state: PushState = { acceptedAt: null, problem: '', accepted: 0, rejected: 0, dropped: 0, retries: 0 };

  constructor(options: PushLoopOptions) {
    this.options = options;
  }

  start(): void {
    this.running = this.run();
  }

  /** Gives up what is under way and pushes once more what there is. */
  async stop(): Promise<void> {
    const { now } = this.options;
    this.ending.abort();
    await this.running;
    await this.pushOnce({ until: now(), signal: AbortSignal.timeout(LAST_PUSH_MS) });
  }

  /** Takes note of an answer. */
  count(outcome: Outcome, points: number): void {
    const { state } = this;
    if (outcome.kind === 'accepted') {
      state.acceptedAt = this.options.now();
      state.accepted += points - Math.min(points, outcome.rejected);
      state.rejected += Math.min(points, outcome.rejected);
      state.problem = outcome.rejected > 0 ? `it left out ${outcome.rejected} points: ${outcome.reason}` : '';
    } else {
      state.problem = outcome.reason;
      if (outcome.kind === 'retry') state.retries++;
      else state.dropped += points;
    }
  }

  private async run(): Promise<void> {
    const { intervalMs, now, wait } = this.options;
    const { signal } = this.ending;
    let next = now() + intervalMs;
    while (!signal.aborted) {
      await wait(Math.max(0, next - now()), signal).catch(() => {});
      if (signal.aborted) return;
      const at = now();
      const { notBefore } = await this.pushOnce({ until: at + intervalMs, signal });
      next = Math.max(at + intervalMs, now(), notBefore);
    }
  }

  private async pushOnce(limits: { until: number; signal: AbortSignal }): Promise<PushResult> {
    try {
      return await this.options.push(limits);
    } catch (error) {
      this.options.onError(error);
      return { isDone: false, notBefore: 0 };
    }
  }
}
