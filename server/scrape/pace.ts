/** How often one target is asked: less often while it answers slowly. */

import { formatDuration } from '../model/duration.ts';
import type { PaceInForce } from '../model/scrape-record.ts';

export interface PaceSettings {
  /** As configured. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Whether to ask a slow target less often. */
  readonly slowDown: boolean;
}

/** How one scrape went. */
export interface Asked {
  /** How long the target was kept busy; what the collector itself was late is left out. */
  readonly busyMs: number;
  readonly timedOut: boolean;
  /** How long the collector did nothing else than read and count answers of the target; default 0. */
  readonly ownMs?: number;
}

/** A target is never kept busy for more than this share of the time. */
const BUSY_SHARE = 0.2;
/** The collector works on no target for more than this share of the time, so that no other one has to wait. */
const OWN_SHARE = 0.05;
/** What is quicker is nobody's fault: the first answer of a large target, a machine with much to do. */
const QUICK_MS = 200;
const LONGEST_MS = 60_000;
/** Slow targets come at moments of their own: each interval is longer by up to this share of it. */
const JITTER = 0.1;

/**
 * Lengthens the interval at once to five times what an answer took (twenty times what reading it took the collector), doubles it at a timeout, up to a minute, and halves it
 * again at every answer that was quicker, down to what that one asks for.
 */
export class Pace {
  private readonly random: () => number;
  private settings: PaceSettings;
  private intervalMs: number;
  private reason = '';
  private ownMsBefore = 0;

  /** `random`: from 0 to 1. */
  constructor(settings: PaceSettings, random: () => number) {
    this.settings = settings;
    this.intervalMs = settings.intervalMs;
    this.random = random;
  }

  get inForce(): PaceInForce {
    return { intervalMs: this.intervalMs, slowedDown: this.reason };
  }

  get isSlowed(): boolean {
    return this.reason !== '';
  }

  /** Another configuration: a target that was slow has to be slow again. */
  configure(settings: PaceSettings): void {
    this.settings = settings;
    this.intervalMs = settings.intervalMs;
    this.reason = '';
  }

  /** After a scrape, good or failed. */
  asked({ busyMs, timedOut, ownMs = 0 }: Asked): void {
    const costMs = this.costOf(ownMs);
    const { intervalMs, timeoutMs, slowDown } = this.settings;
    if (!slowDown) return;
    const longest = Math.max(intervalMs, LONGEST_MS / (1 + JITTER));
    const wanted = timedOut ? this.intervalMs * 2 : Math.max(busyMs / BUSY_SHARE, costMs / OWN_SHARE);
    const next = Math.round(Math.min(longest, Math.max(intervalMs, wanted, this.intervalMs / 2)));
    const isSlow = timedOut || busyMs > intervalMs * BUSY_SHARE;
    if (next <= intervalMs) this.reason = '';
    else if (timedOut) this.reason = `it did not answer within ${formatDuration(timeoutMs)}`;
    else if (isSlow) this.reason = `it took ${seconds(busyMs)} to answer, more than a fifth of the interval`;
    else if (costMs > intervalMs * OWN_SHARE)
      this.reason = `reading its answers takes us ${seconds(costMs)}, as when it lists other names each time`;
    this.intervalMs = next;
  }

  /** What answers take again and again: the names of a first one are worked out once. */
  private costOf(ownMs: number): number {
    const costMs = Math.min(ownMs, this.ownMsBefore);
    this.ownMsBefore = ownMs;
    return costMs < QUICK_MS ? 0 : costMs;
  }

  /** Time from the start of a scrape to that of the next one, for a target that is slowed down. */
  delayMs(): number {
    return this.intervalMs * (1 + JITTER * this.random());
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toPrecision(2)} s`;
}
