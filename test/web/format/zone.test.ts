import { afterEach, describe, expect, test } from 'vitest';
import { axisTimes } from '../../../web/charts/axis-times.ts';
import { dateTime, windowInWords } from '../../../web/format/time.ts';
import { fieldTime, momentOfField, timeZone } from '../../../web/format/zone.ts';

const NOON = Date.UTC(2026, 10, 21, 12, 0, 5);
const usual = process.env.TZ;

afterEach(() => {
  timeZone.value = 'local';
  if (usual === undefined) delete process.env.TZ;
  else process.env.TZ = usual;
});

describe.each([
  ['Asia/Kolkata', 'local', '21 Nov 17:30:05', '2026-11-21T17:30:05'],
  ['Asia/Kolkata', 'utc', '21 Nov 12:00:05', '2026-11-21T12:00:05'],
  ['America/New_York', 'local', '21 Nov 07:00:05', '2026-11-21T07:00:05'],
] as const)('in %s, told in %s', (place, zone, words, field) => {
  test('a moment is told and read', () => {
    process.env.TZ = place;
    timeZone.value = zone;
    expect(dateTime(NOON)).toBe(words);
    expect(fieldTime(NOON)).toBe(field);
    expect(momentOfField(field)).toBe(NOON);
  });
});

test.each(['', 'yesterday', '2026-11-21', '2026-11-21 12:00'])('%j names no moment', (text) =>
  expect(momentOfField(text)).toBeNull(),
);

test('an axis has its days at midnight of the zone', () => {
  process.env.TZ = 'Asia/Kolkata';
  timeZone.value = 'utc';
  const { times } = axisTimes(NOON, NOON + 3 * 86_400_000, 4);
  expect(times.map((time) => new Date(time).toISOString().slice(11, 19))).toEqual(['00:00:00', '00:00:00', '00:00:00']);
});

test('a time that ends before now says when', () => {
  timeZone.value = 'utc';
  expect(windowInWords(300_000, null)).toBe('5 minutes');
  expect(windowInWords(300_000, NOON)).toBe('5 minutes before 21 Nov 12:00:05');
});
