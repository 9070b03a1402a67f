import { setTimeout as delay } from 'node:timers/promises';
import { BackgroundLoop } from './model/background-loop.ts';

export interface UpkeepOptions {
  /** One slice of work; resolves to whether there is more. */
  readonly slice: () => Promise<boolean>;
  readonly onFailure: (error: unknown) => void;
  /** After a slice that worked. */
  readonly onSuccess: () => void;
  /** How long to rest once all is done, or after a failure, in milliseconds. */
  readonly restMs: number;
}

/** Between two slices, so that rounds and queries come in between. */
const BETWEEN_MS = 20;

/** Packs, rolls up and forgets in small slices, as long as it runs. Its end waits for the slice under way. */
export function upkeepLoop(options: UpkeepOptions): BackgroundLoop {
  return new BackgroundLoop(async (signal) => {
    while (!signal.aborted) {
      const isMore = await oneSlice(options);
      await delay(isMore ? BETWEEN_MS : options.restMs, undefined, { signal, ref: false }).catch(() => {});
    }
  });
}

async function oneSlice({ slice, onSuccess, onFailure }: UpkeepOptions): Promise<boolean> {
  try {
    const isMore = await slice();
    onSuccess();
    return isMore;
  } catch (error) {
    onFailure(error);
    return false;
  }
}
