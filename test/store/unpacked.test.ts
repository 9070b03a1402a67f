import { expect, test } from 'vitest';
import { BlockWriter } from '../../server/store/blocks.ts';
import { packSlots } from '../../server/store/packed.ts';
import { Unpacked } from '../../server/store/sqlite/unpacked.ts';

const FROM = 1_790_000_000_000;
const STEP = 10_000;
const BLOCK = new BlockWriter().encode({
  fromMs: FROM,
  stepMs: STEP,
  slots: 4,
  series: [{ id: 9, numbers: new Map([[2, Float64Array.of(5, 0, 7, 9)]]), bins: new Map() }],
});

/** Position, entries, counter, its slots. */
const head = (slots: number) => [0, 1, 2, slots];

test.each([
  { from: FROM - 1, told: [...head(3), 0, 5, 2, 7, 3, 9] },
  { from: FROM + STEP - 1, told: [...head(3), 0, 5, 2, 7, 3, 9] },
  { from: FROM + STEP, told: [...head(2), 2, 7, 3, 9] },
  { from: FROM + 3 * STEP + 1, told: [...head(1), 3, 9] },
  { from: FROM + 9 * STEP, told: head(0) },
])('of a block the slots are unpacked that end after $from', ({ from, told }) => {
  expect([...packSlots(BLOCK, true, from).numbers]).toEqual(told);
});

test('a block is unpacked again only for slots that were left out', () => {
  const unpacked = new Unpacked(100_000);
  const times: number[] = [];
  for (const step of [2, 3, 2, 1, 3, 0, -5, 1]) {
    const from = FROM + step * STEP;
    unpacked.slots(1, { bins: false, from }, () => {
      times.push(step);
      return packSlots(BLOCK, false, from);
    });
  }
  expect(times).toEqual([2, 1, 0]);
});
