import type { Labels } from '../../model/labels.ts';
import type { Rule } from '../builtin-rules.ts';
import type { Evaluation } from '../state.ts';

/** Scores of one set of labels, one for each evaluation from `first` on. */
export interface ScoredSeries {
  readonly labels: Labels;
  /** Number of the first evaluation that told of it. */
  readonly first: number;
  scores: Float64Array;
  length: number;
  /** The highest that is known. */
  highest: number;
}

/** Nothing was measured, or too little. All else is the higher the nearer the condition is to being met. */
export const NO_DATA = Number.NaN;
export const TOO_LITTLE = Number.NEGATIVE_INFINITY;
/** Measured, and not met whatever the threshold. */
export const NEVER = -Number.MAX_VALUE;

/** Most scores that are held of one rule: 64 MiB. */
const MOST = 8_000_000;

/** How near each evaluation of a rule was to firing, so that other thresholds can be tried on it. */
export class Scores {
  readonly series = new Map<string, ScoredSeries>();
  private readonly rule: Rule;
  private total = 0;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** Whether there were too many to hold: none are told then. */
  get isFull(): boolean {
    return this.total > MOST;
  }

  add(key: string, labels: Labels, evaluation: Evaluation, at: number): void {
    if (this.isFull) return;
    let series = this.series.get(key);
    if (!series) {
      series = { labels, first: at, scores: new Float64Array(64), length: 0, highest: NEVER };
      this.series.set(key, series);
    }
    const index = at - series.first;
    this.total += index + 1 - series.length;
    if (this.isFull) {
      this.series.clear();
      return;
    }
    reserve(series, index + 1);
    const score = scoreOf(this.rule, evaluation);
    series.scores[index] = score;
    if (score > series.highest) series.highest = score;
  }
}

function reserve(series: ScoredSeries, length: number): void {
  if (length > series.scores.length) {
    const grown = new Float64Array(Math.max(length, 2 * series.scores.length));
    grown.set(series.scores.subarray(0, series.length));
    series.scores = grown;
  }
  series.scores.fill(NO_DATA, series.length, length);
  series.length = length;
}

/** Compared with a threshold as {@link thresholdScore} gives it: the condition is met above it. */
function scoreOf({ condition }: Rule, evaluation: Evaluation): number {
  if (evaluation.data === 'no_data') return NO_DATA;
  if (evaluation.data === 'too_little_data') return TOO_LITTLE;
  const { value, threshold, excess } = evaluation;
  switch (condition.kind) {
    case 'threshold':
      return condition.side === 'above' ? value : -value;
    case 'comparison': {
      if (value <= (condition.floor ?? Number.NEGATIVE_INFINITY)) return NEVER;
      const then = threshold / condition.factor;
      if (then === 0) return value > 0 && condition.factor > 1 ? Number.MAX_VALUE : NEVER;
      return condition.factor > 1 ? value / then : -value / then;
    }
    case 'slo':
      return excess ?? NEVER;
    default:
      return NEVER;
  }
}
