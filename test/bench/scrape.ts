/** What scraping many sidecars costs, from the request to the round that is handed to the store, which keeps nothing here. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Target } from '../../server/model/discovered-target.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { Pipeline } from '../../server/pipeline.ts';
import { Rounds } from '../../server/rounds.ts';
import { ScrapeManager } from '../../server/scrape/scrape-manager.ts';
import { bareFetchMs } from './bare-fetch.ts';

const FLEET = fileURLToPath(new URL('./replayed-sidecars.ts', import.meta.url));
const GATHER_MS = 150;
const MEBIBYTE = 1024 * 1024;
const OPTIONS = {
  sidecars: { type: 'string', default: '1000' },
  services: { type: 'string', default: '100' },
  interval: { type: 'string', default: '10' },
  seconds: { type: 'string', default: '30' },
} as const;

/** Prints the figures; false when a scrape failed. */
export async function scrapeBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const amount = (name: keyof typeof OPTIONS) => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new Error(`--${name}=${values[name]}: a number above 0`);
    return value;
  };
  const intervalMs = amount('interval') * 1000;
  const seconds = amount('seconds');
  const fleet = fork(FLEET, [String(amount('sidecars')), String(amount('services'))], { execArgv: [] });
  try {
    const [{ ports }] = (await once(fleet, 'message')) as [{ ports: number[] }];
    const scraped = await measureScraping({ intervalMs, seconds, ports, fleet });
    const bareMs = await bareFetchMs({ intervalMs, seconds, ports });
    for (const [about, figure] of figuresOf(scraped, bareMs)) console.log(`${about.padEnd(62)} ${figure.padStart(20)}`);
    return scraped.failed === 0;
  } finally {
    fleet.disconnect();
  }
}

interface Load {
  readonly intervalMs: number;
  readonly seconds: number;
  readonly ports: readonly number[];
  readonly fleet: ChildProcess;
}

/** Milliseconds of CPU and bytes are those of all scrapes together, where not said otherwise. */
interface Scraped {
  readonly scrapes: number;
  readonly failed: number;
  readonly bodyBytes: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly mainThreadMs: number;
  readonly fleetMs: number | undefined;
  readonly residentBytes: number;
  /** Heap and buffers that live, per sidecar. */
  readonly stateBytes: number;
  /** Heap that was taken between collections, per scrape. */
  readonly allocatedBytes: number;
  readonly loopP99Ms: number;
  readonly loopLongestMs: number;
}

/** Two rounds to warm up, then as long as asked for. */
async function measureScraping({ intervalMs, seconds, ports, fleet }: Load): Promise<Scraped> {
  const before = held();
  const scraping = new Scraping(intervalMs);
  scraping.manager.apply(ports.map(targetAt));
  await delay(intervalMs * 2 + 1000);
  scraping.counts = { scrapes: 0, failed: 0, bodyBytes: 0 };
  const heap = new HeapGrowth();
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const fleetBefore = cpuOf(fleet);
  const cpu = process.cpuUsage();
  const thread = process.threadCpuUsage();
  await delay(seconds * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const main = process.threadCpuUsage(thread);
  loop.disable();
  const fleetAfter = cpuOf(fleet);
  const allocated = heap.stop();
  const residentBytes = process.memoryUsage.rss();
  const stateBytes = (held() - before) / ports.length;
  const { counts } = scraping;
  await scraping.stop();
  return {
    ...counts,
    userMs: user / 1000,
    systemMs: system / 1000,
    mainThreadMs: (main.user + main.system) / 1000,
    fleetMs: fleetAfter !== undefined && fleetBefore !== undefined ? fleetAfter - fleetBefore : undefined,
    residentBytes,
    stateBytes,
    allocatedBytes: allocated / counts.scrapes,
    loopP99Ms: loop.percentile(99) / 1e6,
    loopLongestMs: loop.max / 1e6,
  };
}

/** The collector's own path, with a store that keeps nothing. */
export class Scraping {
  counts = { scrapes: 0, failed: 0, bodyBytes: 0 };
  readonly manager: ScrapeManager;
  private readonly rounds = new Rounds({
    append: async () => {},
    onSettled() {},
    gatherMs: () => GATHER_MS,
    mostGathered: 1000,
    keepScrapes: 20_000,
  });

  /** @param onRecord is told of every scrape. */
  constructor(intervalMs: number, onRecord: (record: ScrapeRecord) => void = () => {}) {
    const limits = { seriesLimit: 20_000, stored: [], startedAt: Date.now() };
    const pipeline = new Pipeline({ peers: [], local: [], intervalMs, ...limits });
    this.manager = new ScrapeManager({
      intervalMs,
      timeoutMs: 10_000,
      bodyLimitBytes: 32 * MEBIBYTE,
      slowDown: true,
      zonesEvery: 4,
      clustersEvery: 5,
      seriesLimit: 20_000,
      wantsClusters: () => false,
      onSkipped: () => {},
      concurrency: 256,
      now: Date.now,
      random: Math.random,
      onResult: (result) => {
        const record = pipeline.process(result);
        onRecord(record);
        this.counts.scrapes++;
        this.counts.bodyBytes += record.bodyBytes;
        if (record.error !== '' && this.counts.failed++ === 0) console.error(record.error);
        this.rounds.add(record);
        if (record.findings) for (const besides of pipeline.processBesides(result)) this.rounds.add(besides);
      },
    });
  }

  async stop(): Promise<void> {
    await this.manager.stop();
    await this.rounds.flush();
  }
}

/** Adds up by how much the heap grew from one look to the next; what a collection frees in between is not counted. */
class HeapGrowth {
  private bytes = 0;
  private last = process.memoryUsage().heapUsed;
  private readonly timer = setInterval(() => this.look(), 20);

  stop(): number {
    clearInterval(this.timer);
    this.look();
    return this.bytes;
  }

  private look(): void {
    const { heapUsed } = process.memoryUsage();
    this.bytes += Math.max(0, heapUsed - this.last);
    this.last = heapUsed;
  }
}

function figuresOf(scraped: Scraped, bareMs: number): [about: string, figure: string][] {
  const { scrapes, userMs, systemMs, fleetMs } = scraped;
  const each = (milliseconds: number) => `${(milliseconds / scrapes).toFixed(3)} ms`;
  const cpuMs = (userMs + systemMs) / scrapes;
  return [
    ['scrapes', `${scrapes}`],
    ['failed', `${scraped.failed}`],
    ['bytes of a body', `${Math.round(scraped.bodyBytes / scrapes)}`],
    ['CPU per scrape, all threads', `${cpuMs.toFixed(3)} ms`],
    ['  in the program, in the kernel', `${each(userMs)}, ${each(systemMs)}`],
    ['  on the main thread', each(scraped.mainThreadMs)],
    ['reference: bare fetch of the same bodies, CPU each', `${bareMs.toFixed(3)} ms`],
    ['CPU per scrape, as a multiple of the reference', `${(cpuMs / bareMs).toFixed(1)}`],
    ['CPU of the replayed sidecars per scrape', fleetMs === undefined ? 'not known' : each(fleetMs)],
    ['resident memory', `${(scraped.residentBytes / MEBIBYTE).toFixed(0)} MiB`],
    ['live state per sidecar, after a collection', `${Math.round(scraped.stateBytes)} bytes`],
    ['heap allocated per scrape', `${Math.round(scraped.allocatedBytes)} bytes`],
    ['event loop delay, p99', `${scraped.loopP99Ms.toFixed(1)} ms`],
    ['event loop delay, longest', `${scraped.loopLongestMs.toFixed(1)} ms`],
  ];
}

function held(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Milliseconds of CPU that a child has used, where /proc tells it: in hundredths of a second. */
function cpuOf(child: ChildProcess): number | undefined {
  const file = `/proc/${child.pid}/stat`;
  if (!existsSync(file)) return undefined;
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function targetAt(port: number): Target {
  const key = `127.0.0.1:${port}`;
  return { key, address: { scheme: 'http', host: '127.0.0.1', port, path: '' }, labels: {}, discoveredLabels: {} };
}
