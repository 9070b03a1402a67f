export interface TickClockOptions {
  readonly intervalMs: number;
  /** Part of the interval over which scrapes are spread, from its start. */
  readonly spreadMs: number;
  readonly now: () => number;
  readonly onTick: () => void;
}

/** Time that scrapes are given to be answered and stored before they are told of. */
const SETTLE_MS = 350;
/** A timer may end so much before its time by the wall clock; its tick is not to come again. */
const EARLY_MS = 20;

/** Ticks once per interval, a moment after its scrapes. */
export class TickClock {
  private options: TickClockOptions;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: TickClockOptions) {
    this.options = options;
  }

  /** The moment up to which all scrapes that were due have been told of: what is newer is known in part. */
  get toldUntil(): number {
    const { intervalMs, spreadMs, now } = this.options;
    return Math.floor((now() - spreadMs - SETTLE_MS + EARLY_MS) / intervalMs) * intervalMs;
  }

  /** Ticks by another interval from now on. */
  configure(changes: Pick<TickClockOptions, 'intervalMs' | 'spreadMs'>): void {
    if (changes.intervalMs === this.options.intervalMs && changes.spreadMs === this.options.spreadMs) return;
    this.options = { ...this.options, ...changes };
    if (this.timer === undefined) return;
    this.stop();
    this.start();
  }

  start(): void {
    const { intervalMs, spreadMs, now, onTick } = this.options;
    const phase = (spreadMs + SETTLE_MS) % intervalMs;
    const next = Math.ceil((now() - phase + EARLY_MS) / intervalMs) * intervalMs + phase;
    this.timer = setTimeout(() => {
      onTick();
      this.start();
    }, next - now());
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
