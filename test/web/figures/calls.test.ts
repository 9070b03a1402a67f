import { describe, expect, test } from 'vitest';
import type { PeerFigures, ServiceAnswer } from '../../../server/api/contract.ts';
import { callsRemark, judgeCalls, worstCallsFirst } from '../../../web/figures/calls.ts';
import { originInWords, seenFailures } from '../../../web/figures/failures.ts';
import { figures, summary } from '../summary.ts';

const plain = (words: string) => words.replaceAll('\u00a0', ' ');

function calls(service: string, differences: Partial<PeerFigures> = {}): PeerFigures {
  return { service, namespace: '', ...figures(), failures: {}, ...differences };
}

const failing = (service: string, errorRate: number, failures: Record<string, number> = {}) =>
  calls(service, { requests: 1000, errorRate, failures });

function answer(differences: Partial<ServiceAnswer> = {}): ServiceAnswer {
  const parts = { at: 0, windowMs: 300_000, window: '5m', offsetMs: 0, tiers: [] };
  const lists = { byInstance: [], byRegion: [], upstreams: [], downstreams: [], failures: {} };
  return { ...summary('shop'), ...parts, ...lists, ...differences };
}

const FAILED = { '2xx': 90, '3xx': 0, '4xx': 0, '5xx': 10 };

test.each([
  [calls('good'), 'good', ''],
  [failing('few', 0.002), 'warn', '0.20 % failing'],
  [failing('many', 0.22), 'bad', '22.0 % failing'],
  [calls('too few to tell', { requests: 4, errorRate: 0.5 }), 'warn', '50.0 % failing'],
  [calls('none', { requests: 0, errorRate: null }), 'quiet', ''],
  [calls('not known', { errorRate: null }), 'unknown', ''],
  [{ ...failing('b', 0.219), timeouts: 871, retries: 91 }, 'bad', '21.9 % failing, 871 timed out, 91 retried'],
])('calls: $service', (one, health, remark) => {
  expect(judgeCalls(one)).toBe(health);
  expect(plain(callsRemark(one))).toBe(remark);
});

test('calls that fail stand first, the others as they were', () => {
  const rows = [calls('a'), failing('b', 0.002), calls('c'), failing('d', 0.5), failing('e', 0.02)];
  expect(worstCallsFirst(rows).map(({ service }) => service)).toEqual(['d', 'e', 'b', 'a', 'c']);
});

describe('failures that were seen', () => {
  const seen = (differences: Partial<ServiceAnswer>) =>
    seenFailures(answer(differences)).map(({ reason, where, events }) => [reason, where, events]);

  test('its own, of its calls, and what its callers saw', () => {
    const upstreams = [failing('b', 0.2, { timeout: 5 }), failing('c', 0.2, { timeout: 2, reset: 9 })];
    const downstreams = [failing('edge', 0.2, { timeout: 871 })];
    expect(seen({ failures: { cut_off: 1 }, upstreams, downstreams })).toEqual([
      ['cut_off', '', 1],
      ['reset', 'in calls to c', 9],
      ['timeout', 'in calls to b, c', 7],
      ['timeout', 'as seen by edge', 871],
    ]);
  });

  test('where only callers measured, what they saw is told once', () => {
    const downstreams = [failing('edge', 0.2, { timeout: 871 })];
    expect(seen({ vantage: 'client', failures: { timeout: 871 }, downstreams })).toEqual([['timeout', '', 871]]);
  });

  test('of many services some are named', () => {
    const upstreams = ['a', 'b', 'c', 'd', 'e'].map((name) => failing(name, 0.1, { connect: 1 }));
    expect(seen({ upstreams })).toEqual([['connect', 'in calls to a, b, c and 2 more', 5]]);
  });
});

test.each<[string, Partial<ServiceAnswer>, string]>([
  ['no 5xx', {}, ''],
  ['5xx with reasons', { codeClasses: FAILED, failures: { timeout: 10 } }, ''],
  ['5xx of its own', { codeClasses: FAILED }, 'The 5xx are what the service itself answered.'],
  [
    '5xx of a service whose calls fail',
    { codeClasses: FAILED, upstreams: [failing('b', 0.02), failing('c', 0.3), failing('d', 0.002)] },
    'The 5xx are what the service itself answered. Its own calls fail too, which may be why: c (30.0 %), b (2.00 %).',
  ],
  [
    '5xx of a gateway',
    { codeClasses: FAILED, role: 'gateway', upstreams: [failing('shop', 0.15)] },
    'The 5xx came back from what it calls. Failing there: shop (15.0 %).',
  ],
])('where failures came from: %s', (_, differences, words) =>
  expect(plain(originInWords(answer(differences)))).toBe(words),
);
