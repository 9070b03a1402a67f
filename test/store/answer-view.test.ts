import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { decodeAnswer } from '../../server/store/answer-view.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { Cell, SumQuery } from '../../server/store/store.ts';
import { allAtOnce } from './all-at-once.ts';
import { storeOptions } from './options.ts';
import { goodScrape } from './records.ts';
import { temporaryFolder } from './temporary-folder.ts';

const START = 1_700_000_040_000;
const SECOND = 1000;

/** Everything that a cell tells, as it is now. */
function told(cell: Cell | null) {
  return (
    cell && {
      counters: [...cell.counters],
      rates: [...cell.rates],
      gauges: cell.gauges && [...cell.gauges],
      bins: cell.bins,
      quantiles: cell.quantiles.map((one) => ({ ...one, bin: one.bin && [...one.bin] })),
      meanMs: cell.meanMs,
      timeouts: cell.timeoutsWithoutSample,
      samples: [cell.downstreamSamples, cell.upstreamSamples],
      measured: cell.measured,
    }
  );
}

function askedReader(): SqliteReader {
  const options = storeOptions(join(temporaryFolder(), 'test.db'));
  const writer = new SqliteWriter(options);
  onTestFinished(() => writer.close());
  const encoder = new RoundEncoder();
  for (const [from, to, count] of [
    [0, 10, 5],
    [10, 20, 0],
    [40, 50, 300],
    [50, 57, 8],
  ] as const) {
    const latency = { 3: count, 250: Math.floor(count / 2) };
    const flows = [
      { counters: { '2xx': count, timed_out: 1, bytes_rx: count * 1000 }, gauges: { active_requests: count }, latency },
    ];
    const scrape = goodScrape({ target: 't', from: START + from * SECOND, to: START + to * SECOND, flows });
    writer.append(allAtOnce(encoder.encode([scrape])));
  }
  const reader = new SqliteReader(options);
  onTestFinished(() => reader.close());
  return reader;
}

test.each<[name: string, asked: Partial<SumQuery>]>([
  ['counters', { bins: false }],
  ['quantiles', { quantiles: [0.5, 0.99] }],
  ['histograms', {}],
  ['one cell', { stepMs: 80 * SECOND, quantiles: [0.5] }],
])('cells that are told one after the other are those that can be kept: %s', (_, asked) => {
  const query = {
    from: START,
    to: START + 80 * SECOND,
    stepMs: 10 * SECOND,
    match: {},
    by: ['service'],
    bins: true,
  } as const;
  const { groups } = decodeAnswer(askedReader().sums({ ...query, direction: 'inbound', ...asked }));
  const passing: unknown[] = [];
  groups[0]?.eachCell?.((cell, index) => passing.push([index, told(cell)]));
  const kept = groups[0]?.cells.map((cell, index) => [index, told(cell)]);
  expect(passing).toEqual(kept);
  expect(passing.length).toBe(80_000 / (asked.stepMs ?? query.stepMs));
  expect(groups[0]?.cells.some((cell) => cell?.counters.some((count) => count > 0))).toBe(true);
});
