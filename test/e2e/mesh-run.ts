import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { ServiceAnswer, StatusAnswer, TopologyAnswer } from '../../server/api/contract.ts';
import { getJson, startTestCollector, type TestCollector } from './collector.ts';
import { type ExportedRow, exportedRows } from './exported.ts';
import { parseExposition, type Sample, latencySamples as samplesIn } from './exposition.ts';
import { startTestMesh, type TestMesh } from './mesh.ts';
import { Stopping } from './stopping.ts';
import { edgeKey, edgesOf, hasLatency, requestsOf, servicesOf, type Truth } from './truth.ts';

const INTERVAL_SECONDS = 1;
/** Two turns of /clusters of five intervals each, what the counting may take, and the second flush of Envoy. */
const SETTLE_MS = 40_000;

interface Parts {
  readonly mesh: TestMesh;
  readonly collector: TestCollector;
  readonly folder: string;
  readonly stopping: Stopping;
}

async function startParts(name: string, stopping: Stopping): Promise<Omit<Parts, 'stopping'>> {
  const made = await mkdtemp(join(tmpdir(), 'sidelight-e2e-'));
  const folder = stopping.add(made, (path) => rm(path, { recursive: true, force: true }));
  const mesh = stopping.add(await startTestMesh(name), (one) => one.stop());
  const options = { targets: mesh.targets.map(({ address }) => address), storagePath: join(folder, 'sidelight.db') };
  const started = await startTestCollector({ ...options, intervalSeconds: INTERVAL_SECONDS });
  return { mesh, folder, collector: stopping.add(started, (one) => one.terminate()) };
}

/** An example mesh and the collector on it, both on ports of their own. */
export class MeshRun {
  readonly mesh: TestMesh;
  readonly #collector: TestCollector;
  readonly #folder: string;
  readonly #stopping: Stopping;
  readonly #startedAt = Date.now();

  private constructor({ mesh, collector, folder, stopping }: Parts) {
    this.mesh = mesh;
    this.#collector = collector;
    this.#folder = folder;
    this.#stopping = stopping;
  }

  /** Resolves when every Envoy has been scraped; leaves nothing running when that fails. */
  static async start(name: string): Promise<MeshRun> {
    const stopping = new Stopping();
    try {
      const run = new MeshRun({ ...(await startParts(name, stopping)), stopping });
      await run.#everyTargetUp();
      return run;
    } catch (error) {
      await stopping.all();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.#stopping.all();
  }

  async #everyTargetUp(): Promise<void> {
    const { length } = this.mesh.targets;
    await vi.waitFor(async () => {
      const { scrape } = await this.api<StatusAnswer>('status');
      expect([scrape.up, scrape.targets]).toEqual([length, length]);
    }, SETTLE_MS);
  }

  /** An answer of the API: `services`, say. */
  api<T>(path: string): Promise<T> {
    return getJson<T>(`${this.#collector.url}/api/v1/${path}`);
  }

  /** The same over the whole run so far. */
  whole<T>(path: string): Promise<T> {
    const window = `from=${this.#startedAt}&to=${Date.now() + 60_000}`;
    return this.api<T>(`${path}${path.includes('?') ? '&' : '?'}${window}`);
  }

  async metrics(): Promise<Sample[]> {
    return parseExposition(await (await fetch(`${this.#collector.url}/metrics`)).text());
  }

  /** Rows that `sidelight db export` prints of the file while the collector writes to it. */
  exported(): Promise<ExportedRow[]> {
    return exportedRows(join(this.#folder, 'sidelight.db'));
  }

  /** Waits until every request and every latency sample that was sent has been counted. */
  async settled(truth: Truth): Promise<void> {
    await vi.waitFor(() => this.#expectCounted(truth), { timeout: SETTLE_MS, interval: 200 });
  }

  async #expectCounted(truth: Truth): Promise<void> {
    for (const [service, { inbound }] of servicesOf(truth)) {
      if (inbound === undefined) continue; // its requests are in the edges only
      const { requests, latencySamples } = await this.whole<ServiceAnswer>(`services/${service}`);
      expect([service, requests, latencySamples]).toEqual([service, inbound.requests, inbound.requests]);
    }
    const { edges } = await this.whole<TopologyAnswer>('topology');
    const shown = new Map<string, [requests: number, samples: number]>();
    for (const { source, target, requests, latencySamples } of edges) {
      const samples = hasLatency(truth, source, target) ? latencySamples : 0;
      shown.set(edgeKey(source, target), [requests ?? 0, samples]);
    }
    const told = new Set(truth.latencyTold?.map(([from, to]) => edgeKey(from, to)));
    const sent = [...edgesOf(truth)].map(([key, { requests }]) => {
      return [key, [requests, !truth.latencyTold || told.has(key) ? requests : 0]] as const;
    });
    expect(shown).toEqual(new Map(sent));
    expect(samplesIn(await this.metrics())).toBe(requestsOf(truth));
  }
}
