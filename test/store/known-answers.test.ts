/**
 * Charts that are asked for again and again, while time goes on: what is remembered of the answers to them never shows.
 * Slots are ten seconds here and cells fifteen: a scrape that is still by itself is cut where cells end, a packed one by
 * slots, so that cells are compared by the minute.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAnswer } from '../../server/store/answer-view.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { Cell, SumAnswer, SumQuery } from '../../server/store/store.ts';
import { allAtOnce } from './all-at-once.ts';
import { storeOptions } from './options.ts';
import { goodScrape } from './records.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const START = 1_700_000_040_000;
const STEP_MS = 15 * SECOND;
const WINDOW_MS = 30 * MINUTE;
const SHAPES: readonly Omit<SumQuery, 'from' | 'to' | 'match' | 'direction'>[] = [
  { by: ['service'], bins: true },
  { by: ['region'], bins: true, quantiles: [0.5, 0.99] },
  { by: ['service', 'instance'], bins: false },
];
const IDENTITIES = [
  { service: 'a', instance: 'a-1', region: 'eu' },
  { service: 'a', instance: 'a-2', region: 'us' },
  { service: 'b', instance: 'b-1', region: 'eu' },
];

/** A scrape: when it begins after the target's last one ended, how long it is, and how late it comes. */
const round = fc.record({
  target: fc.nat(IDENTITIES.length - 1),
  gap: fc.constantFrom(0, 0, 0, 25, 200),
  lengthMs: fc.integer({ min: 1, max: 400_000 }),
  late: fc.constantFrom(0, 0, 0, 0, 500, 1500),
  requests: fc.nat(5000),
  latency: fc.dictionary(fc.constantFrom('0', '3', '12', '340'), fc.nat(900), { maxKeys: 3 }),
  isPacked: fc.boolean(),
});
type Round = ReturnType<(typeof round)['generate']>['value'];

class Run {
  private readonly writer: SqliteWriter;
  private readonly reader: SqliteReader;
  private readonly open: () => SqliteReader;
  private readonly encoder = new RoundEncoder();
  private readonly ends = IDENTITIES.map((_, index) => START + index * 3300);
  private now = START;

  constructor(folder: string) {
    const options = storeOptions(join(folder, 'test.db'));
    this.writer = new SqliteWriter(options);
    this.open = () => new SqliteReader(options);
    this.reader = this.open();
  }

  do({ target, gap, lengthMs, late, requests, latency, isPacked }: Round): void {
    const last = this.ends[target] ?? START;
    const from = late > 0 ? last - late * SECOND - lengthMs : last + gap * SECOND;
    const to = from + lengthMs;
    if (late === 0) this.ends[target] = to;
    this.now = Math.max(this.now, to);
    const flows = [{ counters: { '2xx': requests }, gauges: { active_requests: 2 }, latency }];
    const scrape = goodScrape({ target: `t${target}`, from, to, identity: IDENTITIES[target] ?? {}, flows });
    const others = late > 0 ? [this.nextOf((target + 1) % IDENTITIES.length)] : [];
    this.writer.append(allAtOnce(this.encoder.encode([scrape, ...others])));
    while (isPacked && this.writer.upkeep(this.now));
    const opened = this.open();
    for (const shape of SHAPES) this.compare(shape, opened);
    opened.close();
  }

  /** What comes late comes with what doesn't. */
  private nextOf(target: number) {
    const to = this.now + 10 * SECOND;
    const from = Math.max(this.ends[target] ?? START, to - 10 * SECOND);
    this.ends[target] = to;
    this.now = to;
    const flows = [{ counters: { '2xx': 7 } }];
    return goodScrape({ target: `t${target}`, from, to, identity: IDENTITIES[target] ?? {}, flows });
  }

  private compare(shape: (typeof SHAPES)[number], opened: SqliteReader): void {
    const to = Math.floor(this.now / STEP_MS) * STEP_MS + STEP_MS;
    const asked: SumQuery = {
      ...shape,
      direction: 'inbound',
      match: {},
      from: to - WINDOW_MS,
      to,
      stepMs: STEP_MS,
    };
    const fresh = byMinute(decodeAnswer(opened.sums(asked)), asked);
    expect(byMinute(decodeAnswer(this.reader.sums(asked)), asked)).toEqual(fresh);
  }

  close(): void {
    this.reader.close();
    this.writer.close();
  }
}

/**
 * By group: when it was measured, and what was counted by the minute. Minutes that the window cuts are left out, and
 * those that were measured in part: of a slot that reaches out of what was measured, cells tell a part.
 */
function byMinute({ groups, tiers }: SumAnswer, { from, to }: SumQuery) {
  const told = groups.map(({ labels, cells }) => {
    const minutes = new Map<number, Record<string, number>>();
    for (let minute = Math.ceil(from / MINUTE) * MINUTE; minute + MINUTE <= to; minute += MINUTE) {
      const first = (minute - from) / STEP_MS;
      const all = cells.slice(first, first + MINUTE / STEP_MS).filter((cell) => cell !== null);
      if (all.length < MINUTE / STEP_MS) continue;
      const sum: Record<string, number> = {};
      for (const cell of all) addCell(sum, cell);
      minutes.set(minute, sum);
    }
    return [JSON.stringify(labels), { minutes, measured: cells.map((cell) => cell?.measured) }] as const;
  });
  return { tiers, groups: new Map(told.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function addCell(sum: Record<string, number>, { counters, bins, downstreamSamples }: Cell): void {
  const add = (name: string, count: number) => {
    if (count > 0) sum[name] = (sum[name] ?? 0) + count;
  };
  for (const [counter, count] of counters.entries()) add(`counter ${counter}`, count);
  for (const [index, key] of bins.keys.entries()) add(`bin ${key}`, bins.counts[index] ?? 0);
  add('samples', downstreamSamples);
}

test('charts that are asked for again tell what a new reader tells', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(fc.array(round, { minLength: 5, maxLength: 25, size: 'max' }), (rounds) => {
      const folder = mkdtempSync(join(tmpdir(), 'sidelight-known-'));
      const run = new Run(folder);
      try {
        for (const one of rounds) run.do(one);
      } finally {
        run.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 10 },
  );
});

/** A file of its own, with raw steps kept for three hours; and one chart of the half hour up to START. */
function withFile(
  task: (parts: {
    writer: SqliteWriter;
    append: (to: number, lengthMs: number, target?: number) => void;
    same: () => void;
  }) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), 'sidelight-known-'));
  const { retentionMs, ...rest } = storeOptions(join(folder, 'test.db'));
  const options = { ...rest, retentionMs: { ...retentionMs, raw: 180 * MINUTE } };
  const [writer, reader] = [new SqliteWriter(options), new SqliteReader(options)];
  const encoder = new RoundEncoder();
  const append = (to: number, lengthMs: number, target = 0): void => {
    const flows = [{ counters: { '2xx': Math.round((to / SECOND) % 17) } }];
    const spec = { target: `t${target}`, from: to - lengthMs, to, identity: IDENTITIES[target] ?? {}, flows };
    writer.append(allAtOnce(encoder.encode([goodScrape(spec)])));
  };
  const same = (): void => {
    const asked: SumQuery = { from: START - WINDOW_MS, to: START, stepMs: STEP_MS, ...CHART };
    const opened = new SqliteReader(options);
    const fresh = decodeAnswer(opened.sums(asked));
    opened.close();
    expect(plain(decodeAnswer(reader.sums(asked)))).toEqual(plain(fresh));
  };
  try {
    task({ writer, append, same });
  } finally {
    reader.close();
    writer.close();
    rmSync(folder, { recursive: true });
  }
}

const CHART = { by: ['instance'], direction: 'inbound', match: {}, bins: false } as const;

function plain({ groups, tiers }: SumAnswer) {
  const cells = groups.map((group) => group.cells.map((cell) => cell && [[...cell.counters], cell.measured]));
  return { tiers, cells };
}

test('what is forgotten in fine steps is told from coarser ones', () => {
  withFile(({ writer, append, same }) => {
    for (let to = START - WINDOW_MS; to <= START; to += 10 * SECOND) append(to, 10 * SECOND);
    while (writer.upkeep(START + 60 * MINUTE));
    same();
    while (writer.upkeep(START + 300 * MINUTE));
    same();
  });
});

test('a scrape that was overdue is not any more when the newest of all goes back', () => {
  withFile(({ append, same }) => {
    append(START - 20 * MINUTE - 5 * SECOND, 5 * MINUTE);
    append(START, 10 * SECOND, 2);
    same();
    append(START - 17 * MINUTE, 10 * SECOND, 2);
    same();
  });
});
