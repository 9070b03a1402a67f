import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overlapMs, spreadCount } from '../../server/model/spread.ts';

const HOUR = 3_600_000;

describe('spreadCount', () => {
  test.each([
    ['the whole interval', 10, [0, 100], [0, 100], 10],
    ['more than the interval', 10, [0, 100], [-50, 500], 10],
    ['a half', 10, [0, 100], [0, 50], 5],
    ['the other half', 10, [0, 100], [50, 100], 5],
    ['nothing before', 10, [100, 200], [0, 100], 0],
    ['nothing after', 10, [100, 200], [200, 300], 0],
    ['an empty piece', 10, [0, 100], [30, 30], 0],
    ['one event of one instant', 1, [5, 6], [5, 6], 1],
    ['an interval without length counts where it ends', 7, [5, 5], [5, 6], 7],
  ] as const)('%s', (_, count, [from, to], [pieceFrom, pieceTo], expected) => {
    expect(spreadCount(count, { from, to }, pieceFrom, pieceTo)).toBe(expected);
  });

  test('pieces are whole, not negative, and add up, however time is cut', () => {
    const time = fc.integer({ min: -HOUR, max: 48 * HOUR });
    const count = fc.oneof(fc.nat(20), fc.maxSafeNat());
    fc.assert(
      fc.property(
        count,
        fc.integer({ min: 1, max: 24 * HOUR }),
        fc.array(time, { maxLength: 30 }),
        (events, length, cuts) => {
          const over = { from: 0, to: length };
          const edges = [-HOUR, ...cuts, 49 * HOUR].sort((a, b) => a - b);
          const pieces = edges.slice(1).map((to, index) => spreadCount(events, over, edges[index] ?? 0, to));
          expect(pieces.reduce((sum, piece) => sum + piece, 0)).toBe(events);
          for (const piece of pieces) {
            expect(Number.isSafeInteger(piece)).toBe(true);
            expect(piece).toBeGreaterThanOrEqual(0);
          }
        },
      ),
    );
  });

  test('is even: a piece is within one event of its share of the time', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(1000), fc.nat(1000), (count, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const share = (count * (to - from)) / 1000;
        expect(Math.abs(spreadCount(count, { from: 0, to: 1000 }, from, to) - share)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

test.each([
  [[0, 10], [5, 20], 5],
  [[0, 10], [10, 20], 0],
  [[0, 10], [20, 30], 0],
  [[0, 10], [2, 4], 2],
  [[2, 4], [0, 10], 2],
] as const)('%j and %j share %d ms', ([aFrom, aTo], [bFrom, bTo], expected) => {
  expect(overlapMs({ from: aFrom, to: aTo }, { from: bFrom, to: bTo })).toBe(expected);
});
