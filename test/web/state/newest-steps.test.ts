import { describe, expect, test } from 'vitest';
import type { Point, QueryAnswer } from '../../../server/api/contract.ts';
import { joinSteps, newestSteps } from '../../../web/state/newest-steps.ts';
import { fc, test as property } from './property.ts';

const STEP = 10;

/** Series by service: values of the steps from `from` on. */
function answer(from: number, series: Readonly<Record<string, readonly (number | null)[]>>): QueryAnswer {
  const steps = Math.max(0, ...Object.values(series).map(({ length }) => length));
  return {
    signal: 'request_rate',
    step: STEP,
    from,
    to: from + steps * STEP,
    measuredTo: from + (steps - 1) * STEP,
    offsetMs: 0,
    tiers: ['raw'],
    series: Object.entries(series).map(([service, values]) => ({
      labels: { service },
      points: values.map((value, index): Point => [from + index * STEP, value]),
    })),
    other: [],
  };
}

test.each([
  [
    'a minute of an hour',
    { window: '1h', windowMs: 3_600_000, until: null },
    60_000,
    { window: '240s', windowMs: 240_000 },
  ],
  ['nothing of a time that is over', { window: '1h', windowMs: 3_600_000, until: 7 }, 60_000, null],
  ['nothing of few steps', { window: '5m', windowMs: 300_000, until: null }, 60_000, null],
])('asks for the newest steps: %s', (_, span, stepMs, expected) =>
  expect(newestSteps(span, stepMs)).toEqual(expected && { ...expected, until: null }),
);

describe('known and newest steps', () => {
  const known = answer(100, { a: [1, 2, 3, 4, 5, 6], b: [null, 7, 7, 7, 7, null] });

  test('join, and what is too old goes', () =>
    expect(joinSteps(known, answer(130, { a: [4, 5, 6.5, 7], b: [7, 7, 8, 9] }))).toEqual(
      answer(110, { a: [2, 3, 4, 5, 6.5, 7], b: [7, 7, 7, 7, 8, 9] }),
    ));

  test('join where the same was added up in another order', () =>
    expect(joinSteps(answer(100, { a: [1, 0.1 + 0.2, 3] }), answer(110, { a: [0.3, 3, 4] }))?.to).toBe(140));

  test('join in any order, with new series', () =>
    expect(joinSteps(known, answer(130, { c: [null, null, 1, 2], b: [7, 7, 8, 9], a: [4, 5, 6, 7] }))?.series).toEqual([
      ...answer(130, { c: [null, null, 1, 2] }).series,
      ...answer(110, { b: [7, 7, 7, 7, 8, 9], a: [2, 3, 4, 5, 6, 7] }).series,
    ]));

  test('a series of which nothing is new stays as long as it reaches into the time', () => {
    const ended = answer(100, { a: [1, 2, 3, null, null, null], b: [1, 1, 1, 1, 1, 1] });
    const next = joinSteps(ended, answer(130, { b: [1, 1, 1, 1] }));
    expect(next?.series[1]).toEqual({
      labels: { service: 'a' },
      points: [
        [110, 2],
        [120, 3],
      ],
    });
    const later = next && joinSteps(next, answer(140, { b: [1, 1, 1, 1] }));
    const gone = later && joinSteps(later, answer(150, { b: [1, 1, 1, 1] }));
    expect(gone?.series.map(({ labels }) => labels.service)).toEqual(['b']);
  });

  test.each([
    ['steps are missing between', answer(160, { a: [1, 2, 3, 4], b: [1, 2, 3, 4] })],
    ['the last known step was not over', answer(150, { a: [6, 2, 3, 4], b: [null, 2, 3, 4] })],
    ['they are older', answer(90, { a: [1, 1, 2, 3] })],
    ['the past has changed', answer(130, { a: [4.5, 5, 6, 7], b: [7, 7, 8, 9] })],
    ['a gap was filled later', answer(130, { a: [4, 5, 6, 7], b: [7, 7, 8, 9], c: [3, 3, 3, 3] })],
    ['a series is missing in the past', answer(130, { a: [4, 5, 6, 7] })],
    ['steps are of another length', { ...answer(130, { a: [4, 5, 6, 7], b: [7, 7, 8, 9] }), step: 2 * STEP }],
  ])('do not join where %s', (_, newest) => expect(joinSteps(known, newest)).toBeNull());
});

const value = fc.option(fc.integer({ min: 0, max: 9 }), { nil: null });
property(
  'what joins is what all of it would have been',
  [fc.array(value, { minLength: 20, maxLength: 20 }), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 3, max: 6 })],
  (values, passed, newest) => {
    const whole = (end: number) =>
      answer(100 + (end - 12) * STEP, { a: values.slice(end - 12, end), b: Array(12).fill(1) });
    const end = 12 + passed;
    const tail = answer(100 + (end - newest) * STEP, { a: values.slice(end - newest, end), b: Array(newest).fill(1) });
    expect(joinSteps(whole(12), tail)).toEqual(newest >= passed + 2 ? whole(end) : null);
  },
);
