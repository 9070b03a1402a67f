import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { requestCount } from '../../server/model/flow.ts';
import { sampleCount } from '../../server/model/histogram.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { type RoundFailure, Rounds } from '../../server/rounds.ts';
import { MemoryStore } from '../../server/store/memory-store.ts';
import { UnsureError } from '../../server/store/store.ts';
import { storeOptions } from '../store/options.ts';
import { failedScrape, goodScrape } from '../store/records.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const record = (name: string): ScrapeRecord => goodScrape({ target: name, from: 0, to: 10 });
const names = (round: readonly ScrapeRecord[]) => round.map(({ target }) => target).join(' ');

interface Settled {
  readonly round: string;
  readonly failure: RoundFailure | undefined;
}

/** Rounds into a store that fails while `failing` holds an error, and waits while `waiting` holds a promise. */
function roundsInto({ keepScrapes = 100 } = {}) {
  const store: { failing: Error | undefined; waiting: Promise<void> | undefined } = {
    failing: undefined,
    waiting: undefined,
  };
  const appended: string[] = [];
  const records: ScrapeRecord[] = [];
  const settled: Settled[] = [];
  const rounds = new Rounds({
    async append(round) {
      await store.waiting;
      if (store.failing) throw store.failing;
      appended.push(names(round));
      records.push(...round);
    },
    onSettled: (round, failure) => settled.push({ round: names(round), failure }),
    gatherMs: () => 100,
    mostGathered: 1000,
    keepScrapes,
  });
  /** Sends these records as a round of their own. */
  const send = async (...targets: string[]) => {
    for (const target of targets) rounds.add(record(target));
    await rounds.flush();
  };
  return { store, appended, records, settled, rounds, send };
}

/** Rounds into a store in memory, on a way that loses things: the answer of the store, or all of the round. */
function lossyRounds({ keepScrapes }: { keepScrapes: number }) {
  const memory = new MemoryStore(storeOptions(':memory:'));
  const settled: (RoundFailure | undefined)[] = [];
  const requests = async () => {
    const query = { from: 0, to: 1000, direction: 'inbound', match: {}, by: [], bins: false } as const;
    const { groups } = await memory.sums(query);
    return requestCount(groups[0]?.cells[0]?.counters ?? []);
  };
  const store: { loses: 'nothing' | 'the answer' | 'the round'; requests: typeof requests } = {
    loses: 'nothing',
    requests,
  };
  const rounds = new Rounds({
    async append(round, id) {
      if (store.loses === 'the round') throw new UnsureError('lost');
      await memory.append(round, id);
      if (store.loses === 'the answer') throw new UnsureError('lost');
    },
    onSettled: (_, failure) => settled.push(failure),
    gatherMs: () => 100,
    mostGathered: 1000,
    keepScrapes,
  });
  return { store, rounds, settled };
}

test('scrapes that come within the time of a round are stored together', async () => {
  const { rounds, appended, settled } = roundsInto();
  rounds.add(record('a'));
  await vi.advanceTimersByTimeAsync(60);
  rounds.add(record('b'));
  await vi.advanceTimersByTimeAsync(39);
  expect(appended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  rounds.add(record('c'));
  await vi.advanceTimersByTimeAsync(100);
  expect(appended).toEqual(['a b', 'c']);
  expect(settled).toEqual([
    { round: 'a b', failure: undefined },
    { round: 'c', failure: undefined },
  ]);
});

test('a round waits for the one before', async () => {
  const { store, rounds, appended } = roundsInto();
  const first = Promise.withResolvers<void>();
  store.waiting = first.promise;
  rounds.add(record('a'));
  await vi.advanceTimersByTimeAsync(100);
  store.waiting = undefined;
  rounds.add(record('b'));
  await vi.advanceTimersByTimeAsync(1000);
  expect(appended).toEqual([]);
  first.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(appended).toEqual(['a', 'b']);
});

test('what could not be stored is stored before what came later', async () => {
  const { store, send, appended, settled } = roundsInto();
  const error = new Error('disk full');
  store.failing = error;
  await send('a', 'b');
  await send('c');
  store.failing = undefined;
  await send('d');
  await send('e');
  expect(appended).toEqual(['a b c d', 'e']);
  expect(settled).toEqual([
    { round: 'a b', failure: { error, waiting: 2, dropped: 0 } },
    { round: 'c', failure: { error, waiting: 3, dropped: 0 } },
    { round: 'd', failure: undefined },
    { round: 'e', failure: undefined },
  ]);
});

test('only so much is kept, the newest, and it is told how much was dropped', async () => {
  const { store, send, appended, settled } = roundsInto({ keepScrapes: 3 });
  store.failing = new Error('disk full');
  await send('a', 'b');
  await send('c', 'd');
  await send('e', 'f');
  store.failing = undefined;
  await send('g');
  expect(settled.map(({ failure }) => failure?.dropped)).toEqual([0, 1, 3, undefined]);
  expect(appended).toEqual(['d e f g']);
});

test('scrapes of one target that wait are added up where there are too many, so that nothing is lost', async () => {
  const { store, rounds, records, settled } = roundsInto({ keepScrapes: 5 });
  store.failing = new Error('disk full');
  const at = (round: number) => ({ from: round * 10, to: (round + 1) * 10 });
  for (let round = 0; round < 20; round++) {
    for (const target of ['a', 'b'])
      rounds.add(goodScrape({ target, ...at(round), flows: [{ counters: { '2xx': round }, latency: { 7: round } }] }));
    rounds.add(failedScrape('c', round * 10, 'no'));
    await rounds.flush();
  }
  expect(settled.at(-1)?.failure?.waiting).toBeLessThanOrEqual(5);
  expect(settled.at(-1)?.failure?.dropped).toBe(0);
  store.failing = undefined;
  await rounds.flush();
  rounds.add(goodScrape({ target: 'a', ...at(20), identity: { region: 'moved' } }));
  await rounds.flush();
  for (const target of ['a', 'b']) {
    const own = records.filter((one) => one.target === target && one.findings?.observation.identity.region === '');
    const observations = own.flatMap(({ findings }) => findings?.observation ?? []);
    expect(observations.map(({ from }) => from)).toEqual([0, ...observations.map(({ to }) => to).slice(0, -1)]);
    expect(observations.at(-1)?.to).toBe(200);
    const flows = observations.flatMap(({ flows }) => flows);
    expect(flows.reduce((sum, { counters }) => sum + requestCount(counters), 0)).toBe(190);
    expect(flows.reduce((sum, { bins }) => sum + sampleCount(bins), 0)).toBe(190);
  }
});

test('a round that may have been stored is given again as it was, under its id, and counts once', async () => {
  const { store, rounds, settled } = lossyRounds({ keepScrapes: 4 });
  const at = (round: number) => ({ from: round * 10, to: (round + 1) * 10 });
  const send = async (round: number, requests: number) => {
    for (const target of ['a', 'b'])
      rounds.add(goodScrape({ target, ...at(round), flows: [{ counters: { '2xx': requests } }] }));
    await rounds.flush();
  };
  await send(0, 1);
  store.loses = 'the answer';
  await send(1, 10);
  store.loses = 'the round';
  for (let round = 2; round < 9; round++) await send(round, 100);
  store.loses = 'the answer';
  await send(9, 1000);
  store.loses = 'nothing';
  await send(10, 10_000);
  expect(settled.map((failure) => failure?.waiting ?? 0)).toEqual([0, 2, 4, 6, 6, 6, 6, 6, 6, 6, 0]);
  expect(await store.requests()).toBe(2 * (1 + 10 + 700 + 1000 + 10_000));
});

test('flush stores at once what was gathered, and waits for it', async () => {
  const { store, rounds, appended } = roundsInto();
  const disk = Promise.withResolvers<void>();
  store.waiting = disk.promise;
  rounds.add(record('a'));
  let flushed = false;
  const flushing = rounds.flush().then(() => {
    flushed = true;
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(flushed).toBe(false);
  disk.resolve();
  await flushing;
  expect(appended).toEqual(['a']);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(appended).toEqual(['a']);
});

test('a flush with nothing gathered waits for the round under way, and fails for nothing', async () => {
  const { store, rounds, settled, send } = roundsInto();
  await rounds.flush();
  store.failing = new Error('disk full');
  await expect(send('a')).resolves.toBeUndefined();
  expect(settled).toHaveLength(1);
});

test('the memory of totals is given back once they are stored, and not before', async () => {
  const { store, rounds } = roundsInto();
  const given: string[] = [];
  const lent = (name: string): ScrapeRecord => {
    const { findings, ...scrape } = goodScrape({ target: name, from: 0, to: 10 });
    const totals = { ...findings.totals, release: () => void given.push(name) };
    return { ...scrape, findings: { ...findings, totals } };
  };
  store.failing = new Error('the disk is full');
  rounds.add(lent('a'));
  await rounds.flush();
  store.failing = new UnsureError('lost');
  rounds.add(lent('b'));
  await rounds.flush();
  expect(given).toEqual([]);
  store.failing = undefined;
  rounds.add(lent('c'));
  await rounds.flush();
  expect(given).toEqual(['a', 'b', 'c']);
});

test('a round of many scrapes waits for no others', async () => {
  const appended: string[] = [];
  const rounds = new Rounds({
    append: async (round) => void appended.push(names(round)),
    onSettled: () => {},
    gatherMs: () => 1_000_000,
    mostGathered: 3,
    keepScrapes: 10,
  });
  for (const target of ['a', 'b', 'c', 'd']) rounds.add(record(target));
  await vi.waitFor(() => expect(appended).toEqual(['a b c']));
  await rounds.flush();
  expect(appended).toEqual(['a b c', 'd']);
});
