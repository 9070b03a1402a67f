/** Where in an answer a group's numbers are. */

import { COUNTERS } from '../model/flow.ts';
import { type EncodedAnswer, GROUP_FIELDS } from './answer.ts';

/** Cells of groups with more of them are looked at once: there what was worked out is not kept. */
export const MOST_KEPT = 8;

export interface GroupPlace {
  readonly at: number;
  /** Where the column of measured intervals begins. */
  readonly measured: number;
  /** Of all cells; those of a few look for themselves. */
  readonly counters: readonly CounterColumns[] | undefined;
}

/** A counter that is not 0 everywhere, and where its columns begin; negative for one that is. */
interface CounterColumns {
  readonly counter: number;
  readonly counted: number;
  readonly expected: number;
}

export function usedCounters({ numbers }: EncodedAnswer, at: number): CounterColumns[] {
  const used: CounterColumns[] = [];
  for (let counter = 0; counter < COUNTERS.length; counter++) {
    const counted = numbers[at + GROUP_FIELDS.counters + counter] ?? -1;
    const expected = numbers[at + GROUP_FIELDS.expected + counter] ?? -1;
    if (counted >= 0 || expected >= 0) used.push({ counter, counted, expected });
  }
  return used;
}

/** Where a group of an answer is, that begins at `at`. */
export function placeOf(answer: EncodedAnswer, at: number): GroupPlace {
  const measured = answer.numbers[at + GROUP_FIELDS.measured] ?? 0;
  return { at, measured, counters: answer.cells > MOST_KEPT ? usedCounters(answer, at) : undefined };
}

/** Whether anything was measured in a cell. */
export function isMeasured({ numbers }: EncodedAnswer, { measured }: GroupPlace, index: number): boolean {
  return numbers[measured + index] !== numbers[measured + index + 1];
}
