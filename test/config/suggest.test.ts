import { expect, test } from 'vitest';
import { closest } from '../../server/config/suggest.ts';

const KEYS = ['interval', 'timeout', 'body_limit', 'series_limit', 'concurrency', 'raw', '1m', '10m'];

test.for<[text: string, meant: string | undefined]>([
  ['intervl', 'interval'],
  ['intervall', 'interval'],
  ['itnerval', 'interval'],
  ['Interval', 'interval'],
  ['tiemout', 'timeout'],
  ['bodylimit', 'body_limit'],
  ['seires_limits', 'series_limit'],
  ['ra', undefined],
  ['2m', undefined],
  ['row', 'raw'],
  ['global', undefined],
  ['', undefined],
  ['interval_of_scrapes', undefined],
])('%j means %s', ([text, meant]) => {
  expect(closest(text, KEYS)).toBe(meant);
});
