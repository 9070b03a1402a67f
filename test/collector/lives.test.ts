/**
 * From Envoys' own counters to what is stored and to the totals of /metrics, over restarts of Envoys, other Envoys at the same
 * address, failed scrapes, zones that appear, targets that go and come back, a store that fails and a collector that is
 * killed: every request that a scrape that was kept told of counts once, by name and by zone.
 */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../examples/meshes/random.ts';
import { type Direction, type FlowKey, requestCount } from '../../server/model/flow.ts';
import { mergeNeighbours } from '../../server/model/merge-records.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { Pipeline } from '../../server/pipeline.ts';
import type { GoodScrape } from '../../server/scrape/target-scraper.ts';
import { TargetScraper } from '../../server/scrape/target-scraper.ts';
import { decodeAnswer } from '../../server/store/answer-view.ts';
import { packed } from '../../server/store/packed-record.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { RoundEncoder } from '../../server/store/sqlite/round.ts';
import { SqliteWriter } from '../../server/store/sqlite/writer.ts';
import type { SeriesLabel } from '../../server/store/store.ts';
import { discovered } from '../live/live-targets.ts';
import { allAtOnce } from '../store/all-at-once.ts';
import { storeOptions } from '../store/options.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { add, SimulatedEnvoy } from './simulated-envoy.ts';

const START = 1_700_000_040_000;
const INTERVAL = 10_000;
const HOUR = 3_600_000;
const ROUNDS = 60;
/** The last rounds, in which nothing happens any more: what comes late has come. */
const QUIET = 10;
const CLUSTERS = ['cart', 'stock', 'bank'];
const ZONES = ['eu-1', 'us-1', 'ap-1'];
const LATENCIES = [0, 3, 20, 350];

type Counts = Map<string, number>;

interface Fates {
  readonly kills: boolean;
  readonly otherNodes: boolean;
  /** Targets are not discovered for some rounds. */
  readonly leaves: boolean;
}

/** What was kept of a sidecar last. */
interface Kept {
  readonly life: string;
  readonly counted: Counts;
}

class Sidecar {
  readonly target;
  readonly envoy: SimulatedEnvoy;
  scraper: TargetScraper;
  kept: Kept | undefined;
  restarts = 0;
  /** Rounds until it is a target again; 0 while it is. */
  awayFor = 0;
  totals: Counts = new Map();

  constructor(number: number, now: () => number) {
    this.target = discovered(`10.0.0.${number}:9901`, { service: 'shop', instance: `shop-${number}` });
    this.envoy = new SimulatedEnvoy(START - number * HOUR, now);
    this.scraper = new TargetScraper(this.envoy, { zonesEvery: 4 });
  }

  get instance(): string {
    return this.target.labels.instance ?? '';
  }
}

class World {
  private readonly random: Random;
  private readonly fates: Fates;
  private readonly options = storeOptions(join(temporaryFolder(), 'sidelight.db'));
  private now = START;
  readonly sidecars = [1, 2, 3].map((number) => new Sidecar(number, () => this.now));
  private writer = new SqliteWriter(this.options);
  private encoder = new RoundEncoder();
  private pipeline = this.newPipeline();
  private waiting: ScrapeRecord[] = [];
  private whenKept: (() => void)[] = [];
  readonly truth: Counts = new Map();

  constructor(seed: number, fates: Fates) {
    this.random = seededRandom(seed);
    this.fates = fates;
  }

  private newPipeline(): Pipeline {
    const reader = new SqliteReader(this.options);
    const stored = reader.loadTargets();
    reader.close();
    const settings = { peers: [], local: [], seriesLimit: 1000, intervalMs: INTERVAL };
    return new Pipeline({ ...settings, stored, startedAt: this.now + 1 });
  }

  private below(end: number): number {
    return Math.floor(this.random() * end);
  }

  async round(number: number): Promise<void> {
    const isQuiet = number >= ROUNDS - QUIET;
    const happens = (share: number): boolean => !isQuiet && this.random() < share;
    this.now += INTERVAL;
    for (const one of this.sidecars) {
      const { envoy } = one;
      if (!isQuiet) this.traffic(one, number);
      if (!happens(0.2)) envoy.flush();
      if (happens(0.03)) {
        envoy.restart(this.fates.otherNodes && this.random() < 0.5 ? `node-${number}` : envoy.node);
        one.restarts++;
      } else if (happens(0.05)) envoy.reconnect();
      envoy.isDown = happens(0.08);
      if (this.fates.leaves && one.awayFor === 0 && happens(0.1)) this.leave(one);
      else if (one.awayFor > 0 && --one.awayFor === 0) this.discover();
      if (one.awayFor === 0) await this.scrape(one);
    }
    this.store(happens(0.1));
    if (this.fates.kills && happens(0.06)) this.kill();
  }

  /** Its scraper goes with it. */
  private leave(one: Sidecar): void {
    one.awayFor = 1 + this.below(5);
    one.scraper = new TargetScraper(one.envoy, { zonesEvery: 4 });
    this.discover();
  }

  private discover(): void {
    const here = this.sidecars.filter(({ awayFor }) => awayFor === 0);
    this.pipeline.setTargets(
      here.map(({ target }) => target),
      this.now,
    );
  }

  private traffic({ envoy, instance }: Sidecar, round: number): void {
    const requests = () => {
      const [codeClass, latencyMs] = [this.random() < 0.8 ? '2xx' : '5xx', LATENCIES[this.below(4)] ?? 0];
      return { codeClass, latencyMs, count: 1 + this.below(20) };
    };
    for (let left = this.below(4); left > 0; left--) envoy.receive(requests());
    const [clusters, zones] = [round < 20 ? 2 : 3, round < 25 ? 2 : 3];
    const isUnzoned = instance === 'shop-1' && round < 10;
    for (let left = this.below(6); left > 0; left--) {
      const zone = isUnzoned ? undefined : ZONES[this.below(zones)];
      envoy.call(CLUSTERS[this.below(clusters)] ?? '', zone, requests());
    }
  }

  private async scrape(one: Sidecar): Promise<void> {
    const { target, envoy, scraper } = one;
    const good: GoodScrape | undefined = await scraper.scrape().catch(() => undefined);
    const result = { target, at: this.now, durationMs: 1, error: good ? '' : 'it is down', good };
    const record = this.pipeline.process(result);
    if (!record.findings) return;
    one.totals = new Map();
    for (const { flow, counters, bins } of record.findings.flowTotals) {
      add(one.totals, `${one.instance} ${nameOf(flow)} requests`, requestCount(counters));
      add(one.totals, `${one.instance} ${nameOf(flow)} samples`, sum(bins.counts));
    }
    const kept = { life: envoy.life, counted: envoy.counted };
    this.whenKept.push(() => this.count(one, kept));
    this.waiting.push(...[record, ...this.pipeline.processBesides(result)].map(packed));
  }

  /** What grew since the scrape that was kept before; the first one of all is where counting begins. */
  private count(one: Sidecar, kept: Kept): void {
    const before = one.kept;
    one.kept = kept;
    if (!before) return;
    for (const [name, count] of kept.counted) {
      const then = before.life === kept.life ? (before.counted.get(name) ?? 0) : 0;
      add(this.truth, `${one.instance} ${name}`, count - then);
    }
  }

  private store(fails: boolean): void {
    if (fails) {
      this.pipeline.missedTotals();
      this.encoder.forget();
      if (this.random() < 0.4) this.waiting = mergeNeighbours(this.waiting);
      return;
    }
    this.writer.append(allAtOnce(this.encoder.encode(this.waiting)));
    for (const kept of this.whenKept) kept();
    this.waiting = [];
    this.whenKept = [];
    if (this.random() < 0.3) while (this.writer.upkeep(this.now));
  }

  private kill(): void {
    this.writer.close();
    this.writer = new SqliteWriter(this.options);
    this.encoder = new RoundEncoder();
    this.pipeline = this.newPipeline();
    this.waiting = [];
    this.whenKept = [];
    for (const one of this.sidecars) one.scraper = new TargetScraper(one.envoy, { zonesEvery: 4 });
  }

  /** Everything that is stored. */
  told(directions: readonly Direction[]): Counts {
    const reader = new SqliteReader(this.options);
    const by: SeriesLabel[] = ['instance', 'peer'];
    const told: Counts = new Map();
    for (const direction of directions) {
      const query = { from: START - HOUR, to: START + HOUR, direction, match: {}, by, bins: true };
      for (const { labels, cells } of decodeAnswer(reader.sums(query)).groups) {
        const [cell] = cells;
        const name = `${labels.instance} ${labels.peer || 'inbound'}`;
        add(told, `${name} requests`, requestCount(cell?.counters ?? []));
        add(told, `${name} samples`, sum(cell?.bins.counts ?? []));
      }
    }
    reader.close();
    return told;
  }

  close(): void {
    this.writer.close();
  }
}

const sum = (counts: ArrayLike<number>): number => Array.from(counts).reduce((all, one) => all + one, 0);
const nameOf = ({ direction, peer }: FlowKey): string => (direction === 'inbound' ? direction : peer);
const shown = (counts: Counts) => Object.fromEntries([...counts].filter(([, count]) => count !== 0).sort());

test.each([
  [1, { kills: false, otherNodes: false, leaves: false }],
  [2, { kills: false, otherNodes: false, leaves: true }],
  [3, { kills: true, otherNodes: false, leaves: false }],
  [4, { kills: true, otherNodes: false, leaves: true }],
  [5, { kills: true, otherNodes: true, leaves: false }],
  [6, { kills: false, otherNodes: true, leaves: true }],
  [7, { kills: false, otherNodes: false, leaves: true }],
])('world %i, %o', async (seed, fates) => {
  const world = new World(seed, fates);
  try {
    for (let round = 0; round < ROUNDS; round++) await world.round(round);
    const told = world.told(['inbound', 'outbound']);
    expect(shown(told)).toEqual(shown(world.truth));
    const totals = new Map(world.sidecars.flatMap((one) => [...one.totals]));
    expect(shown(totals)).toEqual(shown(world.truth));
    const zones = world.told(['zone']);
    for (const [name, count] of zones) expect(count, `by zone: ${name}`).toBeLessThanOrEqual(told.get(name) ?? 0);
    for (const { instance, restarts } of world.sidecars)
      if (restarts === 0 && !fates.kills && instance !== 'shop-1')
        for (const name of CLUSTERS.map((cluster) => `${instance} ${cluster} requests`))
          expect(zones.get(name), `by zone: ${name}`).toBe(told.get(name));
  } finally {
    world.close();
  }
});
