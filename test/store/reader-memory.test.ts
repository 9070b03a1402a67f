/** What a reader remembers never shows: it answers as one that was opened just now, whatever happened in between. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Direction } from '../../server/model/flow.ts';
import { keyOf } from '../../server/model/labels.ts';
import { decodeAnswer } from '../../server/store/answer-view.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { Cell, Group, SeriesLabel, SumAnswer, SumQuery } from '../../server/store/store.ts';
import { allAtOnce } from './all-at-once.ts';
import { storeOptions } from './options.ts';
import { type FlowSpec, goodScrape, type RecordSpec } from './records.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const START = 1_700_000_000_000;
const RETENTION = { raw: 20 * MINUTE, '1m': 60 * MINUTE, '10m': 300 * MINUTE, '1h': 6000 * MINUTE };
const options = (path: string) => storeOptions(path, { intervalMs: SECOND, retentionMs: RETENTION });
const TARGETS = [
  { service: 'a', namespace: '', instance: 'a-1', region: 'eu', zone: 'eu-1' },
  { service: 'a', namespace: '', instance: 'a-2', region: 'us', zone: 'us-1' },
  { service: 'b', namespace: 'n', instance: 'b-1', region: 'eu', zone: 'eu-1' },
];

const count = fc.oneof(fc.nat(5), fc.nat(5), fc.nat(100_000), fc.nat(2 ** 40));
const flow = (key: Partial<FlowSpec>): fc.Arbitrary<FlowSpec> =>
  fc.record({
    direction: fc.constant(key.direction ?? 'inbound'),
    peer: fc.constant(key.peer ?? ''),
    counters: fc.record({ '2xx': count, '5xx': fc.nat(2), timed_out: fc.nat(2), bytes_rx: count }),
    gauges: fc.record({ active_requests: fc.nat(3), active_connections: fc.nat(70_000) }),
    latency: fc.dictionary(fc.constantFrom('0', '3', '12', '340', '5100'), fc.nat(90_000), { maxKeys: 4 }),
  });

/** A scrape that follows the target's last one, or one of long ago that comes late. */
const scrape = fc.record({
  kind: fc.constant('scrape' as const),
  target: fc.nat(TARGETS.length - 1),
  seconds: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 4000 })),
  cut: fc.nat(999),
  late: fc.constantFrom(0, 0, 0, 40, 700, 5000),
  flows: fc.tuple(flow({}), flow({ direction: 'outbound', peer: 'b' })).chain((all) => fc.subarray(all)),
});
const upkeep = fc.record({ kind: fc.constant('upkeep' as const), after: fc.constantFrom(0, 5, 60, 700, 5000, 90_000) });
const query = fc.record({
  kind: fc.constant('query' as const),
  back: fc.constantFrom(30, 90, 600, 3600, 20_000),
  offset: fc.constantFrom(0, 0, 7, 300),
  stepMs: fc.constantFrom(undefined, 10 * SECOND, 15 * SECOND, MINUTE, 10 * MINUTE),
  direction: fc.constantFrom<Direction>('inbound', 'outbound'),
  by: fc.constantFrom<SeriesLabel[]>([], ['service', 'namespace'], ['service', 'region'], ['instance'], ['peer']),
  match: fc.constantFrom({}, {}, { service: ['a'] }, { region: ['eu'] }),
  without: fc.constantFrom(undefined, undefined, [
    { labels: ['service', 'namespace'] as SeriesLabel[], keys: [keyOf(['b', 'n'])] },
  ]),
  isSubdivided: fc.boolean(),
  latency: fc.constantFrom<Pick<SumQuery, 'bins' | 'quantiles'>>(
    { bins: false },
    { bins: true },
    { bins: true, quantiles: [0.5, 0.99] },
  ),
});
type Step =
  | Parameters<Parameters<(typeof scrape)['map']>[0]>[0]
  | Parameters<Parameters<(typeof upkeep)['map']>[0]>[0]
  | Parameters<Parameters<(typeof query)['map']>[0]>[0];

type QueryStep = Extract<Step, { kind: 'query' }>;

const MOST_ASKED = 3;

/** One writer and one reader through all of a run, and a clock. */
class Run {
  private readonly path: string;
  private readonly writer: SqliteWriter;
  private readonly reader: SqliteReader;
  private readonly encoder = new RoundEncoder();
  private readonly ends = TARGETS.map((_, index) => START + index * 300);
  private now = START;
  /** What was asked last is asked again, as time goes on. */
  private asked: QueryStep[] = [];

  constructor(folder: string) {
    this.path = join(folder, 'test.db');
    this.writer = new SqliteWriter(options(this.path));
    this.reader = new SqliteReader(options(this.path));
  }

  do(step: Step): void {
    if (step.kind === 'scrape') this.append(step);
    else if (step.kind === 'upkeep') {
      this.now += step.after * SECOND;
      while (this.writer.upkeep(this.now));
    } else {
      this.asked = [...this.asked, step].slice(-MOST_ASKED);
      for (const one of this.asked) this.compare(one);
    }
  }

  private append({ target, seconds, cut, late, flows }: Extract<Step, { kind: 'scrape' }>): void {
    const last = this.ends[target] ?? START;
    const to = late > 0 ? last - late * SECOND - cut : last + seconds * SECOND + cut;
    const from = late > 0 ? to - seconds * SECOND : last;
    if (late === 0) this.ends[target] = to;
    this.now = Math.max(this.now, to);
    const record: RecordSpec = { target: `t${target}`, from, to, identity: TARGETS[target] ?? {}, flows };
    this.writer.append(allAtOnce(this.encoder.encode([goodScrape(record)])));
  }

  private compare({ back, offset, stepMs, latency, isSubdivided, ...rest }: QueryStep): void {
    const to = Math.ceil(this.now / (stepMs ?? SECOND)) * (stepMs ?? SECOND) - offset * SECOND;
    const { without, ...plain } = { ...rest, kind: undefined };
    const asked: SumQuery = {
      from: to - back * SECOND,
      to,
      direction: plain.direction,
      by: plain.by,
      match: plain.match,
      ...latency,
      ...(stepMs === undefined ? {} : { stepMs }),
      ...(without ? { without } : {}),
      ...(isSubdivided && plain.by.length > 1 ? { subtotals: [[], plain.by.slice(0, 1)] } : {}),
    };
    const opened = new SqliteReader(options(this.path));
    const fresh = decodeAnswer(opened.sums(asked));
    opened.close();
    expect(told(decodeAnswer(this.reader.sums(asked))), JSON.stringify(asked)).toEqual(told(fresh));
  }

  close(): void {
    this.reader.close();
    this.writer.close();
  }
}

function told({ groups, other, subtotals, tiers }: SumAnswer) {
  return {
    groups: groups.map(toldGroup).sort(byLabels),
    other,
    subtotals: subtotals.map((all) => all.map(toldGroup)),
    tiers,
  };
}

const toldGroup = ({ labels, cells }: Group) => ({ labels, cells: cells.map(toldCell) });

/** Groups come in no order that is to be relied on. */
const byLabels = (a: Pick<Group, 'labels'>, b: Pick<Group, 'labels'>): number =>
  JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1;

function toldCell(cell: Cell | null) {
  if (!cell) return null;
  const { counters, rates, gauges, bins, quantiles, meanMs, measured, timeoutsWithoutSample } = cell;
  const samples = [cell.downstreamSamples, cell.upstreamSamples];
  return { counters, rates, gauges, bins, quantiles, meanMs, measured, timeoutsWithoutSample, samples };
}

test('a reader that remembers answers as a new one', { timeout: 120_000 }, () => {
  const steps = fc.array(
    fc.oneof({ arbitrary: scrape, weight: 4 }, { arbitrary: upkeep, weight: 2 }, { arbitrary: query, weight: 3 }),
    {
      minLength: 5,
      maxLength: 40,
      size: 'max',
    },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const folder = mkdtempSync(join(tmpdir(), 'sidelight-memory-'));
      const run = new Run(folder);
      try {
        for (const step of all) run.do(step);
      } finally {
        run.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 25 },
  );
});

test('a target is measured from its first scrape on, also where a kind of flow is told of later', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidelight-memory-'));
  const run = new Run(folder);
  const scraped = { kind: 'scrape', target: 0, seconds: 1, cut: 0, late: 0, flows: [] } as const;
  const flows: FlowSpec[] = [{ counters: { '2xx': 1 } }];
  const chart: Step = {
    ...{ kind: 'query', back: 20_000, offset: 0, stepMs: 10 * SECOND, direction: 'inbound', by: [], match: {} },
    ...{ without: undefined, isSubdivided: false, latency: { bins: false } },
  };
  try {
    run.do({ ...scraped, flows: [], late: 5000 });
    run.do(chart);
    run.do({ ...scraped, flows });
    run.do({ ...scraped, flows: [] });
    run.do(chart);
  } finally {
    run.close();
    rmSync(folder, { recursive: true });
  }
});
