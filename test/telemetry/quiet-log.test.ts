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

test('a key that is well again begins anew', () => {
  expect(quiet.clear('a:1')).toBe(false);
  warnAt(0, 'a:1', 'refused');
  expect(quiet.clear('a:1')).toBe(true);
  expect(quiet.clear('a:1')).toBe(false);
  expect(warnAt(1, 'a:1', 'refused')).toBe(true);
});

test('a key whose messages never repeat keeps only the last eight', () => {
  for (let index = 0; index < 9; index++) warnAt(0, 'a:1', `message ${index}`);
  expect([1, 8, 0].map((index) => warnAt(1, 'a:1', `message ${index}`))).toEqual([false, false, true]);
});
