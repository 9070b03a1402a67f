/** The time around an alert, and what is drawn of it. Pure. */

import type { AlertFiringItem, AlertItem, RuleItem } from '../../../server/api/contract.ts';
import type { Span } from '../../api.ts';
import type { ChartUnit } from '../../charts/axis-label.ts';

/** An alert as it is, or one time that it fired. */
export type Alarm = Pick<
  AlertItem,
  'name' | 'labels' | 'firedAt' | 'value' | 'threshold' | 'valueText' | 'thresholdText'
> & {
  /** Since when it is pending; the same as `firedAt` for what fired. */
  readonly since: number;
  readonly endedAt: number | null;
};

export function alarmOfAlert(alert: AlertItem): Alarm {
  return { ...alert, endedAt: alert.state === 'resolved' ? alert.since : null };
}

export function alarmOfFiring(firing: AlertFiringItem): Alarm {
  return { ...firing, since: firing.firedAt, endedAt: firing.resolvedAt };
}

/** Identity of an alarm in an address. */
export function alarmKey({ name, labels, firedAt }: Alarm): string {
  return JSON.stringify([name, firedAt, ...Object.entries(labels).toSorted().flat()]);
}

const BEFORE_MS = 30 * 60_000;
const AFTER_MS = 10 * 60_000;
const MOST_AFTER_MS = 2 * 3_600_000;
const WHOLE_MS = 60_000;

/** From a while before it began to a while after it ended; of one that lasts, to now. In whole minutes. */
export function momentOf({ since, firedAt, endedAt }: Alarm, windowMs: number, now: number): Span {
  const began = firedAt ?? since;
  const from = began - Math.max(BEFORE_MS, 2 * windowMs);
  const to = Math.min(now, (endedAt ?? now) + AFTER_MS, began + MOST_AFTER_MS);
  const until = Math.ceil(to / WHOLE_MS) * WHOLE_MS;
  return { window: '', windowMs: until - Math.floor(from / WHOLE_MS) * WHOLE_MS, until };
}

const UNITS: readonly (readonly [signal: RegExp, unit: ChartUnit])[] = [
  [/^latency_/, 'latency'],
  [/^success_rate$/, 'success'],
  [/^error_rate$/, 'share'],
  [/^request_rate$/, 'rate'],
  [/^bytes_/, 'bytes'],
];

export function unitOf(signal: string): ChartUnit {
  return UNITS.find(([pattern]) => pattern.test(signal))?.[1] ?? 'count';
}

/** What a rule without a signal of its own is told by: what spends an objective's budget, or nothing. */
export function signalOf({ signal, objective }: Pick<RuleItem, 'signal' | 'objective'>): string | null {
  if (signal !== null || !objective) return signal;
  return objective.goodBelowMs === null ? 'error_rate' : 'latency_p99';
}

/** The line to draw, in the unit of what {@link signalOf} draws. */
export function limitOf(
  { threshold, thresholdText }: Pick<Alarm, 'threshold' | 'thresholdText'>,
  objective: RuleItem['objective'],
): { value: number; label: string } | null {
  const bound = objective?.goodBelowMs;
  if (bound) return { value: bound, label: 'good below this' };
  if (threshold === null) return null;
  return { value: objective ? threshold * (1 - objective.share) : threshold, label: thresholdText };
}

const FILTERS = ['service', 'namespace', 'region', 'zone', 'instance'];

/** Filters and groups of a query for one alarm: what can not be filtered by is asked for apart, to be picked. */
export function queryOf({ labels }: Pick<Alarm, 'labels'>, { by }: Pick<RuleItem, 'by'>) {
  const told = Object.entries(labels).filter(([name]) => by.includes(name));
  return {
    filters: Object.fromEntries(told.filter(([name]) => FILTERS.includes(name))),
    apart: told.filter(([name]) => !FILTERS.includes(name)).map(([name]) => name),
  };
}
