/**
 * The last minutes, asked for again and again while time goes on: what is known of them and moves on with them never
 * shows. Scrapes come at odd moments, late and after outages, lie in the log, in blocks and in every tier.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Direction } from '../../server/model/flow.ts';
import { decodeAnswer } from '../../server/store/answer-view.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { Cell, Group, SeriesLabel, SumAnswer, SumQuery } from '../../server/store/store.ts';
import { allAtOnce } from './all-at-once.ts';
import { storeOptions } from './options.ts';
import { goodScrape } from './records.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const START = 1_700_000_040_000;
const SLOT_MS = 10 * SECOND;
const WINDOWS = [2 * MINUTE, 5 * MINUTE, 30 * MINUTE, 6 * 60 * MINUTE];
const RETENTION = { raw: 20 * MINUTE, '1m': 100 * MINUTE, '10m': 3000 * MINUTE, '1h': 9000 * MINUTE };
const TARGETS = [
  { service: 'a', instance: 'a-1', region: 'eu' },
  { service: 'a', instance: 'a-2', region: 'us' },
  { service: 'b', instance: 'b-1', region: 'eu' },
];
type Shape = Omit<SumQuery, 'from' | 'to' | 'match'>;
const shape = (direction: Direction, by: SeriesLabel[], more: Partial<Shape> = {}): Shape => ({
  direction,
  by,
  bins: true,
  ...more,
});
const SHAPES: readonly Shape[] = [
  shape('outbound', ['service', 'peer'], { quantiles: [0.5, 0.99] }),
  shape('inbound', ['region']),
  shape('inbound', ['service', 'instance'], { subtotals: [[], ['service']], quantiles: [0.9] }),
  shape('inbound', ['service'], { bins: false }),
];

/** Scrapes of all targets, one after the other, and what becomes of them. */
const round = fc.record({
  intervals: fc.array(fc.integer({ min: 300, max: 19_000 }), { minLength: 3, maxLength: 3 }),
  /** A target that is not scraped this time. */
  absent: fc.constantFrom(-1, -1, -1, 0, 1, 2),
  lateBy: fc.constantFrom(0, 0, 0, 0, 0, 0, 90, 700),
  pause: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 400),
  requests: fc.nat(5000),
  timeouts: fc.nat(3),
  latency: fc.dictionary(fc.constantFrom('0', '3', '12', '340'), fc.nat(90_000), { maxKeys: 3 }),
  isPacked: fc.boolean(),
});
type Round = ReturnType<(typeof round)['generate']>['value'];

class Run {
  private readonly writer: SqliteWriter;
  private readonly reader: SqliteReader;
  private readonly open: () => SqliteReader;
  private readonly encoder = new RoundEncoder();
  private readonly ends = TARGETS.map((_, index) => START + index * 3300);
  private now = START;

  constructor(folder: string) {
    const options = storeOptions(join(folder, 'test.db'), { retentionMs: RETENTION });
    this.writer = new SqliteWriter(options);
    this.open = () => new SqliteReader(options);
    this.reader = this.open();
  }

  do(one: Round): void {
    this.now += one.pause * SECOND;
    const scrapes = TARGETS.flatMap((_, target) => (target === one.absent ? [] : [this.scrape(target, one)]));
    this.writer.append(allAtOnce(this.encoder.encode(scrapes)));
    while (one.isPacked && this.writer.upkeep(this.now));
    const opened = this.open();
    for (const shape of SHAPES) for (const window of WINDOWS) this.compare(shape, window, opened);
    opened.close();
  }

  private scrape(target: number, { intervals, lateBy, requests, timeouts, latency }: Round) {
    const last = this.ends[target] ?? START;
    const length = intervals[target] ?? SECOND;
    const isLate = lateBy > 0 && target === 1;
    const to = isLate ? last - lateBy * SECOND : Math.max(last + length, this.now);
    if (!isLate) this.ends[target] = to;
    this.now = Math.max(this.now, to);
    const counted = {
      counters: { '2xx': requests, timed_out: timeouts },
      gauges: { active_requests: target },
      latency,
    };
    const flows = [counted, { ...counted, direction: 'outbound' as const, peer: `p${target % 2}` }];
    const from = isLate ? to - length : last;
    return goodScrape({ target: `t${target}`, from, to, identity: TARGETS[target] ?? {}, flows });
  }

  private compare(shape: Shape, window: number, opened: SqliteReader): void {
    const to = Math.ceil(this.now / SLOT_MS) * SLOT_MS;
    const asked: SumQuery = { ...shape, match: {}, from: to - window, to };
    const about = `${shape.direction} by ${shape.by} over ${window / MINUTE} min`;
    expect(told(decodeAnswer(this.reader.sums(asked))), about).toEqual(told(decodeAnswer(opened.sums(asked))));
  }

  close(): void {
    this.reader.close();
    this.writer.close();
  }
}

/** The order of groups tells nothing. */
function told({ groups, subtotals, tiers }: SumAnswer) {
  const all = (some: readonly Group[]) =>
    some.map(({ labels, cells }) => [JSON.stringify(labels), cells.map(figures)] as const).sort(byName);
  return { groups: all(groups), subtotals: subtotals.map(all), tiers };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function figures(cell: Cell | null) {
  if (!cell) return null;
  const { counters, rates, gauges, bins, quantiles, meanMs, measured, timeoutsWithoutSample } = cell;
  const samples = [cell.downstreamSamples, cell.upstreamSamples];
  return { counters, rates, gauges, bins, quantiles, meanMs, measured, timeoutsWithoutSample, samples };
}

test('the last minutes are told as by a reader that never told them before', () => {
  fc.assert(
    fc.property(fc.array(round, { minLength: 20, maxLength: 60 }), (rounds) => {
      const folder = mkdtempSync(join(tmpdir(), 'sidelight-sums-'));
      const run = new Run(folder);
      try {
        for (const one of rounds) run.do(one);
      } finally {
        run.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 10, endOnFailure: true },
  );
}, 120_000);
