import { createHash } from 'node:crypto';
import type { Target } from '../model/discovered-target.ts';
import { Limiter } from './limiter.ts';
import { ScrapeLoop, type ScrapeLoopOptions } from './scrape-loop.ts';

export interface ScrapeManagerOptions extends Omit<ScrapeLoopOptions, 'target' | 'phaseMs' | 'limiter'> {
  readonly concurrency: number;
}

/**
 * Up to this many targets are scraped in the same half second of each interval, so that all figures of a small
 * mesh are of the same moment and fresh at once; more targets are spread over the whole interval.
 */
const TARGETS_IN_STEP = 256;
const STEP_MS = 500;

/** Runs one loop per target. */
export class ScrapeManager {
  private readonly options: ScrapeManagerOptions;
  private readonly limiter: Limiter;
  private readonly loops = new Map<string, ScrapeLoop>();

  constructor(options: ScrapeManagerOptions) {
    this.options = options;
    this.limiter = new Limiter(options.concurrency);
  }

  /** Scrapes exactly these targets from now on. */
  apply(targets: readonly Target[]): void {
    const wanted = new Set(targets.map((target) => target.key));
    for (const [key, loop] of this.loops) {
      if (wanted.has(key)) continue;
      this.loops.delete(key);
      void loop.stop();
    }
    const spreadMs = spreadOf(targets.length, this.options.intervalMs);
    for (const target of targets) {
      if (this.loops.has(target.key)) continue;
      const loop = new ScrapeLoop({
        ...this.options,
        target,
        limiter: this.limiter,
        phaseMs: phaseOf(target.key, spreadMs),
      });
      this.loops.set(target.key, loop);
      loop.start();
    }
  }

  async stop(): Promise<void> {
    const loops = [...this.loops.values()];
    this.loops.clear();
    await Promise.all(loops.map((loop) => loop.stop()));
  }
}

/** Part of an interval over which the scrapes of so many targets are spread. */
export function spreadOf(targets: number, intervalMs: number): number {
  return targets <= TARGETS_IN_STEP ? Math.min(STEP_MS, intervalMs / 2) : intervalMs;
}

/** The same target has the same phase after a restart. */
export function phaseOf(key: string, spreadMs: number): number {
  const hash = createHash('sha256').update(key).digest().readUInt32BE(0);
  return Math.floor((hash / 2 ** 32) * spreadMs);
}
