import { setTimeout as wait } from 'node:timers/promises';

/** How long to wait after failures in a row, in milliseconds; counted from 1. */
export type BackOff = (failures: number) => number;

const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/** Doubles from a second to a minute, each time by chance between half of it and all. */
export function backOff(random: () => number = Math.random): BackOff {
  return (failures) => Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20)) * (0.5 + random() / 2);
}

/** Somebody that alerts are told to. */
export interface AlertReceiver {
  /** Is told this often though nothing is new, in milliseconds; absent: only what is new. */
  readonly everyMs?: number;
  /** Tells what there is to tell; resolves to whether there is more. Rejects when it was not taken. */
  deliver(signal: AbortSignal): Promise<boolean>;
}

export interface DeliveryLoopOptions {
  readonly receiver: AlertReceiver;
  readonly backOff: BackOff;
  readonly onFailure: (error: unknown) => void;
  readonly onSuccess: () => void;
}

/** One receiver's own loop: one delivery at a time, tried again until it is taken. It never holds up another. */
export class DeliveryLoop {
  private readonly options: DeliveryLoopOptions;
  private readonly ending = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private isNew = false;
  private rouse: () => void = () => {};

  constructor(options: DeliveryLoopOptions) {
    this.options = options;
  }

  start(): void {
    this.isNew = true;
    this.running = this.run();
  }

  /** Something is new; while the receiver fails it waits its turn. */
  wake(): void {
    this.isNew = true;
    this.rouse();
  }

  /** Gives up what is under way. */
  async stop(): Promise<void> {
    this.ending.abort();
    this.rouse();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    let failures = 0;
    while (!signal.aborted) {
      this.isNew = false;
      try {
        const isMore = await this.options.receiver.deliver(signal);
        failures = 0;
        this.options.onSuccess();
        if (isMore || this.isNew) continue;
        await this.rest();
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        this.options.onFailure(error);
        await wait(this.options.backOff(failures), undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  /** Until something is new, or it is time again. */
  private rest(): Promise<void> {
    if (this.ending.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const { everyMs } = this.options.receiver;
      const timer = everyMs === undefined ? undefined : setTimeout(() => this.rouse(), everyMs).unref();
      this.rouse = () => {
        clearTimeout(timer);
        this.rouse = () => {};
        resolve();
      };
    });
  }
}
