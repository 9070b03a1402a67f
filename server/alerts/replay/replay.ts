/** Tries alert rules on the past: the same evaluations as those of the running collector, with a clock of their own. */

import type { LiveTarget } from '../../live/live.ts';
import { ServiceDirectory } from '../../live/services.ts';
import { Slices } from '../../measure/slices.ts';
import type { NewAlertEvent } from '../../model/alert.ts';
import type { Labels } from '../../model/labels.ts';
import type { QueryLimits, Store, TierStatus } from '../../store/store.ts';
import { QueryStoppedError } from '../../store/store.ts';
import type { Rule } from '../builtin-rules.ts';
import { Readings } from '../readings.ts';
import { type Part, partsOf } from './parts.ts';
import { describeTrial, type RuleResult } from './result.ts';
import { RuleTrial } from './rule-trial.ts';
import { SlidingStore } from './sliding-store.ts';
import { suggest } from './suggestion.ts';

export interface ReplayOptions {
  readonly store: Pick<Store, 'sums'>;
  readonly tiers: readonly TierStatus[];
  /** Targets as they are known: who measures which service. */
  readonly targets: readonly LiveTarget[];
  /** Whether something with these labels existed then. */
  readonly exists: (labels: Labels, at: number) => boolean;
  readonly rules: readonly Rule[];
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
  /** How often rules are evaluated. */
  readonly intervalMs: number;
  /** A threshold with at most so many alerts of each rule is looked for. */
  readonly maxAlerts: number;
  readonly limits: QueryLimits;
  /** How much is done, from 0 to 1. */
  readonly onProgress?: (done: number) => void;
  /** Every change of an alert's phase. */
  readonly onEvent?: (event: NewAlertEvent) => void;
}

export interface ReplayResult {
  readonly from: number;
  readonly to: number;
  readonly parts: readonly Part[];
  readonly rules: readonly RuleResult[];
}

/** @throws QueryStoppedError, QueryTooLargeError, StoreError */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { from, to, tiers, intervalMs, rules, exists, onEvent } = options;
  const start = from - leadOf(rules);
  const parts = partsOf({ from: start, to, tiers, intervalMs });
  const first = parts.find((part) => part.to > from)?.from ?? from;
  const begin = Math.max(from, first);
  const trials = rules.map((rule) => new RuleTrial(rule, { from: begin, exists, onEvent }));
  const times = await new Walk(options, trials).through(parts);
  const skipped = times.filter((at) => at <= begin).length;
  const results: RuleResult[] = [];
  for (const trial of trials) {
    const { rule, scores } = trial;
    const isStopped = () => stopped(options.limits);
    const suggestion = await suggest({ rule, scores, times, from: begin, exists, isStopped }, options.maxAlerts);
    checkLimits(options.limits);
    results.push(describeTrial(trial, { parts, times, skipped, from: begin, to, suggestion }));
  }
  const told = parts.filter((part) => part.to > begin).map((part) => ({ ...part, from: Math.max(begin, part.from) }));
  return { from: begin, to, parts: told, rules: results };
}

/** So long before the beginning an alert can have fired that fires then. */
function leadOf(rules: readonly Rule[]): number {
  return Math.max(0, ...rules.map(({ forMs, keepFiringForMs }) => forMs + keepFiringForMs));
}

class Walk {
  private readonly options: ReplayOptions;
  private readonly trials: readonly RuleTrial[];
  private readonly times: number[] = [];
  private parts: readonly Part[] = [];
  private readonly directory: ServiceDirectory;
  private readonly slices = new Slices();
  private now = 0;

  constructor(options: ReplayOptions, trials: readonly RuleTrial[]) {
    this.directory = new ServiceDirectory(options.targets);
    this.options = options;
    this.trials = trials;
  }

  /** Gives the times of all evaluations. */
  async through(parts: readonly Part[]): Promise<number[]> {
    const { store, limits, onProgress } = this.options;
    this.parts = parts;
    const sliding = new SlidingStore(store, { moment: () => this.now, limits });
    const steps = parts.reduce((sum, { from, to, stepMs }) => sum + (to - from) / stepMs, 0);
    for (const part of parts) {
      sliding.forget();
      const readings = new Readings(part.slotMs);
      for (let at = part.from + part.stepMs; at <= part.to; at += part.stepMs) {
        this.now = at;
        await this.evaluate(part, sliding, readings);
        onProgress?.(this.times.length / steps);
      }
    }
    return this.times;
  }

  private async evaluate(part: Part, sliding: SlidingStore, readings: Readings): Promise<void> {
    const { targets, limits } = this.options;
    const { directory } = this;
    const asked = this.trials.filter((trial) => trial.isTried(part, this.now, this.parts));
    sliding.begin();
    const wanted = asked.flatMap(({ evaluation }) => evaluation.wanted);
    await readings.refresh({ store: sliding, directory }, wanted, this.now);
    if (sliding.failure !== undefined) throw sliding.failure;
    checkLimits(limits);
    const index = this.times.length;
    this.times.push(this.now);
    for (const trial of asked) {
      await this.slices.pause();
      trial.evaluate({ readings, targets, directory }, this.now, index);
    }
  }
}

const isCancelled = ({ cancelled }: QueryLimits): boolean => Atomics.load(cancelled, 0) === 1;

function stopped(limits: QueryLimits): boolean {
  return isCancelled(limits) || Date.now() > limits.deadline;
}

function checkLimits(limits: QueryLimits): void {
  if (isCancelled(limits)) throw new QueryStoppedError('trying rules on the past was cancelled');
  if (stopped(limits))
    throw new QueryStoppedError(
      'trying rules on the past took too long: ask for a shorter window, or for fewer series',
    );
}
