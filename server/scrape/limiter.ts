/** Lets at most a number of tasks run at once; the others wait in order. */
export class Limiter {
  private limit: number;
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Another limit; tasks that run already go on. */
  change(limit: number): void {
    this.limit = limit;
    while (this.running < this.limit) {
      const next = this.waiting.shift();
      if (!next) return;
      this.running++;
      next();
    }
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.running < this.limit) this.running++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.running > this.limit ? undefined : this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
