import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long one slice of long work may be, in milliseconds. */
const SLICE_MS = 8;

/** Waits for a turn of the event loop whenever a slice has been used up. */
export class Slices {
  private began = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.began < SLICE_MS) return;
    await nextTurn();
    this.began = performance.now();
  }
}
