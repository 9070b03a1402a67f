/** Whatever tier an answer is from, it counts the same; whatever clocks do, nothing counts twice. */

import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COUNTER_INDEX } from '../../server/model/flow.ts';
import { mergeBins, quantile } from '../../server/model/histogram.ts';
import { decodeAnswer } from '../../server/store/answer-view.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { Cell, StoreOptions, SumAnswer, SumQuery } from '../../server/store/store.ts';
import { planSegments, slotMsOf, stepOf } from '../../server/store/tiers.ts';
import { allAtOnce } from './all-at-once.ts';
import { storeOptions } from './options.ts';
import { binsOf, goodScrape, type RecordSpec } from './records.ts';
import { temporaryFolder } from './temporary-folder.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Math.floor(1_700_000_000_000 / DAY) * DAY;
const QUERY: SumQuery = { from: START, to: START + DAY, direction: 'inbound', match: {}, by: [], bins: true };

interface Opened {
  append(records: readonly RecordSpec[], id?: number): void;
  upkeep(now: number): void;
  sums(query: SumQuery): SumAnswer;
}

function open(path: string, options: Partial<StoreOptions> = {}): Opened & { close(): void } {
  const writer = new SqliteWriter(storeOptions(path, options));
  const reader = new SqliteReader(storeOptions(path, options));
  const encoder = new RoundEncoder();
  return {
    append: (records, id) => writer.append(allAtOnce(encoder.encode(records.map(goodScrape), id))),
    upkeep: (now) => {
      while (writer.upkeep(now));
    },
    sums: (query) => decodeAnswer(reader.sums(query)),
    close() {
      reader.close();
      writer.close();
    },
  };
}

function opened(options: Partial<StoreOptions> = {}): Opened {
  const store = open(join(temporaryFolder(), 'sidelight.db'), options);
  onTestFinished(() => store.close());
  return store;
}

const requests = (cell: Cell | null | undefined) => cell?.counters[COUNTER_INDEX['2xx']] ?? null;
const total = ({ groups }: SumAnswer) => requests(groups[0]?.cells[0]);

/** Two instances of a service, so many requests each time; of very different latencies. */
const scrapes = (count: number, stepMs: number): RecordSpec[] =>
  Array.from({ length: count }, (_, index) => index).flatMap((index) =>
    ['one', 'two'].map((instance, other) => ({
      target: instance,
      from: START + index * stepMs,
      to: START + (index + 1) * stepMs,
      identity: { service: 'shop', instance, region: other ? 'eu' : 'us' },
      flows: [
        {
          counters: { '2xx': 3 + (index % 5) },
          latency: { [7 + (index % 40) * 3]: 2 + other, 900: 1 + (index % 5) - other },
        },
      ],
    })),
  );

describe('tiers', () => {
  const keep = { raw: HOUR, '1m': 8 * HOUR, '10m': 30 * HOUR, '1h': 400 * DAY };
  const data = scrapes(48 * 60, MINUTE);
  const end = START + 2 * DAY;

  test('any whole hours give the same counts and the percentiles of merged bins, from any tier', () => {
    const store = opened({ intervalMs: MINUTE, retentionMs: keep });
    store.append(data);
    store.upkeep(end);
    const hour = fc.integer({ min: 0, max: 47 });
    const seen = new Set<string>();
    fc.assert(
      fc.property(hour, hour, fc.constantFrom([], ['region'] as const), (a, b, by) => {
        const [from, to] = [START + Math.min(a, b) * HOUR, START + (Math.max(a, b) + 1) * HOUR];
        const inside = data.filter((record) => record.from >= from && record.to <= to);
        const answer = store.sums({ ...QUERY, from, to, by, quantiles: [0.5, 0.99] });
        for (const tier of answer.tiers) seen.add(tier);
        for (const { labels, cells } of answer.groups) {
          const mine = inside.filter(
            ({ identity }) => labels.region === undefined || identity?.region === labels.region,
          );
          const flows = mine.flatMap(({ flows: all = [] }) => all);
          const bins = mergeBins(flows.map(({ latency }) => binsOf(latency)));
          expect(requests(cells[0])).toBe(flows.reduce((sum, { counters }) => sum + (counters?.['2xx'] ?? 0), 0));
          expect(cells[0]?.quantiles).toEqual([quantile(bins, 0.5), quantile(bins, 0.99)]);
        }
      }),
      { numRuns: 60 },
    );
    expect([...seen].sort()).toEqual(['10m', '1h', '1m']);
  });

  test('steps add up to the whole, with and without instances', () => {
    const store = opened({ intervalMs: MINUTE, retentionMs: keep });
    store.append(data);
    store.upkeep(end);
    const whole = data.reduce((sum, { flows = [] }) => sum + (flows[0]?.counters?.['2xx'] ?? 0), 0);
    for (const by of [[], ['instance']] as const) {
      const { groups } = store.sums({ ...QUERY, to: end, stepMs: HOUR, by });
      const sum = groups.flatMap(({ cells }) => cells).reduce((all, cell) => all + (requests(cell) ?? 0), 0);
      expect(sum, by.join()).toBe(whole);
      for (const hour of [0, 20, 47]) {
        const cells = groups.map((group) => requests(group.cells[hour]) ?? 0);
        expect(
          cells.reduce((all, count) => all + count, 0),
          `${by.join()} in hour ${hour}`,
        ).toBe(600);
      }
    }
  });

  test('the largest groups by themselves, all others as one', () => {
    const store = opened({ intervalMs: MINUTE });
    store.append(
      ['a', 'b', 'c', 'd'].map((service, index) => ({
        target: service,
        from: START,
        to: START + MINUTE,
        identity: { service },
        flows: [{ counters: { '2xx': 10 ** index } }],
      })),
    );
    const { groups, other } = store.sums({ ...QUERY, by: ['service'], top: 2 });
    expect(groups.map(({ labels, cells }) => [labels.service, requests(cells[0])])).toEqual([
      ['c', 100],
      ['d', 1000],
    ]);
    expect([other?.labels, requests(other?.cells[0])]).toEqual([{}, 11]);
  });

  test('the room there is goes to the youngest', () => {
    const maxBytes = 1_000_000;
    const store = opened({ intervalMs: MINUTE, maxBytes });
    store.append(scrapes(24 * 60, MINUTE));
    store.upkeep(START + DAY);
    const kept = store.sums({ ...QUERY, from: START + 23 * HOUR });
    expect(total(kept)).toBe(600);
  });
});

test.each([
  ['as long as minutes', { raw: 2 * HOUR, '1m': 2 * HOUR, '10m': 9 * HOUR, '1h': 400 * DAY }],
  ['longer', { raw: 3 * HOUR, '1m': 2 * HOUR, '10m': 9 * HOUR, '1h': 400 * DAY }],
  ['as long as ten minutes, too', { raw: 2 * HOUR, '1m': 2 * HOUR, '10m': 2 * HOUR, '1h': 400 * DAY }],
])('raw figures kept %s: every request counts once', (_, retentionMs) => {
  const store = opened({ retentionMs });
  let truth = 0;
  for (let minute = 0; minute < 12 * 60; minute++) {
    const at = START + minute * MINUTE;
    const count = minute % 7 === 3 ? 1000 : 1;
    truth += count;
    store.append([{ target: 't', from: at, to: at + MINUTE, flows: [{ counters: { '2xx': count } }] }]);
    if (minute % 5 === 0) store.upkeep(at + MINUTE);
    if (minute % 13 === 0) expect(total(store.sums(QUERY)), `after ${minute} min`).toBe(truth);
  }
});

describe('clocks', () => {
  const one = (from: number, to: number, count = 10): RecordSpec => ({
    target: 't',
    from,
    to,
    flows: [{ counters: { '2xx': count }, latency: { 20: count } }],
  });
  const whole = { ...QUERY, from: START - 400 * DAY, to: START + 400 * DAY };

  test.each<{ name: string; records: RecordSpec[] }>([
    {
      name: 'a laptop that slept',
      records: [one(START, START + MINUTE), one(START + MINUTE, START + 60 * HOUR, 1001)],
    },
    { name: 'an outage of a month', records: [one(START, START + 30 * DAY, 12_345)] },
    {
      name: 'a clock that jumps back',
      records: [one(START + HOUR, START + HOUR + MINUTE), one(START + 5, START + 6), one(START + 6, START + MINUTE)],
    },
    {
      name: 'a clock that jumps forth and back',
      records: [
        one(START, START + MINUTE),
        one(START + MINUTE, START + 20 * DAY),
        one(START + MINUTE, START + MINUTE + 1),
        one(START + 2 * MINUTE, START + 3 * MINUTE),
      ],
    },
    {
      name: 'intervals that change',
      records: [one(START, START + 1000), one(START + 1000, START + 61_000), one(START + 61_000, START + 64_700)],
    },
  ])('$name: every request counts once', ({ records }) => {
    const store = opened();
    const truth = records.reduce((sum, { flows = [] }) => sum + (flows[0]?.counters?.['2xx'] ?? 0), 0);
    for (const [index, record] of records.entries()) {
      store.append([record], index + 1);
      store.append([record], index + 1);
      store.upkeep(record.to + 10_000);
    }
    const check = (when: string) => {
      const { groups } = store.sums(whole);
      expect(requests(groups[0]?.cells[0]), when).toBe(truth);
      expect(groups[0]?.cells[0]?.downstreamSamples, when).toBe(truth);
    };
    check('at once');
    for (const hours of [1, 10, 30, 24 * 40]) {
      store.upkeep(START + hours * HOUR);
      store.append(records, records.length);
      check(`after ${hours} h`);
    }
  });

  test('what goes on after the last scrapes is told once, where a window is answered from several tiers', () => {
    const store = opened();
    const ended = { a: START + 40 * MINUTE - 2000, c: START + 40 * MINUTE + 10_000 };
    const steady = (target: string, to: number): RecordSpec => ({
      target,
      from: to - 10_000,
      to,
      flows: [{ counters: { '2xx': 10 }, gauges: { active_requests: 3 } }],
    });
    for (const [target, end] of Object.entries(ended))
      store.append(Array.from({ length: 242 }, (_, index) => steady(target, end - (241 - index) * 10_000)));
    const { groups, tiers } = store.sums({ ...QUERY, from: START, to: ended.c });
    expect(tiers).toEqual(['raw', '1m']);
    expect(groups[0]?.cells[0]?.rates[0]).toBeCloseTo(2, 9);
    expect(groups[0]?.cells[0]?.gauges?.[0]).toBe(6);
  });

  test('a clock that was a month ahead for some minutes: what comes after is told by instance, and in short steps', () => {
    const store = opened();
    const run = (from: number, minutes: number) => {
      for (let minute = 0; minute < minutes; minute++) {
        const at = from + minute * MINUTE;
        store.append([one(at, at + 50_000, 50), one(at + 50_000, at + MINUTE)]);
        store.upkeep(at + MINUTE);
      }
    };
    run(START, 180);
    run(START + 30 * DAY, 10);
    const right = START + 190 * MINUTE;
    run(right, 120);
    const to = right + 110 * MINUTE;
    const { groups, tiers } = store.sums({ ...QUERY, by: ['instance'], from: to - 4 * MINUTE, to, stepMs: 50_000 });
    expect(tiers).toEqual(['raw']);
    expect(groups[0]?.labels).toEqual({ instance: 'shop-1' });
    expect(groups[0]?.cells.map(requests)).toEqual([50, 50, 50, 50, 40]);
  });

  test('late rounds find their place among blocks', () => {
    const keep = 400 * DAY;
    const store = opened({ retentionMs: { raw: keep, '1m': keep, '10m': keep, '1h': keep } });
    const times = Array.from({ length: 400 }, (_, index) => START + index * 10_000);
    const shuffled = times.map((_, index) => times[(index * 163) % times.length] ?? START);
    for (const [index, from] of shuffled.entries()) {
      store.append([one(from, from + 10_000)]);
      if (index % 50 === 0) store.upkeep(START + DAY + index * HOUR);
    }
    const { groups } = store.sums({ ...QUERY, to: START + 4_000_000, stepMs: 10_000 });
    expect(groups[0]?.cells.map(requests)).toEqual(times.map(() => 10));
  });
});

test.each([
  [1000, 1000],
  [1500, 1000],
  [10_000, 10_000],
  [14_999, 12_000],
  [15_000, 15_000],
  [45_000, 30_000],
  [300_000, 60_000],
  [200, 1000],
])('scrapes every %i ms make slots of %i ms', (interval, slot) => {
  expect(slotMsOf(interval)).toBe(slot);
});

test('segments meet where whole steps of both tiers do: a step that is cut there would count in part, or twice', () => {
  const moment = fc.integer({ min: 0, max: 10 * DAY });
  fc.assert(
    fc.property(moment, fc.array(moment, { minLength: 4, maxLength: 4 }), (from, keptFrom) => {
      const segments = planSegments({ from, to: 10 * DAY, stepMs: undefined, slotMs: 10_000, keptFrom });
      for (const [index, { tier, from: edge }] of segments.entries()) {
        const before = segments[index - 1];
        if (before) expect(edge % stepOf(Math.max(tier, before.tier), 10_000)).toBe(0);
        expect(edge).toBeGreaterThanOrEqual(keptFrom[tier] ?? 0);
      }
    }),
  );
});

test('segments cover a query once, in order', () => {
  const moment = fc.integer({ min: 0, max: 10 * DAY });
  fc.assert(
    fc.property(
      moment,
      fc.integer({ min: 1, max: 10 * DAY }),
      fc.constantFrom(undefined, 10_000, 5 * MINUTE, HOUR),
      fc.array(moment, { minLength: 4, maxLength: 4 }),
      (from, length, stepMs, kept) => {
        const keptFrom = kept.sort((a, b) => b - a);
        const segments = planSegments({ from, to: from + length, stepMs, slotMs: 10_000, keptFrom });
        for (const [index, segment] of segments.entries()) {
          expect(segment.to).toBeGreaterThan(segment.from);
          expect(segment.from).toBe(index === 0 ? Math.max(from, segment.from) : segments[index - 1]?.to);
          expect(segment.from).toBeGreaterThanOrEqual(keptFrom[segment.tier] ?? 0);
        }
        const last = segments.at(-1);
        if (last) expect(last.to).toBe(from + length);
      },
    ),
  );
});
