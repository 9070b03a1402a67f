/** Fills a store with history by a clock of its own, and measures what that takes. */

import type { Store } from '../../server/store/store.ts';
import type { Fleet } from './store-fleet.ts';

export const INTERVAL_MS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface HistoryCost {
  /** Microseconds of CPU per flow and round: the main thread's, and all threads' together. */
  readonly mainMicros: number;
  readonly totalMicros: number;
  /** Seconds of CPU of upkeep, and of time that was lived through. */
  readonly upkeepSeconds: number;
  readonly livedSeconds: number;
  /** Longest slice of upkeep, milliseconds. */
  readonly longestSliceMs: number;
}

export interface HistoryOptions {
  readonly store: Store;
  readonly fleet: Fleet;
  /** End of the history, Unix milliseconds, and how far back it reaches. */
  readonly end: number;
  readonly hours: number;
  /** What is older comes by the minute instead of every ten seconds: quicker to make, and packed to the same. */
  readonly rawHours: number;
}

export async function makeHistory({ store, fleet, end, hours, rawHours }: HistoryOptions): Promise<HistoryCost> {
  const cost = { main: 0, total: 0, rounds: 0, upkeep: 0, longest: 0, lived: 0 };
  const rawFrom = end - Math.min(hours, rawHours) * HOUR_MS;
  for (let from = end - hours * HOUR_MS; from < end; ) {
    const isRaw = from >= rawFrom;
    const to = from + (isRaw ? INTERVAL_MS : MINUTE_MS);
    const records = fleet.records(from, to);
    const [main, total] = [threadMicros(), allMicros()];
    await store.append(records);
    if (isRaw) {
      cost.main += threadMicros() - main;
      cost.total += allMicros() - total;
      cost.rounds++;
    }
    const before = allMicros();
    await drainUpkeep(store, to, (ms) => {
      cost.longest = Math.max(cost.longest, ms);
    });
    if (isRaw) {
      cost.upkeep += allMicros() - before;
      cost.lived += to - from;
    }
    from = to;
  }
  const units = Math.max(1, cost.rounds * fleet.flows);
  return {
    mainMicros: cost.main / units,
    totalMicros: cost.total / units,
    upkeepSeconds: cost.upkeep / 1e6,
    livedSeconds: cost.lived / 1000,
    longestSliceMs: cost.longest,
  };
}

export async function drainUpkeep(store: Store, now: number, onSlice: (ms: number) => void = () => {}): Promise<void> {
  for (let isMore = true; isMore; ) {
    const began = performance.now();
    isMore = await store.upkeep(now);
    onSlice(performance.now() - began);
  }
}

function threadMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function allMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
