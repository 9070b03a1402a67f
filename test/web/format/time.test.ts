import { describe, expect, test } from 'vitest';
import { ago, axisTime, clockTime, dateTime, span, spanInWords } from '../../../web/format/time.ts';

const spaced = (words: string) => words.replaceAll('\u00a0', ' ');
const local = (day: number, hours: number, minutes = 0, seconds = 0) =>
  new Date(2026, 10, day, hours, minutes, seconds).getTime();

describe('span', () => {
  test.each([
    [-5, '0 s'],
    [0, '0 s'],
    [40_900, '40 s'],
    [60_000, '1 min'],
    [3_599_000, '59 min'],
    [7_200_000, '2 h'],
    [200_000_000, '2 d'],
  ])('%d ms is %s', (ms, expected) => expect(spaced(span(ms))).toBe(expected));
});

describe('spanInWords', () => {
  test.each([
    [1000, '1 second'],
    [15_000, '15 seconds'],
    [90_000, '90 seconds'],
    [300_000, '5 minutes'],
    [3_600_000, '1 hour'],
    [86_400_000, '1 day'],
    [2500, '2.5 seconds'],
  ])('%d ms is %s', (ms, expected) => expect(spanInWords(ms)).toBe(expected));
});

test('ago', () => {
  expect(spaced(ago(1000, 4200))).toBe('3 s ago');
  expect(ago(4100, 4200)).toBe('just now');
  expect(ago(null, 4200)).toBe('never');
});

test('times are those of the reader', () => {
  expect(clockTime(local(21, 14, 3, 5))).toBe('14:03:05');
  expect(dateTime(local(1, 0, 0, 9))).toBe('1 Nov 00:00:09');
});

describe('axisTime', () => {
  test.each([
    [local(21, 14, 3, 15), 15_000, '14:03:15'],
    [local(21, 14, 30), 60_000, '14:30'],
    [local(21, 6), 3_600_000, '06:00'],
    [local(21, 0), 3_600_000, '21 Nov'],
    [local(21, 0), 86_400_000, '21 Nov'],
  ])('%d at %d is %s', (moment, step, expected) => expect(axisTime(moment, step)).toBe(expected));
});
