/** `npm run bench -- store`: what keeping and asking a fleet's history costs, in a real file. */

import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { blockTable } from '../../server/store/sqlite/schema.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import type { Store, StoreOptions, TierName } from '../../server/store/store.ts';
import { storeOptions } from '../store/options.ts';
import { Fleet } from './store-fleet.ts';
import { drainUpkeep, type HistoryCost, INTERVAL_MS, makeHistory, progressOf } from './store-history.ts';
import { Asker, MONTH_QUESTIONS, percentile, QUESTIONS, type Question } from './store-queries.ts';

const HOUR_MS = 3_600_000;
/** The first scrape of a round waits so long for others. */
const GATHER_MS = 150;
/** By requests per flow and round. */
const SIZE_GOALS = { 100: 30, 10: 16, 1: 8, 0: 1 } as const;
/** What the steady state is told for. */
const WHOLE_FLEET = 1000;
const DAY_MS = 24 * HOUR_MS;
/** Nothing is forgotten while sizes are measured. */
const KEPT_MS = { raw: 7 * DAY_MS, '1m': 7 * DAY_MS, '10m': 30 * DAY_MS, '1h': 400 * DAY_MS };
/** Of the history that the steady state is measured on: every ten seconds, by the minute, and in all. */
const STEADY_HOURS = { rawHours: 2, minuteHours: 26, hours: 74 };
/** Older history comes by the minute, and what is older still by ten: resolutions that tell of it are packed to the same. */
const MINUTE_HOURS = 3;
/** Between scrapes of what nobody asks for in finer steps. */
const OLD_INTERVAL_MS = 60_000;
/**
 * A month takes fewer sidecars, and ten minutes of every hour: what tells of it are hours, without instances, and a page
 * asks about one service.
 */
const MONTH = { hours: 30 * 24, minuteHours: 2, everyMs: HOUR_MS };
const MONTH_FLEET = { services: 12, instances: 4, peers: 10, rate: 10 };
const COLD_RUNS = 5;
/** Answers of each question that are not counted: every reading thread has to have answered some. */
const WARM_UP = 8;

const OPTIONS = {
  hours: { type: 'string', default: '24' },
  'raw-hours': { type: 'string', default: '2.2' },
  services: { type: 'string', default: '100' },
  instances: { type: 'string', default: '10' },
  runs: { type: 'string', default: '50' },
  folder: { type: 'string', default: tmpdir() },
  parts: { type: 'string', default: 'size,steady,month,history,queries' },
} as const;

/** @returns whether every goal was met. */
export async function storeBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const folder = mkdtempSync(join(values.folder, 'sidelight-bench-'));
  const parts = values.parts.split(',');
  const bench = new StoreBench(folder, {
    hours: Number(values.hours),
    rawHours: Number(values['raw-hours']),
    services: Number(values.services),
    instances: Number(values.instances),
    runs: Number(values.runs),
  });
  try {
    if (parts.includes('size')) await bench.sizes();
    if (parts.includes('steady')) await bench.steadyState();
    if (parts.includes('month')) await bench.month();
    if (parts.includes('history') || parts.includes('queries')) await bench.history();
    if (parts.includes('queries')) await bench.queries();
    return bench.ok;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface BenchOptions {
  readonly hours: number;
  readonly rawHours: number;
  readonly services: number;
  readonly instances: number;
  readonly runs: number;
}

/** A file, and the end of the history in it. */
interface Opened {
  readonly file: StoreOptions;
  readonly end: number;
}

class StoreBench implements Opened {
  ok = true;
  private readonly folder: string;
  private readonly options: BenchOptions;
  private readonly fleet: Fleet;
  readonly file: StoreOptions;
  end = 0;

  constructor(folder: string, options: BenchOptions) {
    this.folder = folder;
    this.options = options;
    this.fleet = new Fleet({ ...options, peers: 10, rate: 10 });
    this.file = storeOptions(join(folder, 'history.db'), { intervalMs: INTERVAL_MS });
  }

  /** Bytes per flow and round after two hours, in raw steps, indexes and free space of pages included. */
  async sizes(): Promise<void> {
    for (const [requests, goal] of Object.entries(SIZE_GOALS)) {
      const ofSize = { services: 12, instances: 10, peers: 10, rate: (Number(requests) * 1000) / INTERVAL_MS };
      const fleet = new Fleet(ofSize);
      const options = storeOptions(join(this.folder, `size-${requests}.db`), {
        intervalMs: INTERVAL_MS,
        retentionMs: KEPT_MS,
      });
      const store = await SqliteStore.open(options);
      const end = wholeHour(Date.now());
      const hours = 2;
      const onProgress = progressOf(`${requests} requests per round`);
      await makeHistory({ store, fleet, end, hours, rawHours: hours, onProgress });
      await drainUpkeep(store, end + HOUR_MS); // when nothing comes any more, the log is packed too
      const empty = await this.emptyBytes(new Fleet(ofSize));
      const status = await store.status();
      await store.close();
      const rounds = (hours * HOUR_MS) / INTERVAL_MS;
      const per = (bytes: number) => bytes / (rounds * fleet.flows);
      const tiers = status.tiers.map(({ name, bytes }) => `${name} ${per(bytes).toFixed(2)}`).join(', ');
      const rest = per(status.usedBytes - empty - status.tiers.reduce((sum, { bytes }) => sum + bytes, 0));
      console.log(`${requests} requests per flow and round: ${tiers}, log, indexes and pages ${rest.toFixed(2)}`);
      this.goal(`  bytes per flow and round, all tiers`, per(status.usedBytes - empty), goal);
    }
  }

  /** What a file takes before any history: names, and last totals, which a fleet's first records tell as a whole. */
  private async emptyBytes(fleet: Fleet): Promise<number> {
    const options = storeOptions(join(this.folder, `empty-${Math.random()}.db`), { intervalMs: INTERVAL_MS });
    const store = await SqliteStore.open(options);
    const now = Date.now();
    await store.append(fleet.records(now, now));
    const { usedBytes } = await store.status();
    await store.close();
    return usedBytes;
  }

  /**
   * What a thousand sidecars take at default retention, from a part of them: bytes of each resolution per hour, where it
   * was fed in its own step or a finer one, times how long it is kept.
   */
  async steadyState(): Promise<void> {
    const fleet = new Fleet({ services: 12, instances: 10, peers: 10, rate: 10 });
    const options = storeOptions(join(this.folder, 'steady.db'), { intervalMs: INTERVAL_MS, retentionMs: KEPT_MS });
    const store = await SqliteStore.open(options);
    const end = wholeHour(Date.now());
    await makeHistory({ store, fleet, end, ...STEADY_HOURS, onProgress: progressOf('steady state') });
    const { usedBytes, tiers } = await store.status();
    await store.close();
    const packed = tiers.reduce((sum, { bytes }) => sum + bytes, 0);
    const scale = WHOLE_FLEET / fleet.sidecars.length;
    const fed = [STEADY_HOURS.rawHours, STEADY_HOURS.minuteHours, STEADY_HOURS.hours, STEADY_HOURS.hours];
    const kept = storeOptions('').retentionMs;
    console.log(`steady state of ${WHOLE_FLEET} sidecars, from ${fleet.sidecars.length} of them:`);
    const parts = tiers.map(({ name }, tier) => {
      const { bytes, hours } = bytesSince(options.path, name, end - (fed[tier] ?? 0) * HOUR_MS);
      const whole = kept[name] / HOUR_MS;
      const steady = hours === 0 ? 0 : (bytes / hours) * whole * scale;
      console.log(
        `  ${name}: ${bytes} B over ${hours.toFixed(1)} h, times ${whole} h kept, times ${scale.toFixed(2)} = ${gib(steady)}`,
      );
      return steady;
    });
    const overhead = usedBytes / packed;
    console.log(`  times ${overhead.toFixed(2)} for the log, indexes and pages`);
    this.goal('steady state at default retention, GiB', overhead * parts.reduce((sum, part) => sum + part, 0), 10);
  }

  /** A service's page over thirty days, cold and warm; nobody writes meanwhile. */
  async month(): Promise<void> {
    const fleet = new Fleet(MONTH_FLEET);
    const file = storeOptions(join(this.folder, 'month.db'), { intervalMs: OLD_INTERVAL_MS });
    const store = await SqliteStore.open(file);
    const end = wholeHour(Date.now());
    await makeHistory({ store, fleet, end, rawHours: 0, ...MONTH, onProgress: progressOf('a month') });
    await store.close();
    const asker = new Asker(fleet);
    for (const question of MONTH_QUESTIONS) {
      await this.askCold(asker, question, { file, end });
      const opened = await SqliteStore.open(file);
      const times: number[] = [];
      for (let run = 0; run < WARM_UP + this.options.runs; run++) times.push(await asker.time(opened, question, end));
      this.tell(`${question.name}, warm`, question.goal, times.slice(WARM_UP), 'of a month in the file');
      await opened.close();
    }
  }

  async history(): Promise<void> {
    const { hours, rawHours } = this.options;
    global.gc?.();
    const before = process.memoryUsage().rss;
    this.end = Math.floor(Date.now() / INTERVAL_MS) * INTERVAL_MS;
    const began = performance.now();
    const newHours = Math.min(hours, Math.max(rawHours, MINUTE_HOURS));
    if (hours > newHours) await this.olderHistory(hours, newHours);
    const store = await SqliteStore.open(this.file);
    const lengths = { hours: newHours, rawHours, minuteHours: MINUTE_HOURS };
    const onProgress = progressOf(`the last ${newHours} hours`);
    const cost = await makeHistory({ store, fleet: this.fleet, end: this.end, ...lengths, onProgress });
    const took = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${hours} h of ${this.fleet.sidecars.length} sidecars, ${this.fleet.flows} flows, made in ${took} s`);
    const { tiers, usedBytes, logRows } = await store.status();
    const after = process.memoryUsage().rss;
    await store.close();
    this.tellCost(cost);
    const packed = tiers.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(`file: ${gib(usedBytes)} in use, ${gib(packed)} of it blocks, ${logRows} scrapes in the log`);
    const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
    console.log(
      `memory: ${mib(after)} MiB with the fleet of this benchmark, ${mib(before)} before the store was opened`,
    );
  }

  /** What is before the last hours, by ten minutes, packed in steps of a minute: nobody asks for finer ones of it. */
  private async olderHistory(hours: number, newHours: number): Promise<void> {
    const store = await SqliteStore.open({ ...this.file, intervalMs: OLD_INTERVAL_MS });
    const end = this.end - newHours * HOUR_MS;
    const lengths = { hours: hours - newHours, rawHours: 0, minuteHours: 0 };
    const onProgress = progressOf(`${lengths.hours} hours before`);
    await makeHistory({ store, fleet: this.fleet, end, ...lengths, onProgress });
    await store.close();
  }

  private tellCost(cost: HistoryCost): void {
    this.goal('append, CPU of all threads, µs per flow and round', cost.totalMicros, 6);
    this.goal('append, CPU of the main thread, µs per flow and round', cost.mainMicros, 1);
    this.goal('upkeep, % of a core', (100 * cost.upkeepSeconds) / cost.livedSeconds, 5);
    const wall = `${cost.longestSliceWallMs.toFixed(0)} by the clock`;
    this.goal('upkeep, longest slice, ms of CPU', cost.longestSliceMs, 50, wall);
    console.log(`written, the log ahead of the file included: ${cost.writtenBytes.toFixed(0)} B per flow and round`);
  }

  async queries(): Promise<void> {
    const asker = new Asker(this.fleet);
    for (const question of QUESTIONS) await this.askCold(asker, question, this);
    const store = await SqliteStore.open(this.file);
    const quiet = new Map<Question, number>();
    for (const question of QUESTIONS) quiet.set(question, await this.cpuOf(asker, { store, question }));
    const appending = new Appending(store, this.fleet, this.end);
    for (const question of QUESTIONS)
      await this.askWarm(asker, { store, question, appending, cpuMs: quiet.get(question) ?? 0 });
    await appending.stop();
    this.goal(
      'memory of the whole process, MiB',
      process.memoryUsage().rss / 2 ** 20,
      400,
      'with the fleet of this benchmark',
    );
    await store.close();
  }

  /** The first answer of a store that was just opened, by threads that never answered before; the file is in memory. */
  private async askCold(asker: Asker, question: Question, { file, end }: Opened): Promise<void> {
    const times: number[] = [];
    for (let run = 0; run < Math.min(COLD_RUNS, this.options.runs); run++) {
      const store = await SqliteStore.open(file);
      await Promise.all([store.status(), store.status()]); // by both reading threads
      times.push(await asker.time(store, question, end));
      await store.close();
    }
    const { p50: _, ...goal } = question.goal;
    this.tell(`${question.name}, just opened`, goal, times, '');
  }

  /** Milliseconds of CPU that an answer takes, all threads together, while nobody writes: the median. */
  private async cpuOf(asker: Asker, { store, question }: { store: Store; question: Question }): Promise<number> {
    const times: number[] = [];
    for (let run = 0; run < this.options.runs; run++) {
      const before = process.cpuUsage();
      await asker.time(store, question, this.end);
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
    return percentile(times, 0.5);
  }

  private async askWarm(
    asker: Asker,
    { store, question, appending, cpuMs }: { store: Store; question: Question; appending: Appending; cpuMs: number },
  ): Promise<void> {
    const lag = monitorEventLoopDelay({ resolution: 5 });
    for (let run = 0; run < WARM_UP; run++) await asker.time(store, question, Date.now());
    const times: number[] = [];
    lag.enable();
    for (let run = 0; run < this.options.runs; run++)
      times.push(await appending.during(() => asker.time(store, question, Date.now())));
    lag.disable();
    const held = `main thread held up to ${(lag.max / 1e6).toFixed(0)} ms, the fleet's own work included`;
    this.tell(
      `${question.name}, warm`,
      question.goal,
      times,
      `${cpuMs.toFixed(1)} ms of CPU when nobody writes; ${held}`,
    );
  }

  private tell(name: string, goal: Question['goal'], times: readonly number[], remark: string): void {
    const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
    if (goal.p50 !== undefined) this.goal(`${name}, p50 ms`, p50, goal.p50);
    const rest = goal.p50 === undefined ? `p50 ${p50.toFixed(1)}` : '';
    if (goal.p99 !== undefined) this.goal(`${name}, p99 ms`, p99, goal.p99, [rest, remark].filter(Boolean).join('; '));
    else console.log(`       ${name}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} (${remark})`);
  }

  private goal(name: string, value: number, most: number, remark = ''): void {
    const met = value <= most;
    this.ok &&= met;
    const rest = remark === '' ? '' : ` (${remark})`;
    console.log(`${met ? 'met   ' : 'MISSED'} ${name}: ${value.toFixed(2)}, goal ${most}${rest}`);
  }
}

/**
 * Appends what the fleet tells at full rate in real time, and does upkeep, until it is stopped. What the fleet tells is
 * drawn between questions, since sidecars do that elsewhere; it is appended whenever it is due.
 */
class Appending {
  private readonly running: Promise<unknown>;
  private readonly answered = new EventEmitter();
  private isAsked = false;
  private stopping = false;

  constructor(store: Store, fleet: Fleet, end: number) {
    this.running = Promise.all([this.append(store, fleet, end), this.upkeep(store)]);
  }

  async during<Result>(ask: () => Promise<Result>): Promise<Result> {
    this.isAsked = true;
    try {
      return await ask();
    } finally {
      this.isAsked = false;
      this.answered.emit('answered');
      await nextTurn();
    }
  }

  /** Every sidecar once an interval, in its own phase. */
  private async append(store: Store, fleet: Fleet, end: number): Promise<void> {
    const batch = Math.ceil((fleet.sidecars.length * GATHER_MS) / INTERVAL_MS);
    const last = fleet.sidecars.map(() => end);
    for (let first = 0; !this.stopping; first = first + batch >= last.length ? 0 : first + batch) {
      if (this.isAsked) await once(this.answered, 'answered');
      const to = Date.now();
      const from = last[first] ?? end;
      const range: [number, number] = [first, Math.min(last.length, first + batch)];
      last.fill(to, ...range);
      const records = fleet.records(from, to, range);
      await delay(GATHER_MS / 2);
      if (to > from) await store.append(records);
      await delay(GATHER_MS / 2);
    }
  }

  private async upkeep(store: Store): Promise<void> {
    while (!this.stopping) {
      const isMore = await store.upkeep(Date.now());
      await delay(isMore ? 20 : 1000);
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(3)} GiB`;
const wholeHour = (time: number): number => Math.floor(time / HOUR_MS) * HOUR_MS;

/** Blocks that begin after a time, and how long they reach from the first to the last. */
function bytesSince(path: string, tier: TierName, from: number): { bytes: number; hours: number } {
  const database = new Database(path, { readonly: true });
  try {
    const [bytes, first, last] = database
      .prepare(`SELECT coalesce(sum(length(data)), 0), min(t0), max(t1) FROM ${blockTable(tier)} WHERE t0 >= ?`)
      .raw()
      .get(from) as [number, number | null, number | null];
    return { bytes, hours: first === null || last === null ? 0 : (last - first) / HOUR_MS };
  } finally {
    database.close();
  }
}
