import { expect, test } from 'vitest';
import { configText } from '../../../web/pages/status/config-text.ts';
import { limitInWords, limitName } from '../../../web/pages/status/limits.ts';
import { ofOtlp, ofRemoteWrite, type Receiver } from '../../../web/pages/status/receivers.ts';
import { FAKE_OTLP, FAKE_REMOTE_WRITE, fakeRemoteWriteFailing } from '../fake-api/fake-status.ts';

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
  ['bodyBytes', 33_554_432, 'Body', '32\u00a0MiB'],
  ['body_limit', 1000, 'Body limit', '1.00\u00a0kB'],
  ['series', 20_000, 'Series', '20,000'],
])('%s %i is %s: %s', (name, value, title, words) => {
  expect(limitName(name)).toBe(title);
  expect(limitInWords(name, value)).toBe(words);
});

const NOW = Date.UTC(2026, 0, 1);
const factsOf = ({ facts }: Receiver) =>
  Object.fromEntries(facts.map(([name, value]) => [name, value.replaceAll('\u00a0', ' ')]));

test.each([
  [
    'takes all',
    FAKE_REMOTE_WRITE,
    '',
    {
      Sent: '18.2 M samples of 15,170 series',
      Waiting: 'nothing',
      Queue: '0 B, at most 512 MiB',
      'Given up': 'nothing',
      'Last error': 'none',
    },
  ],
  [
    'takes nothing',
    fakeRemoteWriteFailing(NOW),
    'it does not take samples: connect ECONNREFUSED 10.0.0.9:9009',
    {
      Waiting: '364,000 samples, the oldest 6 min old',
      Queue: '9.40 MB, at most 512 MiB',
      'Given up': '12 samples (refused 12)',
      'Last error': '4 s ago: connect ECONNREFUSED 10.0.0.9:9009',
    },
  ],
])('a receiver of remote write that %s', (_, status, trouble, facts) => {
  const told = ofRemoteWrite(status, NOW);
  expect([told.name, told.kind]).toEqual(['mimir', 'remote write']);
  expect(told.trouble.endsWith(trouble)).toBe(true);
  expect(told.trouble === '').toBe(status.state === 'ok');
  expect(factsOf(told)).toMatchObject(facts);
});

test('a receiver of OTLP', () => {
  const told = ofOtlp({ ...FAKE_OTLP, acceptedAt: NOW - 90_000, accepted: 5000 }, NOW);
  expect(told).toMatchObject({
    name: 'http://otel-collector:4318',
    trouble: 'HTTP status 401: set telemetry.otlp.headers',
  });
  expect(factsOf(told)).toEqual({
    Sends: 'delta sums every 1 minute',
    Taken: '5,000 points, last 1 min ago',
    'Not taken': '0 left out, 4,200 refused',
    'Tried again': '3 requests',
  });
});
