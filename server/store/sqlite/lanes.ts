/** Does one call at a time. */
export interface Lane {
  run<Result>(name: string, argument?: unknown): Promise<Result>;
}

/** A call that waits for a lane; without one it goes wherever there is room. */
interface Waiting {
  readonly preferred: number | undefined;
  readonly since: number;
  start(lane: number): void;
}

/** How long a call waits for the lane that it prefers while another one has nothing to do, in milliseconds. */
const PATIENCE_MS = 25;

/**
 * Threads side by side, each of which remembers what it has read: calls of one kind go to the same one, so that not all of
 * them read everything. Another one takes a call that has waited a while; nothing waits longer while a lane is idle.
 */
export class Lanes<One extends Lane> {
  readonly all: readonly One[];
  private readonly patienceMs: number;
  private readonly busy: boolean[];
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(all: readonly One[], patienceMs = PATIENCE_MS) {
    this.all = all;
    this.patienceMs = patienceMs;
    this.busy = all.map(() => false);
  }

  /** `preferred`: number of the lane that is to do it. */
  async run<Result>(name: string, argument?: unknown, preferred?: number): Promise<Result> {
    const lane = await new Promise<number>((start) => {
      this.waiting.push({ preferred, since: performance.now(), start });
      this.distribute();
    });
    try {
      const { [lane]: one } = this.all;
      if (!one) throw new RangeError(`there is no lane ${lane}`);
      return await one.run<Result>(name, argument);
    } finally {
      this.busy[lane] = false;
      this.distribute();
    }
  }

  private distribute(): void {
    const now = performance.now();
    for (let lane = 0; lane < this.all.length; lane++) {
      if (this.busy[lane]) continue;
      const next = this.waiting.findIndex(({ preferred, since }) =>
        preferred === undefined || preferred === lane ? true : now - since >= this.patienceMs,
      );
      const [call] = next < 0 ? [] : this.waiting.splice(next, 1);
      if (!call) continue;
      this.busy[lane] = true;
      call.start(lane);
    }
    this.comeBack(now);
  }

  /** Where a lane is idle, looks again when the first call's patience ends. */
  private comeBack(now: number): void {
    clearTimeout(this.timer);
    const [first] = this.waiting;
    if (!first || !this.busy.includes(false)) return;
    const ms = Math.max(1, Math.ceil(first.since + this.patienceMs - now));
    this.timer = setTimeout(() => this.distribute(), ms);
  }
}
