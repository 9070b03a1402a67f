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

/** How long one call may hold up those that prefer its lane while another one has nothing to do, in milliseconds. */
const PATIENCE_MS = 25;
/** A call waits for so many times as long where its lane gets on with others. */
const IN_A_QUEUE = 6;

/**
 * Threads side by side, each of which remembers what it has read: calls of one kind go to the same one, so that not all of
 * them read everything. Another one takes a call when one before it takes long, or many do; nothing waits longer while a
 * lane is idle.
 */
export class Lanes<One extends Lane> {
  readonly all: readonly One[];
  private readonly patienceMs: number;
  /** Since when each is at its call. */
  private readonly busySince: (number | undefined)[];
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(all: readonly One[], patienceMs = PATIENCE_MS) {
    this.all = all;
    this.patienceMs = patienceMs;
    this.busySince = all.map(() => undefined);
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
      this.busySince[lane] = undefined;
      this.distribute();
    }
  }

  private distribute(): void {
    const now = performance.now();
    for (let lane = 0; lane < this.all.length; lane++) {
      if (this.busySince[lane] !== undefined) continue;
      const next = this.waiting.findIndex((call) => call.preferred === lane || this.goesAnywhereAt(call) <= now);
      const [call] = next < 0 ? [] : this.waiting.splice(next, 1);
      if (!call) continue;
      this.busySince[lane] = now;
      call.start(lane);
    }
    this.comeBack(now);
  }

  /** When any lane may take it. */
  private goesAnywhereAt({ preferred, since }: Waiting): number {
    if (preferred === undefined) return since;
    const heldUp = Math.max(since, this.busySince[preferred] ?? since) + this.patienceMs;
    return Math.min(heldUp, since + this.patienceMs * IN_A_QUEUE);
  }

  /** Where a lane is idle, looks again when the first patience ends. */
  private comeBack(now: number): void {
    clearTimeout(this.timer);
    if (this.waiting.length === 0 || !this.busySince.includes(undefined)) return;
    const next = Math.min(...this.waiting.map((call) => this.goesAnywhereAt(call)));
    this.timer = setTimeout(() => this.distribute(), Math.max(1, Math.ceil(next - now)));
  }
}
