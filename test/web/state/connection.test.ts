import { describe, expect, test } from 'vitest';
import {
  type ConnectionEvent,
  nextConnection,
  patienceMs,
  reach,
  silentSince,
  unconnected,
} from '../../../web/state/connection.ts';

type Type = ConnectionEvent['type'];

function after(...types: Type[]) {
  return types.reduce(
    (connection, type, index) => nextConnection(connection, { type, at: 100 * (index + 1) }),
    unconnected(0),
  );
}

describe('reach', () => {
  const cases: [Type[], string][] = [
    [[], 'closed'],
    [['connecting'], 'connecting'],
    [['connecting', 'answered'], 'connecting'],
    [['connecting', 'opened'], 'live'],
    [['connecting', 'opened', 'ticked'], 'live'],
    [['connecting', 'failed'], 'lost'],
    [['connecting', 'failed', 'answered'], 'connecting'],
    [['connecting', 'opened', 'broke'], 'lost'],
    [['connecting', 'opened', 'broke', 'connecting'], 'lost'],
    [['connecting', 'opened', 'broke', 'connecting', 'answered'], 'polling'],
    [['connecting', 'opened', 'broke', 'connecting', 'answered', 'broke'], 'polling'],
    [['connecting', 'opened', 'broke', 'connecting', 'opened'], 'live'],
    [['connecting', 'opened', 'failed', 'ticked'], 'live'],
    [['connecting', 'opened', 'broke', 'closed'], 'closed'],
  ];
  test.each(cases)('%j is %s', (types, expected) => expect(reach(after(...types))).toBe(expected));
});

test('silence counts from the last data, or from the start', () => {
  expect(silentSince(after('connecting', 'broke'))).toBe(0);
  expect(silentSince(after('connecting', 'opened', 'ticked', 'broke', 'failed'))).toBe(300);
});

test('patience is three intervals, at least 15 s', () => {
  expect([1000, 5000, 15_000].map(patienceMs)).toEqual([15_000, 15_000, 45_000]);
});
