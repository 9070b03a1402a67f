/** Which threshold would have given fewer alerts: other thresholds are tried on what a replay has found. */

import { Slices } from '../../measure/slices.ts';
import type { Labels } from '../../model/labels.ts';
import type { Rule } from '../builtin-rules.ts';
import { RuleAlerts } from '../rule-alerts.ts';
import { type Evaluation, ended, newAlert, step } from '../state.ts';
import { type Candidate, candidateAt } from './candidate.ts';
import { NO_DATA, type ScoredSeries, type Scores, TOO_LITTLE } from './scores.ts';

export interface Suggestion {
  /** Keys of the rule and what to write there: `above: 530ms`. */
  readonly text: string;
  /** The threshold, factor or objective itself, in the unit of the signal. */
  readonly value: number;
  /** How often it would have fired. */
  readonly alerts: number;
}

export interface Trial {
  readonly rule: Rule;
  readonly scores: Scores;
  /** Times of the evaluations, Unix milliseconds; alerts that ended before `from` do not count. */
  readonly times: readonly number[];
  readonly from: number;
  readonly exists: (labels: Labels, at: number) => boolean;
  readonly isStopped: () => boolean;
}

/** A threshold at which one service fires for more than this share of the time is none. */
const MOST_FIRING = 0.5;
const TRIES = 24;
const CLOSE = 0.005;

/** The most sensitive threshold with at most so many alerts; null where none can be told. */
export async function suggest(trial: Trial, most: number): Promise<Suggestion | null> {
  const bounds = await boundsOf(trial.scores);
  if (!bounds) return null;
  let [low, high] = bounds;
  for (let tries = 0; tries < TRIES && high - low > CLOSE * Math.abs(high); tries++) {
    if (trial.isStopped()) return null;
    const middle = (low + high) / 2;
    if ((await alertsAt(trial, middle, middle)) > most) low = middle;
    else high = middle;
  }
  return written(trial, high, most);
}

/** As it is written in the configuration, rounded so that it does not give more. */
async function written(trial: Trial, score: number, most: number): Promise<Suggestion | null> {
  let at = score;
  for (let tries = 0; tries < 3; tries++) {
    const candidate: Candidate | undefined = candidateAt(trial.rule, at);
    if (!candidate) return null;
    const alerts = await alertsAt(trial, candidate.score, candidate.clearScore);
    if (alerts <= most) return { text: candidate.text, value: candidate.value, alerts };
    at = candidate.score + Math.abs(candidate.score) / 50;
  }
  return null;
}

async function boundsOf({ series }: Scores): Promise<[low: number, high: number] | undefined> {
  const slices = new Slices();
  let [low, high] = [Number.MAX_VALUE, -Number.MAX_VALUE];
  for (const { scores, length } of series.values()) {
    await slices.pause();
    for (let i = 0; i < length; i++) {
      const score = scores[i] ?? NO_DATA;
      if (!(Math.abs(score) < Number.MAX_VALUE)) continue;
      low = Math.min(low, score);
      high = Math.max(high, score);
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** How often a rule with another threshold would have fired; infinite where it would hardly ever have ended. */
export async function alertsAt(trial: Trial, score: number, clearScore: number): Promise<number> {
  const slices = new Slices();
  let alerts = 0;
  for (const series of trial.scores.series.values()) {
    if (series.highest <= score) continue;
    await slices.pause();
    const { fired, firing } = livesOf(series, trial, { score, clearScore });
    if (firing > MOST_FIRING * series.length) return Number.POSITIVE_INFINITY;
    alerts += fired;
  }
  return alerts;
}

/** How often one alert would have fired, and in how many evaluations. */
function livesOf(
  series: ScoredSeries,
  { rule, times, from, exists }: Trial,
  { score, clearScore }: { score: number; clearScore: number },
): { fired: number; firing: number } {
  const { forMs, keepFiringForMs, windowMs } = rule;
  const timing = { forMs, keepFiringForMs, windowMs };
  let state = newAlert(times[series.first] ?? 0);
  let [fired, firing] = [0, 0];
  for (let i = 0; i < series.length; i++) {
    const now = times[series.first + i] ?? 0;
    const before = state.phase;
    state = step(state, evaluationOf(series.scores[i] ?? NO_DATA, score, clearScore), timing, now);
    const isGone = state.data === 'no_data' && RuleAlerts.isGone(rule, state, now) && !exists(series.labels, now);
    if (isGone) state = ended(state, now);
    if (state.phase !== 'firing' && before !== 'firing') continue;
    if (now <= from) {
      // Those that fire when the time begins count once.
      fired = state.phase === 'firing' ? 1 : 0;
    } else if (before !== 'firing') fired++;
    if (state.phase === 'firing') firing++;
  }
  return { fired, firing };
}

const UNKNOWN: Evaluation = { data: 'no_data' };
const THIN: Evaluation = { data: 'too_little_data', requests: 0 };

function evaluationOf(score: number, above: number, clearScore: number): Evaluation {
  if (Number.isNaN(score)) return UNKNOWN;
  if (score === TOO_LITTLE) return THIN;
  const isMet = score > above;
  return { data: 'ok', value: 0, threshold: 0, requests: 0, isMet, isCleared: !isMet && score <= clearScore };
}
