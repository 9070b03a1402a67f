import { expect, test } from 'vitest';
import { latencyText, rateText, shareText } from '../../server/cli/figures.ts';

test.for<[rate: number | null, text: string]>([
  [null, '—'],
  [0, '0 /s'],
  [0.00123456, '0.00123 /s'],
  [7.7, '7.70 /s'],
  [999.4, '999 /s'],
  [999.6, '1.00 k/s'],
  [12_345, '12.3 k/s'],
  [1_234_567, '1.23 M/s'],
  [2e12, '2000 G/s'],
])('%s requests per second are %s', ([rate, text]) => {
  expect(rateText(rate)).toBe(text);
});

test.for<[ms: number | null, text: string]>([
  [null, '—'],
  [0, '0 ms'],
  [0.25, '0.250 ms'],
  [12.44, '12.4 ms'],
  [999.7, '1.00 s'],
  [1234, '1.23 s'],
  [3_600_000, '3600 s'],
])('%s ms are %s', ([ms, text]) => {
  expect(latencyText(ms)).toBe(text);
});

test.for<[share: number | null, text: string]>([
  [null, '—'],
  [0, '0 %'],
  [0.0005, '0.0500 %'],
  [0.5, '50.0 %'],
  [0.9712, '97.1 %'],
  [0.9899, '99.0 %'],
  [0.99, '99 %'],
  [0.9997, '99.97 %'],
  [0.99996, '99.99 %'],
  [1 - 1e-13, '99.99 %'],
  [1, '100 %'],
])('a share of %s is %s', ([share, text]) => {
  expect(shareText(share)).toBe(text);
});
