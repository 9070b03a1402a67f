/** What /metrics costs on a large mesh, over HTTP with a reader in another process; prom-client with the same series beside it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import express from 'express';
import { metricsHandler } from '../../server/api/metrics.ts';
import { chooseMediaType } from '../../server/exporter/accept.ts';
import { Accepted } from '../../server/exporter/otlp/accepted.ts';
import { meshResources } from '../../server/exporter/otlp/mesh-resources.ts';
import { push } from '../../server/exporter/otlp/push.ts';
import { renderMetrics } from '../../server/exporter/render.ts';
import type { Live } from '../../server/live/live.ts';
import { PromClientMesh, withRounds } from './exporter-mesh.ts';
import { median } from './measure.ts';

const MEBIBYTE = 1024 * 1024;
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0';
const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

const OPTIONS = {
  sidecars: { type: 'string', default: '1000' },
  peers: { type: 'string', default: '10' },
  runs: { type: 'string', default: '5' },
} as const;

/** Medians over runs, but for the longest stretch. */
interface Cost {
  readonly bytes: number;
  readonly cpuMs: number;
  /** The most that the process grew by while it answered, garbage that nobody has collected yet included. */
  readonly addedBytes: number;
  /** Longest that the main thread worked without a turn for others, in CPU time: other processes do not count. */
  readonly loopMs: number;
}

type Goal = Partial<Record<'cpuMs' | 'addedBytes' | 'loopMs', number>>;

interface Subject {
  readonly name: string;
  readonly goal: Goal;
  /** Gets ready, which is not counted. @returns what is measured; it gives the bytes. */
  ready(): Promise<() => Promise<number>>;
}

/** Goals of an answer about 1,000 sidecars with 10 peers each. */
const INSTANCES: Goal = { cpuMs: 1500, addedBytes: 64 * MEBIBYTE, loopMs: 20 };
const SERVICES: Goal = { cpuMs: 100, loopMs: 20 };

/** Prints the figures; false when a goal was missed. */
export async function exporterBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const [sidecars, peers, runs] = [Number(values.sidecars), Number(values.peers), Number(values.runs)];
  const live = withRounds({ sidecars, peers });
  const server = await serving(live);
  console.log(`${sidecars} sidecars with ${peers} peers each, ${runs} answers of each kind`);
  console.log(row(['', 'MiB', 'CPU ms', 'added MiB', 'loop ms', 'goals']));
  let isMet = true;
  const measure = async (subject: Subject) => {
    const cost = await costOf(subject, runs);
    const missed = missedGoals(cost, subject.goal);
    isMet &&= missed.length === 0;
    console.log(row([subject.name, ...figures(cost), verdict(subject.goal, missed)]));
  };
  for (const [name, { path, accept, encoding, goal }] of Object.entries(ASKED))
    await measure({ name, goal, ready: () => reader(`${server.url}${path}`, { accept, encoding }) });
  await measure({ name: 'OTLP, cumulative, encoded', goal: { loopMs: 20 }, ready: async () => () => pushed(live) });
  const reference = new PromClientMesh(live, BUCKETS);
  await measure({ name: 'reference: prom-client, text', goal: {}, ready: async () => () => reference.render() });
  console.log(`prom-client holds ${(reference.heldBytes / MEBIBYTE).toFixed(0)} MiB for its series besides`);
  await server.stop();
  return isMet;
}

const ASKED: Readonly<Record<string, { path: string; accept: string; encoding: string; goal: Goal }>> = {
  'instance, text': { path: '/instance', accept: 'text/plain', encoding: 'identity', goal: INSTANCES },
  'instance, text, gzip': { path: '/instance', accept: 'text/plain', encoding: 'gzip', goal: { loopMs: 20 } },
  'instance, OpenMetrics': { path: '/instance', accept: OPENMETRICS, encoding: 'identity', goal: INSTANCES },
  'instance, protobuf': { path: '/instance', accept: PROTOBUF, encoding: 'identity', goal: INSTANCES },
  'service, text': { path: '/service', accept: 'text/plain', encoding: 'identity', goal: SERVICES },
  'service, protobuf': { path: '/service', accept: PROTOBUF, encoding: 'identity', goal: SERVICES },
};

/** Answers until the code is compiled and buffers have their size. */
const WARM_UP = 3;

async function costOf({ ready }: Subject, runs: number): Promise<Cost> {
  for (let i = 0; i < WARM_UP; i++) await (await ready())();
  const works: Work[] = [];
  const added: number[] = [];
  for (let i = 0; i < runs; i++) works.push(await workOf(await ready()));
  for (let i = 0; i < runs; i++) added.push(await addedBy(await ready()));
  return {
    bytes: median(works.map(({ bytes }) => bytes)),
    cpuMs: median(works.map(({ cpuMs }) => cpuMs)),
    addedBytes: median(added),
    loopMs: Math.max(...works.map(({ loopMs }) => loopMs)),
  };
}

const LOOK_MS = 1;

type Work = Pick<Cost, 'bytes' | 'cpuMs' | 'loopMs'>;

/** Garbage is collected whenever it is, as in a collector that goes on. */
async function workOf(run: () => Promise<number>): Promise<Work> {
  let [longest, last] = [0, process.threadCpuUsage()];
  const look = () => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, user + system);
    last = process.threadCpuUsage();
  };
  const looks = setInterval(look, LOOK_MS);
  const cpu = process.cpuUsage();
  const bytes = await run();
  const { user, system } = process.cpuUsage(cpu);
  look();
  clearInterval(looks);
  return { bytes, cpuMs: (user + system) / 1000, loopMs: longest / 1000 };
}

/** The most that the process grew by, from all garbage collected on. */
async function addedBy(run: () => Promise<number>): Promise<number> {
  globalThis.gc?.();
  await delay(20);
  const before = taken();
  let most = before;
  const looks = setInterval(() => {
    most = Math.max(most, taken());
  }, LOOK_MS);
  await run();
  most = Math.max(most, taken());
  clearInterval(looks);
  return most - before;
}

function taken(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** /metrics at both levels, as the collector answers it. */
async function serving(live: Live): Promise<{ url: string; stop(): Promise<void> }> {
  const app = express();
  for (const level of ['instance', 'service'] as const)
    app.get(
      `/${level}`,
      metricsHandler({
        refusals: [],
        onError: (error) => console.error(error),
        metrics: async (accept) => {
          const { contentType, format } = chooseMediaType(accept);
          const options = { level, buckets: BUCKETS, seriesLimit: 2_000_000, filter: () => true, now: Date.now() };
          return { contentType, pieces: renderMetrics({ ...options, targets: live.all(), own: [], format }) };
        },
      }),
    );
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const READER = `
const { get } = require('node:http');
let bytes = 0;
process.stdin.once('data', () => get(process.argv[1], { headers: JSON.parse(process.argv[2]) }, (response) =>
  response.on('data', (piece) => { bytes += piece.length; }).on('end', () => console.log(bytes))));
console.log('ready');`;

/** Asks in another process, which is there already, and reads the answer there. */
async function reader(
  url: string,
  { accept, encoding }: { accept: string; encoding: string },
): Promise<() => Promise<number>> {
  const headers = JSON.stringify({ accept, 'accept-encoding': encoding });
  const other = spawn(process.execPath, ['-e', READER, url, headers], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  return async () => {
    other.stdin.end('go');
    const [bytes] = await once(other.stdout, 'data');
    return Number(String(bytes));
  };
}

/** Bytes of a push to a receiver that takes everything at once. */
async function pushed(live: Live): Promise<number> {
  let bytes = 0;
  const resources = meshResources({
    targets: live.all(),
    accepted: new Accepted('cumulative'),
    temporality: 'cumulative',
    histograms: 'exponential',
    buckets: BUCKETS,
    now: Date.now(),
    version: 'bench',
  });
  const sender = {
    async send(body: Uint8Array) {
      bytes += body.length;
      return { kind: 'accepted', rejected: 0, reason: '' } as const;
    },
    async close() {},
  };
  const signal = new AbortController().signal;
  const others = { wait: delay, now: Date.now, random: Math.random, onOutcome: () => {} };
  await push(resources, { sender, ...others }, { until: Number.POSITIVE_INFINITY, signal });
  return bytes;
}

function missedGoals(cost: Cost, goal: Goal): string[] {
  return (['cpuMs', 'addedBytes', 'loopMs'] as const).filter(
    (name) => cost[name] > (goal[name] ?? Number.POSITIVE_INFINITY),
  );
}

function verdict(goal: Goal, missed: readonly string[]): string {
  if (Object.keys(goal).length === 0) return '';
  return missed.length === 0 ? 'met' : `missed: ${missed.join(', ')}`;
}

function figures({ bytes, cpuMs, addedBytes, loopMs }: Cost): string[] {
  return [(bytes / MEBIBYTE).toFixed(1), cpuMs.toFixed(0), (addedBytes / MEBIBYTE).toFixed(0), loopMs.toFixed(1)];
}

function row([name = '', ...cells]: readonly string[]): string {
  const verdicts = cells.at(-1) ?? '';
  return `${name.padEnd(32)}${cells
    .slice(0, -1)
    .map((cell) => cell.padStart(10))
    .join('')}  ${verdicts}`;
}
