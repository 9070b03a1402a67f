import { beforeEach, expect, test } from 'vitest';
import { createLog } from '../../server/telemetry/log.ts';
import { QuietLog } from '../../server/telemetry/quiet-log.ts';

let lines: string[];
let now: number;
let quiet: QuietLog;

beforeEach(() => {
  lines = [];
  now = 0;
  const output = { write: (line: string) => lines.push(line.replace(/^\S+ WARN {2}/, '').trimEnd()) };
  quiet = new QuietLog({ log: createLog({ level: 'info', format: 'text', output }), quietMs: 1000, now: () => now });
});

const warnAt = (time: number, key: string, message: string) => {
  now = time;
  return quiet.warn(key, message, { target: key });
};

test('a message is held back until its time has passed, then says how often it was', () => {
  expect([0, 1, 999, 1000, 1500, 2000].map((time) => warnAt(time, 'a:1', 'refused'))).toEqual([
    true,
    false,
    false,
    true,
    false,
    true,
  ]);
  expect(lines).toEqual(['refused target=a:1', 'refused target=a:1 heldBack=2', 'refused target=a:1 heldBack=1']);
});

test('keys and messages are told apart, also when they take turns', () => {
  const calls = [
    ['a:1', 'refused'],
    ['b:1', 'refused'],
    ['a:1', 'timeout'],
    ['a:1', 'refused'],
    ['a:1', 'timeout'],
  ] as const;
  expect(calls.map(([key, message]) => warnAt(0, key, message))).toEqual([true, true, true, false, false]);
});

const clearAt = (time: number, key: string) => {
  now = time;
  return quiet.clear(key);
};

test('a key that was well for a while begins anew', () => {
  expect(clearAt(0, 'a:1')).toBe(false);
  warnAt(0, 'a:1', 'refused');
  expect([10, 20, 110].map((time) => clearAt(time, 'a:1'))).toEqual([true, false, false]);
  expect(warnAt(111, 'a:1', 'refused')).toBe(true);
});

test('a key that goes to and fro is told of once, then after the quiet time with a count', () => {
  const written = Array.from({ length: 60 }, (_, turn) => [
    warnAt(turn * 40, 'a:1', 'refused'),
    clearAt(turn * 40 + 20, 'a:1'),
  ]);
  expect(written.flatMap(([ill, well], turn) => (ill || well ? [[turn * 40, ill, well]] : []))).toEqual([
    [0, true, true],
    [1000, true, true],
    [2000, true, true],
  ]);
  expect(lines).toEqual(['refused target=a:1', 'refused target=a:1 heldBack=24', 'refused target=a:1 heldBack=24']);
});

test('what was told last is true of what lasts', () => {
  warnAt(0, 'a:1', 'refused');
  clearAt(10, 'a:1');
  expect([20, 60, 120, 180].map((time) => warnAt(time, 'a:1', 'refused'))).toEqual([false, false, true, false]);
  expect(clearAt(200, 'a:1')).toBe(true);
});

test('a key whose messages never repeat is told of four times, then after the quiet time with a count', () => {
  const written = Array.from({ length: 30 }, (_, turn) => warnAt(turn * 50, 'a:1', `message ${'x'.repeat(turn)}.`));
  expect(written.flatMap((isWritten, turn) => (isWritten ? [turn] : []))).toEqual([0, 1, 2, 3, 20, 21, 22, 23]);
  expect(lines[4]).toBe(`message ${'x'.repeat(20)}. target=a:1 heldBack=16`);
});

test('a message that was held back and forgotten is counted', () => {
  for (const [time, message] of [
    [0, 'a'],
    [10, 'a'],
    [20, 'a'],
    [30, 'b'],
    [40, 'c'],
    [50, 'd'],
  ] as const)
    warnAt(time, 'a:1', message);
  warnAt(1200, 'a:1', 'e');
  expect(lines.at(-1)).toBe('e target=a:1 heldBack=2');
});

test('messages that differ in numbers and quotes are the same', () => {
  const told = ['line 3 is wrong: "x"', 'line 17 is wrong: "y"z"', 'line 3 is wrong: ""', 'line 3 is right'];
  expect(told.map((message) => warnAt(0, 'a:1', message))).toEqual([true, false, false, true]);
});
