/** Limits of a store in memory that its threads share: another configuration counts for all of them at once. */

import { type StoreLimits, type StoreOptions, TIERS } from '../store.ts';

/** What a thread is started with. */
export interface ThreadOptions extends Pick<StoreOptions, 'path' | 'intervalMs'> {
  readonly limits: SharedArrayBuffer;
}

/** Retention by tier, then the most bytes. */
const NUMBERS = TIERS.length + 1;

export function sharedLimits(limits: StoreLimits): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(NUMBERS * Float64Array.BYTES_PER_ELEMENT);
  setLimits(memory, limits);
  return memory;
}

export function setLimits(memory: SharedArrayBuffer, { retentionMs, maxBytes }: StoreLimits): void {
  new Float64Array(memory).set([...TIERS.map((name) => retentionMs[name]), maxBytes]);
}

/** Options whose limits are always those that were set last. */
export function optionsOf({ path, intervalMs, limits }: ThreadOptions): StoreOptions {
  const numbers = new Float64Array(limits);
  return {
    path,
    intervalMs,
    get retentionMs() {
      const [raw = 0, minute = 0, tenMinutes = 0, hour = 0] = numbers;
      return { raw, '1m': minute, '10m': tenMinutes, '1h': hour };
    },
    get maxBytes() {
      return numbers[TIERS.length] ?? 0;
    },
  };
}
