/**
 * The life of an alert: what one evaluation after the other makes of it. Pure: time comes with the evaluation.
 *
 * `for` and `keep_firing_for` work as in Prometheus
 * (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/). Other than there, an evaluation that
 * can't be worked out neither fires nor resolves anything.
 */

import type { AlertData, AlertPhase, AlertState } from '../model/alert.ts';

/** What a rule's condition is for one set of labels at one moment. */
export type Evaluation =
  | {
      readonly data: 'ok';
      readonly value: number;
      readonly threshold: number;
      /** Whether the condition holds, and whether it is far enough from holding for a firing alert to end. */
      readonly isMet: boolean;
      readonly isCleared: boolean;
      readonly requests: number;
      /** Of an objective: how many times faster its budget burns than would just not fire. */
      readonly excess?: number;
    }
  | { readonly data: 'too_little_data'; readonly requests: number }
  | { readonly data: 'no_data' };

/** What of a rule its alerts' lives depend on; milliseconds. */
export interface Timing {
  readonly forMs: number;
  readonly keepFiringForMs: number;
  /** A pending alert survives this long without data. */
  readonly windowMs: number;
}

export function newAlert(now: number): AlertState {
  return {
    phase: 'inactive',
    since: now,
    activeSince: null,
    clearedSince: null,
    data: 'no_data',
    dataSince: now,
    value: null,
    threshold: null,
    requests: null,
  };
}

/** The alert after an evaluation at `now`. */
export function step(before: AlertState, evaluation: Evaluation, timing: Timing, now: number): AlertState {
  const seen = withData(before, evaluation, now);
  if (evaluation.data !== 'ok') return unknown(seen, timing, now);
  const measured = {
    ...seen,
    value: evaluation.value,
    threshold: evaluation.threshold,
    requests: evaluation.requests,
  };
  return evaluation.isMet ? met(measured, timing, now) : unmet(measured, evaluation.isCleared, timing, now);
}

/** Whether a step leaves everything as it is but for the figures of what was measured. */
export function isSteady({ phase, data, clearedSince }: AlertState, evaluation: Evaluation): boolean {
  if (data !== evaluation.data) return false;
  if (evaluation.data !== 'ok') return phase !== 'pending';
  if (evaluation.isMet) return phase === 'firing' && clearedSince === null;
  return phase === 'inactive' || phase === 'resolved';
}

function withData(before: AlertState, { data }: Evaluation, now: number): AlertState {
  return before.data === data ? before : { ...before, data, dataSince: now };
}

/** A gap is no event: only an alert that is not firing yet is forgotten, when the gap outlasts the window. */
function unknown(alert: AlertState, { windowMs }: Timing, now: number): AlertState {
  const isForgotten = alert.phase === 'pending' && now - alert.dataSince >= windowMs;
  return isForgotten ? { ...alert, phase: 'inactive', since: now, activeSince: null } : alert;
}

function met(alert: AlertState, { forMs }: Timing, now: number): AlertState {
  if (alert.phase === 'firing') return alert.clearedSince === null ? alert : { ...alert, clearedSince: null };
  const activeSince = alert.phase === 'pending' ? (alert.activeSince ?? now) : now;
  const phase = now - activeSince >= forMs ? 'firing' : 'pending';
  if (phase === alert.phase && activeSince === alert.activeSince && alert.clearedSince === null) return alert;
  return { ...alert, phase, activeSince, clearedSince: null, since: phase === alert.phase ? alert.since : now };
}

function unmet(alert: AlertState, isCleared: boolean, { keepFiringForMs }: Timing, now: number): AlertState {
  if (alert.phase === 'pending') return { ...alert, phase: 'inactive', since: now, activeSince: null };
  if (alert.phase !== 'firing') return alert;
  if (!isCleared) return alert.clearedSince === null ? alert : { ...alert, clearedSince: null };
  const clearedSince = alert.clearedSince ?? now;
  if (now - clearedSince < keepFiringForMs) return { ...alert, clearedSince };
  return { ...alert, phase: 'resolved', since: now, activeSince: null, clearedSince: null };
}

/** The alert of a service that is gone for good: nothing can be measured of it any more. */
export function ended(alert: AlertState, now: number): AlertState {
  if (alert.phase !== 'firing' && alert.phase !== 'pending') return alert;
  const phase = alert.phase === 'firing' ? 'resolved' : 'inactive';
  return { ...alert, phase, since: now, activeSince: null, clearedSince: null };
}

/** What users are told: why there is no answer comes before that nothing is wrong. */
export function shownState({ phase, data }: AlertState): AlertPhase | Exclude<AlertData, 'ok'> {
  return phase === 'inactive' && data !== 'ok' ? data : phase;
}
