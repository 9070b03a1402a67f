import { formatDuration } from '../../model/duration.ts';
import type { Labels } from '../../model/labels.ts';
import type { Rule } from '../builtin-rules.ts';
import { conditionInWords, valueInWords } from '../wording.ts';
import type { Part } from './parts.ts';
import type { Evaluations, RuleTrial, TriedFiring, TriedSeries } from './rule-trial.ts';
import type { Suggestion } from './suggestion.ts';

export interface SeriesResult {
  readonly labels: Labels;
  readonly firings: readonly FiringResult[];
  /** How long it would have fired within the time. */
  readonly firingMs: number;
  readonly evaluations: Evaluations;
}

export interface FiringResult extends TriedFiring {
  readonly valueText: string;
  readonly thresholdText: string;
}

/** What became of one rule on the past. */
export interface RuleResult {
  readonly name: string;
  /** When its alerts fire, in words. */
  readonly condition: string;
  /** Why it could not be tried at all; empty when it could. */
  readonly notTried: string;
  /** What of the time it was tried otherwise than it runs, in words. */
  readonly notes: readonly string[];
  /** How often it would have fired, and how long in sum. */
  readonly alerts: number;
  readonly firingMs: number;
  readonly evaluations: Evaluations;
  /** Those that would have fired longest, then those that were without enough data most often. */
  readonly series: readonly SeriesResult[];
  readonly seriesTotal: number;
  readonly suggestion: Suggestion | null;
}

const MOST_SERIES = 200;

interface Time {
  readonly parts: readonly Part[];
  /** Times of the evaluations. */
  readonly times: readonly number[];
  /** How many of them only lead up to the time. */
  readonly skipped: number;
  readonly from: number;
  readonly to: number;
  readonly suggestion: Suggestion | null;
}

export function describeTrial(trial: RuleTrial, time: Time): RuleResult {
  const { rule } = trial;
  const series = [...trial.series.values()].map((one) => describeSeries(one, rule, time));
  const sum = (of: (one: SeriesResult) => number) => series.reduce((total, one) => total + of(one), 0);
  return {
    name: rule.name,
    condition: conditionInWords(rule),
    notTried: trial.notTried,
    notes: time.parts.filter(({ to }) => to > time.from).flatMap((part) => notesOf(trial, part)),
    alerts: trial.fired,
    firingMs: sum(({ firingMs }) => firingMs),
    evaluations: {
      total: sum(({ evaluations }) => evaluations.total),
      tooLittleData: sum(({ evaluations }) => evaluations.tooLittleData),
      noData: sum(({ evaluations }) => evaluations.noData),
    },
    series: series.sort(byInterest).slice(0, MOST_SERIES),
    seriesTotal: series.length,
    suggestion: time.suggestion,
  };
}

function byInterest(a: SeriesResult, b: SeriesResult): number {
  const unknown = ({ evaluations: { total, tooLittleData, noData } }: SeriesResult) =>
    total > 0 ? (tooLittleData + noData) / total : 0;
  return b.firingMs - a.firingMs || unknown(b) - unknown(a);
}

/** Evaluations that told nothing of a series that was known are without data too. */
function describeSeries({ labels, firings, evaluations, first }: TriedSeries, rule: Rule, time: Time): SeriesResult {
  const unseen = Math.max(0, time.times.length - Math.max(first, time.skipped) - evaluations.total);
  const { total, tooLittleData, noData } = evaluations;
  const within = ({ from, to }: TriedFiring) => (to ?? time.to) - Math.max(from, time.from);
  return {
    labels,
    firings: firings.map((firing) => ({
      ...firing,
      valueText: valueInWords(rule, firing.value),
      thresholdText: valueInWords(rule, firing.threshold),
    })),
    firingMs: firings.reduce((length, firing) => length + within(firing), 0),
    evaluations: { total: total + unseen, tooLittleData, noData: noData + unseen },
  };
}

function notesOf(trial: RuleTrial, part: Part): string[] {
  const steps = `in steps of ${formatDuration(part.slotMs)}`;
  const reason = trial.reasonAgainst(part);
  if (trial.notTried !== '') return [];
  if (reason !== '') return [`not tried ${steps}, where ${reason}`];
  const windows = new Set(trial.evaluation.wanted.map(({ windowMs }) => windowMs));
  return [...windows].flatMap((windowMs) => {
    const whole = Math.ceil(windowMs / part.slotMs) * part.slotMs;
    return whole === windowMs ? [] : [`${steps}, ${formatDuration(windowMs)} is taken as ${formatDuration(whole)}`];
  });
}
