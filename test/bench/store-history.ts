/** Fills a store with history by a clock of its own, and measures what that takes. */

import { readFileSync } from 'node:fs';
import type { Store } from '../../server/store/store.ts';
import type { Fleet } from './store-fleet.ts';

export const INTERVAL_MS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const TELL_EVERY_MS = 10_000;

export interface HistoryCost {
  /** Microseconds of CPU per flow and round: the main thread's, and all threads' together. */
  readonly mainMicros: number;
  readonly totalMicros: number;
  /** Bytes handed to the system for writing, per flow and round, upkeep included; NaN where the system does not tell. */
  readonly writtenBytes: number;
  /** Seconds of CPU of upkeep, and of time that was lived through. */
  readonly upkeepSeconds: number;
  readonly livedSeconds: number;
  /** Longest slice of upkeep in milliseconds of CPU, of all threads, and by the clock. */
  readonly longestSliceMs: number;
  readonly longestSliceWallMs: number;
}

export interface HistoryOptions {
  readonly store: Store;
  readonly fleet: Fleet;
  /** End of the history, Unix milliseconds, and how far back it reaches. */
  readonly end: number;
  readonly hours: number;
  /**
   * What is older comes by the minute instead of every ten seconds, and what is older still every ten minutes: quicker
   * to make, and in coarser resolutions packed to the same.
   */
  readonly rawHours: number;
  readonly minuteHours?: number;
  /** What is older is measured for ten minutes of every so long: quicker still, for what is answered by the hour. */
  readonly everyMs?: number;
  /** Told how much of the history there is, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** Tells on standard error how far long work is, every few seconds. */
export function progressOf(name: string): (share: number) => void {
  const began = performance.now();
  let toldAt = began;
  return (share) => {
    const now = performance.now();
    if (now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    console.error(`${name}: ${(100 * share).toFixed(0)} % after ${((now - began) / 1000).toFixed(0)} s`);
  };
}

export async function makeHistory(options: HistoryOptions): Promise<HistoryCost> {
  const { store, fleet, end, hours, everyMs = 10 * MINUTE_MS, onProgress = () => {} } = options;
  const sum = { main: 0, total: 0, rounds: 0, upkeep: 0, longest: 0, longestWall: 0, lived: 0, written: 0 };
  for (let from = end - hours * HOUR_MS; from < end; ) {
    const stepMs = stepAt(from, options);
    const isRaw = stepMs === INTERVAL_MS;
    const to = from + stepMs;
    const records = fleet.records(from, to);
    const [main, total, written] = [threadMicros(), allMicros(), writtenBytes()];
    await store.append(records);
    const [mainAfter, before] = [threadMicros(), allMicros()];
    await drainUpkeep(store, to, (cpuMs, wallMs) => {
      sum.longest = Math.max(sum.longest, cpuMs);
      sum.longestWall = Math.max(sum.longestWall, wallMs);
    });
    if (isRaw) {
      sum.main += mainAfter - main;
      sum.total += before - total;
      sum.rounds++;
      sum.written += writtenBytes() - written;
      sum.upkeep += allMicros() - before;
      sum.lived += to - from;
    }
    from = stepMs > MINUTE_MS ? from + everyMs : to;
    onProgress(1 - (end - from) / (hours * HOUR_MS));
  }
  const units = Math.max(1, sum.rounds * fleet.flows);
  return {
    mainMicros: sum.main / units,
    totalMicros: sum.total / units,
    writtenBytes: sum.written / units,
    upkeepSeconds: sum.upkeep / 1e6,
    livedSeconds: sum.lived / 1000,
    longestSliceMs: sum.longest,
    longestSliceWallMs: sum.longestWall,
  };
}

function stepAt(from: number, { end, rawHours, minuteHours = Number.POSITIVE_INFINITY }: HistoryOptions): number {
  if (from >= end - rawHours * HOUR_MS) return INTERVAL_MS;
  return from >= end - minuteHours * HOUR_MS ? MINUTE_MS : 10 * MINUTE_MS;
}

export async function drainUpkeep(
  store: Store,
  now: number,
  onSlice: (cpuMs: number, wallMs: number) => void = () => {},
): Promise<void> {
  for (let isMore = true; isMore; ) {
    const [began, cpu] = [performance.now(), allMicros()];
    isMore = await store.upkeep(now);
    onSlice((allMicros() - cpu) / 1000, performance.now() - began);
  }
}

/** What the process gave to the system to write, the log ahead of the file included. */
function writtenBytes(): number {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
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
