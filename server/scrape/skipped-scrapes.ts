export interface Waited {
  /** From the moment at which a scrape was due to the one at which the next is. */
  readonly betweenMs: number;
  readonly intervalMs: number;
  /** How long the target was kept busy in between. */
  readonly busyMs: number;
}

/** By this share of an interval timers, and the clock that they follow, may be off. */
const TOLERANCE = 0.1;

/**
 * How many scrapes were left out between two because their interval passed before they could begin: the collector had
 * too much to do, or too many targets at once. What a target was too slow for itself is not counted.
 */
export function skippedScrapes({ betweenMs, intervalMs, busyMs }: Waited): number {
  const skipped = Math.ceil(betweenMs / intervalMs - TOLERANCE) - 1;
  return Math.max(0, skipped - Math.floor(busyMs / intervalMs + TOLERANCE));
}
