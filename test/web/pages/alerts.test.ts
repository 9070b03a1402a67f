import { expect, test } from 'vitest';
import type { ChartUnit } from '../../../web/charts/axis-label.ts';
import {
  type Alarm,
  alarmKey,
  limitOf,
  momentOf,
  queryOf,
  signalOf,
  unitOf,
} from '../../../web/pages/alerts/alert-moment.ts';

const T = Date.UTC(2026, 0, 2, 14);
const MINUTE = 60_000;

function alarm(differences: Partial<Alarm> = {}): Alarm {
  return {
    name: 'Slow',
    labels: { service: 'shop', namespace: '' },
    since: T,
    firedAt: T,
    endedAt: null,
    value: 812,
    threshold: 500,
    valueText: '812 ms',
    thresholdText: '500 ms',
    ...differences,
  };
}

test.each<[name: string, alarm: Alarm, windowMs: number, now: number, from: number, to: number]>([
  ['that fires', alarm(), 5 * MINUTE, T + 3 * MINUTE + 1, T - 30 * MINUTE, T + 4 * MINUTE],
  ['that ended', alarm({ endedAt: T + 5 * MINUTE }), 5 * MINUTE, T + 600 * MINUTE, T - 30 * MINUTE, T + 15 * MINUTE],
  ['that lasts', alarm(), 5 * MINUTE, T + 600 * MINUTE, T - 30 * MINUTE, T + 120 * MINUTE],
  ['over an hour', alarm(), 60 * MINUTE, T, T - 120 * MINUTE, T],
  ['that is pending', alarm({ firedAt: null }), MINUTE, T + MINUTE, T - 30 * MINUTE, T + MINUTE],
])('the moment of an alert %s', (_, each, windowMs, now, from, to) => {
  const span = momentOf(each, windowMs, now);
  expect([(span.until ?? 0) - span.windowMs - T, (span.until ?? 0) - T]).toEqual([from - T, to - T]);
});

test.each<[signal: string, unit: ChartUnit]>([
  ['latency_p99', 'latency'],
  ['success_rate', 'success'],
  ['error_rate', 'share'],
  ['request_rate', 'rate'],
  ['bytes_rx', 'bytes'],
  ['timeouts', 'count'],
])('%s is drawn as %s', (signal, unit) => expect(unitOf(signal)).toBe(unit));

const SUCCESS = { share: 0.999, goodBelowMs: null };
const FAST = { share: 0.99, goodBelowMs: 300 };

test('a rule without a signal is told by the failures that spend its budget, or not at all', () => {
  expect(signalOf({ signal: 'latency_p50', objective: null })).toBe('latency_p50');
  expect(signalOf({ signal: null, objective: SUCCESS })).toBe('error_rate');
  expect(signalOf({ signal: null, objective: FAST })).toBe('latency_p99');
  expect(signalOf({ signal: null, objective: null })).toBeNull();
});

test('the line of an objective is in the unit of what is drawn: a share of failures, or the bound of what is good', () => {
  const burning = alarm({ threshold: 14.4, thresholdText: '14.4 times the allowed rate' });
  expect(limitOf(alarm(), null)).toEqual({ value: 500, label: '500 ms' });
  expect(limitOf(alarm({ threshold: null }), null)).toBeNull();
  expect(limitOf(burning, SUCCESS)).toEqual({
    value: expect.closeTo(0.0144, 12),
    label: '14.4 times the allowed rate',
  });
  expect(limitOf(burning, FAST)).toEqual({ value: 300, label: 'good below this' });
});

test('labels of the rule are filtered by, or told apart by; labels of the alert alone are neither', () => {
  const labels = { service: 'shop', peer: 'cart', team: 'blue' };
  expect(queryOf({ labels }, { by: ['service', 'peer'] })).toEqual({ filters: { service: 'shop' }, apart: ['peer'] });
});

test('every time that an alert fires has a key of its own', () => {
  const keys = [alarm(), alarm({ firedAt: T + 1 }), alarm({ labels: { service: 'cart' } }), alarm({ name: 'Fast' })];
  expect(new Set(keys.map(alarmKey)).size).toBe(4);
});
