/** Rules tried on the past, as the fake API tells it. */

import type { RulesTestAnswer, TriedFiring, TriedRule, TriedSeries } from '../../../server/api/contract.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function series(
  service: string,
  firings: readonly (readonly [from: number, to: number | null])[],
  now: number,
): TriedSeries {
  const told = firings.map(
    ([from, to]): TriedFiring => ({
      from: now - from,
      to: to === null ? null : now - to,
      value: 812,
      threshold: 500,
      requests: 1204,
      valueText: '812 ms',
      thresholdText: '500 ms',
    }),
  );
  return {
    labels: { service, namespace: 'shop' },
    firings: told,
    firingMs: told.reduce((sum, { from, to }) => sum + (to ?? now) - from, 0),
    evaluations: { total: 3960, tooLittleData: 12, noData: 0 },
  };
}

function rule(differences: Partial<TriedRule>): TriedRule {
  return {
    name: 'SlowService',
    condition: 'latency_p99 above 500 ms over 5m for 2m',
    notTried: '',
    notes: [],
    alerts: 0,
    firingMs: 0,
    evaluations: { total: 3960, tooLittleData: 430, noData: 0 },
    series: [],
    seriesTotal: 0,
    suggestion: null,
    ...differences,
  };
}

export function fakeRulesTest(now: number): RulesTestAnswer {
  const all = [
    series(
      'checkout',
      [
        [6.2 * DAY, 6 * DAY],
        [3 * DAY, 2.8 * DAY],
        [40 * MINUTE, null],
      ],
      now,
    ),
    series('payments', [[1.5 * DAY, 1.5 * DAY - 42 * MINUTE]], now),
  ];
  return {
    from: now - 7 * DAY,
    to: now,
    window: '7d',
    maxAlerts: 5,
    parts: [
      { tier: '10m', from: now - 7 * DAY, to: now - 2 * DAY, stepMs: 10 * MINUTE, slotMs: 10 * MINUTE },
      { tier: '1m', from: now - 2 * DAY, to: now - 2 * HOUR, stepMs: MINUTE, slotMs: MINUTE },
      { tier: 'raw', from: now - 2 * HOUR, to: now, stepMs: 15_000, slotMs: 15_000 },
    ],
    rules: [
      rule({
        alerts: 4,
        firingMs: all.reduce((sum, { firingMs }) => sum + firingMs, 0),
        notes: ['in steps of 10m, 5m is taken as 10m'],
        series: all,
        seriesTotal: 34,
        suggestion: { text: 'above: 430ms', value: 430, alerts: 5 },
      }),
      rule({ name: 'FailingService', condition: 'error_rate above 1 % over 5m for 2m' }),
      rule({
        name: 'SidecarDown',
        condition: 'a sidecar can not be scraped for 2m',
        notTried: 'whether scrapes failed is not kept',
      }),
    ],
  };
}
