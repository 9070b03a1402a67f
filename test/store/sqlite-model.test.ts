/** What the store answers for random data and random queries, against a model that counts event by event. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Counter, type Direction, STORED_GAUGES } from '../../server/model/flow.ts';
import { binKey } from '../../server/model/histogram.ts';
import { decodeAnswer } from '../../server/store/answer-view.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { Cell, SeriesLabel, SumQuery } from '../../server/store/store.ts';
import { allAtOnce } from './all-at-once.ts';
import { storeOptions } from './options.ts';
import { counters, type FlowSpec, flowKey, goodScrape, identity, type RecordSpec } from './records.ts';

const START = 1_700_000_000_000;
/** Scrapes of a second, so that slots are seconds and queries can be cut in many ways. */
const options = (path: string) => storeOptions(path, { intervalMs: 1000, retentionMs: KEEP });
const YEAR = 365 * 86_400_000;
const KEEP = { raw: YEAR, '1m': YEAR, '10m': YEAR, '1h': YEAR };
const COUNTED = ['2xx', '5xx', 'timed_out', 'bytes_rx'] as const satisfies Counter[];
const LATENCIES = [1, 20, 350];
const BY = ['service', 'instance', 'region', 'peer'] as const satisfies SeriesLabel[];

const few = fc.nat(6);
const flow = (direction: Direction, peer: string): fc.Arbitrary<FlowSpec> =>
  fc.record({
    direction: fc.constant(direction),
    peer: fc.constant(peer),
    counters: fc.record(Object.fromEntries(COUNTED.map((name) => [name, few]))),
    gauges: fc.record({ active_requests: fc.nat(1) }),
    latency: fc.record(Object.fromEntries(LATENCIES.map((ms) => [ms, few]))),
  });

/** Scrapes of one target, one after the other, with a gap now and then; its region may change. */
const targetScrapes = (target: number): fc.Arbitrary<RecordSpec[]> =>
  fc
    .array(
      fc.record({
        length: fc.integer({ min: 1, max: 9000 }),
        gap: fc.constantFrom(0, 0, 0, 4000),
        region: fc.constantFrom('eu', 'eu', 'eu', 'us'),
        flows: fc.tuple(
          flow('inbound', ''),
          flow('outbound', 'p'),
          fc.option(flow('outbound', 'q'), { nil: undefined }),
        ),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((steps) => {
      let at = START + target * 700;
      return steps.map(({ length, gap, region, flows }) => {
        const from = at + gap;
        at = from + length;
        return {
          target: `t${target}`,
          from,
          to: at,
          identity: { service: target < 2 ? 'a' : 'b', instance: `i${target}`, region },
          flows: flows.filter((spec) => spec !== undefined),
        };
      });
    });

const query: fc.Arbitrary<SumQuery> = fc
  .record({
    from: fc.integer({ min: -3, max: 40 }).map((second) => START + second * 1000),
    length: fc.integer({ min: 1, max: 50 }).map((seconds) => seconds * 1000),
    stepMs: fc.option(fc.integer({ min: 1, max: 20 }).map((seconds) => seconds * 1000)),
    direction: fc.constantFrom<Direction>('inbound', 'outbound'),
    service: fc.option(fc.subarray(['a', 'b', 'c'])),
    region: fc.option(fc.subarray(['eu', 'us'])),
    by: fc.subarray([...BY]),
    bins: fc.boolean(),
  })
  .map(({ from, length, stepMs, direction, service, region, by, bins }) => ({
    from,
    to: from + length,
    ...(stepMs === null ? {} : { stepMs }),
    direction,
    match: { ...(service ? { service } : {}), ...(region ? { region } : {}) },
    by,
    bins,
  }));

/** How many of `count` events that stand evenly in the interval of `record` come before `at`. */
function eventsBefore(count: number, { from, to }: RecordSpec, at: number): number {
  let before = 0;
  for (let event = 1; event <= count; event++) if ((2 * event - 1) * (to - from) <= 2 * count * (at - from)) before++;
  return before;
}

/** What figures are kept of: a service where that is enough, else a target in its place. */
function unitOf({ target, identity: own }: RecordSpec, { by, match }: SumQuery): string {
  const { service, region } = identity(own);
  const isPlaced = [...by, ...Object.keys(match)].some((label) => label === 'instance' || label === 'region');
  return isPlaced ? `${target} ${region}` : service;
}

interface ModelCell {
  counters: number[];
  bins: Record<string, number>;
  timeoutsWithoutSample: number;
}

interface ModelGroup {
  readonly units: Set<string>;
  readonly rows: { record: RecordSpec; spec: FlowSpec }[];
}

function modelGroups(records: readonly RecordSpec[], asked: SumQuery) {
  const { from, to, direction, match, by } = asked;
  const groups = new Map<string, ModelGroup>();
  for (const record of records) {
    const unit = unitOf(record, asked);
    if (!records.some((other) => unitOf(other, asked) === unit && other.to > from && other.from < to)) continue;
    for (const spec of record.flows ?? []) {
      const { peer, direction: own } = flowKey(spec);
      const labels: Partial<Record<SeriesLabel, string>> = { ...identity(record.identity), peer };
      if (own !== direction) continue;
      if (Object.entries(match).some(([name, values]) => !values?.includes(labels[name as SeriesLabel] ?? '')))
        continue;
      const key = JSON.stringify(Object.fromEntries(by.map((label) => [label, labels[label]])));
      const group = groups.get(key) ?? { units: new Set(), rows: [] };
      groups.set(key, group);
      group.units.add(unit);
      group.rows.push({ record, spec });
    }
  }
  return groups;
}

function modelCell({ rows }: ModelGroup, [from, to]: readonly [number, number], bins: boolean): ModelCell {
  const cell: ModelCell = { counters: [...counters()], bins: {}, timeoutsWithoutSample: 0 };
  for (const { record, spec } of rows) {
    const part = (count: number) => eventsBefore(count, record, to) - eventsBefore(count, record, from);
    counters(spec.counters).forEach((count, index) => {
      cell.counters[index] = (cell.counters[index] ?? 0) + part(count);
    });
    if (flowKey(spec).source === 'upstream') cell.timeoutsWithoutSample += part(spec.counters?.timed_out ?? 0);
    if (!bins) continue;
    for (const [ms, count] of Object.entries(spec.latency ?? {})) {
      const key = binKey(Number(ms));
      const samples = (cell.bins[key] ?? 0) + part(count);
      if (samples > 0) cell.bins[key] = samples;
    }
  }
  return cell;
}

function modelAnswer(records: readonly RecordSpec[], asked: SumQuery): Record<string, (ModelCell | null)[]> {
  const stepMs = asked.stepMs ?? asked.to - asked.from;
  const answer: Record<string, (ModelCell | null)[]> = {};
  for (const [key, group] of modelGroups(records, asked)) {
    const cells: (ModelCell | null)[] = [];
    for (let from = asked.from; from < asked.to; from += stepMs) {
      const to = Math.min(from + stepMs, asked.to);
      const isMeasured = records.some(
        (record) => group.units.has(unitOf(record, asked)) && record.from < to && record.to > from,
      );
      cells.push(isMeasured ? modelCell(group, [from, to], asked.bins) : null);
    }
    answer[key] = cells;
  }
  return answer;
}

function comparable(cell: Cell | null): ModelCell | null {
  if (!cell) return null;
  const { bins, timeoutsWithoutSample } = cell;
  return {
    counters: [...cell.counters],
    bins: Object.fromEntries(bins.keys.map((key, index) => [key, bins.counts[index] ?? 0])),
    timeoutsWithoutSample,
  };
}

/** Appends the records in rounds of any size, reopening the file in between. */
function storeIn(
  path: string,
  records: readonly RecordSpec[],
  roundSize: number,
  upkeeps: readonly number[] = [],
): void {
  let writer = new SqliteWriter(options(path));
  let encoder = new RoundEncoder();
  for (let i = 0; i < records.length; i += roundSize) {
    writer.append(allAtOnce(encoder.encode(records.slice(i, i + roundSize).map(goodScrape))));
    const now = upkeeps[i / roundSize];
    if (now !== undefined) while (writer.upkeep(now));
    if (i % 2 === 1) {
      writer.close();
      writer = new SqliteWriter(options(path));
      encoder = new RoundEncoder();
    }
  }
  writer.close();
}

test('sums equal what was put in, however it is cut and grouped', { timeout: 60_000 }, () => {
  const data = fc
    .tuple(targetScrapes(0), targetScrapes(1), targetScrapes(2))
    .map((targets) => targets.flat().sort((a, b) => a.to - b.to));
  const queries = fc.array(query, { minLength: 5, maxLength: 5 });
  const upkeeps = fc.array(fc.constantFrom(START, START + 30_000, START + 4_000_000, START + 90_000_000), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(data, fc.integer({ min: 1, max: 4 }), queries, upkeeps, (records, roundSize, asked, moments) => {
      const folder = mkdtempSync(join(tmpdir(), 'sidelight-model-'));
      try {
        storeIn(join(folder, 'test.db'), records, roundSize, moments);
        const reader = new SqliteReader(options(join(folder, 'test.db')));
        for (const one of asked) {
          const { groups } = decodeAnswer(reader.sums(one));
          const answer = Object.fromEntries(
            groups.map(({ labels, cells }) => [JSON.stringify(labels), cells.map(comparable)]),
          );
          expect(answer).toEqual(modelAnswer(records, one));
        }
        reader.close();
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});

test('gauges are at rest until a row says otherwise', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidelight-model-'));
  const path = join(folder, 'test.db');
  const active = [2, 0, 0, 0, 5, 5, 0];
  const records = active.map((active_requests, index) => ({
    target: 't',
    from: START + index * 1000,
    to: START + (index + 1) * 1000,
    flows: [{ gauges: { active_requests } }],
  }));
  storeIn(path, records, records.length);
  const reader = new SqliteReader(options(path));
  const index = STORED_GAUGES.indexOf('active_requests');
  const gaugesOf = (seconds: number, stepMs: number) =>
    decodeAnswer(
      reader.sums({
        from: START,
        to: START + seconds * 1000,
        stepMs,
        direction: 'inbound',
        match: {},
        by: [],
        bins: false,
      }),
    ).groups.flatMap(({ cells }) => cells.map((cell) => cell?.gauges?.[index] ?? null));
  expect(gaugesOf(8, 1000)).toEqual([...active, null]);
  for (const [second, expected] of active.entries())
    expect(gaugesOf(second + 1, 60_000), `after ${second + 1} s`).toEqual([expected]);
  reader.close();
  rmSync(folder, { recursive: true });
});
