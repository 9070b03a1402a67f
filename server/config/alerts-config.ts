import { resolve } from 'node:path';
import { SIGNAL_UNITS, type SignalName } from '../model/signals.ts';
import type { AlertLabel } from './alerts-schema.ts';
import type { WrittenConfig } from './schema.ts';

/** When a rule's condition holds. Values are in the signal's unit: milliseconds, shares from 0 to 1, per second. */
export type AlertCondition =
  | {
      readonly kind: 'threshold';
      readonly signal: SignalName;
      readonly side: 'above' | 'below';
      readonly value: number;
      /** A firing alert ends at this or on its other side. */
      readonly clearAt: number;
    }
  | {
      readonly kind: 'comparison';
      readonly signal: SignalName;
      readonly againstMs: number;
      /** Above 1: fires above so many times the value of then; below 1: below it. */
      readonly factor: number;
      /** Above 1: fires only above this too. */
      readonly floor?: number;
    }
  | {
      readonly kind: 'slo';
      /** From 0 to 1, exclusive. */
      readonly objective: number;
      readonly good: 'success' | { readonly belowMs: number };
      readonly periodMs: number;
    };

export interface AlertRule {
  readonly name: string;
  readonly condition: AlertCondition;
  readonly by: readonly AlertLabel[];
  readonly direction: 'inbound' | 'outbound';
  /** RE2 patterns, anchored, by label. */
  readonly match: Readonly<Partial<Record<AlertLabel, string>>>;
  readonly windowMs: number;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly minRequests: number;
  readonly severity: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface AlertmanagerConfig {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface WebhookConfig extends AlertmanagerConfig {
  readonly secretFile?: string;
}

export interface AlertsConfig {
  /** Whether the built-in rules are on. */
  readonly defaults: boolean;
  readonly intervalMs: number;
  readonly rules: readonly AlertRule[];
  readonly alertmanagers: readonly AlertmanagerConfig[];
  readonly webhooks: readonly WebhookConfig[];
}

type WrittenAlerts = WrittenConfig['alerts'];
type WrittenRule = WrittenAlerts['rules'][number];

/** Fewer requests than this make a share or a percentile a matter of luck. */
const FEW_REQUESTS = 20;

/** @param folder what relative paths of files start from. */
export function alertsConfigOf(
  { defaults, interval, rules, alertmanagers, webhooks }: WrittenAlerts,
  folder: string,
): AlertsConfig {
  return {
    defaults: defaults ?? rules.length === 0,
    intervalMs: interval,
    rules: rules.map(ruleOf),
    alertmanagers,
    webhooks: webhooks.map(({ secret_file: secretFile, ...hook }) => ({
      ...hook,
      ...(secretFile ? { secretFile: resolve(folder, secretFile) } : {}),
    })),
  };
}

function ruleOf(written: WrittenRule): AlertRule {
  const condition = conditionOf(written);
  const { name, by, direction, match, severity, labels, annotations } = written;
  return {
    name,
    condition,
    by,
    direction,
    match,
    windowMs: written.window,
    forMs: written.for,
    keepFiringForMs: written.keep_firing_for,
    minRequests: written.min_requests ?? defaultMinimum(condition),
    severity,
    labels,
    annotations,
  };
}

/** The rules of `alertProblems` have been checked: there is exactly one kind of condition. */
function conditionOf({
  slo,
  signal,
  above,
  below,
  clear_at: clearAt,
  against,
  factor,
  floor,
}: WrittenRule): AlertCondition {
  if (slo) return { kind: 'slo', objective: slo.objective, good: slo.good, periodMs: slo.period };
  if (!signal) throw new Error('a rule without a condition');
  if (against !== undefined && factor !== undefined)
    return { kind: 'comparison', signal, againstMs: against, factor, ...(floor ? { floor: floor.value } : {}) };
  const value = above?.value ?? below?.value ?? 0;
  return { kind: 'threshold', signal, side: above ? 'above' : 'below', value, clearAt: clearAt?.value ?? value };
}

function defaultMinimum(condition: AlertCondition): number {
  if (condition.kind === 'slo') return FEW_REQUESTS;
  const unit = SIGNAL_UNITS[condition.signal];
  return unit === 'share' || unit === 'duration' ? FEW_REQUESTS : 0;
}
