import { describe, expect, test } from 'vitest';
import {
  COMPARISONS,
  type Compare,
  carriedView,
  DEFAULT_VIEW,
  decodeLocation,
  encodeLocation,
  GROUPS,
  type Group,
  type Location,
  type Page,
  type View,
} from '../../../web/state/url.ts';
import { fc, test as property } from './property.ts';

const FLEET = { name: 'fleet' } as const;

function read(address: string): Location {
  const url = new URL(address, 'http://dashboard');
  return decodeLocation(url.pathname, url.search);
}

describe('reading an address', () => {
  const views: [string, Partial<View>][] = [
    ['/', {}],
    ['/?window=1h', { window: '1h' }],
    ['/?window=banana', {}],
    ['/?window=0m', {}],
    ['/?sort=-p99', { sort: { column: 'p99', descending: true } }],
    ['/?sort=rate', { sort: { column: 'rate', descending: false } }],
    ['/?sort=--', {}],
    ['/?q=cart+eu', { search: 'cart eu' }],
    ['/?paused=1763721600000', { pausedAt: 1_763_721_600_000 }],
    ['/?paused=yes', {}],
    ['/?table=rate,latency&scale=log', { tables: ['rate', 'latency'], logarithmic: true }],
    ['/?from=1763721600000&to=1763725200000', { range: { from: 1_763_721_600_000, to: 1_763_725_200_000 } }],
    ['/?from=1763725200000&to=1763721600000', {}],
    ['/?from=1663721600000&to=1763721600000', {}],
    ['/?from=yesterday&to=now', {}],
    ['/?from=1763721600000', {}],
    ['/?compare=1d', { compare: '1d' }],
    ['/?compare=2d', {}],
    ['/?tz=utc', { utc: true }],
    ['/?tz=Mars', {}],
    ['/?group=region', { group: 'region' }],
    ['/?group=colour', {}],
    ['/?hide=p50,regions,p50,%3Cb%3E', { hidden: ['p50', 'regions'] }],
    [
      '/?focus=shop%2Fcart&only=1&nodes=namespace&by=zone',
      { focus: 'shop/cart', only: true, nodes: 'namespace', zones: true },
    ],
    ['/?only=yes&nodes=colour&by=moon', {}],
    ['/?something=else', {}],
  ];
  test.each(views)('%s', (address, view) => {
    expect(read(address)).toEqual({ page: FLEET, view: { ...DEFAULT_VIEW, ...view } });
  });

  test.each([
    ['/targets', { name: 'targets' }],
    ['/topology', { name: 'topology' }],
    ['/regions', { name: 'regions' }],
    ['/status', { name: 'status' }],
    ['/alerts', { name: 'alerts' }],
    ['/rules', { name: 'rules' }],
    ['/services/cart', { name: 'service', service: 'cart', namespace: '' }],
    ['/services/a%2Fb%20c?namespace=shop', { name: 'service', service: 'a/b c', namespace: 'shop' }],
    [
      '/services/cart/instances/cart%2F0?namespace=shop',
      { name: 'instance', service: 'cart', namespace: 'shop', instance: 'cart/0' },
    ],
    ['/services/', { name: 'missing', path: '/services/' }],
    ['/services/%E0%A4%A', { name: 'missing', path: '/services/%E0%A4%A' }],
    ['/nowhere', { name: 'missing', path: '/nowhere' }],
  ])('%s', (address, page) => expect(read(address).page).toEqual(page));
});

describe('writing an address', () => {
  const written: [Page, Partial<View>, string][] = [
    [FLEET, {}, '/'],
    [FLEET, { window: '1h', sort: { column: 'p99', descending: true }, search: 'a b' }, '/?window=1h&sort=-p99&q=a+b'],
    [{ name: 'service', service: 'a/b', namespace: 'shop' } as const, {}, '/services/a%2Fb?namespace=shop'],
    [FLEET, { tables: ['rate', 'latency'] }, '/?table=rate,latency'],
    [FLEET, { compare: '1w', group: 'namespace', hidden: ['p50'] }, '/?compare=1w&group=namespace&hide=p50'],
  ];
  test.each(written)('%o %o', (page, view, expected) => {
    expect(encodeLocation({ page, view: { ...DEFAULT_VIEW, ...view } })).toBe(expected);
  });
});

const anyView: fc.Arbitrary<View> = fc.record<View>({
  window: fc.constantFrom('5m', '1h', '7d'),
  range: fc.option(
    fc.record({ from: fc.constantFrom(1_763_721_600_000, 1_763_000_000_000), to: fc.constant(1_763_721_660_000) }),
  ),
  compare: fc.constantFrom<Compare[]>('', ...COMPARISONS),
  utc: fc.boolean(),
  group: fc.constantFrom<Group[]>('', ...GROUPS),
  hidden: fc.uniqueArray(fc.constantFrom('p50', 'regions')),
  search: fc.string(),
  sort: fc.option(fc.record({ column: fc.constantFrom('p99', 'rate'), descending: fc.boolean() })),
  pausedAt: fc.option(fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 })),
  tables: fc.uniqueArray(fc.constantFrom('rate', 'latency')),
  logarithmic: fc.boolean(),
  focus: fc.string(),
  only: fc.boolean(),
  nodes: fc.constantFrom(null, 'service' as const, 'namespace' as const),
  zones: fc.boolean(),
});
const anyName = fc.string({ minLength: 1 }).filter((name) => name !== '.' && name !== '..');

property('what is written is read again', [anyView, anyName, fc.string()], (view, service, namespace) => {
  const location: Location = { page: { name: 'service', service, namespace }, view };
  expect(read(encodeLocation(location))).toEqual(location);
});

test('another page takes the time along, not order and search', () => {
  const view = { ...DEFAULT_VIEW, window: '1h', pausedAt: 1_763_721_600_000 };
  expect(carriedView({ ...view, search: 'cart', sort: { column: 'p99', descending: true }, tables: ['rate'] })).toEqual(
    view,
  );
});
