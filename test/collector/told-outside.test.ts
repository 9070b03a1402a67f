/**
 * What others get is what happened: receivers of remote write and of OTLP, and whoever scrapes /metrics, over restarts of
 * Envoys, targets that come and go, failed scrapes, receivers that are away and a collector that is killed.
 */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../examples/meshes/random.ts';
import { Drain } from '../../server/exporter/remote-write/drain.ts';
import type { Outcome } from '../../server/exporter/remote-write/receiver.ts';
import { RecordQueue } from '../../server/exporter/remote-write/record-queue.ts';
import { RoundWriter } from '../../server/exporter/remote-write/round-writer.ts';
import { RoundTaker } from '../../server/exporter/remote-write/take-round.ts';
import { Live } from '../../server/live/live.ts';
import { decodeTotals } from '../../server/mesh/totals.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { Pipeline } from '../../server/pipeline.ts';
import { TargetScraper } from '../../server/scrape/target-scraper.ts';
import { packed } from '../../server/store/packed-record.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { DecodedResource } from '../exporter/otlp/decoded.ts';
import { type Pushing, pushing } from '../exporter/otlp/pushing.ts';
import { accepts, answers, type FakeReceiver, fakeReceiver, hangsUp } from '../exporter/otlp/receivers.ts';
import { decodedRequest } from '../exporter/remote-write/decoded.ts';
import { rendered } from '../exporter/rendered.ts';
import { discovered } from '../live/live-targets.ts';
import { allAtOnce } from '../store/all-at-once.ts';
import { storeOptions } from '../store/options.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { add, SimulatedEnvoy } from './simulated-envoy.ts';

const START = 1_700_000_040_000;
const INTERVAL = 10_000;
const HOUR = 3_600_000;
const ROUNDS = 45;
/** The last rounds, in which nothing happens any more: what comes late has come. */
const QUIET = 8;
const CLUSTERS = ['cart', 'stock', 'bank'];
const LATENCIES = [0, 3, 20, 99, 350, 3000];
const BUCKETS = [0.01, 0.1, 1];
const SIDECARS = 4;

type Counts = Map<string, number>;

class Sidecar {
  readonly target;
  readonly envoy: SimulatedEnvoy;
  readonly hasOwnName: boolean;
  scraper: TargetScraper;
  isPresent = true;
  wasScraped = false;
  /** What was counted by the last good scrape, and in which life. */
  kept: { readonly life: string; readonly counted: Counts } | undefined;

  constructor(number: number, now: () => number) {
    this.hasOwnName = number % 2 === 1;
    const name = `${NAMES[number] ?? 'shop'}-${number}`;
    const labels = { service: 'shop', ...(this.hasOwnName && { instance: name }) };
    this.target = discovered(`10.0.0.${number}:9901`, labels);
    this.envoy = new SimulatedEnvoy(START - number * HOUR, now);
    this.envoy.node = `${name} first`;
    this.scraper = new TargetScraper(this.envoy, { zonesEvery: 4 });
  }

  get instance(): string {
    return this.target.labels.instance ?? this.envoy.node;
  }
}

const NAMES = ['', 'plain', 'a "b",\\c', 'קופה\n<b>', '🛒'];

const MANY = Number.POSITIVE_INFINITY;

/** The newest value of every series, by its labels as text: as a receiver has it. */
class RemoteReceiver {
  readonly newest = new Map<string, number>();
  private at = 0;
  /** Messages that it takes before it goes away. */
  takes = MANY;

  /** @returns whether it took it. */
  take(body: Uint8Array): boolean {
    if (this.takes === 0) return false;
    this.takes--;
    for (const { labels, at, value } of decodedRequest(body).series) {
      expect(at).toBeGreaterThanOrEqual(this.at);
      this.at = at;
      const key = seriesText(labels);
      if (typeof value === 'number') this.newest.set(key, value);
      else this.newest.delete(key);
    }
    return true;
  }
}

/** What one life of the collector writes to it. */
class RemoteWriting {
  private readonly taker = new RoundTaker({
    level: 'instance',
    buckets: BUCKETS,
    seriesLimit: 100_000,
    filter: () => true,
    isNative: false,
    externalLabels: {},
    ownLabels: {},
  });
  private readonly writer = new RoundWriter();
  private readonly queue: RecordQueue;
  private readonly drain: Drain;
  /** Called when nothing is left to be sent, and when the receiver takes nothing. */
  private settled: (hasAll: boolean) => void = () => {};
  /** Called when it is worth trying again. */
  private again: () => void = () => {};

  constructor(folder: string, receiver: RemoteReceiver) {
    this.queue = new RecordQueue({
      folder,
      maxBytes: 8 * 1024 ** 2,
      now: () => 0,
      onLoss: (reason, samples) => expect.fail(`${samples} samples were lost: ${reason}`),
      onDisk() {},
    });
    this.writer.recover(this.queue.newestRecords());
    this.drain = new Drain({
      queue: this.queue,
      maxSamplesPerSend: 40,
      maxShards: 1,
      random: () => 0,
      onRound() {},
      onOutcome() {},
      onIdle: () => this.settled(true),
      send: (body, stop) => this.send(receiver, body, stop),
    });
    this.drain.start();
  }

  private async send(receiver: RemoteReceiver, body: Uint8Array, stop: AbortSignal): Promise<Outcome> {
    if (receiver.take(body)) return { kind: 'taken' };
    const again = new Promise<void>((resolve) => {
      this.again = resolve;
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
    this.settled(false);
    await again;
    return { kind: 'failed', reason: 'it is away', afterMs: 0 };
  }

  /** @returns whether the receiver has all of it. */
  async write(live: Live, at: number): Promise<boolean> {
    const work = this.taker.take({ targets: live.all(), isComplete: true, own: [], at });
    let step = work.next();
    while (!step.done) step = work.next();
    const round = step.value;
    if (round.isFresh) this.queue.beginAnew();
    this.writer.take(round);
    this.queue.append({ at: round.at, samples: this.writer.samples }, (isFirst) => this.writer.encode(isFirst));
    this.writer.done();
    const settled = new Promise<boolean>((resolve) => {
      this.settled = resolve;
    });
    this.again();
    this.drain.rouse();
    return settled;
  }

  async close(): Promise<void> {
    await this.drain.stop(0);
    this.queue.close();
  }
}

const seriesText = (labels: Iterable<readonly [string, string]>): string =>
  JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));

function seriesOf(text: string): Map<string, number> {
  const series = new Map<string, number>();
  for (const [, name = '', labels = '', value] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)) {
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, label = '', escaped = '']): [string, string] => [
        label,
        escaped.replaceAll(/\\(.)/g, (_, sign) => (sign === 'n' ? '\n' : sign)),
      ],
    );
    series.set(seriesText([['__name__', name], ...pairs]), Number(value));
  }
  return series;
}

/** Sums of what was pushed as increments, or what totals stand at, by instance, peer and kind. */
function toldBy(resources: readonly DecodedResource[]): Counts {
  const told: Counts = new Map();
  for (const { attributes, metrics } of resources)
    for (const { name, points } of metrics)
      for (const { labels, value = 0, total, zeroes, positive } of points) {
        const of = `${attributes['service.instance.id']} ${labels.peer ?? 'inbound'}`;
        if (name === 'mesh.requests') add(told, `${of} requests`, value);
        if (name !== 'mesh.request.duration') continue;
        add(told, `${of} samples`, total);
        const inBuckets = (positive?.counts ?? []).reduce((sum, count) => sum + Number(count), zeroes);
        expect(inBuckets, `samples in buckets of ${of}`).toBe(total);
      }
  return told;
}

class World {
  private readonly random: Random;
  private readonly folder = temporaryFolder();
  private readonly options = storeOptions(join(this.folder, 'sidelight.db'));
  private now = START;
  readonly sidecars = Array.from({ length: SIDECARS }, (_, index) => new Sidecar(index + 1, () => this.now));
  private store = new SqliteWriter(this.options);
  private encoder = new RoundEncoder();
  private pipeline!: Pipeline;
  live = new Live();
  private writer!: RemoteWriting;
  readonly remote = new RemoteReceiver();
  readonly otlp = {} as Record<'delta' | 'cumulative', { receiver: FakeReceiver; pushing: Pushing; read: number }>;
  /** All increments that the receiver took. */
  readonly deltas: Counts = new Map();
  totals: Counts = new Map();
  readonly truth: Counts = new Map();

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  async begin(): Promise<void> {
    for (const temporality of ['delta', 'cumulative'] as const)
      this.otlp[temporality] = { receiver: await fakeReceiver(), pushing: undefined as never, read: 0 };
    await this.startCollector();
  }

  private async startCollector(): Promise<void> {
    const reader = new SqliteReader(this.options);
    const stored = reader.loadTargets();
    reader.close();
    this.live = new Live();
    this.live.setTargets(
      [],
      stored.map(({ target, identity, inbound, totals }) => ({
        target,
        identity,
        inbound,
        flows: decodeTotals(totals)?.flows ?? new FlowTotals(),
      })),
    );
    const settings = { peers: [], local: [], seriesLimit: 1000, intervalMs: INTERVAL };
    this.pipeline = new Pipeline({ ...settings, stored, startedAt: this.now + 1 });
    this.setTargets();
    this.writer = new RemoteWriting(join(this.folder, 'queue'), this.remote);
    const remembered = new Set(stored.map(({ target }) => target));
    for (const [temporality, one] of Object.entries(this.otlp))
      one.pushing = await pushing({
        settings: { url: one.receiver.url, temporality: temporality as 'delta' | 'cumulative' },
        live: this.live,
        remembered,
        statePath: join(this.folder, `${temporality}.otlp`),
      });
  }

  private setTargets(): void {
    const targets = this.sidecars.filter(({ isPresent }) => isPresent).map(({ target }) => target);
    this.live.setTargets(targets);
    this.pipeline.setTargets(targets, this.now);
  }

  private below(end: number): number {
    return Math.floor(this.random() * end);
  }

  async round(number: number): Promise<void> {
    const isQuiet = number >= ROUNDS - QUIET;
    const happens = (share: number): boolean => !isQuiet && this.random() < share;
    this.now += INTERVAL;
    const records: ScrapeRecord[] = [];
    for (const one of this.sidecars) {
      if (number > 2 && (isQuiet || happens(one.isPresent ? 0.05 : 0.4))) one.isPresent = isQuiet || !one.isPresent;
      if (!isQuiet) this.traffic(one);
      this.fate(one, happens, number);
    }
    this.setTargets();
    for (const one of this.sidecars) if (one.isPresent) records.push(...(await this.scrape(one)));
    this.store.append(allAtOnce(this.encoder.encode(records)));
    this.live.apply(records);
    const isAway = this.remote.takes === 0;
    this.remote.takes = (isAway ? isQuiet || happens(0.5) : !happens(0.15)) ? MANY : isAway ? 0 : this.below(3);
    await this.writeRemote();
    if (number % 3 === 2) for (const one of Object.values(this.otlp)) await this.push(one, isQuiet);
    // What was counted before the first push of all, and is not known to be of it, is not told as increments.
    if (number > 2 && happens(0.08)) await this.kill();
  }

  private traffic({ envoy }: Sidecar): void {
    const requests = () => {
      const codeClass = this.random() < 0.8 ? '2xx' : '5xx';
      return { codeClass, latencyMs: LATENCIES[this.below(LATENCIES.length)] ?? 0, count: 1 + this.below(20) };
    };
    for (let left = this.below(3); left > 0; left--) envoy.receive(requests());
    for (let left = this.below(3); left > 0; left--)
      envoy.call(CLUSTERS[this.below(CLUSTERS.length)] ?? '', 'eu-1', requests());
  }

  private fate({ envoy, hasOwnName }: Sidecar, happens: (share: number) => boolean, number: number): void {
    if (!happens(0.2)) envoy.flush();
    if (happens(0.04)) envoy.restart(hasOwnName && this.random() < 0.5 ? `node-${number}` : envoy.node);
    else if (happens(0.05)) envoy.reconnect();
    envoy.isDown = happens(0.08);
  }

  private async scrape(one: Sidecar): Promise<ScrapeRecord[]> {
    const { target, envoy, scraper } = one;
    const good = await scraper.scrape().catch(() => undefined);
    const result = { target, at: this.now, durationMs: 1, error: good ? '' : 'it is down', good };
    const record = this.pipeline.process(result);
    if (!record.findings) return [record];
    const before = one.kept;
    one.kept = { life: envoy.life, counted: envoy.counted };
    for (const [name, count] of before ? envoy.counted : []) {
      const then = before?.life === envoy.life ? (before.counted.get(name) ?? 0) : 0;
      add(this.truth, `${one.instance} ${name}`, count - then);
    }
    return [record, ...this.pipeline.processBesides(result)].map(packed);
  }

  private async writeRemote(): Promise<void> {
    const hasAll = await this.writer.write(this.live, this.now);
    if (hasAll) this.compareRemote();
  }

  get metrics(): Map<string, number> {
    return seriesOf(rendered(this.live.all(), { buckets: BUCKETS, now: this.now, format: 'openmetrics' }));
  }

  private compareRemote(): void {
    const shown = this.metrics;
    const has = this.remote.newest;
    const isSettled = this.live.all().every(({ health }) => health !== 'unknown');
    expect(Object.fromEntries(isSettled ? has : [...has].filter(([key]) => shown.has(key)))).toEqual(
      Object.fromEntries(shown),
    );
  }

  private async push(one: World['otlp']['delta'], isSure: boolean): Promise<void> {
    const { receiver } = one;
    const chance = isSure ? 1 : this.random();
    const script =
      chance < 0.2 ? [answers(400)] : chance < 0.3 ? [hangsUp] : chance < 0.4 ? [answers(503), accepts] : [accepts];
    receiver.script(...script);
    await one.pushing.push(this.now);
    expect(one.pushing.errors).toEqual([]);
    const resources = chance < 0.3 ? [] : (receiver.received.at(-1)?.resources ?? []);
    if (one === this.otlp.cumulative) this.totals = chance < 0.3 ? this.totals : toldBy(resources);
    else for (const [name, count] of toldBy(resources)) add(this.deltas, name, count);
  }

  private async kill(): Promise<void> {
    this.store.close();
    await this.writer.close();
    for (const one of Object.values(this.otlp)) await one.pushing.exporter.close();
    this.store = new SqliteWriter(this.options);
    this.encoder = new RoundEncoder();
    for (const one of this.sidecars) one.scraper = new TargetScraper(one.envoy, { zonesEvery: 4 });
    await this.startCollector();
  }

  /** What /metrics shows of requests and samples. */
  shown(): Counts {
    const shown: Counts = new Map();
    for (const [key, value] of this.metrics) {
      const { __name__, instance, peer = 'inbound' } = Object.fromEntries(JSON.parse(key) as [string, string][]);
      if (__name__ === 'mesh_requests_total') add(shown, `${instance} ${peer} requests`, value);
      if (__name__ === 'mesh_request_duration_seconds_count') add(shown, `${instance} ${peer} samples`, value);
    }
    return shown;
  }

  async close(): Promise<void> {
    this.store.close();
    await this.writer.close();
  }
}

const plain = (counts: Counts) => Object.fromEntries([...counts].filter(([, count]) => count !== 0).sort());

test.each([1, 2, 3, 4])('world %i', async (seed) => {
  const world = new World(seed);
  await world.begin();
  try {
    for (let round = 0; round < ROUNDS; round++) await world.round(round);
    expect(plain(world.shown()), '/metrics').toEqual(plain(world.truth));
    expect(plain(world.totals), 'totals by OTLP').toEqual(plain(world.truth));
    expect(plain(world.deltas), 'increments by OTLP').toEqual(plain(world.truth));
  } finally {
    await world.close();
  }
});
