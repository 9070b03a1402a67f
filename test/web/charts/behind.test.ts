/** What lies behind a chart's lines, and what is marked in it. */

import { describe, expect, test } from 'vitest';
import type { QueryAnswer } from '../../../server/api/contract.ts';
import { axisLabel, successFloor, valueLabel } from '../../../web/charts/axis-label.ts';
import { ghostAt, ghostOf } from '../../../web/charts/ghost.ts';
import { heatBands, heatOf, heatStrength, isLowerBound, samplesIn } from '../../../web/charts/heat.ts';
import { selectedRange } from '../../../web/charts/selection.ts';

const answer: QueryAnswer = {
  signal: 'request_rate',
  step: 60_000,
  from: 0,
  to: 240_000,
  measuredTo: 180_000,
  offsetMs: 3_600_000,
  tiers: ['1m'],
  series: [
    {
      labels: { code_class: '2xx' },
      points: [[0, 4] as const, [60_000, null] as const, [120_000, 6] as const].map(([at, value]) => [at, value]),
    },
    { labels: { code_class: '5xx' }, points: [[0, 1]] },
  ],
  other: [],
};

describe('a ghost', () => {
  test('adds up what it was, and leaves out what was not measured', () => {
    const ghost = ghostOf(answer, '1 hour ago', 3_600_000);
    expect(ghost).toEqual({ label: '1 hour ago', stepMs: 60_000, times: [0, 60_000, 120_000], values: [5, null, 6] });
    expect(ghost && [0, 59_999, 60_000, 130_000, -1, 999_999].map((at) => ghostAt(ghost, at))).toEqual([
      5,
      5,
      null,
      6,
      null,
      null,
    ]);
  });

  test('an answer from another time, or none, is no ghost', () => {
    expect(ghostOf(answer, '1 day ago', 86_400_000)).toBeNull();
    expect(ghostOf(null, '1 day ago', 86_400_000)).toBeNull();
  });
});

describe('the spread of latencies', () => {
  const heat = heatOf({
    step: 1000,
    from: 0,
    to: 2000,
    offsetMs: 0,
    tiers: ['raw'],
    times: [0, 1000],
    boundsMs: [
      [0, 1],
      [1, 2],
      [2, 40],
      [40, null],
    ],
    counts: [[1, 2, 3, 4], null],
    timeouts: [0, null],
  });

  test('in bands of whole rows loses no sample, and a step that was not measured has none', () => {
    if (!heat) throw new Error('there are samples');
    const bands = heatBands(heat, 2);
    expect(bands.map(({ label }) => label.replaceAll('\u00a0', ' '))).toEqual(['0 to 2.00 ms', 'from 2.00 ms']);
    expect(bands.map((band) => samplesIn(heat, band, 0))).toEqual([3, 7]);
    expect(bands.map((band) => samplesIn(heat, band, 1000))).toEqual([null, null]);
  });

  test.each([
    [0, 'p50', false],
    [0, 'p95', true],
    [5, 'p99', false],
    [0, 'success', false],
  ])('with the answers of %d ms and one timeout of eleven, %s is a lower bound: %j', (time, percentile, expected) => {
    const timedOut = { stepMs: 1000, times: [0], bounds: [], counts: [[4, 6]], timeouts: [1], most: 6 };
    expect(isLowerBound(timedOut, percentile, time)).toBe(expected);
    expect(isLowerBound({ ...timedOut, timeouts: [0] }, percentile, time)).toBe(false);
    expect(isLowerBound(null, percentile, time)).toBe(false);
  });

  test('without a sample there is nothing to draw', () => {
    const nothing = { step: 1000, from: 0, to: 1000, offsetMs: 0, tiers: [], times: [0], boundsMs: [], timeouts: [0] };
    expect(heatOf({ ...nothing, counts: [[]] })).toBeNull();
    expect(heatOf({ ...nothing, counts: [null] })).toBeNull();
  });

  test.each([
    [0, 100, 0],
    [1, 100, 0.1],
    [100, 100, 1],
    [0, 0, 0],
  ])('%d of %d is drawn %d strong', (count, most, strength) => expect(heatStrength(count, most)).toBe(strength));
});

test.each([
  [61_000, 119_000, { from: 60_000, to: 180_000 }],
  [119_000, 61_000, { from: 60_000, to: 180_000 }],
  [61_000, 299_000, { from: 60_000, to: 300_000 }],
  [60_000, 60_000, { from: 60_000, to: 180_000 }],
])('marking from %d to %d looks at whole minutes', (start, end, range) =>
  expect(selectedRange(start, end, 60_000)).toEqual(range),
);

test.each([
  [[1, 0.9999, null], 0.999],
  [[0.971, 0.98], 0.95],
  [[0.89, 0.98], 0.8],
  [[0.7], 0.6],
  [[0.2], 0],
  [[0], 0],
  [[1], 0.999],
  [[], 0.999],
])('the axis of successes %j begins at %d', (values, floor) => expect(successFloor(values)).toBe(floor));

test.each([
  [0.9995, '99.95 %'],
  [1, '100 %'],
  [0.5, '50 %'],
])('%d stands beside the axis as %s', (value, label) =>
  expect(axisLabel(value, 'success').replaceAll('\u00a0', ' ')).toBe(label),
);

test('a number of connections has no unit, and no parts', () => {
  expect(valueLabel(1234, 'count')).toBe('1,234');
  expect(axisLabel(2, 'count')).toBe('2');
  expect(axisLabel(0.5, 'count')).toBe('');
});
