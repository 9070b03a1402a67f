/** What the whole collector takes at a fleet of simulated sidecars, and a Prometheus beside it. */

import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Served } from './fleet-messages.ts';
import { FleetRun } from './fleet-run.ts';
import { type Latency, LatencyProbe } from './latencies.ts';
import { type Taken, takenBy } from './process-tree.ts';
import { type Counted, PEERS } from './simulated-traffic.ts';

const OPTIONS = {
  sidecars: { type: 'string', default: '1000' },
  instances: { type: 'string', default: '10' },
  interval: { type: 'string', default: '10' },
  minutes: { type: 'string', default: '2' },
  warm: { type: 'string', default: '60' },
  asked: { type: 'string', default: '60' },
  beside: { type: 'string' },
} as const;

const MEBIBYTE = 1024 * 1024;
const ASK_EVERY_MS = 400;

interface Goals {
  readonly cpuMs?: number;
  readonly cores?: number;
  readonly memoryMiB: number;
  readonly loopP99Ms: number;
  readonly pageP99Ms: number;
}

/** On two cores, at an interval of 10 s. */
const GOALS: readonly (readonly [sidecars: number, goals: Goals])[] = [
  [1000, { cpuMs: 0.47, memoryMiB: 250, loopP99Ms: 10, pageP99Ms: 50 }],
  [3000, { cpuMs: 0.33, memoryMiB: 500, loopP99Ms: 10, pageP99Ms: 80 }],
  [10_000, { cores: 1, memoryMiB: 1024, loopP99Ms: 20, pageP99Ms: 150 }],
];

/** What was measured over a while. */
interface Measured {
  readonly seconds: number;
  readonly served: Served;
  readonly collector: Taken;
  readonly prometheus: Taken | undefined;
  readonly fleetCpuMs: number;
  readonly peakBytes: number;
  readonly heap: string;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly latencies: readonly Latency[];
  readonly refused: number;
}

/** Prints the figures; false when a request was lost or counted twice, or a scrape failed. */
export async function fleetBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const amount = (name: Exclude<keyof typeof OPTIONS, 'beside'>) => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new Error(`--${name}=${values[name]}: a number above 0`);
    return value;
  };
  if (values.beside !== undefined && values.beside !== 'prometheus')
    throw new Error(`--beside=${values.beside}: only prometheus is known`);
  const sidecars = amount('sidecars');
  const intervalMs = amount('interval') * 1000;
  // The sidecars share the machine with what is measured: that they are slow then is no reason to ask them less often.
  const config = { scrape: { slow_down: false } };
  const beside = values.beside !== undefined;
  const options = { sidecars, instances: amount('instances'), intervalMs, beside, config };
  const run = await FleetRun.start(options);
  try {
    await delay(amount('warm') * 1000);
    const measured = await measure(run, amount('minutes') * 60, false);
    print(figuresOf(measured, sidecars));
    const asked = await measure(run, amount('asked'), true);
    const storedBytes = await run.fileBytes();
    const rounds = (Date.now() - run.startedAt) / intervalMs;
    const truth = await run.settle();
    const stored = await run.stored();
    const metrics = await run.metrics();
    const failed = metrics.get('sidelight_scrapes_total{result="failed"}') ?? 0;
    print(askedFigures(asked, sidecars));
    print([
      ['file, per flow and round since the start', `${(storedBytes / (sidecars * (PEERS + 1) * rounds)).toFixed(1)} B`],
      ['scrapes failed since the start', `${failed}`],
      ...countFigures(truth, stored),
    ]);
    return failed === 0 && isSame(truth, stored);
  } finally {
    await run.stop();
  }
}

/** `isAsked`: whether a dashboard is open meanwhile. */
async function measure(run: FleetRun, seconds: number, isAsked: boolean): Promise<Measured> {
  await run.fleet.count();
  await run.metrics(); // the event loop's delay is told since the last time it was asked for
  const probe = new LatencyProbe(run.collector.url, ASK_EVERY_MS);
  const before = snapshot(run);
  const began = performance.now();
  let peakBytes = 0;
  const look = setInterval(() => {
    peakBytes = Math.max(peakBytes, takenBy(run.collector.pid).residentBytes);
  }, 5000);
  if (isAsked) probe.start();
  await delay(seconds * 1000);
  const lasted = (performance.now() - began) / 1000;
  const after = snapshot(run);
  clearInterval(look);
  const latencies = await probe.stop();
  const { served } = await run.fleet.report();
  const metrics = await run.metrics();
  const milliseconds = (name: string) => (metrics.get(`sidelight_nodejs_eventloop_lag_${name}_seconds`) ?? 0) * 1000;
  return {
    seconds: lasted,
    served,
    collector: difference(before.collector, after.collector),
    prometheus: before.prometheus && after.prometheus && difference(before.prometheus, after.prometheus),
    fleetCpuMs: after.fleetCpuMs - before.fleetCpuMs,
    peakBytes: Math.max(peakBytes, after.collector.residentBytes),
    heap: ['heap_size_used', 'heap_size_total', 'external_memory']
      .map((name) => mebibytes(metrics.get(`sidelight_nodejs_${name}_bytes`) ?? 0))
      .join(', '),
    loopP99Ms: milliseconds('p99'),
    loopMaxMs: milliseconds('max'),
    latencies,
    refused: probe.refused,
  };
}

interface Snapshot {
  readonly collector: Taken;
  readonly prometheus: Taken | undefined;
  readonly fleetCpuMs: number;
}

function snapshot({ collector, prometheus, fleet }: FleetRun): Snapshot {
  return {
    collector: takenBy(collector.pid),
    prometheus: prometheus && takenBy(prometheus.pid),
    fleetCpuMs: fleet.pids.reduce((sum, pid) => sum + takenBy(pid).cpuMs, 0),
  };
}

/** CPU and writing in between, memory at the end. */
function difference(before: Taken, after: Taken): Taken {
  return { ...after, cpuMs: after.cpuMs - before.cpuMs, writtenBytes: after.writtenBytes - before.writtenBytes };
}

type Figure = readonly [about: string, figure: string];

function figuresOf(measured: Measured, sidecars: number): Figure[] {
  const { collector, prometheus, served, seconds, fleetCpuMs } = measured;
  const goals = GOALS.find(([size]) => size === sidecars)?.[1];
  const goal = (text: string | undefined) => (text === undefined ? '' : ` (goal ${text})`);
  const cpuMs = collector.cpuMs / served.collector;
  const cores = collector.cpuMs / (seconds * 1000);
  const flowRounds = served.collector * (PEERS + 1);
  const figures: Figure[] = [
    ['sidecars', `${sidecars}`],
    ['scrapes', `${served.collector} in ${seconds.toFixed(0)} s`],
    [`CPU per scrape${goal(goals?.cpuMs?.toFixed(2))}`, `${cpuMs.toFixed(3)} ms`],
    [`cores${goal(goals?.cores?.toFixed(1))}`, cores.toFixed(3)],
    [`resident at the end${goal(goals && `${goals.memoryMiB} MiB`)}`, mebibytes(collector.residentBytes)],
    ['  by share of shared pages', mebibytes(collector.proportionalBytes)],
    ['  most', mebibytes(measured.peakBytes)],
    ['  heap of the main thread: used, held; buffers', measured.heap],
    [`event loop delay, p99${goal(goals && `${goals.loopP99Ms} ms`)}`, `${measured.loopP99Ms.toFixed(1)} ms`],
    ['event loop delay, longest (goal 20 ms)', `${measured.loopMaxMs.toFixed(1)} ms`],
    ['scrapes late by more than a tenth of the interval', `${served.late}`],
    ['scrapes missed', `${served.missed}`],
    ['longest time between two scrapes of a sidecar', `${(served.longestGapMs / 1000).toFixed(2)} s`],
    ['written to disk, per flow and round', `${(collector.writtenBytes / flowRounds).toFixed(1)} B`],
    ['CPU of the simulated fleet, per answer', `${(fleetCpuMs / (served.collector + served.others)).toFixed(3)} ms`],
  ];
  if (prometheus) figures.push(...besideFigures(measured, prometheus));
  return figures;
}

/** With a dashboard open whose reader goes from page to page. */
function askedFigures(measured: Measured, sidecars: number): Figure[] {
  const { collector, served, latencies, loopP99Ms, loopMaxMs } = measured;
  const goal = GOALS.find(([size]) => size === sidecars)?.[1].pageP99Ms;
  const goalOf = (name: string) => (goal !== undefined && /fleet page|API/.test(name) ? ` (goal ${goal} ms)` : '');
  const figures = latencies.map(({ name, count, p50Ms, p99Ms, bytes }): Figure => {
    const times = `${p50Ms.toFixed(1)}, ${p99Ms.toFixed(1)} ms`;
    return [`${name}, p50 and p99 of ${count}${goalOf(name)}`, `${times} (${(bytes / 1000).toFixed(0)} kB)`];
  });
  return [
    ...figures,
    ['asked: answers that were none', `${measured.refused}`],
    ['asked: CPU per scrape, answers included', `${(collector.cpuMs / served.collector).toFixed(3)} ms`],
    ['asked: event loop delay, p99 and longest', `${loopP99Ms.toFixed(1)}, ${loopMaxMs.toFixed(1)} ms`],
    [
      'asked: resident, scrapes late, missed',
      `${mebibytes(collector.residentBytes)}, ${served.late}, ${served.missed}`,
    ],
  ];
}

function besideFigures({ collector, served }: Measured, prometheus: Taken): Figure[] {
  const ownCpu = collector.cpuMs / served.collector;
  const cpu = prometheus.cpuMs / served.others;
  return [
    ['Prometheus: CPU per scrape', `${cpu.toFixed(3)} ms (${(cpu / ownCpu).toFixed(2)} times)`],
    [
      'Prometheus: resident',
      `${mebibytes(prometheus.residentBytes)} (${(prometheus.residentBytes / collector.residentBytes).toFixed(2)} times)`,
    ],
    [
      'Prometheus: written to disk',
      `${mebibytes(prometheus.writtenBytes)} (${(prometheus.writtenBytes / collector.writtenBytes).toFixed(2)} times)`,
    ],
  ];
}

export function countFigures(truth: Counted, stored: Counted): Figure[] {
  return (['inbound', 'outbound'] as const).map((direction) => [
    `${direction} requests: counted, of`,
    `${stored[direction]} of ${truth[direction]}`,
  ]);
}

/** The history has fractions where an increment was spread; their sum is whole up to rounding in floating point. */
export function isSame(truth: Counted, stored: Counted): boolean {
  return Math.abs(truth.inbound - stored.inbound) < 0.01 && Math.abs(truth.outbound - stored.outbound) < 0.01;
}

export function print(figures: readonly Figure[]): void {
  for (const [about, figure] of figures) console.log(`${about.padEnd(66)} ${figure.padStart(26)}`);
}

export function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(0)} MiB`;
}
