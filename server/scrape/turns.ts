/**
 * Shares out the turns of the event loop: after a stall many answers are there at once, and reading all of them before
 * anything else is done would be another one.
 */
export class Turns {
  private readonly mostMs: number;
  private readonly now: () => number;
  private readonly waiting: (() => void)[] = [];
  /** When the first of this turn came. */
  private begunAt: number | undefined;

  /** `now`: milliseconds that only go on. */
  constructor(mostMs: number, now: () => number = () => performance.now()) {
    this.mostMs = mostMs;
    this.now = now;
  }

  /** Undefined: there is time in this turn; else resolves in a turn of its own, in the order in which they came. */
  next(): Promise<void> | undefined {
    if (this.begunAt === undefined) this.begin();
    else if (this.waiting.length > 0 || this.now() - this.begunAt >= this.mostMs)
      return new Promise((resolve) => this.waiting.push(resolve));
    return undefined;
  }

  private begin(): void {
    this.begunAt = this.now();
    setImmediate(() => this.end());
  }

  /** What one did comes to its end before the next one begins: each gets a turn of its own. */
  private end(): void {
    this.begunAt = undefined;
    const first = this.waiting.shift();
    if (!first) return;
    this.begin();
    first();
  }
}

/** Of all targets. */
export const READING_TURNS = new Turns(8);
