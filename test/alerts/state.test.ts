import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Evaluation,
  ended,
  isSteady,
  newAlert,
  shownState,
  step,
  type Timing,
} from '../../server/alerts/state.ts';
import type { AlertState } from '../../server/model/alert.ts';

const TIMING: Timing = { forMs: 120_000, keepFiringForMs: 300_000, windowMs: 300_000 };
const THRESHOLD = 500;
const CLEAR_AT = 400;

const at = (value: number): Evaluation => ({
  data: 'ok',
  value,
  threshold: THRESHOLD,
  isMet: value > THRESHOLD,
  isCleared: value <= CLEAR_AT,
  requests: 1000,
});
const few: Evaluation = { data: 'too_little_data', requests: 3 };
const none: Evaluation = { data: 'no_data' };

/** One evaluation a minute: `x` above, `o` below, `-` between clear_at and the threshold, `?` too few, `.` none. */
const MARKS: Readonly<Record<string, Evaluation>> = { x: at(600), o: at(100), '-': at(450), '?': few, '.': none };

/** The phase after each evaluation, by its first letter. */
function life(marks: string, timing: Timing = TIMING): string {
  let alert = newAlert(0);
  return [...marks]
    .map((mark, minute) => {
      alert = step(alert, MARKS[mark] ?? none, timing, minute * 60_000);
      return alert.phase[0];
    })
    .join('');
}

test.each<[string, string, string]>([
  ['nothing is wrong', 'ooooo', 'iiiii'],
  ['fires once the condition held for long enough', 'oxxxx', 'ippff'],
  ['starts over when it does not hold once', 'xxoxxx', 'ppippf'],
  ['goes on firing for a while', 'xxxooooooo', 'ppffffffrr'],
  ['is kept by a relapse', 'xxxoooxoooooo', 'ppffffffffffr'],
  ['is kept while not far enough from the threshold', 'xxx----------oooooo', `pp${'f'.repeat(16)}r`],
  ['fires anew after it ended', 'xxxooooooxxx', 'ppffffffrppf'],
  ['too few requests never fire', '??????????', 'iiiiiiiiii'],
  ['a gap does not stop the clock', 'x.xx', 'ppff'],
  ['nor does it fire by itself', 'x.....', 'pppppp'],
  ['a gap as long as the window forgets what was pending', 'x......x', 'ppppppip'],
  ['nothing known never ends an alert', 'xxx....................', `ppf${'f'.repeat(20)}`],
  ['too little traffic never ends an alert', 'xxx?????????????o', `ppf${'f'.repeat(14)}`],
])('%s: %s', (_, marks, phases) => {
  expect(life(marks)).toBe(phases);
});

test.each<[string, Partial<Timing>, string, string]>([
  ['without for it fires at once', { forMs: 0 }, 'ox', 'if'],
  ['without keep_firing_for it ends at once', { keepFiringForMs: 0 }, 'xxxo', 'ppfr'],
])('%s', (_, timing, marks, phases) => {
  expect(life(marks, { ...TIMING, ...timing })).toBe(phases);
});

describe('what is remembered', () => {
  const alertAfter = (marks: string): AlertState =>
    [...marks].reduce((alert, mark, minute) => step(alert, MARKS[mark] ?? none, TIMING, minute * 60_000), newAlert(0));

  test('the last value that was known, and since when nothing is', () => {
    expect(alertAfter('xxx..')).toMatchObject({
      phase: 'firing',
      since: 120_000,
      activeSince: 0,
      value: 600,
      threshold: THRESHOLD,
      requests: 1000,
      data: 'no_data',
      dataSince: 180_000,
    });
  });

  test.each([
    ['o', 'inactive'],
    ['?', 'too_little_data'],
    ['.', 'no_data'],
    ['x?', 'pending'],
    ['xxx?', 'firing'],
    ['xxxoooooo', 'resolved'],
  ])('%s is shown as %s', (marks, shown) => {
    expect(shownState(alertAfter(marks))).toBe(shown);
  });

  test.each([
    ['xxx.', 'resolved'],
    ['x.', 'inactive'],
    ['o', 'inactive'],
  ])('when the service of %s is gone, its alert is %s', (marks, phase) => {
    expect(ended(alertAfter(marks), 900_000).phase).toBe(phase);
  });
});

test('whatever happens: only a condition that holds fires, only one that is cleared ends, phases follow one another', () => {
  const evaluation = fc.constantFrom(...Object.values(MARKS));
  const timing = fc.record({
    forMs: fc.integer({ min: 0, max: 300_000 }),
    keepFiringForMs: fc.integer({ min: 0, max: 300_000 }),
    windowMs: fc.integer({ min: 1, max: 300_000 }),
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(evaluation, fc.integer({ min: 1, max: 100_000 })), { maxLength: 60 }),
      timing,
      (steps, rule) => {
        let alert = newAlert(0);
        let now = 0;
        for (const [seen, passed] of steps) {
          now += passed;
          const next = step(alert, seen, rule, now);
          if (isSteady(alert, seen)) {
            const { value, threshold, requests } = next;
            expect(next).toEqual({ ...alert, value, threshold, requests });
          }
          const change = `${alert.phase} ${next.phase}`;
          if (next.phase !== alert.phase) expect(next.since).toBe(now);
          if (next.phase === 'firing' && alert.phase !== 'firing') {
            expect(seen.data === 'ok' && seen.isMet).toBe(true);
            expect(now - (next.activeSince ?? Number.NaN)).toBeGreaterThanOrEqual(rule.forMs);
          }
          if (change === 'firing resolved') expect(seen.data === 'ok' && seen.isCleared).toBe(true);
          expect([
            'firing pending',
            'firing inactive',
            'pending resolved',
            'inactive resolved',
            'resolved inactive',
          ]).not.toContain(change);
          expect(JSON.parse(JSON.stringify(next))).toEqual(next);
          alert = next;
        }
      },
    ),
  );
});
