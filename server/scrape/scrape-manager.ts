import { createHash } from 'node:crypto';
import type { Target } from '../model/discovered-target.ts';
import { SecretFiles } from '../reach/credentials.ts';
import { Limiter } from './limiter.ts';
import { OwnDelay } from './own-delay.ts';
import { type Phase, ScrapeLoop, type ScrapeLoopOptions, type ScrapeSettings } from './scrape-loop.ts';

export interface ManagerSettings extends ScrapeSettings {
  readonly concurrency: number;
}

export interface ScrapeManagerOptions
  extends Pick<ScrapeLoopOptions, 'now' | 'random' | 'onResult' | 'onSkipped' | 'wantsClusters'>,
    ManagerSettings {}

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
  private readonly secrets: SecretFiles;
  private readonly ownDelay = new OwnDelay();
  private settings: ManagerSettings;
  private targets: readonly Target[] = [];
  private readonly loops = new Map<string, ScrapeLoop>();

  constructor(options: ScrapeManagerOptions) {
    this.options = options;
    this.settings = options;
    this.limiter = new Limiter(options.concurrency);
    this.secrets = new SecretFiles(options.now);
  }

  /** Other settings for all targets, from their next scrape on; nothing is disconnected. */
  configure(settings: ManagerSettings): void {
    this.settings = settings;
    this.limiter.change(settings.concurrency);
    this.apply(this.targets);
  }

  /** Scrapes exactly these targets from now on; those that are reached as before keep their connection. */
  apply(targets: readonly Target[]): void {
    this.targets = targets;
    this.ownDelay.start();
    const wanted = new Map(targets.map((target) => [target.key, target]));
    for (const [key, loop] of this.loops) {
      const target = wanted.get(key);
      if (target && loop.takes(target)) continue;
      this.loops.delete(key);
      void loop.stop();
    }
    const spreadMs = spreadOf(targets.length, this.settings.intervalMs);
    for (const target of targets) this.run(target, spreadMs);
  }

  private run(target: Target, spreadMs: number): void {
    const { limiter, secrets, settings, ownDelay } = this;
    const known = this.loops.get(target.key);
    if (known) {
      const stays = known.phase.spreadMs === spreadMs;
      known.configure(target, settings, stays ? known.phase : phaseIn(target, spreadMs));
      return;
    }
    const { now, random, onResult, onSkipped, wantsClusters } = this.options;
    const phase = phaseIn(target, spreadMs);
    const shared = { limiter, secrets, ownDelay, now, random, onResult, onSkipped, wantsClusters };
    const loop = new ScrapeLoop({ target, settings, phase, ...shared });
    this.loops.set(target.key, loop);
    loop.start();
  }

  async stop(): Promise<void> {
    const loops = [...this.loops.values()];
    this.loops.clear();
    this.ownDelay.stop();
    await Promise.all(loops.map((loop) => loop.stop()));
  }
}

function phaseIn(target: Target, spreadMs: number): Phase {
  return { ms: phaseOf(target.key, spreadMs), spreadMs };
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
