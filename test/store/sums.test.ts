import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COUNTER_INDEX, type Direction, GAUGE_INDEX, STORED_GAUGES } from '../../server/model/flow.ts';
import { encodeBins } from '../../server/model/histogram.ts';
import { spreadCount } from '../../server/model/spread.ts';
import { Coverage, unionOf } from '../../server/store/coverage.ts';
import type { Cell, Group, SeriesLabel, SumQuery } from '../../server/store/store.ts';
import { type Series, Sums } from '../../server/store/sums.ts';
import { binsOf, counters, gauges } from './records.ts';

/** One scrape of one target: what its only series counted in the interval, in seconds. */
interface Scrape {
  readonly target: number;
  readonly from: number;
  readonly to: number;
  readonly count?: number;
  readonly active?: number;
}

const SERIES: Series['labels'] = {
  service: 'shop',
  namespace: '',
  instance: '',
  region: '',
  zone: '',
  peer: '',
  peer_namespace: '',
  peer_zone: '',
};

interface Asked {
  readonly from: number;
  readonly to: number;
  readonly step?: number;
  readonly by?: readonly SeriesLabel[];
}

/** Scrapes in order of their end; all times in seconds. */
function groupsOf(scrapes: readonly Scrape[], { from, to, step, by = [] }: Asked): Group[] {
  const coverage = new Coverage();
  for (const { target, from, to } of scrapes) coverage.add(target, { from: from * 1000, to: to * 1000 });
  const sums = new Sums(
    {
      from: from * 1000,
      to: to * 1000,
      ...(step === undefined ? {} : { stepMs: step * 1000 }),
      direction: 'inbound' satisfies Direction,
      match: {},
      by,
      bins: true,
    },
    coverage,
  );
  for (const target of new Set(scrapes.map(({ target }) => target)))
    sums.addSeries({ id: target, target, source: 'downstream', labels: { ...SERIES, instance: `shop-${target}` } });
  for (const { target, from, to, count, active } of scrapes) {
    if (count === undefined && active === undefined) continue;
    sums.addRow({
      series: target,
      interval: { from: from * 1000, to: to * 1000 },
      counters: counters({ '2xx': count ?? 0 }),
      gauges: gauges({ active_requests: active ?? 0 }).subarray(0, STORED_GAUGES.length),
      bins: count ? encodeBins(binsOf({ 20: count })) : null,
    });
  }
  return sums.finish();
}

const cellsOf = (scrapes: readonly Scrape[], asked: Asked): readonly (Cell | null)[] =>
  groupsOf(scrapes, asked)[0]?.cells ?? [];
const requests = (cell: Cell | null) => cell && (cell.counters[COUNTER_INDEX['2xx']] ?? null);
const rate = (cell: Cell | null) => cell && Math.round((cell.rates[COUNTER_INDEX['2xx']] ?? 0) * 1e6) / 1e6;
const active = (cell: Cell | null) => cell && (cell.gauges?.[GAUGE_INDEX.active_requests] ?? null);

/** A target that counts `perSecond` and is scraped every 10 s up to `until`, `phase` seconds into each interval. */
function steady(target: number, { phase = 0, perSecond = 1, from = 0, until = 60, active = 0 } = {}): Scrape[] {
  const scrapes: Scrape[] = [];
  for (let at = from + phase; at + 10 <= until; at += 10)
    scrapes.push({ target, from: at, to: at + 10, count: perSecond * 10, active });
  return scrapes;
}

const inOrder = (...scrapes: Scrape[][]) => scrapes.flat().sort((a, b) => a.to - b.to);

interface Case {
  readonly name: string;
  readonly scrapes: readonly Scrape[];
  readonly asked: Asked;
  readonly requests?: readonly (number | null)[];
  readonly rates?: readonly (number | null)[];
  readonly active?: readonly (number | null)[];
}

test.each<Case>([
  {
    name: 'whole intervals in whole cells',
    scrapes: steady(1, { until: 30 }),
    asked: { from: 0, to: 30, step: 10 },
    requests: [10, 10, 10],
    rates: [1, 1, 1],
  },
  {
    name: 'one cell when no step is given',
    scrapes: steady(1, { until: 30, perSecond: 2 }),
    asked: { from: 0, to: 30 },
    requests: [60],
    rates: [2],
  },
  {
    name: 'an interval that two cells share is spread by time',
    scrapes: [{ target: 1, from: 5, to: 15, count: 10 }],
    asked: { from: 0, to: 20, step: 10 },
    requests: [5, 5],
    rates: [1, 1],
  },
  {
    name: 'only the part that lies in the window counts',
    scrapes: steady(1, { phase: 4, until: 60 }),
    asked: { from: 10, to: 30, step: 20 },
    requests: [20],
    rates: [1],
  },
  {
    name: 'a known zero is 0',
    scrapes: [
      { target: 1, from: 0, to: 10, count: 10 },
      { target: 1, from: 10, to: 20 },
    ],
    asked: { from: 0, to: 20, step: 10 },
    requests: [10, 0],
    rates: [1, 0],
    active: [0, 0],
  },
  {
    name: 'a gap is null',
    scrapes: [...steady(1, { until: 20 }), ...steady(1, { from: 40, until: 60 })],
    asked: { from: 0, to: 60, step: 10 },
    requests: [10, 10, null, null, 10, 10],
    rates: [1, 1, null, null, 1, 1],
  },
  {
    name: 'what came in the time of an outage is spread over it',
    scrapes: [...steady(1, { until: 20 }), { target: 1, from: 20, to: 50, count: 30 }],
    asked: { from: 0, to: 50, step: 10 },
    requests: [10, 10, 10, 10, 10],
    rates: [1, 1, 1, 1, 1],
  },
  {
    name: 'the rate of a cell is over the part of it that was measured',
    scrapes: steady(1, { from: 5, until: 20 }),
    asked: { from: 0, to: 20, step: 10 },
    requests: [5, 5],
    rates: [1, 1],
  },
  {
    name: 'nothing is known of the time to come',
    scrapes: steady(1, { until: 20 }),
    asked: { from: 0, to: 40, step: 10 },
    requests: [10, 10, null, null],
  },
  {
    name: 'targets scraped one after the other do not make the newest rate sag',
    scrapes: inOrder(steady(1, { phase: 0, until: 60 }), steady(2, { phase: 3, until: 60 })),
    asked: { from: 0, to: 60, step: 10 },
    rates: [1.7, 2, 2, 2, 2, 2],
  },
  {
    name: 'nor in a cell that the newest scrape has just begun',
    scrapes: inOrder(steady(1, { phase: 0, until: 60 }), steady(2, { phase: 2, until: 63 })),
    asked: { from: 50, to: 70, step: 10 },
    rates: [2, 2],
    requests: [20, 2],
  },
  {
    name: 'a cell with nothing but an expectation is null',
    scrapes: inOrder(steady(1, { until: 60 }), steady(2, { phase: 2, until: 63 })),
    asked: { from: 40, to: 70, step: 10, by: ['instance'] },
    requests: [10, 10, null],
    rates: [1, 1, null],
  },
  {
    name: 'a target whose next scrape is overdue is not expected to go on',
    scrapes: inOrder(steady(1, { until: 20 }), steady(2, { until: 60 })),
    asked: { from: 0, to: 60, step: 20 },
    requests: [40, 20, 20],
    rates: [2, 1, 1],
  },
  {
    name: 'instances that follow one another make one rate',
    scrapes: inOrder(steady(1, { until: 30 }), steady(2, { from: 30, until: 60 })),
    asked: { from: 0, to: 60 },
    requests: [60],
    rates: [1],
  },
  {
    name: 'instances that overlap for a while do too',
    scrapes: inOrder(steady(1, { until: 40 }), steady(2, { from: 20, until: 60 })),
    asked: { from: 0, to: 60, step: 20 },
    requests: [20, 40, 20],
    rates: [1, 2, 1],
  },
  {
    name: 'gauges are those at the end of a cell, of all targets',
    scrapes: inOrder(steady(1, { until: 40, active: 3 }), steady(2, { until: 40, active: 4 })),
    asked: { from: 0, to: 40, step: 20 },
    active: [7, 7],
  },
  {
    name: 'a gauge ends with its target',
    scrapes: inOrder(steady(1, { until: 20, active: 3 }), steady(2, { until: 60, active: 4 })),
    asked: { from: 0, to: 60, step: 20 },
    active: [7, 4, 4],
  },
  {
    name: 'a gauge is unknown when no target was measured at the end of the cell',
    scrapes: steady(1, { until: 30, active: 3 }),
    asked: { from: 0, to: 60, step: 20 },
    active: [3, 3, null],
  },
  {
    name: 'a gauge is unknown when its target went down within the cell',
    scrapes: inOrder(
      steady(1, { until: 30, active: 3 }),
      steady(1, { from: 50, until: 60, active: 5 }),
      steady(2, { until: 60 }),
    ),
    asked: { from: 0, to: 60, step: 20, by: ['instance'] },
    active: [3, null, 5],
  },
])('$name', ({ scrapes, asked, ...expected }) => {
  const cells = cellsOf(scrapes, asked);
  if (expected.requests) expect(cells.map(requests)).toEqual(expected.requests);
  if (expected.rates) expect(cells.map(rate)).toEqual(expected.rates);
  if (expected.active) expect(cells.map(active)).toEqual(expected.active);
});

test('groups are told apart by the labels asked for', () => {
  const scrapes = inOrder(steady(1, { until: 20 }), steady(2, { until: 20, perSecond: 3 }));
  const groups = groupsOf(scrapes, { from: 0, to: 20, by: ['service', 'instance'] });
  expect(groups.map(({ labels, cells }) => [labels, ...cells.map(requests)])).toEqual([
    [{ service: 'shop', instance: 'shop-1' }, 20],
    [{ service: 'shop', instance: 'shop-2' }, 60],
  ]);
});

test('bins are spread as counts are, and none is lost', () => {
  const cells = cellsOf([{ target: 1, from: 0, to: 30, count: 7 }], { from: 0, to: 30, step: 10 });
  expect(cells.map((cell) => cell?.bins.counts)).toEqual([[2], [3], [2]]);
  expect(cells.map((cell) => cell?.downstreamSamples)).toEqual([2, 3, 2]);
});

test('timeouts of a cluster have no sample, those of a connection manager have', () => {
  const timeoutsOf = (source: Series['source']) => {
    const coverage = new Coverage();
    coverage.add(1, { from: 0, to: 10 });
    const query: SumQuery = { from: 0, to: 10, direction: 'inbound', match: {}, by: [], bins: true };
    const sums = new Sums(query, coverage);
    sums.addSeries({ id: 1, target: 1, source, labels: SERIES });
    sums.addRow({
      series: 1,
      interval: { from: 0, to: 10 },
      counters: counters({ timed_out: 3 }),
      gauges: [],
      bins: encodeBins(binsOf({ 20: 5 })),
    });
    const [cell] = sums.finish()[0]?.cells ?? [];
    return [cell?.timeoutsWithoutSample, cell?.downstreamSamples, cell?.upstreamSamples];
  };
  expect(timeoutsOf('upstream')).toEqual([3, 0, 5]);
  expect(timeoutsOf('downstream')).toEqual([0, 5, 0]);
});

test('a spread count is whole, never negative, and adds up over any cuts', () => {
  const whole = fc.maxSafeNat();
  fc.assert(
    fc.property(
      whole,
      fc.nat(2 ** 31),
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
      (count, from, length, shares) => {
        const over = { from, to: from + length };
        const cuts = shares.map((share) => from + Math.floor(share * length)).sort((a, b) => a - b);
        const edges = [from - 10, ...cuts, over.to + 10];
        const parts = edges.slice(1).map((edge, index) => spreadCount(count, over, edges[index] ?? 0, edge));
        expect(parts.every((part) => Number.isSafeInteger(part) && part >= 0)).toBe(true);
        expect(parts.reduce((sum, part) => sum + BigInt(part), 0n)).toBe(BigInt(count));
      },
    ),
  );
});

test.each([
  { intervals: [], union: [] },
  { intervals: [[0, 0]], union: [] },
  {
    intervals: [
      [5, 9],
      [0, 3],
    ],
    union: [
      [0, 3],
      [5, 9],
    ],
  },
  {
    intervals: [
      [0, 3],
      [3, 5],
      [4, 4],
    ],
    union: [[0, 5]],
  },
  {
    intervals: [
      [0, 9],
      [2, 3],
      [8, 12],
    ],
    union: [[0, 12]],
  },
])('the union of $intervals is $union', ({ intervals, union }) => {
  const asIntervals = (pairs: number[][]) => pairs.map(([from = 0, to = 0]) => ({ from, to }));
  expect(unionOf(asIntervals(intervals))).toEqual(asIntervals(union));
});
