/** What is marked in a chart, and how it is told. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { AlertFiringItem } from '../../../server/api/contract.ts';
import type { ChartData } from '../../../web/charts/chart-data.ts';
import {
  alertEvents,
  type ChartEvent,
  eventInWords,
  eventsAt,
  eventsWithin,
  isAbout,
  startEvents,
} from '../../../web/charts/chart-events.ts';
import { chartSummary } from '../../../web/charts/chart-summary.ts';
import { chartRecords } from '../../../web/export/records.ts';
import { timeZone } from '../../../web/format/zone.ts';
import { FAKE_MESH } from '../fake-api/fake-services.ts';
import { fakeTargets } from '../fake-api/fake-targets.ts';

const T = Date.UTC(2026, 0, 2, 14);
const SUBJECT = { service: 'shop', namespace: 'prod' };

beforeAll(() => {
  timeZone.value = 'utc';
});

function firing(differences: Partial<AlertFiringItem> = {}): AlertFiringItem {
  return {
    name: 'Slow',
    severity: 'page',
    labels: { service: 'shop', namespace: 'prod' },
    annotations: {},
    firedAt: T,
    resolvedAt: null,
    value: 812,
    threshold: 500,
    valueText: '812 ms',
    thresholdText: '500 ms',
    requests: 100,
    ...differences,
  };
}

test.each<[labels: Record<string, string>, instance: string | undefined, about: boolean]>([
  [{ service: 'shop', namespace: 'prod' }, undefined, true],
  [{ service: 'shop' }, undefined, true],
  [{ service: 'shop', namespace: 'other' }, undefined, false],
  [{ service: 'cart', namespace: 'prod' }, undefined, false],
  [{}, undefined, false],
  [{ service: 'shop', instance: 'shop-1' }, undefined, true],
  [{ service: 'shop', instance: 'shop-1' }, 'shop-1', true],
  [{ service: 'shop', instance: 'shop-1' }, 'shop-2', false],
  [{ service: 'shop' }, 'shop-2', true],
])('an alert of %j is about the instance %s: %j', (labels, instance, about) => {
  expect(isAbout({ labels }, instance === undefined ? SUBJECT : { ...SUBJECT, instance })).toBe(about);
});

test('an alert tells its value, and whether it is over', () => {
  const told = alertEvents([firing(), firing({ resolvedAt: T + 60_000, valueText: '' })], SUBJECT).map(eventInWords);
  expect(told).toEqual([
    '2 Jan 14:00:00 Slow fired (812 ms against 500 ms, still firing)',
    '2 Jan 14:00:00 Slow fired (ended 2 Jan 14:01:00)',
  ]);
});

test('a start that came after another is a restart, and told once', () => {
  const [target] = fakeTargets(FAKE_MESH.slice(0, 1), T).targets;
  if (!target) throw new Error('the fake has no target');
  const instance = target.labels.instance ?? '';
  const told = (startedAt: number | null, restarts: number[], of?: string) =>
    startEvents([{ ...target, startedAt, restarts }], of === undefined ? {} : { instance: of }).map(
      ({ title }) => title,
    );
  expect(told(T, [])).toEqual([`${instance} started`]);
  expect(told(T, [T - 5000, T])).toEqual([`${instance} restarted`, `${instance} restarted`]);
  expect(told(null, [])).toEqual([]);
  expect(told(T, [], 'another')).toEqual([]);
});

const event = (from: number, to: number | null = from): ChartEvent => ({
  kind: to === from ? 'start' : 'alert',
  from,
  to,
  title: `at ${from - T}`,
  words: '',
});

const DATA: ChartData = {
  from: T,
  to: T + 40_000,
  stepMs: 10_000,
  times: [0, 10_000, 20_000, 30_000].map((after) => T + after),
  lines: [{ key: 'p99', label: 'p99', values: [100, null, 300, 200] }],
  requests: [1, null, 1, 1],
  gaps: [{ from: T + 10_000, to: T + 20_000 }],
};

test('events reach into the time that is shown', () => {
  const events = [event(T + 40_000), event(T + 5000), event(T - 5000), event(T - 5000, null), event(T - 9000, T - 1)];
  const within = eventsWithin(events, DATA);
  expect(within.map(({ from }) => from - T)).toEqual([-5000, 5000]);
  const data = { ...DATA, events: within };
  expect(DATA.times.map((_, step) => eventsAt(data, step).length)).toEqual([2, 0, 0, 0]);
});

describe('in words', () => {
  const data = { ...DATA, events: [event(T + 25_000)] };

  test('of the whole', () => {
    expect(chartSummary(data, 'latency').replaceAll('\u00a0', ' ')).toBe(
      'From 2 Jan 14:00:00 to 2 Jan 14:00:40. p99: 200 ms now, lowest 100 ms, highest 300 ms at 14:00:20. ' +
        'Without data: once. 2 Jan 14:00:25 at 25000.',
    );
    expect(
      chartSummary({ ...DATA, lines: [{ key: 'a', label: 'a', values: [null, null, null, null] }] }, 'rate'),
    ).toContain('a: not known.');
    expect(chartSummary({ ...DATA, times: [] }, 'rate')).toBe('Nothing was measured.');
  });

  test('many events: the last ones, and how many more', () => {
    const many = Array.from({ length: 9 }, (_, index) => event(T + index));
    expect(chartSummary({ ...DATA, events: many }, 'latency')).toMatch(/at 4; .*at 8; and 4 earlier\.$/);
  });

  test('saved with the steps they began in', () => {
    expect(chartRecords(data, 'latency').map(({ events }) => events)).toEqual(['', '', '2 Jan 14:00:25 at 25000', '']);
    expect(chartRecords(DATA, 'latency')[0]).not.toHaveProperty('events');
  });
});
