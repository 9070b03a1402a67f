import { expect, test } from 'vitest';
import { configText } from '../../../web/pages/status/config-text.ts';
import { limitInWords, limitName } from '../../../web/pages/status/limits.ts';

test.each([
  [{}, '{}'],
  [{ scrape: { interval: '15s', retries: 3, slow: true } }, 'scrape:\n  interval: "15s"\n  retries: 3\n  slow: true'],
  [{ files: ['a.yaml', '*.yaml'], none: [], empty: {} }, 'files: [a.yaml, "*.yaml"]\nnone: []\nempty: {}'],
  [{ static: [{ targets: ['a'], labels: { b: 'c' } }] }, 'static:\n  - targets: [a]\n    labels:\n      b: c'],
  [{ word: 'yes', other: null, gone: undefined }, 'word: "yes"\nother: null'],
  [null, 'null'],
])('%o is written %j', (config, text) => expect(configText(config)).toBe(text));

test.each([
  ['scrapeTimeoutMs', 10_000, 'Scrape timeout', '10 seconds'],
  ['bodyBytes', 33_554_432, 'Body', '33.6\u00a0MB'],
  ['body_limit', 1000, 'Body limit', '1.00\u00a0kB'],
  ['series', 20_000, 'Series', '20,000'],
])('%s %i is %s: %s', (name, value, title, words) => {
  expect(limitName(name)).toBe(title);
  expect(limitInWords(name, value)).toBe(words);
});
