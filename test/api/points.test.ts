import { expect, test } from 'vitest';
import { Points, Times } from '../../server/api/points.ts';
import { piecesOf } from '../../server/api/slices.ts';

const FROM = 1_700_000_000_000;
const rendered = (value: unknown): string => [...piecesOf(value, 0)].join('');

function points(values: readonly number[]): Points {
  return new Points(
    new Times({ from: FROM, to: FROM + values.length * 15_000, step: 15_000 }),
    Float64Array.from(values),
  );
}

test.each<[name: string, values: readonly number[]]>([
  ['none', []],
  ['one', [7]],
  ['whole ones and shares', [0, 1, 2.5, 1 / 3, 1e-7, 123_456_789.123]],
  ['very large and very small ones', [1e21, 1e300, 5e-324]],
  ['a zero with a sign', [-0, 0]],
  ['what is not known', [Number.NaN, 3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['more than are rendered at once', Array.from({ length: 2500 }, (_, index) => index / 7)],
])('points are rendered as JSON renders pairs: %s', (_, values) => {
  const pairs = JSON.stringify(values.map((value, index) => [FROM + index * 15_000, value]));
  expect(rendered(points(values))).toBe(pairs);
  expect(JSON.stringify(points(values))).toBe(pairs);
});

test('among other things, few or many', () => {
  const series = (length: number) => ({
    labels: { service: 'a' },
    points: points(new Array<number>(length).fill(0.5)),
  });
  for (const length of [1, 3000]) {
    const answer = { step: 15_000, series: [series(length), series(length)], other: [] };
    expect(rendered(answer)).toBe(JSON.stringify(answer));
  }
});
