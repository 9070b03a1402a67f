import { effect, signal } from '@preact/signals';
import { beforeEach, expect, test } from 'vitest';
import { createTogether, PATIENCE_MS, type Together } from '../../../web/state/together.ts';

let together: Together;
let timers: { ms: number; callback: () => void }[];
let shown: string[];
const show = (name: string) => together.show(() => shown.push(name));

beforeEach(() => {
  timers = [];
  shown = [];
  together = createTogether((ms, callback) => timers.push({ ms, callback }));
});

test('answers of one refresh are shown when the last of them has come', () => {
  const [first, second] = [together.started(), together.started()];
  show('first');
  first();
  expect(shown).toEqual([]);
  show('second');
  second();
  expect(shown).toEqual(['first', 'second']);
});

test('they are shown in one go', () => {
  const [a, b] = [signal(0), signal(0)];
  const seen: number[] = [];
  effect(() => {
    seen.push(a.value + b.value);
  });
  const ended = together.started();
  together.show(() => {
    a.value = 1;
  });
  together.show(() => {
    b.value = 1;
  });
  ended();
  expect(seen).toEqual([0, 2]);
});

test('none waits longer than a moment for a slow one', () => {
  const slow = together.started();
  show('quick');
  expect(timers.map(({ ms }) => ms)).toEqual([PATIENCE_MS]);
  timers[0]?.callback();
  expect(shown).toEqual(['quick']);
  show('slow');
  slow();
  expect(shown).toEqual(['quick', 'slow']);
  for (const { callback } of timers) callback();
  expect(shown).toEqual(['quick', 'slow']);
});
