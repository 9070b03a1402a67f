import { describe, expect, test } from 'vitest';
import {
  bytes,
  configuredSize,
  count,
  milliseconds,
  multiplied,
  rate,
  relativeError,
  share,
  success,
  text,
  threeDigits,
} from '../../../web/format/number.ts';

const spaced = (words: string) => words.replaceAll('\u00a0', ' ');

describe('threeDigits', () => {
  test.each([
    [0, '0'],
    [0.0004, '< 0.001'],
    [0.00123, '0.001'],
    [0.0456, '0.046'],
    [0.5, '0.50'],
    [0.996, '1.00'],
    [1, '1.00'],
    [12.345, '12.3'],
    [99.96, '100'],
    [999.4, '999'],
    [1234, '1,230'],
    [12_345_678, '12,300,000'],
    [-0.0001, '> -0.001'],
  ])('%f is %s', (value, expected) => expect(threeDigits(value)).toBe(expected));
});

describe('rate', () => {
  test.each([
    [0, '0 /s'],
    [0.0001, '< 0.001 /s'],
    [0.0233, '0.023 /s'],
    [5, '5.00 /s'],
    [934, '934 /s'],
    [999.6, '1.00 k/s'],
    [1234, '1.23 k/s'],
    [999_700, '1.00 M/s'],
    [12_345_678, '12.3 M/s'],
    [2.5e15, '2.50 P/s'],
    [3e19, '30,000 P/s'],
    [null, '—'],
    [undefined, '—'],
    [Number.NaN, '—'],
    [Number.POSITIVE_INFINITY, '—'],
  ])('%s is %s', (value, expected) => expect(spaced(text(rate(value)))).toBe(expected));

  test('a multiplier stands alone where the column says /s', () => {
    expect(multiplied(1204)).toEqual({ digits: '1.20', unit: 'k' });
    expect(multiplied(null)).toEqual({ digits: '—', unit: '' });
  });
});

describe('milliseconds', () => {
  test.each([
    [0, '0 ms'],
    [0.4, '0.40 ms'],
    [12.44, '12.4 ms'],
    [412, '412 ms'],
    [999.6, '1.00 s'],
    [10_000, '10.0 s'],
    [59_990, '1.00 min'],
    [90_000, '1.50 min'],
    [7_200_000, '2.00 h'],
    [null, '—'],
    [Number.NaN, '—'],
  ])('%s is %s', (value, expected) => expect(spaced(text(milliseconds(value)))).toBe(expected));
});

describe('success is never rounded up to 100 % when something failed', () => {
  test.each([
    [1, '100 %'],
    [0.9999999999, '> 99.99 %'],
    [0.99999, '> 99.99 %'],
    [0.99996, '99.99 %'],
    [0.9999, '99.99 %'],
    [0.9997, '99.97 %'],
    [0.99979, '99.97 %'],
    [0.995, '99.50 %'],
    [0.971, '97.1 %'],
    [0.28, '28.0 %'],
    [0.000001, '< 0.001 %'],
    [0, '0 %'],
    [null, '—'],
  ])('%s is %s', (value, expected) => expect(spaced(text(success(value)))).toBe(expected));
});

describe('share', () => {
  test.each([
    [0, '0 %'],
    [0.00001, '0.001 %'],
    [0.029, '2.90 %'],
    [0.9999, '99.9 %'],
    [1, '100 %'],
    [null, '—'],
  ])('%s is %s', (value, expected) => expect(spaced(text(share(value)))).toBe(expected));
});

describe('count', () => {
  test.each([
    [0, '0'],
    [0.3, '< 1'],
    [7, '7'],
    [18_204.4, '18,204'],
    [999_999, '999,999'],
    [4_290_000, '4.29 M'],
    [null, '—'],
    [Number.NaN, '—'],
  ])('%s is %s', (value, expected) => expect(spaced(count(value))).toBe(expected));
});

describe('bytes', () => {
  test.each([
    [0, '0 B'],
    [512, '512 B'],
    [31_000, '31.0 kB'],
    [1_234_567, '1.23 MB'],
    [null, '—'],
  ])('%s is %s', (value, expected) => expect(spaced(text(bytes(value)))).toBe(expected));
});

test.each([
  [10 * 2 ** 30, '10 GiB'],
  [512 * 2 ** 20, '512 MiB'],
  [1536 * 2 ** 10, '1,536 KiB'],
  [1_000_000, '1.00 MB'],
  [0, '0 B'],
])('%s was configured as %s', (value, expected) => expect(spaced(configuredSize(value))).toBe(expected));

describe('relativeError', () => {
  test.each([
    [0.0213, '± 2.1 %'],
    [0.02, '± 2 %'],
    [0.123, '± 12 %'],
    [0.0004, '± < 0.1 %'],
    [null, ''],
    [Number.NaN, ''],
  ])('%s is %s', (value, expected) => expect(spaced(relativeError(value))).toBe(expected));
});
