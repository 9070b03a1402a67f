/** Alerts and rules: /api/v1/alerts, /api/v1/alerts/history and /api/v1/rules. */

import type { AnswerRange } from './figures.ts';

/** Whether the last evaluation could be worked out. */
export type AlertData = 'ok' | 'too_little_data' | 'no_data';

export interface AlertItem {
  name: string;
  state: 'pending' | 'firing' | 'resolved';
  severity: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Since when it is in this state. */
  since: number;
  /** When it fired last; null while it never has. */
  firedAt: number | null;
  /** Whether the last evaluation could be worked out, and since when that is so. */
  data: AlertData;
  dataSince: number;
  /** Of the last evaluation that could be, in the unit of the rule's signal, and in words. */
  value: number | null;
  threshold: number | null;
  valueText: string;
  thresholdText: string;
  requests: number | null;
}

export interface AlertsAnswer {
  at: number;
  /** Firing ones first, then pending ones, then those that ended within the last hour; the newest first. */
  alerts: AlertItem[];
}

export interface RuleItem {
  name: string;
  builtin: boolean;
  /** When its alerts fire, in words. */
  condition: string;
  /** Null for rules that watch no signal. */
  signal: string | null;
  by: string[];
  match: Record<string, string>;
  direction: 'inbound' | 'outbound';
  windowMs: number;
  forMs: number;
  keepFiringForMs: number;
  minRequests: number;
  severity: string;
  /** How many sets of labels are in which state. */
  alerts: Record<AlertItem['state'] | 'inactive' | Exclude<AlertData, 'ok'>, number>;
  /** When it was evaluated last; null before the first time. */
  lastEvaluation: number | null;
  /** Why the last evaluation could not be worked out; empty when it could. */
  error: string;
  /** The share of requests that has to be good: to succeed, or to take less than so many milliseconds. */
  objective: { share: number; goodBelowMs: number | null } | null;
  /** Of an objective: the share of the error budget that is left, below 0 when it is overspent. */
  budgets: { labels: Record<string, string>; left: number | null }[];
}

export interface RulesAnswer {
  at: number;
  intervalMs: number;
  /** How long the last evaluation of all rules took; null before the first. */
  durationMs: number | null;
  rules: RuleItem[];
}

/** An alert became pending, fired or ended. */
export interface AlertEventItem {
  id: number;
  at: number;
  name: string;
  state: AlertItem['state'];
  severity: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  firedAt: number | null;
  value: number | null;
  threshold: number | null;
  requests: number | null;
}

/** One time that an alert fired. */
export interface AlertFiringItem {
  name: string;
  severity: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  firedAt: number;
  /** Null while it fires. */
  resolvedAt: number | null;
  /** As they were when it fired, in the unit of the rule's signal, and in words. */
  value: number | null;
  threshold: number | null;
  valueText: string;
  thresholdText: string;
  requests: number | null;
}

export interface AlertHistoryAnswer extends AnswerRange {
  /** The newest first. */
  events: AlertEventItem[];
  /** Times that alerts fired and that reach into the range; those that fired last first. */
  firings: AlertFiringItem[];
  /** Whether there are more than are told. */
  truncated: boolean;
}
