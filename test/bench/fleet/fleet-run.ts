/** A simulated fleet with the real collector on it, as a user would start it. */

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import type { QueryAnswer } from '../../../server/api/contract.ts';
import { getJson, startTestCollector, type TestCollector } from '../../e2e/collector.ts';
import { type Beside, startPrometheusBeside } from './beside-prometheus.ts';
import { type FleetOptions, SimulatedFleet } from './simulated-fleet.ts';
import type { Counted } from './simulated-traffic.ts';

export interface FleetRunOptions extends FleetOptions {
  readonly beside: boolean;
  /** More of the collector's configuration. */
  readonly config?: object;
}

export class FleetRun {
  readonly fleet: SimulatedFleet;
  readonly collector: TestCollector;
  readonly prometheus: Beside | undefined;
  readonly startedAt = Date.now();
  private readonly folder: string;

  private constructor(parts: Pick<FleetRun, 'fleet' | 'collector' | 'prometheus'> & { folder: string }) {
    this.fleet = parts.fleet;
    this.collector = parts.collector;
    this.prometheus = parts.prometheus;
    this.folder = parts.folder;
  }

  static async start(options: FleetRunOptions): Promise<FleetRun> {
    const { intervalMs } = options;
    const folder = await mkdtemp(join(tmpdir(), 'sidelight-fleet-'));
    const targetsFile = join(folder, 'targets.json');
    const fleet = await SimulatedFleet.start(options);
    await fleet.writeTargets(targetsFile);
    const configFile = join(folder, 'sidelight.yaml');
    await writeFile(configFile, JSON.stringify({ discovery: { file: [{ files: [targetsFile] }] }, ...options.config }));
    const collector = await startTestCollector({
      configFile,
      targets: [],
      storagePath: join(folder, 'sidelight.db'),
      intervalSeconds: intervalMs / 1000,
    });
    endWithThis(collector.pid);
    const prometheus = options.beside ? await startPrometheusBeside({ folder, targetsFile, intervalMs }) : undefined;
    if (prometheus) endWithThis(prometheus.pid);
    return new FleetRun({ fleet, collector, prometheus, folder });
  }

  /** The oldest sidecars go, and as many others come. */
  async replace(count: number): Promise<void> {
    await this.fleet.replace(count);
    await this.fleet.writeTargets(join(this.folder, 'targets.json'));
  }

  /** Of the database and what belongs to it. */
  async fileBytes(): Promise<number> {
    const sizes = await Promise.all(
      ['', '-wal'].map((end) =>
        stat(join(this.folder, `sidelight.db${end}`)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Stops all traffic, and waits until the collector has asked every sidecar once more and stored what it was told. */
  async settle(): Promise<Counted> {
    await this.fleet.freeze();
    for (;;) {
      const { waiting, truth } = await this.fleet.report();
      if (waiting === 0) {
        await delay(SETTLE_MS);
        return truth;
      }
      await delay(500);
    }
  }

  /** The requests that the collector's history has, all services together. */
  async stored(): Promise<Counted> {
    const [inbound, outbound] = await Promise.all([this.requests('inbound'), this.requests('outbound')]);
    return { inbound, outbound };
  }

  private async requests(direction: string): Promise<number> {
    const span = `from=${this.startedAt - 60_000}&to=${Date.now() + 60_000}`;
    const path = `query?signal=requests&direction=${direction}&step=10m&${span}`;
    const { series } = await getJson<QueryAnswer>(`${this.collector.url}/api/v1/${path}`);
    return series.flatMap(({ points }) => points).reduce((sum, [, value]) => sum + (value ?? 0), 0);
  }

  /** The collector's own metrics, by name, those with labels by name and labels. */
  async metrics(): Promise<Map<string, number>> {
    // Packing and unpacking it would take longer than rendering it.
    const headers = { 'accept-encoding': 'identity' };
    // The next time is so much later that a connection that is kept might just then be closed.
    const { body } = await request(`${this.collector.url}/metrics`, { headers, reset: true });
    const text = await body.text();
    return new Map(
      text.split('\n').flatMap((line): [string, number][] => {
        const space = line.lastIndexOf(' ');
        return line.startsWith('#') || space < 0 ? [] : [[line.slice(0, space), Number(line.slice(space + 1))]];
      }),
    );
  }

  async stop(): Promise<void> {
    await this.prometheus?.stop();
    await this.collector.terminate();
    this.fleet.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Ends a child when this process ends before its time. */
function endWithThis(pid: number): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  process.once('exit', () => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  });
}

/** The last round is gathered and stored within this time on a busy machine. */
const SETTLE_MS = 3000;
