/** What is answered from memory is what the store answers, for random scrapes. */

import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { RecentStore } from '../../../server/alerts/recent/recent-store.ts';
import type { ScrapeRecord } from '../../../server/model/scrape-record.ts';
import { decodeAnswer } from '../../../server/store/answer-view.ts';
import { SqliteReader } from '../../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../../server/store/sqlite/writer.ts';
import type { Cell, SumAnswer, SumQuery } from '../../../server/store/store.ts';
import { allAtOnce } from '../../store/all-at-once.ts';
import { storeOptions } from '../../store/options.ts';
import { type FlowSpec, goodScrape } from '../../store/records.ts';
import { temporaryFolder } from '../../store/temporary-folder.ts';

const START = 1_700_000_000_000;
const SLOT = 10_000;

const few = fc.nat(9);
const flow = (spec: FlowSpec): fc.Arbitrary<FlowSpec> =>
  fc.record({
    direction: fc.constant(spec.direction ?? 'inbound'),
    peer: fc.constant(spec.peer ?? ''),
    counters: fc.record({ '2xx': few, '5xx': few, timed_out: few, bytes_rx: few }),
    gauges: fc.record({ active_requests: fc.nat(2) }),
    latency: fc.record({ 1: few, 20: few, 350: few }),
  });

interface Step {
  /** How long after the one before the next scrape of a target is, and whether it fails. */
  readonly length: number;
  readonly fails: boolean;
  /** Whether the same time is told of once more: the clock was put back by a whole interval. */
  readonly again: boolean;
  readonly region: string;
  readonly flows: readonly FlowSpec[];
}

const step: fc.Arbitrary<Step> = fc.record({
  length: fc.constantFrom(9990, 10_000, 10_010, 10_450, 1000, 31_000),
  fails: fc.constantFrom(false, false, false, false, true),
  again: fc.constantFrom(false, false, false, false, false, true),
  region: fc.constantFrom('eu', 'eu', 'eu', 'us'),
  flows: fc.tuple(flow({}), flow({ direction: 'outbound', peer: 'p' }), flow({ direction: 'outbound', peer: 'q' })),
});
const scrapes = fc.array(fc.array(step, { minLength: 3, maxLength: 3 }), { minLength: 40, maxLength: 60 });

/** Of each target its service, and which of the flows it does not have. */
const TARGETS = [
  { service: 'shop', missing: -1 },
  { service: 'shop', missing: 0 },
  { service: 'cart', missing: 2 },
];

/** Scrapes of each step, in order of their end. */
function recordsOf(steps: readonly (readonly Step[])[]): ScrapeRecord[] {
  const ends = TARGETS.map((_, target) => START + 3000 * target);
  const starts = [...ends];
  const records = steps.flatMap((round) =>
    round.flatMap(({ length, fails, again, region, flows }, target) => {
      const to = (ends[target] ?? 0) + length;
      ends[target] = to;
      if (fails) return [];
      const from = starts[target] ?? 0;
      starts[target] = to;
      const { service, missing } = TARGETS[target] ?? { service: '', missing: 0 };
      const identity = { service, instance: `${service}-${target}`, region };
      const own = flows.filter((_, index) => index !== missing);
      const scrape = { target: `t${target}`, from, to, identity, flows: own };
      const repeated = { ...scrape, flows: own.map((flow) => ({ ...flow, gauges: { active_requests: 5 } })) };
      return (again ? [scrape, repeated] : [scrape]).map((spec) => goodScrape(spec));
    }),
  );
  return records.sort((a, b) => endOf(a) - endOf(b));
}

const endOf = ({ findings }: ScrapeRecord): number => findings?.observation.to ?? 0;

type Asked = Pick<SumQuery, 'direction' | 'by' | 'bins'> & Partial<SumQuery>;

const ASKED: readonly Asked[] = [
  { direction: 'inbound', by: ['service', 'namespace'], bins: false },
  { direction: 'inbound', by: ['service', 'namespace'], bins: true, quantiles: [0.5, 0.99] },
  { direction: 'inbound', by: ['service', 'namespace', 'region'], bins: true },
  { direction: 'outbound', by: ['service', 'instance', 'peer'], bins: true },
  {
    direction: 'outbound',
    by: ['peer', 'peer_namespace'],
    bins: true,
    without: [{ labels: ['peer'], keys: ['["q"]'] }],
  },
];

const comparable = (cell: Cell | null) =>
  cell && {
    counters: [...cell.counters],
    rates: [...cell.rates].map((rate) => Number(rate.toPrecision(9))),
    gauges: cell.gauges && [...cell.gauges],
    bins: cell.bins,
    quantiles: cell.quantiles,
    meanMs: cell.meanMs === null ? null : Number(cell.meanMs.toPrecision(9)),
    timeouts: cell.timeoutsWithoutSample,
    samples: [cell.downstreamSamples, cell.upstreamSamples],
    measured: cell.measured,
  };

const shown = ({ groups }: SumAnswer) =>
  groups
    .map(({ labels, cells }) => ({ labels: JSON.stringify(labels), cells: cells.map(comparable) }))
    .sort((a, b) => (a.labels < b.labels ? -1 : 1));

/** The store's own code on a real file, without its threads. */
class FileStore {
  private readonly writer: SqliteWriter;
  private readonly reader: SqliteReader;
  private readonly encoder = new RoundEncoder();

  constructor(path: string) {
    this.writer = new SqliteWriter(storeOptions(path));
    this.reader = new SqliteReader(storeOptions(path));
  }

  append(record: ScrapeRecord): void {
    this.writer.append(allAtOnce(this.encoder.encode([record])));
  }

  sums(query: SumQuery): SumAnswer {
    return decodeAnswer(this.reader.sums(query));
  }

  close(): void {
    this.reader.close();
    this.writer.close();
  }
}

test('the newest minutes are told as the store tells them, without asking it', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scrapes, fc.constantFrom(60_000, 300_000), async (steps, windowMs) => {
      const store = new FileStore(join(temporaryFolder(), 'sidelight.db'));
      try {
        let now = START;
        let asked = 0;
        const sums = async (query: SumQuery) => {
          asked++;
          return store.sums(query);
        };
        const recent = new RecentStore({ store: { sums }, slotMs: SLOT, now: () => now });
        const queries = (): SumQuery[] => {
          const to = Math.ceil(now / SLOT) * SLOT;
          return ASKED.map((query) => ({ match: {}, from: to - windowMs, to, ...query }));
        };
        for (const query of queries()) await recent.sums(query);
        const records = recordsOf(steps);
        const gone = windowMs + SLOT;
        for (const [index, record] of records.entries()) {
          store.append(record);
          recent.apply([record]);
          now = Math.max(now, endOf(record));
          if (index % 20 !== 0 || now - START < gone) continue;
          asked = 0;
          for (const query of queries()) expect(shown(await recent.sums(query))).toEqual(shown(store.sums(query)));
          expect(asked).toBe(0);
        }
      } finally {
        store.close();
      }
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 6), endOnFailure: true },
  );
});

test('more groups than are to be kept are asked of the store', async () => {
  const store = new FileStore(join(temporaryFolder(), 'sidelight.db'));
  onTestFinished(() => store.close());
  let now = START;
  let asked = 0;
  const sums = async (query: SumQuery) => {
    asked++;
    return store.sums(query);
  };
  const recent = new RecentStore({ store: { sums }, slotMs: SLOT, now: () => now });
  const ask = async (): Promise<number> => {
    const to = Math.ceil(now / SLOT) * SLOT;
    const query = { from: to - 60_000, to, direction: 'outbound', match: {}, by: ['peer'], bins: false } as const;
    return (await recent.sums(query)).groups.length;
  };
  await ask();
  for (const peers of [3000, 3001]) {
    for (let from = now; now < from + 120_000; ) {
      const flows = Array.from({ length: peers }, (_, peer): FlowSpec => ({ direction: 'outbound', peer: `${peer}` }));
      const record = goodScrape({ target: 't', from: now, to: now + SLOT, flows });
      now += SLOT;
      store.append(record);
      recent.apply([record]);
    }
    asked = 0;
    expect([await ask(), asked]).toEqual([peers, peers > 3000 ? 1 : 0]);
  }
});
