import { describe, expect, test } from 'vitest';
import type { TargetStatus } from '../../../server/api/contract.ts';
import {
  addressOfTarget,
  orderTargets,
  searchTargets,
  searchWith,
  servicesOf,
} from '../../../web/pages/targets/targets-order.ts';

function target(service: string, differences: Partial<TargetStatus> = {}): TargetStatus {
  return {
    labels: { service },
    discoveredLabels: { __address__: `10.0.0.1:99${service.length}` },
    health: 'up',
    lastError: '',
    lastScrape: 1000,
    scrapeDurationMs: 5,
    bodyBytes: 1000,
    samples: 10,
    envoyVersion: '1.40.0',
    startedAt: null,
    restarts: [],
    certificateExpiry: null,
    precision: 'bins',
    note: '',
    failureSource: 'grpc_stats',
    clusters: null,
    intervalMs: 15_000,
    slowedDown: '',
    busyShare: 5 / 15_000,
    ...differences,
  };
}

const TARGETS = [
  target('cart', { scrapeDurationMs: 9 }),
  target('auth', { health: 'down', lastError: 'connection refused', scrapeDurationMs: null }),
  target('s10', { health: 'unknown' }),
  target('s9', { labels: { service: 's9', region: 'eu' } }),
];
const names = (targets: readonly TargetStatus[]) => targets.map(({ labels }) => labels.service);

test('down first, then not asked yet, then by name', () => {
  expect(names(orderTargets(TARGETS, null))).toEqual(['auth', 's10', 'cart', 's9']);
});

describe('by a column, unknown last', () => {
  test.each([
    ['duration', true, ['cart', 's9', 's10', 'auth']],
    ['target', false, ['auth', 'cart', 's9', 's10']],
  ])('%s', (column, descending, expected) => {
    expect(names(orderTargets(TARGETS, { column, descending }))).toEqual(expected);
  });
});

describe('search', () => {
  test.each([
    ['down', ['auth']],
    ['refused', ['auth']],
    ['region=eu', ['s9']],
    ['10.0.0.1', ['cart', 'auth', 's10', 's9']],
    ['1.40 cart', ['cart']],
    ['service="s1"', []],
    ['service="s10"', ['s10']],
    ['health="down"', ['auth']],
    ['nothing', []],
  ])('%s', (search, expected) => expect(names(searchTargets(TARGETS, search))).toEqual(expected));
});

test('a filter takes the place of the one for the same label', () => {
  expect(searchWith('eu service="a"', 'service', 'b')).toBe('eu service="b"');
  expect(searchWith('service="a" eu', 'service', null)).toBe('eu');
  expect(servicesOf(TARGETS)).toEqual(['auth', 'cart', 's9', 's10']);
});

test('the address is as discovered, else what labels say', () => {
  expect(addressOfTarget(target('a'))).toBe('10.0.0.1:991');
  expect(addressOfTarget({ discoveredLabels: {}, labels: { address: 'h:1' } })).toBe('h:1');
  expect(addressOfTarget({ discoveredLabels: {}, labels: {} })).toBe('');
});
