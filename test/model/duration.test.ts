import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../server/model/duration.ts';

test.for<[text: string, ms: number | undefined]>([
  ['15s', 15_000],
  ['500ms', 500],
  ['5m', 300_000],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['2d', 172_800_000],
  ['1w', 604_800_000],
  ['1y', 31_536_000_000],
  ['400d', 34_560_000_000],
  ['1d2h3m4s5ms', 93_784_005],
  ['90m', 5_400_000],
  ['007s', 7000],
  ['0s', 0],
  ['0', 0],
  ['', undefined],
  ['15', undefined],
  ['s', undefined],
  ['1.5s', undefined],
  ['-5s', undefined],
  ['5 s', undefined],
  [' 5s', undefined],
  ['5s\n', undefined],
  ['5S', undefined],
  ['30s1m', undefined],
  ['1m1m', undefined],
  ['5sec', undefined],
  ['99999999999y', undefined],
])('%j is %s ms', ([text, ms]) => {
  expect(parseDuration(text)).toBe(ms);
});

test.for<[ms: number, text: string]>([
  [0, '0s'],
  [1, '1ms'],
  [1500, '1s500ms'],
  [15_000, '15s'],
  [300_000, '5m'],
  [90_000, '1m30s'],
  [604_800_000, '7d'],
  [34_560_000_000, '400d'],
])('%s ms is %s', ([ms, text]) => {
  expect(formatDuration(ms)).toBe(text);
});

test('what is written can be read', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
