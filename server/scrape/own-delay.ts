/** By how much the collector itself was late, so that no target is blamed for it. */
export class OwnDelay {
  private readonly now: () => number;
  private timer: NodeJS.Timeout | undefined;
  private total = 0;
  private next = 0;

  /** `now`: milliseconds that only go on. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  start(): void {
    if (this.timer) return;
    this.next = this.now() + LOOK_EVERY_MS;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Milliseconds since it was started in which the event loop did something else than look at its sockets. */
  get lateMs(): number {
    return this.timer ? this.total + Math.max(0, this.now() - this.next) : this.total;
  }

  private look(): void {
    this.total = this.lateMs;
    this.next = this.now() + LOOK_EVERY_MS;
  }
}

const LOOK_EVERY_MS = 50;
