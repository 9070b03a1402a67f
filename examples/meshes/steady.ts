import { setTimeout as delay } from 'node:timers/promises';
import type { Running } from '../../server/demo/mesh.ts';
import { exponential, type Random } from './random.ts';

export interface SteadyOptions {
  perSecond: number;
  random: Random;
  /** Must not reject. Not waited for before the next one. */
  send: () => Promise<void>;
}

/** Sends at random moments, at this mean rate, whatever the answers do. `stop()` waits for the last answers. */
export function sendSteadily({ perSecond, random, send }: SteadyOptions): Running {
  const stopping = new AbortController();
  const pending = new Set<Promise<void>>();
  const loop = async () => {
    while (await pause(exponential(random, 1000 / perSecond), stopping.signal)) {
      const sent = send().finally(() => pending.delete(sent));
      pending.add(sent);
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
      await Promise.all(pending);
    },
  };
}

/** False when it was cut short. */
const pause = (ms: number, signal: AbortSignal): Promise<boolean> => delay(ms, true, { signal }).catch(() => false);
