import { describe, expect, test } from 'vitest';
import { axisLabel, valueLabel } from '../../../web/charts/axis-label.ts';
import { axisTimes } from '../../../web/charts/axis-times.ts';
import { trendData } from '../../../web/charts/chart-data.ts';
import { spreadLabels } from '../../../web/charts/end-labels.ts';
import { sparklineShape } from '../../../web/charts/sparkline-shape.ts';
import { trendInWords } from '../../../web/figures/trend-words.ts';

const spaced = (words: string) => words.replaceAll('\u00a0', ' ');

function trend(values: (number | null)[]) {
  const points = values.map((value, index): [number, number | null] => [index * 10, value]);
  return trendData(points, points, { from: 0, measuredTo: values.length * 10, step: 10 }, 0);
}

describe('sparklineShape, 40 by 10', () => {
  const size = { width: 40, height: 10 };
  test.each([
    ['rising', [0, 1, 2, 4], 'M5 9L15 7L25 5L35 1', 0, []],
    ['zero runs along the floor', [0, 0, 0, 0], 'M5 9L15 9L25 9L35 9', 0, []],
    ['a gap breaks the line', [4, 4, null, 4], 'M5 1L15 1', 1, [{ x: 20, width: 10 }]],
    ['nothing', [null, null, null, null], '', 0, [{ x: 0, width: 40 }]],
  ])('%s', (_, values, line, dots, gaps) => {
    const shape = sparklineShape(trend(values), size);
    expect([shape.line, shape.dots.length, shape.gaps]).toEqual([line, dots, gaps]);
  });
});

test('a trend in words', () => {
  expect(spaced(trendInWords('rate', trend([10, null, 20, 15]), '1 hour'))).toBe(
    'Request rate over the last 1 hour: 10.0 /s to 20.0 /s, lately 15.0 /s, 1 gap',
  );
  expect(trendInWords('p99', trend([null]), '1 hour')).toBe('p99: nothing measured in the last 1 hour');
  expect(trendInWords('p99', null, '1 hour')).toBe('p99: nothing measured in the last 1 hour');
});

describe('axisTimes', () => {
  const at = (hours: number, minutes = 0) => new Date(2026, 10, 21, hours, minutes).getTime();
  test.each([
    [at(12, 3), at(12, 8), 6, 60_000, 6],
    [at(11, 25), at(12, 25), 7, 600_000, 6],
    [at(11, 25), at(12, 25), 2, 1_800_000, 2],
    [at(0), at(24), 5, 6 * 3_600_000, 5],
  ])('%d to %d, at most %d', (from, to, most, stepMs, marks) => {
    const axis = axisTimes(from, to, most);
    expect([axis.stepMs, axis.times.length]).toEqual([stepMs, marks]);
    expect(axis.times.every((time) => time >= from && time <= to)).toBe(true);
  });

  test('days are midnights by the calendar', () => {
    const { times } = axisTimes(at(-24 * 40), at(0), 6);
    expect(times.every((time) => new Date(time).getHours() === 0)).toBe(true);
  });
});

describe('spreadLabels', () => {
  const room = { top: 10, bottom: 100, lineHeight: 14 };
  const wanted = (...ys: number[]) => ys.map((y, index) => ({ key: String(index), label: '', y }));
  test.each([
    ['apart already', wanted(20, 50), [20, 50]],
    ['pushed down', wanted(20, 22), [20, 34]],
    ['kept within the bottom', wanted(99, 100), [86, 100]],
    ['kept within the top', wanted(-5), [10]],
    ['in their order', wanted(60, 58), [58, 72]],
  ])('%s', (_, labels, expected) => expect(spreadLabels(labels, room).map(({ y }) => y)).toEqual(expected));
});

test('labels of values', () => {
  expect([0, 500, 1500, 0.25].map((value) => spaced(axisLabel(value, 'rate')))).toEqual([
    '0',
    '500 /s',
    '1.5 k/s',
    '0.25 /s',
  ]);
  expect([0, 20, 1500].map((value) => spaced(axisLabel(value, 'latency')))).toEqual(['0', '20 ms', '1.5 s']);
  expect(spaced(valueLabel(20, 'latency'))).toBe('20.0 ms');
});
