import { describe, expect, test } from 'vitest';
import { changeOf, changesOf, changeText, noChangeInWords } from '../../../web/figures/change.ts';
import { tiersInWords } from '../../../web/figures/tiers.ts';
import { figures, quiet, unseen } from '../summary.ts';

const plain = (words: string) => words.replaceAll('\u00a0', ' ');

test.each([
  [120, 100, '▲ +20 %'],
  [80, 100, '▼ −20 %'],
  [100.4, 100, '= 0 %'],
  [994, 100, '▲ +894 %'],
  [1400, 100, '▲ × 14'],
  [0, 100, '▼ −100 %'],
])('%d after %d is %s', (now, before, expected) => {
  const change = changeOf(now, before);
  expect(change && plain(changeText(change))).toBe(expected);
});

test.each([
  [null, 100],
  [100, null],
  [undefined, 100],
  [100, 0],
  [0, 0],
])('%s after %s is no change that can be told', (now, before) => expect(changeOf(now, before)).toBeNull());

describe('why no change is told', () => {
  const latencyMs = { p50: 1, p90: 1, p95: 1, p99: 1, p999: 1, mean: 1 };
  const precision = { method: 'bins', source: 'upstream', maxRelativeError: 0.02, capped: true } as const;
  const capped = figures({ precision, timeouts: 3000, latencyMs });
  const few = figures({ state: 'too_little_data', latencySamples: 7 });
  test.each([
    ['rate', figures(), null, 'It was not known 1 day ago.'],
    ['rate', unseen('a'), figures(), 'The rate is not known now.'],
    ['rate', figures(), quiet('a'), 'It had no traffic 1 day ago.'],
    ['rate', figures(), unseen('a'), 'Nothing was measured 1 day ago.'],
    ['p99', capped, figures(), 'p99 falls among timed-out requests, so it is only a lower bound.'],
    ['p99', figures(), capped, 'p99 falls among timed-out requests, so it is only a lower bound.'],
    ['p99', few, figures(), 'There are too few samples now.'],
    ['p99', figures(), few, 'There were too few samples 1 day ago.'],
    ['p99', figures(), figures(), ''],
  ] as const)('%s, row %#', (kind, now, before, words) => {
    expect(noChangeInWords(kind, now, before, '1 day ago')).toBe(words);
    expect(changesOf(now, before)[kind] === null).toBe(words !== '');
  });
});

test.each([
  [[], ''],
  [['raw'], 'kept scrape by scrape'],
  [['1m'], 'kept in steps of 1 minute'],
  [['raw', '1m'], 'kept scrape by scrape, then in steps of 1 minute'],
  [['1m', '10m'], 'kept in steps of 1 minute and 10 minutes'],
] as const)('%j: %s', (tiers, words) => expect(tiersInWords(tiers)).toBe(words));
