import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { requestCount } from '../../server/model/flow.ts';
import type { ScrapeRecord, StoredTarget } from '../../server/model/scrape-record.ts';
import { Pipeline, type PipelineOptions } from '../../server/pipeline.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { discovered } from '../live/live-targets.ts';
import { storeOptions } from '../store/options.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { failedResult, goodResult, TARGET } from './answers.ts';

const START = 1_700_000_000_000;
const INTERVAL = 10_000;
const LONG_AGO = START - 3_600_000;

const pipelineOf = (options: Partial<PipelineOptions> = {}) =>
  new Pipeline({
    peers: [],
    local: [],
    seriesLimit: 100,
    intervalMs: INTERVAL,
    stored: [],
    startedAt: START,
    ...options,
  });

/** What the store would have kept of the last record of a target, whose totals are whole. */
function storedFrom({ target, findings }: ScrapeRecord): StoredTarget {
  if (!findings) throw new Error('a failed scrape is not stored');
  const { observation, totals, startedAt, inbound } = findings;
  return { target, lastScrape: observation.to, startedAt, identity: observation.identity, inbound, totals };
}

/** Requests and the interval that they are counted over. */
function counted({ findings }: ScrapeRecord): [requests: number, from: number, to: number] {
  const { flows = [], from = 0, to = 0 } = findings?.observation ?? {};
  return [requestCount(flows[0]?.counters ?? []), from, to];
}

test('a failed scrape is a record with its reason', () => {
  expect(pipelineOf().process(failedResult(START))).toEqual({
    target: TARGET.key,
    at: START,
    durationMs: 1,
    bodyBytes: 0,
    error: 'nothing listens there',
    findings: undefined,
  });
});

test('a target with more stats than the limit has failed', () => {
  const pipeline = pipelineOf({ seriesLimit: 1 });
  const record = pipeline.process(goodResult({ at: START, startedAt: LONG_AGO, requests: 5 }));
  expect(record).toMatchObject({ findings: undefined, bodyBytes: expect.any(Number) });
  expect(record.error).toMatch(
    /^\d+ stats to use, more than scrape\.series_limit \(1\): raise it, or let Envoy show less/,
  );
});

test('the first scrape of an Envoy that was there before is its baseline, and the next counts', () => {
  const pipeline = pipelineOf();
  const at = (round: number) => START + round * INTERVAL;
  const scrape = (round: number, requests: number) =>
    counted(pipeline.process(goodResult({ at: at(round), startedAt: LONG_AGO, requests })));
  expect(scrape(1, 500)).toEqual([0, at(1), at(1)]);
  expect(scrape(2, 530)).toEqual([30, at(1), at(2)]);
});

test('an Envoy that started after the previous round counts from zero', () => {
  const pipeline = pipelineOf();
  const at = START + 5 * INTERVAL;
  expect(counted(pipeline.process(goodResult({ at, startedAt: at - 4000, requests: 12 })))).toEqual([
    12,
    at - 5000, // Envoy tells whole seconds
    at,
  ]);
});

test('in the first round of all there is no round before: even a new Envoy only has its baseline', () => {
  const at = START + 500;
  expect(counted(pipelineOf().process(goodResult({ at, startedAt: at - 2000, requests: 12 })))).toEqual([0, at, at]);
});

test('after a restart of the collector, the last stored totals are counted from', () => {
  const before = pipelineOf();
  before.process(goodResult({ at: START, startedAt: LONG_AGO, requests: 500 }));
  before.missedTotals();
  const last = before.process(goodResult({ at: START + INTERVAL, startedAt: LONG_AGO, requests: 530 }));
  const restarted = START + 100_000;
  const pipeline = pipelineOf({ stored: [storedFrom(last)], startedAt: restarted });
  const record = pipeline.process(goodResult({ at: restarted + 300, startedAt: LONG_AGO, requests: 900 }));
  expect(counted(record)).toEqual([370, START + INTERVAL, restarted + 300]);
  expect(requestCount(record.findings?.flowTotals.at(0)?.counters ?? [])).toBe(400);
});

test('after rounds that could not be stored, what is stored is whole again, and never more or less than was counted', async () => {
  const store = await SqliteStore.open(storeOptions(join(temporaryFolder(), 'sidelight.db')));
  onTestFinished(() => store.close());
  const pipeline = pipelineOf();
  const at = (round: number) => START + round * INTERVAL;
  const scrape = (from: Pipeline, round: number) =>
    from.process(goodResult({ at: at(round), startedAt: LONG_AGO, requests: 100 + round * round }));
  const told: string[] = [];
  for (let round = 0; round < 12; round++) {
    const record = scrape(pipeline, round);
    const isLost = round === 3 || round === 7 || round === 8;
    if (isLost) pipeline.missedTotals();
    else await store.append([record]);
    told.push(record.findings?.totals.isGrowth ? 'growth' : 'whole');
    const stored = await store.loadTargets();
    const kept = isLost ? round - (round === 8 ? 2 : 1) : round;
    expect(stored.map(({ lastScrape }) => lastScrape)).toEqual([at(kept)]);
    const next = scrape(pipelineOf({ stored, startedAt: at(round) + 1 }), round + 1);
    expect(counted(next), `round ${round}`).toEqual([(round + 1) ** 2 - kept ** 2, at(kept), at(round + 1)]);
    expect(requestCount(next.findings?.flowTotals.at(0)?.counters ?? [])).toBe((round + 1) ** 2);
  }
  const [W, G] = ['whole', 'growth'];
  expect(told).toEqual([W, G, G, G, W, G, G, G, W, W, G, G]);
});

test('after a restart of the collector, an Envoy that came in the meantime counts from zero', () => {
  const last = pipelineOf().process(goodResult({ at: START, startedAt: LONG_AGO, requests: 500 }));
  const restarted = START + 100_000;
  const pipeline = pipelineOf({ stored: [storedFrom(last)], startedAt: restarted });
  const target = discovered('10.0.0.9:9901', { service: 'cart' });
  const at = restarted + 300;
  expect(counted(pipeline.process(goodResult({ target, at, startedAt: START + 50_000, requests: 70 })))).toEqual([
    70,
    expect.closeTo(START + 49_000, -4),
    at,
  ]);
});

test('after a clock was put back, a scrape counts over an interval, and new Envoys count from zero', () => {
  const back = START - 86_400_000;
  const first = pipelineOf();
  const young = discovered('10.0.0.9:9901', { service: 'cart' });
  const scrape = (pipeline: Pipeline, at: number, requests: number) =>
    counted(pipeline.process(goodResult({ at, startedAt: at - 3_600_000, requests })));
  scrape(first, START, 100);
  expect(scrape(first, START + INTERVAL, 200)).toEqual([100, START, START + INTERVAL]);
  expect(scrape(first, back, 300)).toEqual([100, back - INTERVAL, back]);
  const ofYoung = first.process(goodResult({ target: young, at: back, startedAt: back - 4000, requests: 12 }));
  expect(counted(ofYoung)).toEqual([12, back - 5000, back]);
});

test('the same where it was put back while the collector was down', () => {
  const back = START - 86_400_000;
  const last = pipelineOf().process(goodResult({ at: START, startedAt: LONG_AGO, requests: 100 }));
  const pipeline = pipelineOf({ stored: [storedFrom(last)], startedAt: back });
  const at = back + 300;
  const record = pipeline.process(goodResult({ at, startedAt: at - 3_600_000, requests: 170 }));
  expect(counted(record)).toEqual([70, at - INTERVAL, at]);
});

test('other labels name what is counted from then on, and lose no request', () => {
  const pipeline = pipelineOf();
  pipeline.process(goodResult({ at: START, startedAt: LONG_AGO, requests: 100 }));
  const renamed = discovered(TARGET.key, { service: 'market', region: 'eu' });
  const record = pipeline.process(
    goodResult({ at: START + INTERVAL, startedAt: LONG_AGO, requests: 107, target: renamed }),
  );
  expect(record.findings?.observation.identity).toMatchObject({ service: 'market', region: 'eu' });
  expect(counted(record)[0]).toBe(7);
  expect(requestCount(record.findings?.flowTotals.at(0)?.counters ?? [])).toBe(7);
});

test('a target that is away for a moment goes on where it was; after a while it begins anew', () => {
  const pipeline = pipelineOf();
  const scrape = (at: number, requests: number) => pipeline.process(goodResult({ at, startedAt: LONG_AGO, requests }));
  scrape(START, 100);
  pipeline.setTargets([], START);
  pipeline.setTargets([], START + 60_000);
  pipeline.setTargets([TARGET], START + 60_000);
  expect(counted(scrape(START + 60_000, 107))).toEqual([7, START, START + 60_000]);
  pipeline.setTargets([], START + 61_000);
  pipeline.setTargets([], START + 700_000);
  pipeline.setTargets([TARGET], START + 700_000);
  expect(counted(scrape(START + 700_000, 200))[0]).toBe(0);
});

/** Of a pipeline with two targets, the first of which has told 100 requests and then gone; others were scraped since. */
function afterItWent() {
  const pipeline = pipelineOf();
  const other = discovered('10.0.0.2:9901', { service: 'cart' });
  const scrape = (at: number, requests: number, node = 'one', target = TARGET) =>
    pipeline.process(goodResult({ at, startedAt: LONG_AGO, requests, node, target }));
  const discover = (...targets: (typeof TARGET)[]) => pipeline.setTargets(targets, START);
  discover(TARGET, other);
  scrape(START - INTERVAL, 90);
  scrape(START, 100);
  discover(other);
  for (let round = 1; round < 4; round++) scrape(START + round * INTERVAL, 7, 'other', other);
  return { pipeline, scrape, discover, back: START + 5 * INTERVAL };
}

test('a target that comes back goes on where it was, its totals too, however often', () => {
  const { scrape, discover, back } = afterItWent();
  discover(TARGET);
  const first = scrape(back, 107);
  expect(counted(first)).toEqual([7, START, back]);
  expect(requestCount(first.findings?.flowTotals.at(0)?.counters ?? [])).toBe(17);
  expect(first.findings?.countedSince).toBe(START - INTERVAL);
  expect(counted(scrape(back + INTERVAL, 110))).toEqual([3, back, back + INTERVAL]);
});

test('an answer that was on its way when its target went counts, and what comes after it once', () => {
  const { scrape, discover, back } = afterItWent();
  expect(counted(scrape(back - INTERVAL, 104))[0]).toBe(4);
  discover(TARGET);
  expect(counted(scrape(back, 107))).toEqual([3, back - INTERVAL, back]);
});

test('another Envoy at the address of a target that went is not counted as that one', () => {
  const { scrape, discover, back } = afterItWent();
  discover(TARGET);
  expect(counted(scrape(back, 500, 'another'))[0]).toBe(0);
  expect(counted(scrape(back + INTERVAL, 503, 'another'))[0]).toBe(3);
});

test('rules that changed while a target was away hold when it is back', () => {
  const { pipeline, scrape, discover, back } = afterItWent();
  pipeline.configure({ peers: [], local: [], seriesLimit: 1, intervalMs: INTERVAL });
  discover(TARGET);
  expect(scrape(back, 107).error).toContain('more than scrape.series_limit (1)');
  pipeline.configure({ peers: [], local: [], seriesLimit: 100, intervalMs: INTERVAL });
  expect(counted(scrape(back + INTERVAL, 110))).toEqual([10, START, back + INTERVAL]);
});

test('what was stored of a target counts once, though it goes and comes back', () => {
  const first = pipelineOf().process(goodResult({ at: START, startedAt: LONG_AGO, requests: 100 }));
  const pipeline = pipelineOf({ stored: [storedFrom(first)], startedAt: START + 1 });
  const scrape = (at: number, requests: number) => pipeline.process(goodResult({ at, startedAt: LONG_AGO, requests }));
  expect(counted(scrape(START + INTERVAL, 110))[0]).toBe(10);
  pipeline.setTargets([], START + INTERVAL);
  pipeline.setTargets([], START + 1_000_000);
  expect(counted(scrape(START + 1_000_000, 120))[0]).toBe(0);
});

test('rules and limits that change count from the next scrape on', () => {
  const pipeline = pipelineOf();
  const scrape = (at: number) => pipeline.process(goodResult({ at, startedAt: LONG_AGO, requests: 100 }));
  expect(scrape(START).error).toBe('');
  pipeline.configure({ peers: [], local: [], seriesLimit: 1, intervalMs: INTERVAL });
  expect(scrape(START + INTERVAL).error).toContain('more than scrape.series_limit (1)');
});
