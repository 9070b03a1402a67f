import { describe, expect, test } from 'vitest';
import { judge, type Measured } from '../../server/alerts/judge.ts';

const slow = { kind: 'threshold', signal: 'latency_p99', side: 'above', value: 500, clearAt: 400 } as const;
const quiet = { kind: 'threshold', signal: 'request_rate', side: 'below', value: 10, clearAt: 12 } as const;
const twice = { kind: 'comparison', signal: 'latency_p99', againstMs: 604_800_000, factor: 2 } as const;
const half = { ...twice, factor: 0.5 };
const above = { ...twice, floor: 500 };

const measured = (value: number | null, requests = 1000): Measured => ({ value, requests });

describe('a threshold', () => {
  test.each<[string, typeof slow | typeof quiet, Measured | null, object]>([
    [
      'above',
      slow,
      measured(501),
      { data: 'ok', isMet: true, isCleared: false, value: 501, threshold: 500, requests: 1000 },
    ],
    ['at it', slow, measured(500), { data: 'ok', isMet: false, isCleared: false }],
    ['between it and clear_at', slow, measured(401), { data: 'ok', isMet: false, isCleared: false }],
    ['at clear_at', slow, measured(400), { data: 'ok', isMet: false, isCleared: true }],
    ['below', quiet, measured(9), { data: 'ok', isMet: true, isCleared: false }],
    ['not below', quiet, measured(11), { data: 'ok', isMet: false, isCleared: false }],
    ['far enough above', quiet, measured(12), { data: 'ok', isMet: false, isCleared: true }],
    ['nothing measured', slow, null, { data: 'no_data' }],
    ['not known', slow, measured(null), { data: 'no_data' }],
    ['not a number', slow, measured(Number.NaN), { data: 'no_data' }],
    ['endless', slow, measured(Number.POSITIVE_INFINITY), { data: 'no_data' }],
    ['no request', slow, measured(null, 0), { data: 'too_little_data', requests: 0 }],
    ['too few requests', slow, measured(9000, 19), { data: 'too_little_data', requests: 19 }],
    ['just enough', slow, measured(9000, 20), { data: 'ok', isMet: true }],
  ])('%s', (_, condition, now, expected) => {
    expect(judge(condition, { now }, 20)).toMatchObject(expected);
  });

  test('no traffic at all is a rate of 0 where no requests are asked for', () => {
    expect(judge(quiet, { now: measured(0, 0) }, 0)).toMatchObject({ data: 'ok', isMet: true, value: 0 });
  });
});

describe('a comparison', () => {
  test.each<[string, typeof twice | typeof half | typeof above, Measured | null, Measured | null, object]>([
    ['more than twice', twice, measured(201), measured(100), { data: 'ok', isMet: true, threshold: 200 }],
    ['just twice', twice, measured(200), measured(100), { data: 'ok', isMet: false, isCleared: true }],
    ['less than half', half, measured(49), measured(100), { data: 'ok', isMet: true, threshold: 50 }],
    ['more than nothing', twice, measured(1), measured(0), { data: 'too_little_data', requests: 1000 }],
    ['nothing, as then', twice, measured(0), measured(0), { data: 'ok', isMet: false, isCleared: true }],
    ['more than nothing, below the floor', above, measured(499), measured(0), { data: 'ok', isMet: false }],
    ['more than nothing, above the floor', above, measured(501), measured(0), { data: 'ok', isMet: true }],
    ['nothing any more', half, measured(0), measured(100), { data: 'ok', isMet: true }],
    ['nothing known of then', twice, measured(201), null, { data: 'no_data' }],
    ['no value then', twice, measured(201), measured(null), { data: 'no_data' }],
    ['too few then', twice, measured(201), measured(100, 19), { data: 'too_little_data', requests: 19 }],
    ['too few now', twice, measured(201, 3), measured(100), { data: 'too_little_data', requests: 3 }],
  ])('%s', (_, condition, now, earlier, expected) => {
    expect(judge(condition, { now, earlier }, 20)).toMatchObject(expected);
  });
});
