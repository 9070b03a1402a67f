/** What scraping many sidecars costs, from the request to the round that is handed to the store. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { STATS_FORMS } from '../../server/envoy/requests.ts';
import type { Target } from '../../server/model/discovered-target.ts';
import { Pipeline } from '../../server/pipeline.ts';
import { Rounds } from '../../server/rounds.ts';
import { ScrapeManager } from '../../server/scrape/scrape-manager.ts';

const FLEET = fileURLToPath(new URL('./replayed-sidecars.ts', import.meta.url));
const GATHER_MS = 150;
const MEBIBYTE = 1024 * 1024;

interface Load {
  readonly sidecars: number;
  readonly intervalMs: number;
  readonly seconds: number;
  readonly ports: readonly number[];
}

/** Prints the figures; false when a scrape failed. */
export async function scrapeBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sidecars: { type: 'string', default: '1000' },
      services: { type: 'string', default: '100' },
      interval: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '30' },
    },
  });
  const [sidecars, services, interval, seconds] = [
    values.sidecars,
    values.services,
    values.interval,
    values.seconds,
  ].map((text) => {
    const value = Number(text);
    if (!(value > 0)) throw new Error(`${text}: a number above 0`);
    return value;
  }) as [number, number, number, number];
  const fleet = fork(FLEET, [String(sidecars), String(services)], { execArgv: [] });
  try {
    const [{ ports }] = (await once(fleet, 'message')) as [{ ports: number[] }];
    const load = { sidecars, intervalMs: interval * 1000, seconds, ports };
    const { text, failed } = await scraping(load, fleet);
    const bare = await fetching(load);
    for (const [about, figure] of [...text, ...bare.text]) console.log(`${about.padEnd(62)} ${figure.padStart(14)}`);
    return failed === 0;
  } finally {
    fleet.disconnect();
  }
}

type Lines = [about: string, figure: string][];

/** CPU per scrape, memory and event loop of the collector's own path, with a store that keeps nothing. */
async function scraping(load: Load, fleet: ChildProcess): Promise<{ text: Lines; failed: number }> {
  let scrapes = 0;
  let failed = 0;
  let bytes = 0;
  const pipeline = new Pipeline({
    peers: [],
    local: [],
    seriesLimit: 20_000,
    intervalMs: load.intervalMs,
    stored: [],
    startedAt: Date.now(),
  });
  const rounds = new Rounds({
    append: async () => {},
    onSettled: () => {},
    gatherMs: GATHER_MS,
    keepScrapes: 20_000,
  });
  const manager = new ScrapeManager({
    intervalMs: load.intervalMs,
    timeoutMs: 10_000,
    bodyLimitBytes: 32 * MEBIBYTE,
    slowDown: true,
    concurrency: 256,
    now: Date.now,
    onResult(result) {
      const record = pipeline.process(result);
      scrapes++;
      bytes += record.bodyBytes;
      if (record.error !== '' && failed++ === 0) console.error(record.error);
      rounds.add(record);
    },
  });
  const before = process.memoryUsage();
  manager.apply(load.ports.map(targetAt));
  await delay(load.intervalMs * 2 + 1000);
  [scrapes, bytes] = [0, 0];
  const fleetBefore = cpuOf(fleet);
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const cpu = process.cpuUsage();
  const thread = process.threadCpuUsage();
  await delay(load.seconds * 1000);
  const used = process.cpuUsage(cpu);
  const main = process.threadCpuUsage(thread);
  loop.disable();
  const fleetUsed = cpuOf(fleet) - fleetBefore;
  const memory = process.memoryUsage();
  globalThis.gc?.();
  const live = process.memoryUsage();
  await manager.stop();
  await rounds.flush();
  const stateBytes = live.heapUsed + live.external - before.heapUsed - before.external;
  const perScrape = (microseconds: number) => `${(microseconds / 1000 / scrapes).toFixed(3)} ms`;
  const text: Lines = [
    [`scrapes in ${load.seconds} s, bytes each`, `${scrapes}, ${Math.round(bytes / scrapes)}`],
    ['CPU per scrape', perScrape(used.user + used.system)],
    ['  of it user, system', `${perScrape(used.user)} ${perScrape(used.system)}`],
    ['  of it on the main thread', perScrape(main.user + main.system)],
    ['CPU of the fleet per scrape', perScrape(fleetUsed * 1000)],
    ['resident memory', `${(memory.rss / MEBIBYTE).toFixed(0)} MiB`],
    ['live state per sidecar, after a collection', `${Math.round(stateBytes / load.sidecars)} bytes`],
    ['event loop delay, p99 and longest', `${ms(loop.percentile(99))} ${ms(loop.max)}`],
  ];
  return { text, failed };
}

/** The same bodies at the same pace through bare sockets with a reused buffer, unread: what no client can go below. */
async function fetching(load: Load): Promise<{ text: Lines }> {
  const path = STATS_FORMS[0].narrowPath ?? STATS_FORMS[0].path;
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  const buffer = Buffer.allocUnsafe(64 * 1024);
  const end = Buffer.from('\r\n0\r\n\r\n');
  let fetched = 0;
  const sockets = await Promise.all(load.ports.map((port) => bareSocket(port, buffer, end, () => fetched++)));
  const timers: NodeJS.Timeout[] = [];
  sockets.forEach((socket, index) => {
    const start = setTimeout(
      () => {
        socket.write(request);
        timers.push(setInterval(() => socket.write(request), load.intervalMs));
      },
      (load.intervalMs * index) / sockets.length,
    );
    timers.push(start);
  });
  await delay(load.intervalMs + 1000);
  fetched = 0;
  const cpu = process.cpuUsage();
  await delay(load.seconds * 1000);
  const used = process.cpuUsage(cpu);
  for (const timer of timers) clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  return {
    text: [
      [
        'reference: bare fetch of the same bodies, CPU each',
        `${((used.user + used.system) / 1000 / fetched).toFixed(3)} ms`,
      ],
    ],
  };
}

async function bareSocket(port: number, buffer: Buffer, end: Buffer, onAnswer: () => void): Promise<Socket> {
  const onread = {
    buffer,
    callback(count: number, bytes: Uint8Array): boolean {
      if (end.equals(bytes.subarray(count - end.length, count))) onAnswer();
      return true;
    },
  };
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
  await once(socket, 'connect');
  return socket;
}

/** Milliseconds of CPU that a child has used. */
function cpuOf(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function targetAt(port: number): Target {
  const key = `127.0.0.1:${port}`;
  return { key, address: { scheme: 'http', host: '127.0.0.1', port, path: '' }, labels: {}, discoveredLabels: {} };
}

function ms(nanoseconds: number): string {
  return `${(nanoseconds / 1e6).toFixed(1)} ms`;
}
