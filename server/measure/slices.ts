import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long one slice of long work may be, in milliseconds. */
const SLICE_MS = 5;
/** Where all else takes long turns, a slice may take this share of such a turn, and be so long: else work would never be done. */
const SHARE = 1 / 3;
const LONGEST_SLICE_MS = 15;

/** Waits for a turn of the event loop whenever a slice has been used up. */
export class Slices {
  private began = performance.now();
  private sliceMs = SLICE_MS;

  /** Whether the slice has been used up: asking this first saves a promise. */
  get isUp(): boolean {
    return performance.now() - this.began >= this.sliceMs;
  }

  async pause(): Promise<void> {
    if (!this.isUp) return;
    const paused = performance.now();
    await nextTurn();
    this.began = performance.now();
    this.sliceMs = Math.min(LONGEST_SLICE_MS, Math.max(SLICE_MS, (this.began - paused) * SHARE));
  }
}

/** Maps one by one, in slices. */
export async function inSlices<From, To>(all: Iterable<From>, map: (one: From) => To): Promise<To[]> {
  const slices = new Slices();
  const mapped: To[] = [];
  for (const one of all) {
    if (slices.isUp) await slices.pause();
    mapped.push(map(one));
  }
  return mapped;
}
