import { expect, test } from 'vitest';
import {
  COUNTER_INDEX,
  COUNTERS,
  type Counter,
  failureCount,
  GAUGES,
  requestCount,
  STORED_GAUGES,
} from '../../server/model/flow.ts';
import { keyOf } from '../../server/model/labels.ts';

function counters(values: Partial<Record<Counter, number>>): number[] {
  return COUNTERS.map((name) => values[name] ?? 0);
}

test.each([
  [{}, 0, 0],
  [{ '2xx': 1, '3xx': 2, '4xx': 3, '5xx': 4 }, 10, 4],
  [{ '2xx': 10, grpc_failed: 3 }, 10, 3],
  [{ '2xx': 6, '5xx': 4, grpc_failed: 1 }, 10, 5],
  [{ '4xx': 5, timeout: 2, retries: 7, bytes_rx: 100 }, 5, 0],
] as const)('%j are %d requests, %d of them failed', (values, requests, failures) => {
  expect([requestCount(counters(values)), failureCount(counters(values))]).toEqual([requests, failures]);
});

test('every counter has its own place, and the gauges with a history come first', () => {
  expect(COUNTERS.map((name) => COUNTER_INDEX[name])).toEqual(COUNTERS.map((_, index) => index));
  expect(new Set(COUNTERS).size).toBe(COUNTERS.length);
  expect(GAUGES.slice(0, STORED_GAUGES.length)).toEqual(STORED_GAUGES);
});

test('lists of values that read alike have different keys', () => {
  const lists = [['a', 'b'], ['a,b'], ['a","b'], ['a', '', 'b'], ['ab'], ['', 'ab'], ['a|', 'b'], ['a', '|b'], []];
  expect(new Set(lists.map(keyOf)).size).toBe(lists.length);
});
