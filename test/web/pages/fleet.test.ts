import { describe, expect, test } from 'vitest';
import type { QueryAnswer, ServiceSummary } from '../../../server/api/contract.ts';
import { groupServices, holdOrder, orderServices, searchServices, serviceKey } from '../../../web/pages/fleet/order.ts';
import { addSeries, meshTotals } from '../../../web/pages/fleet/totals.ts';
import { readTrends } from '../../../web/pages/fleet/trends.ts';
import { failing, figures, quiet, summary, unseen } from '../summary.ts';

const names = (services: readonly Pick<ServiceSummary, 'service'>[]) => services.map(({ service }) => service);
const slow = (service: string, p99: number) => summary(service, { latencyMs: { ...figures().latencyMs, p99 } });

describe('groups stand in the order of their worst service', () => {
  const services = [
    summary('a', { namespace: 'shop', regions: ['us', 'eu'] }),
    summary('b', { namespace: '', regions: [] }),
    summary('c', { namespace: 'shop', regions: ['eu'] }),
    summary('d', { namespace: '', regions: ['eu', 'us'] }),
  ];
  test.each([
    ['', ['a', 'b', 'c', 'd']],
    ['namespace', ['a', 'c', 'b', 'd']],
    ['region', ['a', 'd', 'b', 'c']],
  ] as const)('by %j', (group, order) => expect(names(groupServices(services, group))).toEqual(order));
});

describe('worst first', () => {
  const cases: [string, ServiceSummary[], string[]][] = [
    [
      'by urgency',
      [
        quiet('quiet'),
        summary('good'),
        unseen('unknown'),
        failing('degraded', 0.002),
        failing('failing', 0.02),
        failing('mostly', 0.8),
      ],
      ['mostly', 'failing', 'degraded', 'unknown', 'good', 'quiet'],
    ],
    [
      'a service that does not answer is among the worst',
      [failing('failing', 0.2, 5000), unseen('down', { up: 0, total: 3 })],
      ['down', 'failing'],
    ],
    [
      'among failing: who hurts more users',
      [failing('small', 0.04, 10), failing('large', 0.02, 5000)],
      ['large', 'small'],
    ],
    [
      'where as many fail: of whom it is the larger share',
      [failing('front', 0.15, 23), failing('behind', 0.3, 12)],
      ['behind', 'front'],
    ],
    [
      'among good: the slower, whatever the few failures',
      [failing('busy', 0.0005, 5000), slow('slow', 900)],
      ['slow', 'busy'],
    ],
    [
      'a percentile of too few samples counts as nothing',
      [{ ...slow('few', 9000), state: 'too_little_data' }, slow('sound', 100)],
      ['sound', 'few'],
    ],
    ['then the busier', [failing('calm', 0, 10), failing('busy', 0, 1000)], ['busy', 'calm']],
    ['then the name, numbers in their order', [summary('s10'), summary('s9')], ['s9', 's10']],
    ['small differences change nothing', [slow('b', 101), slow('a', 100)], ['a', 'b']],
  ];
  test.each(cases)('%s', (_, services, expected) => expect(names(orderServices(services, null))).toEqual(expected));
});

describe('by a column', () => {
  const services = [failing('b', 0.1, 5), quiet('c'), unseen('d'), failing('a', 0, 500)];
  test.each([
    ['rate', true, ['a', 'b', 'c', 'd']],
    ['rate', false, ['c', 'b', 'a', 'd']],
    ['success', false, ['b', 'a', 'c', 'd']],
    ['p99', true, ['a', 'b', 'c', 'd']],
    ['service', true, ['d', 'c', 'b', 'a']],
    ['nonsense', true, ['b', 'd', 'a', 'c']],
  ])('%s, descending %s: unknown last', (column, descending, expected) => {
    expect(names(orderServices(services, { column, descending }))).toEqual(expected);
  });
});

test('a held order keeps rows, and puts new ones last', () => {
  const held = ['b', 'a', 'gone'].map((service) => serviceKey({ service, namespace: '' }));
  expect(names(holdOrder([summary('new'), summary('a'), summary('b'), summary('newer')], held))).toEqual([
    'b',
    'a',
    'new',
    'newer',
  ]);
});

describe('search', () => {
  const services = [
    summary('cart', { namespace: 'shop', regions: ['eu'] }),
    summary('front', { role: 'gateway' }),
    summary('cart-v2'),
  ];
  test.each([
    ['', ['cart', 'front', 'cart-v2']],
    ['CART', ['cart', 'cart-v2']],
    ['cart shop', ['cart']],
    ['gateway', ['front']],
    ['eu', ['cart']],
    ['nothing', []],
  ])('%j', (search, expected) => expect(names(searchServices(services, search))).toEqual(expected));
});

describe('the whole mesh', () => {
  test('adds rates and counts, and names the slowest instead of merging percentiles', () => {
    const services = [failing('a', 0.01, 100), failing('b', 0, 300), slow('c', 400), quiet('d'), unseen('e')];
    const totals = meshTotals([...services, { ...slow('f', 9000), state: 'too_little_data' }]);
    expect(totals.requestRate).toBe(600);
    expect(totals.successRate).toBeCloseTo(1 - 300 / 180_000, 12);
    expect(totals.slowest?.service).toBe('c');
    expect(totals.byHealth).toEqual({ bad: 1, warn: 0, unknown: 1, good: 3, quiet: 1 });
  });

  test.each([
    ['nothing known', [unseen('a')], null, null],
    ['no traffic', [quiet('a'), unseen('b')], 0, null],
    ['no services', [], null, null],
  ])('%s', (_, services, rate, success) => {
    expect(meshTotals(services)).toMatchObject({ requestRate: rate, successRate: success, slowest: null });
  });

  test('series add up; a step is unknown only if nobody knows it', () => {
    const series = [
      {
        labels: {},
        points: [
          [0, 1],
          [10, null],
          [20, null],
        ] as [number, number | null][],
      },
      {
        labels: {},
        points: [
          [0, 2],
          [10, 0],
          [20, null],
        ] as [number, number | null][],
      },
    ];
    expect(addSeries(series)).toEqual([
      [0, 3],
      [10, 0],
      [20, null],
    ]);
  });
});

test('trends belong to the service of that name and namespace', () => {
  const points = (value: number): [number, number | null][] => [
    [0, value],
    [10, value],
  ];
  const labels = { service: 'a' };
  const answer = (value: number): QueryAnswer => ({
    signal: '',
    step: 10,
    from: 0,
    to: 30,
    measuredTo: 20,
    offsetMs: 0,
    tiers: ['raw'],
    other: [],
    series: [
      { labels, points: points(value) },
      { labels: { ...labels, namespace: 'shop' }, points: points(value + 1) },
    ],
  });
  const trends = readTrends(answer(1), answer(50), 0);
  expect(trends.rate('a', '')?.lines[0]?.values).toEqual([1, 1]);
  expect(trends.rate('a', 'shop')?.lines[0]?.values).toEqual([2, 2]);
  expect(trends.rate('a', 'other')).toBeNull();
  expect(trends.latency('a', 'shop')?.lines[0]?.values).toEqual([51, 51]);
  expect(trends.total.lines[0]?.values).toEqual([3, 3]);
  expect(readTrends(answer(1), null, 0).latency('a', '')).toBeNull();
});
