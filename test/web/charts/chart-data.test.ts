import { describe, expect, test } from 'vitest';
import type { Point, QueryAnswer } from '../../../server/api/contract.ts';
import {
  codeClassData,
  dueSteps,
  findGaps,
  isLone,
  lineData,
  missing,
  shownStep,
  stepAt,
  stepsOf,
  trendData,
} from '../../../web/charts/chart-data.ts';

/** Nothing left out, nothing shifted. */
const ALL: Pick<QueryAnswer, 'offsetMs' | 'tiers' | 'other'> = { offsetMs: 0, tiers: ['raw'], other: [] };

function points(values: (number | null)[]): Point[] {
  return values.map((value, index) => [100 + index * 10, value]);
}

function answer(series: Record<string, (number | null)[]>, label = 'code_class'): QueryAnswer {
  const length = Math.max(0, ...Object.values(series).map(({ length }) => length));
  const rows = Object.entries(series).map(([name, values]) => ({ labels: { [label]: name }, points: points(values) }));
  return {
    signal: '',
    step: 10,
    from: 100,
    to: 110 + length * 10,
    measuredTo: 100 + length * 10,
    ...ALL,
    series: rows,
  };
}

describe('stepsOf: of the newest step only a part was measured', () => {
  test.each([
    [100, 120, [100, 110]],
    [95, 120, [100, 110]],
    [100, 129, [100, 110]],
    [100, 109, []],
  ])('%d to %d', (from, measuredTo, expected) => expect(stepsOf({ from, measuredTo, step: 10 })).toEqual(expected));
});

describe('findGaps joins neighbouring steps', () => {
  const [first, rest] = [
    { from: 0, to: 10 },
    { from: 20, to: 40 },
  ];
  test.each([
    [[1, 0], []],
    [
      [null, 1, null, null],
      [first, rest],
    ],
    [[null, null], [{ from: 0, to: 20 }]],
  ])('%j', (requests, gaps) => {
    const times = requests.map((_, index) => index * 10);
    expect(findGaps(times, 10, requests)).toEqual(gaps);
  });
});

describe('dueSteps: the newest steps may be late, but not for long', () => {
  test.each([
    [[true, true, true], 20, 3],
    [[true, true, false], 20, 2],
    [[true, false, false], 20, 1],
    [[true, false, false, false], 20, 4],
    [[false, false], 1000, 2],
  ])('%j with %d ms of grace', (known, grace, due) => expect(dueSteps(known, 10, grace)).toBe(due));
});

describe('codeClassData', () => {
  test('a class without a point had no request, where any class was measured', () => {
    const data = codeClassData(answer({ '5xx': [null, 2, null, null], '2xx': [10, 11, null, 12] }), 0);
    expect(data.lines.map(({ key, values }) => [key, values])).toEqual([
      ['2xx', [10, 11, null, 12]],
      ['5xx', [0, 2, null, 0]],
    ]);
    expect(data.gaps).toEqual([{ from: 120, to: 130 }]);
    expect([data.from, data.to]).toEqual([100, 140]);
  });

  test.each([
    ['zero is drawn as zero', { '2xx': [0, 0] }, [0, 0], []],
    ['nothing measured is a gap', { '2xx': [null, null] }, [null, null], [{ from: 100, to: 120 }]],
    [
      'what is no number counts as nothing',
      { '2xx': [Number.NaN, Number.POSITIVE_INFINITY] },
      [null, null],
      [{ from: 100, to: 120 }],
    ],
  ])('%s', (_, series, values, gaps) => {
    const data = codeClassData(answer(series), 0);
    expect(data.lines).toEqual([{ key: '2xx', label: '2xx', values }]);
    expect(data.gaps).toEqual(gaps);
  });

  test('no series at all', () => {
    const data = codeClassData({ signal: '', step: 10, from: 100, to: 130, measuredTo: 120, ...ALL, series: [] }, 0);
    expect(data.gaps).toEqual([{ from: 100, to: 120 }]);
    expect(missing(data, 0)).toBe('no data');
  });
});

describe('lineData', () => {
  const rates = answer({ '2xx': [5, 0, null, 6, 7] });
  const p99 = answer({ '': [30, null, null, null, 40] });
  const line = (given: QueryAnswer) => [{ key: 'p99', label: 'p99', answer: given }];

  test('no request is not the same as no data, nor as no latency', () => {
    const data = lineData(line(p99), rates, 0);
    expect(data?.gaps).toEqual([{ from: 120, to: 130 }]);
    expect(data && [1, 2, 3].map((step) => missing(data, step))).toEqual(['no requests', 'no data', 'not known']);
  });

  test('a latency that is not due yet is left out, a quiet step is not', () => {
    const late = answer({ '': [30, 31, 32, 33, null] });
    expect(lineData(line(late), rates, 10)?.times.length).toBe(4);
    expect(lineData(line(late), answer({ '2xx': [5, 5, 5, 5, 0] }), 10)?.times.length).toBe(5);
  });

  test('covers what all answers cover, and waits for answers of one step', () => {
    expect(lineData(line({ ...p99, measuredTo: 130 }), { ...rates, from: 110 }, 0)?.times).toEqual([110, 120]);
    expect(lineData(line({ ...p99, step: 20 }), rates, 0)).toBeNull();
  });
});

test('a trend knows its gaps from the requests counted', () => {
  const data = trendData(points([30, null, null]), points([1, 0, null]), { from: 100, measuredTo: 130, step: 10 }, 0);
  expect(data.gaps).toEqual([{ from: 120, to: 130 }]);
});

test('the step at a moment, and the one shown without', () => {
  const data = codeClassData(answer({ '2xx': [1, 2, null] }), 10);
  expect([50, 100, 114, 999].map((moment) => stepAt(data, moment))).toEqual([0, 0, 1, 1]);
  expect([shownStep(data, null), shownStep(data, 100)]).toEqual([1, 0]);
  expect(stepAt({ times: [], stepMs: 10 }, 100)).toBe(-1);
});

test('a value between gaps stands alone', () => {
  expect([0, 1, 2, 3, 4].map((index) => isLone([1, null, 2, null, null], index))).toEqual([
    true,
    false,
    true,
    false,
    false,
  ]);
});
