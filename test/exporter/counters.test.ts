/** What /metrics counts never falls, whatever restarts: figures of one target from its answers to the exposition. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Live } from '../../server/live/live.ts';
import { decodeTotals } from '../../server/mesh/totals.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { Pipeline } from '../../server/pipeline.ts';
import type { ScrapeResult } from '../../server/scrape/scrape-loop.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { failedResult, goodResult, TARGET } from '../collector/answers.ts';
import { storeOptions } from '../store/options.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { rendered } from './rendered.ts';

const INTERVAL_MS = 10_000;
const START = 1_700_000_000_000;
/** One life of the collector on a file. */
class Life {
  readonly live = new Live();
  private readonly store: SqliteStore;
  private readonly pipeline: Pipeline;

  private constructor(store: SqliteStore, pipeline: Pipeline) {
    this.store = store;
    this.pipeline = pipeline;
  }

  static async begin(path: string, startedAt: number): Promise<Life> {
    const store = await SqliteStore.open(storeOptions(path));
    const stored = await store.loadTargets();
    const options = { peers: [], local: [], seriesLimit: 1000, intervalMs: INTERVAL_MS, stored, startedAt };
    const life = new Life(store, new Pipeline(options));
    life.live.setTargets(
      [TARGET],
      stored.map((entry) => ({ ...entry, flows: decodeTotals(entry.totals)?.flows ?? new FlowTotals() })),
    );
    return life;
  }

  /** Scrapes without storing, as a collector that dies before the round has ended. */
  scrape(result: ScrapeResult): ScrapeRecord {
    return this.pipeline.process(result);
  }

  async round(result: ScrapeResult): Promise<void> {
    const record = this.scrape(result);
    await this.store.append([record]);
    this.live.apply([record]);
  }

  /** Requests, samples and the highest bucket as /metrics shows them; empty when they are absent. */
  counted(): number[] {
    const text = rendered(this.live.all(), { now: START });
    const shown = [/code_class="2xx"\} (\d+)/, /seconds_count\{.*\} (\d+)/, /le="1"\} (\d+)/].map((pattern) =>
      Number(pattern.exec(text)?.[1] ?? -1),
    );
    return shown.filter((value) => value >= 0);
  }

  end(): Promise<void> {
    return this.store.close();
  }
}

test('counters of a target go on through restarts of its Envoy and of the collector', async () => {
  const path = join(temporaryFolder(), 'sidelight.db');
  const at = (round: number) => START + round * INTERVAL_MS;
  const first = await Life.begin(path, START - 500);
  await first.round(goodResult({ at: at(0), startedAt: START - 3_600_000, requests: 1000 }));
  expect(first.counted()).toEqual([0, 0, 0]); // a baseline
  await first.round(goodResult({ at: at(1), startedAt: START - 3_600_000, requests: 1050 }));
  expect(first.counted()).toEqual([50, 50, 50]);
  await first.round(failedResult(at(2)));
  expect(first.counted()).toEqual([50, 50, 50]);
  await first.round(goodResult({ at: at(3), startedAt: at(2) + 2000, requests: 7 })); // Envoy restarted
  expect(first.counted()).toEqual([57, 57, 57]);
  first.scrape(goodResult({ at: at(4), startedAt: at(2) + 2000, requests: 30 })); // killed before this was stored
  await first.end();

  const second = await Life.begin(path, at(4) + 500);
  expect(second.counted()).toEqual([]);
  await second.round(failedResult(at(5)));
  expect(second.counted()).toEqual([57, 57, 57]);
  await second.round(goodResult({ at: at(6), startedAt: at(2) + 2000, requests: 90 }));
  expect(second.counted()).toEqual([140, 140, 140]);
  await second.end();

  const third = await Life.begin(path, at(7)); // Envoy restarted while the collector was away
  await third.round(goodResult({ at: at(8), startedAt: at(7), requests: 5 }));
  expect(third.counted()).toEqual([145, 145, 145]);
  await third.end();
});
