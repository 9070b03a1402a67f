import { describe, expect, test } from 'vitest';
import type { ServiceSummary } from '../../../server/api/contract.ts';
import { healthInWords, remark } from '../../../web/figures/explain.ts';
import { judge } from '../../../web/figures/health.ts';
import { failing, figures, quiet, summary, unseen } from '../summary.ts';

const spaced = (words: string) => words.replaceAll('\u00a0', ' ');
const capped = { ...figures().precision, capped: true };

const CASES: [string, ServiceSummary, string, number, string, string][] = [
  ['all well', summary('a'), 'good', 1, 'good', ''],
  ['one failure in thousands', failing('a', 0.00005), 'good', 1, 'good', ''],
  ['0.2 % fail', failing('a', 0.002), 'warn', 3, 'degraded', '0.2 % failing'],
  ['2.9 % fail', failing('a', 0.029), 'bad', 4, 'failing', '2.9 % failing'],
  ['72 % fail', failing('a', 0.72), 'bad', 5, 'mostly failing', '72 % failing'],
  ['all fail', failing('a', 1), 'bad', 5, 'mostly failing', '100 % failing'],
  ['one of twenty fails', { ...failing('a', 0.05), requests: 20 }, 'warn', 3, 'degraded', '5 % failing'],
  ['no sidecar answers', unseen('a', { up: 0, total: 2 }), 'bad', 5, 'down', 'none of 2 sidecars answers'],
  ['its one sidecar is down', unseen('a', { up: 0, total: 1 }), 'bad', 5, 'down', 'its sidecar does not answer'],
  [
    'a sidecar is down',
    summary('a', { instances: { up: 9, total: 10 } }),
    'warn',
    3,
    'degraded',
    '1 of 10 sidecars down',
  ],
  ['seen from callers', summary('a', { vantage: 'client', instances: { up: 0, total: 0 } }), 'good', 1, 'good', ''],
  ['an alert fires', summary('a', { alerts: { firing: 1, pending: 0 } }), 'bad', 4, 'failing', '1 alert firing'],
  [
    'an alert fires, and many fail',
    { ...failing('a', 0.0533), alerts: { firing: 1, pending: 0 } },
    'bad',
    4,
    'failing',
    '5.33 % failing',
  ],
  [
    'alerts are pending',
    summary('a', { alerts: { firing: 0, pending: 2 } }),
    'warn',
    3,
    'degraded',
    '2 alerts pending',
  ],
  [
    'timeouts cap a percentile',
    summary('a', { precision: capped, timeouts: 40 }),
    'warn',
    3,
    'degraded',
    '40 timed out',
  ],
  [
    'too little data',
    summary('a', { state: 'too_little_data', latencySamples: 7 }),
    'good',
    1,
    'good',
    '7 samples only',
  ],
  ['no traffic', quiet('a'), 'quiet', 0, 'no traffic', ''],
  ['no data', unseen('a'), 'unknown', 2, 'no data', ''],
];

describe('health', () => {
  test.each(CASES)('%s', (_, service, health, urgency, words, remarked) => {
    expect(judge(service)).toEqual({ health, urgency });
    expect(healthInWords(service)).toBe(words);
    expect(spaced(remark(service))).toBe(remarked);
  });
});
