/** The collector over time, on a fleet whose oldest sidecars are replaced minute by minute under new names. */

import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { StatusAnswer } from '../../../server/api/contract.ts';
import { getJson } from '../../e2e/collector.ts';
import { countFigures, isSame, mebibytes, print } from './fleet.ts';
import { FleetRun } from './fleet-run.ts';
import { takenBy } from './process-tree.ts';

const OPTIONS = {
  sidecars: { type: 'string', default: '1000' },
  minutes: { type: 'string', default: '60' },
  interval: { type: 'string', default: '10' },
  /** Per cent of the sidecars that are replaced each minute. */
  replaced: { type: 'string', default: '10' },
} as const;

const MINUTE_MS = 60_000;
/** Share of the run, and of an hour, after which memory is to be flat. */
const WARM_SHARE = 1 / 6;
/** So that gone instances are forgotten within a run. */
const RETENTION = { raw: '10m', '1m': '20m' };

interface Moment {
  readonly minute: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly fileBytes: number;
  readonly usedBytes: number;
  /** Sidecars that /metrics tells of. */
  readonly told: number;
  readonly metricsMs: number;
  readonly servicesMs: number;
}

/** Prints a line per minute; false when a request was lost or counted twice, or /metrics tells of sidecars that are gone. */
export async function soakBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const [sidecars, minutes] = [Number(values.sidecars), Number(values.minutes)];
  const replaced = Math.round((sidecars * Number(values.replaced)) / 100);
  const run = await FleetRun.start({
    sidecars,
    instances: 10,
    intervalMs: Number(values.interval) * 1000,
    beside: false,
    config: { storage: { retention: RETENTION } },
  });
  try {
    const moments: Moment[] = [];
    for (let minute = 1; minute <= minutes; minute++) {
      await delay(MINUTE_MS - ((Date.now() - run.startedAt) % MINUTE_MS));
      moments.push(await momentOf(run, minute));
      tell(moments.at(-1));
      if (minute < minutes) await run.replace(replaced);
    }
    const truth = await run.settle();
    const stored = await run.stored();
    const told = (await momentOf(run, minutes)).told;
    print([
      [
        'memory, after the first sixth of the run',
        `${(slopeOf(moments, 'residentBytes') / 2 ** 20).toFixed(2)} MiB/min`,
      ],
      ['  used heap of the main thread', `${(slopeOf(moments, 'heapBytes') / 2 ** 20).toFixed(2)} MiB/min`],
      ['file in use', `${(slopeOf(moments, 'usedBytes') / 2 ** 20).toFixed(2)} MiB/min`],
      ['sidecars on /metrics, of', `${told} of ${run.fleet.size}`],
      ...countFigures(truth, stored),
    ]);
    return isSame(truth, stored) && told === run.fleet.size;
  } finally {
    await run.stop();
  }
}

async function momentOf(run: FleetRun, minute: number): Promise<Moment> {
  const { url, pid } = run.collector;
  const status = await getJson<StatusAnswer>(`${url}/api/v1/status`);
  const askedAt = performance.now();
  // Where the machine has so much else to do that /metrics is cut off, the run goes on without its figures.
  const metrics = await run.metrics().catch(() => new Map<string, number>());
  const metricsMs = performance.now() - askedAt;
  await getJson(`${url}/api/v1/services`);
  return {
    minute,
    residentBytes: takenBy(pid).residentBytes,
    heapBytes: metrics.get('sidelight_nodejs_heap_size_used_bytes') ?? Number.NaN,
    fileBytes: await run.fileBytes(),
    usedBytes: status.storage.usedBytes,
    told: [...metrics.keys()].filter((name) => name.startsWith('mesh_sidecar_up{')).length,
    metricsMs,
    servicesMs: performance.now() - askedAt - metricsMs,
  };
}

function tell(moment: Moment | undefined): void {
  if (!moment) return;
  const { minute, residentBytes, heapBytes, fileBytes, usedBytes, told, metricsMs, servicesMs } = moment;
  const memory = `resident ${mebibytes(residentBytes)}, heap ${mebibytes(heapBytes)}`;
  const file = `file ${mebibytes(fileBytes)}, used ${mebibytes(usedBytes)}`;
  const times = `/metrics ${metricsMs.toFixed(0)} ms, services ${servicesMs.toFixed(0)} ms`;
  console.log(`minute ${minute}: ${memory}; ${file}; ${told} sidecars told; ${times}`);
}

/** By how much a figure grows per minute, by least squares, once it had time to settle. */
export function slopeOf(moments: readonly Moment[], figure: 'residentBytes' | 'heapBytes' | 'usedBytes'): number {
  const settled = moments.slice(Math.ceil(moments.length * WARM_SHARE));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const minutes = mean(settled.map(({ minute }) => minute));
  const level = mean(settled.map((moment) => moment[figure]));
  const spread = settled.reduce((sum, { minute }) => sum + (minute - minutes) ** 2, 0);
  return settled.reduce((sum, moment) => sum + (moment.minute - minutes) * (moment[figure] - level), 0) / spread;
}
