import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long one slice of long work may be, in milliseconds. */
const SLICE_MS = 5;

/** Waits for a turn of the event loop whenever a slice has been used up. */
export class Slices {
  private began = performance.now();

  /** Whether the slice has been used up: asking this first saves a promise. */
  get isUp(): boolean {
    return performance.now() - this.began >= SLICE_MS;
  }

  async pause(): Promise<void> {
    if (!this.isUp) return;
    await nextTurn();
    this.began = performance.now();
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
