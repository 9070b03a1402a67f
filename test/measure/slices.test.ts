import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Slices } from '../../server/measure/slices.ts';

/** Slices of work that takes a millisecond a piece, while all else takes so long in each turn of the event loop. */
async function slicesBeside(othersMs: number): Promise<number[]> {
  let ms = 0;
  let isDone = false;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => ms);
  onTestFinished(() => clock.mockRestore());
  const others = async () => {
    while (!isDone) {
      ms += othersMs;
      await nextTurn();
    }
  };
  const busy = others();
  const slices = new Slices();
  const lengths: number[] = [];
  for (let length = 1; lengths.length < 10; length++) {
    ms++;
    if (!slices.isUp) continue;
    lengths.push(length);
    length = 0;
    await slices.pause();
  }
  isDone = true;
  await busy;
  return lengths;
}

test.each([
  ['nothing', 0, 5],
  ['little', 10, 5],
  ['much', 30, 10],
  ['too much', 500, 15],
])('beside %s else to do, slices take their share', async (_, othersMs, longest) => {
  expect(new Set((await slicesBeside(othersMs)).slice(1))).toEqual(new Set([longest]));
});
