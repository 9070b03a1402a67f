import { describe, expect, test } from 'vitest';
import { isCapped } from '../../../web/figures/capped.ts';
import { percentileInWords, rateInWords, serviceInWords, successInWords } from '../../../web/figures/explain.ts';
import { explainFailures } from '../../../web/figures/failures.ts';
import { failingRows, slowFactors } from '../../../web/figures/outliers.ts';
import { failing, figures, quiet, summary, unseen } from '../summary.ts';

const spaced = (words: string) => words.replaceAll('\u00a0', ' ');
const HERE = { window: '5 minutes', vantage: 'server' } as const;
const NOWHERE = { ...figures().latencyMs, p99: null };
const TIMED_OUT = figures({ latencySamples: 985, timeouts: 15, precision: { ...figures().precision, capped: true } });

describe('percentileInWords', () => {
  test.each([
    ['sound', figures(), 'p99 50.0 ms ± 2 %, 30,000 latency samples, 5 minutes, measured at the server'],
    [
      'capped',
      TIMED_OUT,
      'p99 more than 50.0 ms, 985 latency samples, 5 minutes, measured at the server. It falls among the 15 timed-out requests, whose latency nobody measured.',
    ],
    [
      'too little',
      figures({ state: 'too_little_data', latencySamples: 1 }),
      'p99 50.0 ms ± 2 %, 1 latency sample, 5 minutes, measured at the server. Too little data: 1 latency sample in the last 5 minutes. A percentile of so few says little.',
    ],
    ['no traffic', quiet('a'), 'No request in the last 5 minutes, so there is no share of successes and no latency.'],
    ['no data', unseen('a'), 'Nothing was measured in the last 5 minutes. This is not the same as no traffic.'],
    ['missing all the same', figures({ latencyMs: NOWHERE }), 'p99 is not known.'],
  ])('%s', (_, given, expected) => expect(spaced(percentileInWords('p99', given, HERE))).toBe(expected));
});

test('only percentiles beyond the samples are lower bounds', () => {
  expect((['p50', 'p95', 'p99', 'p999'] as const).map((percentile) => isCapped(percentile, TIMED_OUT))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(isCapped('p99', figures({ timeouts: 5000 }))).toBe(false);
});

test('what figures rest on', () => {
  expect(successInWords(failing('a', 0.5, 2), '5 minutes')).toContain('300 of 600 requests failed');
  expect(successInWords(summary('a'), '5 minutes')).toContain('None of 30,000 requests failed');
  expect(rateInWords(summary('a'), '5 minutes')).toBe('30,000 requests in the last 5 minutes');
  expect(rateInWords(unseen('a'), '5 minutes')).toContain('Nothing was measured');
  expect(serviceInWords(quiet('a'), '5 minutes')).toMatch(/^a: no traffic\. No request in the last 5 minutes, .*\.$/);
});

test('failures: most frequent first, unknown ones by their name', () => {
  const explained = explainFailures({ connect: 2, timeout: 5, solar_flare: 1, reset: 0 });
  expect(explained.map(({ title, events }) => [title, events])).toEqual([
    ['Request timeout', 5],
    ['Connection failed', 2],
    ['Solar flare', 1],
  ]);
  expect(explained.every(({ explanation }) => explanation.endsWith('.'))).toBe(true);
});

test.each([
  ['alike', [0.2, 0.2, 0.2], [false, false, false]],
  ['one fails', [0, 0.3, 0.001], [false, true, false]],
  ['of two', [0.01, 0.3], [false, true]],
  ['alone', [0.3], [false]],
  ['not known', [null, 0.3], [false, false]],
])('instances that fail more than the others: %s', (_, shares, expected) =>
  expect(failingRows(shares.map((errorRate) => figures({ errorRate })))).toEqual(expected),
);

describe('slowFactors', () => {
  const at = (p95: number | null, state: 'ok' | 'too_little_data' = 'ok') =>
    figures({ latencyMs: { ...figures().latencyMs, p95 }, state });
  test.each([
    ['alike', [at(10), at(11), at(12)], [null, null, null]],
    ['one slow', [at(10), at(10), at(31)], [null, null, 3.1]],
    ['of two', [at(10), at(25)], [null, 2.5]],
    ['alone', [at(10)], [null]],
    ['too little to tell', [at(10), at(100, 'too_little_data')], [null, null]],
    ['unknown', [at(null), at(10)], [null, null]],
  ])('%s', (_, rows, expected) => expect(slowFactors(rows)).toEqual(expected));
});
