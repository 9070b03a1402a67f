/** What each rule's condition is for each set of labels, by what was read. */

import { RE2JS } from 're2js';
import type { AlertRule } from '../config/alerts-config.ts';
import type { LiveTarget } from '../live/live.ts';
import type { ServiceDirectory } from '../live/services.ts';
import { type Labels, labelsKey } from '../model/labels.ts';
import type { Rule } from './builtin-rules.ts';
import { BURN_WINDOWS, type Budgeted, budgetLeft, judgeBurn } from './burn-rate.ts';
import { judge, type Measured } from './judge.ts';
import type { Reading, Readings, Row, Rows } from './readings.ts';
import type { Evaluation } from './state.ts';

/** One set of labels of a rule. */
export interface Outcome {
  /** `labelsKey` of the labels. */
  readonly key: string;
  readonly labels: Labels;
  readonly evaluation: Evaluation;
  /** Share of an objective's error budget that is left; null where it is not known or there is none. */
  readonly budgetLeft: number | null;
}

export interface Seen {
  readonly readings: Readings;
  readonly targets: readonly LiveTarget[];
  readonly directory: ServiceDirectory;
}

const NO_PEER: readonly Rule['condition']['kind'][] = ['sidecar_down'];

/** Everything that a rule has to know; `budget`: also what is left of an objective's budget. */
export function readingsOf({ condition, by, direction, windowMs }: Rule, budget = true): Reading[] {
  const about = { by, direction, windowMs, offsetMs: 0 };
  switch (condition.kind) {
    case 'threshold':
      return [{ ...about, of: { signal: condition.signal } }];
    case 'comparison': {
      const now = { ...about, of: { signal: condition.signal } };
      return [now, { ...now, offsetMs: condition.againstMs }];
    }
    case 'slo': {
      const burning = BURN_WINDOWS.flatMap(({ longMs, shortMs }) => [longMs, shortMs]);
      const windows = budget ? [...burning, condition.periodMs] : burning;
      return windows.map((window) => ({ ...about, windowMs: window, of: { good: condition.good } }));
    }
    case 'silent': {
      const now = { ...about, of: { signal: 'requests' as const } };
      return [now, { ...now, offsetMs: windowMs, windowMs: condition.beforeMs }];
    }
    case 'sidecar_down':
      return [];
  }
}

/** A rule with its patterns ready. */
export class RuleEvaluation {
  readonly rule: Rule;
  private readonly patterns: readonly (readonly [label: string, pattern: RE2JS])[];
  readonly wanted: readonly Reading[];

  constructor(rule: Rule, { budget = true }: { budget?: boolean } = {}) {
    this.rule = rule;
    this.patterns = Object.entries(rule.match).map(([label, pattern]) => [label, RE2JS.compile(pattern)]);
    this.wanted = readingsOf(rule, budget);
  }

  /** Undefined where the rule could not be worked out: nothing is known then, not even that there is no data. */
  outcomes(seen: Seen): Outcome[] | undefined {
    const rows: Rows[] = [];
    for (const reading of this.wanted) {
      const read = seen.readings.rows(reading);
      if (!read) return undefined;
      rows.push(read);
    }
    const outcomes = outcomesOf(this.rule, rows, seen);
    if (NO_PEER.includes(this.rule.condition.kind)) return outcomes;
    if (this.patterns.length === 0) return outcomes;
    return outcomes.filter(({ labels }) => this.matches(labels));
  }

  private matches(labels: Labels): boolean {
    return this.patterns.every(([label, pattern]) => pattern.matches(labels[label] ?? ''));
  }
}

function outcomesOf(rule: Rule, rows: readonly Rows[], seen: Seen): Outcome[] {
  const { condition } = rule;
  if (condition.kind === 'sidecar_down') return seen.targets.map(sidecar);
  const [now = new Map<string, Row>(), earlier] = rows;
  if (condition.kind === 'silent') return silent(seen, now, earlier);
  if (condition.kind === 'slo') return objective(condition, rule.minRequests, rows);
  const outcomes: Outcome[] = [];
  const measured: { now: Measured | null; earlier: Measured | null } = { now: null, earlier: null };
  now.forEach(({ labels, value }, key) => {
    measured.now = asMeasured(value);
    if (earlier) measured.earlier = asMeasured(earlier.get(key)?.value);
    outcomes.push({ key, labels, evaluation: judge(condition, measured, rule.minRequests), budgetLeft: null });
  });
  return outcomes;
}

function asMeasured(value: Row['value'] | undefined): Measured | null {
  return value && 'value' in value ? value : null;
}

function asBudgeted(value: Row['value'] | undefined): Budgeted | null {
  return value && 'bad' in value ? value : null;
}

type Objective = Extract<AlertRule['condition'], { kind: 'slo' }>;

function objective({ objective: share, good }: Objective, minRequests: number, rows: readonly Rows[]): Outcome[] {
  const all = new Map(rows.flatMap((read) => [...read].map(([key, { labels }]) => [key, labels] as const)));
  return [...all].map(([key, labels]) => {
    const at = (index: number) => asBudgeted(rows[index]?.get(key)?.value);
    const pairs = BURN_WINDOWS.map((windows, index) => ({ windows, long: at(2 * index), short: at(2 * index + 1) }));
    const goal = { share, good };
    return {
      key,
      labels,
      evaluation: judgeBurn(pairs, goal, minRequests),
      budgetLeft: budgetLeft(at(2 * BURN_WINDOWS.length), goal),
    };
  });
}

/** A target that has not been scraped yet is neither up nor down. */
function sidecar({ target, identity, health }: LiveTarget): Outcome {
  const labels = {
    ...(identity?.service ? { service: identity.service } : {}),
    ...(identity?.namespace ? { namespace: identity.namespace } : {}),
    instance: identity?.instance || target.key,
  };
  const isMet = health === 'down';
  const evaluation: Evaluation =
    health === 'unknown'
      ? { data: 'no_data' }
      : { data: 'ok', value: isMet ? 1 : 0, threshold: 0, isMet, isCleared: !isMet, requests: 0 };
  return { key: labelsKey(labels), labels, evaluation, budgetLeft: null };
}

/** Only of services that still have targets: what was taken away is not missed. */
function silent({ directory }: Seen, now: Rows, before: Rows | undefined): Outcome[] {
  return directory.all().map(({ service, namespace }) => {
    const labels = { service, ...(namespace === '' ? {} : { namespace }) };
    const key = labelsKey(labels);
    const isMeasured = asMeasured(now.get(key)?.value) !== null;
    const had = asMeasured(before?.get(key)?.value)?.requests ?? 0;
    const known = { data: 'ok', value: 0, threshold: 0, requests: had } as const;
    const evaluation: Evaluation =
      isMeasured || had > 0 ? { ...known, isMet: !isMeasured, isCleared: isMeasured } : { data: 'no_data' };
    return { key, labels, evaluation, budgetLeft: null };
  });
}
