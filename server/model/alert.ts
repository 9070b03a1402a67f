/** Alerts as they are kept and told; how they come about is known where rules are evaluated. */

import type { Labels } from './labels.ts';

export type AlertPhase = 'inactive' | 'pending' | 'firing' | 'resolved';

/** Whether the last evaluation could be worked out. */
export type AlertData = 'ok' | 'too_little_data' | 'no_data';

/** Everything there is to know of an alert's life. Times are Unix milliseconds. */
export interface AlertState {
  readonly phase: AlertPhase;
  /** Since when it is in this phase. */
  readonly since: number;
  /** Since when the condition holds without a break, firing or not; null while it does not. */
  readonly activeSince: number | null;
  /** While firing: since when the condition does not hold any more. */
  readonly clearedSince: number | null;
  /** Whether the last evaluation could be worked out, and since when that is so. */
  readonly data: AlertData;
  readonly dataSince: number;
  /** Of the last evaluation that could be worked out. */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly requests: number | null;
}

/** An alert as it is kept: one of a rule, by its labels. */
export interface KeptAlert {
  readonly rule: string;
  /** Labels that its rule tells alerts apart by. */
  readonly by: readonly string[];
  /** All labels, `alertname` and `severity` too. */
  readonly labels: Labels;
  /** As they were filled in when it last began to fire, or changed while firing. */
  readonly annotations: Labels;
  readonly state: AlertState;
  /** When it fired last, Unix milliseconds; null while it never has. */
  readonly firedAt: number | null;
}

/** A change of an alert's phase, as it is to be kept. */
export interface NewAlertEvent {
  /** Unix milliseconds. */
  readonly at: number;
  readonly rule: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly phase: AlertPhase;
  /** When it fired; null for one that never has. */
  readonly firedAt: number | null;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly requests: number | null;
}

/** One time that an alert fired. */
export interface AlertFiring {
  readonly rule: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Unix milliseconds. */
  readonly firedAt: number;
  /** Null while it fires. */
  readonly endedAt: number | null;
  /** As they were when it fired. */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly requests: number | null;
}

export interface AlertEvent extends NewAlertEvent {
  /** Later events have larger numbers; none is given twice. */
  readonly id: number;
}
