import type { StoreOptions } from '../../server/store/store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The defaults of the configuration, with what a test wants otherwise. */
export function storeOptions(path: string, options: Partial<StoreOptions> = {}): StoreOptions {
  return {
    path,
    intervalMs: 10_000,
    retentionMs: { raw: 2 * HOUR_MS, '1m': 2 * DAY_MS, '10m': 30 * DAY_MS, '1h': 400 * DAY_MS },
    maxBytes: 10 * 2 ** 30,
    ...options,
  };
}
