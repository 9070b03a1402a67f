/** A day of the collector's own path and its store, in seconds: a clock that jumps, sleeps, restarts, retention. */

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { requestCount } from '../../server/model/flow.ts';
import { Pipeline } from '../../server/pipeline.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { discovered } from '../live/live-targets.ts';
import { storeOptions } from '../store/options.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { goodResult } from './answers.ts';

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const INTERVAL = 4 * MINUTE;
const LONG_AGO = START - 400 * HOUR;
const RETENTION = { raw: HOUR, '1m': 3 * HOUR, '10m': 400 * HOUR, '1h': 400 * 24 * HOUR };
/** By how much a clock is wrong: a whole number of intervals, so that times come again. */
const WRONG = HOUR;
/** Sidecars that live at once, and for how many rounds. */
const SIDECARS = 4;
const LIFE_ROUNDS = 45;

/** What befalls the collector after so many hours; jumps and sleeps in milliseconds. */
interface Event {
  readonly afterHours: number;
  readonly jump?: number;
  readonly sleep?: number;
  readonly restart?: true;
}

const DAYS: readonly [name: string, events: readonly Event[]][] = [
  ['nothing happens', []],
  ['the clock is an hour late, and is put right', [{ afterHours: 7, jump: WRONG }]],
  ['the clock is an hour ahead, and is put right', [{ afterHours: 7, jump: -WRONG }]],
  [
    'the clock is nudged to and fro',
    Array.from({ length: 20 }, (_, hour) => ({ afterHours: hour + 1, jump: (hour % 2 ? -1 : 1) * 1500 })),
  ],
  [
    'the machine sleeps, and sleeps longer',
    [
      { afterHours: 5, sleep: 10 * MINUTE },
      { afterHours: 12, sleep: 4 * HOUR },
    ],
  ],
  [
    'all of it, with restarts',
    [
      { afterHours: 2, restart: true },
      { afterHours: 4, jump: 1.5 * WRONG },
      { afterHours: 8, restart: true, jump: -1.2 * WRONG },
      { afterHours: 12, sleep: 3 * HOUR, restart: true },
      { afterHours: 16, jump: -3000 },
    ],
  ],
];

/** The clock of the collector, and the time that goes by for the sidecars. */
class Day {
  readonly path = join(temporaryFolder(), 'sidelight.db');
  private elapsed = 0;
  private offset = 0;
  private store: SqliteStore | undefined;
  private pipeline: Pipeline | undefined;
  /** Requests that sidecars told of since their first scrape. */
  told = 0;
  private readonly last = new Map<string, number>();
  earliest = Number.POSITIVE_INFINITY;
  latest = 0;

  get now(): number {
    return START + this.elapsed + Math.round(this.offset);
  }

  async start(): Promise<void> {
    await this.store?.close();
    const store = await SqliteStore.open(storeOptions(this.path, { intervalMs: INTERVAL, retentionMs: RETENTION }));
    this.store = store;
    this.pipeline = new Pipeline({
      peers: [],
      local: [],
      seriesLimit: 100,
      intervalMs: INTERVAL,
      stored: await store.loadTargets(),
      startedAt: this.now,
    });
  }

  get opened(): SqliteStore {
    if (!this.store) throw new Error('not started');
    return this.store;
  }

  async stop(): Promise<void> {
    await this.store?.close();
  }

  async befalls({ jump = 0, sleep = 0, restart }: Event): Promise<void> {
    this.offset += jump;
    this.elapsed += sleep;
    if (restart) await this.start();
  }

  /** One scrape of each sidecar, stored, and all upkeep. */
  async round(number: number): Promise<void> {
    this.elapsed += INTERVAL;
    const at = this.now;
    const targets = Array.from({ length: SIDECARS }, (_, place) => targetOf(number, place));
    this.pipeline?.setTargets(targets, at);
    const records = targets.map((target, place) => {
      const requests = 1000 + Math.floor((this.elapsed / 1000) * (place + 1));
      this.tell(target.key, requests);
      return this.pipeline?.process(goodResult({ target, at, startedAt: LONG_AGO, requests }));
    });
    await this.opened.append(records.flatMap((record) => record ?? []));
    while (await this.opened.upkeep(at));
    this.earliest = Math.min(this.earliest, at);
    this.latest = Math.max(this.latest, at);
  }

  private tell(target: string, requests: number): void {
    this.told += requests - (this.last.get(target) ?? requests);
    this.last.set(target, requests);
  }
}

/** Every so many rounds another sidecar takes a place, under a name of its own. */
function targetOf(round: number, place: number) {
  const life = Math.floor((round + (place * LIFE_ROUNDS) / SIDECARS) / LIFE_ROUNDS);
  return discovered(`10.0.${place}.${life}:9901`, { service: 'shop', instance: `shop-${place}-${life}` });
}

test.each(DAYS)(
  'a day on which %s: every request counts once, old figures and gone sidecars make room',
  { timeout: 120_000 },
  async (_, events) => {
    const day = new Day();
    onTestFinished(() => day.stop());
    await day.start();
    const rounds = (24 * HOUR) / INTERVAL;
    let bytesAtNoon = 0;
    for (let round = 0; round < rounds; round++) {
      for (const event of events) if (event.afterHours * HOUR === round * INTERVAL) await day.befalls(event);
      await day.round(round);
      if (round === rounds / 2) bytesAtNoon = (await day.opened.status()).usedBytes;
    }
    const query = { direction: 'inbound', match: {}, by: ['service'], bins: false } as const;
    const hours = { from: day.earliest - (day.earliest % HOUR) - HOUR, to: day.latest + HOUR };
    const { groups } = await day.opened.sums({ ...query, ...hours });
    const cells = groups.flatMap(({ cells }) => cells.map((cell) => requestCount(cell?.counters ?? [])));
    expect(cells).toEqual([expect.closeTo(day.told, 3)]);
    const status = await day.opened.status();
    const oldest = (name: string) => status.tiers.find((tier) => tier.name === name)?.oldest ?? day.latest;
    expect(day.now - oldest('raw')).toBeLessThan(8 * HOUR);
    expect(day.now - oldest('1m')).toBeLessThan(12 * HOUR);
    expect(status.usedBytes).toBeLessThan(bytesAtNoon * 1.5 + 200_000);
    const targets = await day.opened.loadTargets();
    expect(targets.length).toBeLessThan(40);
  },
);
