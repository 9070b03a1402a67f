/**
 * `npm run bench -- remote-write`: the queue of a receiver that is out for an hour, and its drain beside the scraping of as
 * many sidecars. All flows of 1,000 sidecars with 10 peers each have traffic between any two rounds.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RecordQueue } from '../../server/exporter/remote-write/record-queue.ts';
import { RoundWriter } from '../../server/exporter/remote-write/round-writer.ts';
import { RoundTaker } from '../../server/exporter/remote-write/take-round.ts';
import type { Live } from '../../server/live/live.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import { liveWith } from '../live/live-targets.ts';
import { counters, type FlowSpec, gauges, goodScrape } from '../store/records.ts';
import { cpuMs, median } from './measure.ts';
import { drain } from './remote-write-drain.ts';

const INTERVAL_MS = 15_000;
const MOST_SLICE_MS = 20;
const FORM = {
  level: 'instance',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  seriesLimit: 2_000_000,
  ownLabels: {},
} as const;

export async function remoteWriteBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { sidecars: { type: 'string' }, rounds: { type: 'string' }, native: { type: 'boolean' } },
  });
  const [sidecars, rounds] = [Number(values.sidecars ?? 1000), Number(values.rounds ?? 240)];
  const isNative = values.native ?? false;
  const folder = mkdtempSync(join(tmpdir(), 'sidelight-bench-'));
  const receiver = await startReceiver();
  try {
    const live = mesh(sidecars);
    const isShort = await fill({ live, folder, rounds, isNative });
    return (await drain({ live, folder, form: FORM, url: receiver.url, isNative })) && isShort;
  } finally {
    receiver.process.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Fill {
  readonly live: Live;
  readonly folder: string;
  readonly rounds: number;
  readonly isNative: boolean;
}

/** @returns whether no slice of work on the main thread was too long. */
async function fill({ live, folder, rounds, isNative }: Fill): Promise<boolean> {
  const options = { ...FORM, filter: () => true, isNative, externalLabels: {} };
  const taker = new RoundTaker(options);
  const writer = new RoundWriter();
  const maxBytes = 1024 ** 4;
  const queue = new RecordQueue({ folder, maxBytes, now: Date.now, onLoss() {}, onDisk() {} });
  const started = Date.now() - rounds * INTERVAL_MS;
  const taking: number[] = [];
  const keeping: number[] = [];
  let longest = 0;
  let samples = 0;
  for (let number = 0; number < rounds; number++) {
    step(live);
    await nextTurn();
    const before = process.cpuUsage();
    const work = taker.take({ targets: live.all(), isComplete: true, own: [], at: started + number * INTERVAL_MS });
    let [done, round] = [false, undefined] as [boolean, ReturnType<typeof work.next>['value']];
    while (!done) {
      const [began, used] = [performance.now(), process.threadCpuUsage()];
      do {
        const next = work.next();
        [done, round] = [next.done === true, next.value];
      } while (!done && performance.now() - began < 8);
      longest = Math.max(longest, cpuMs(used, process.threadCpuUsage()));
    }
    taking.push(cpuMs(before));
    if (!round) continue;
    samples = round.samples;
    const kept = process.cpuUsage();
    writer.take(round);
    queue.append({ at: round.at, samples: writer.samples }, (isFirst) => writer.encode(isFirst));
    writer.done();
    keeping.push(cpuMs(kept));
  }
  const perSample = queue.bytes / (samples * rounds);
  console.log(`${samples} series, ${rounds} rounds: ${mib(queue.bytes)} MiB, ${perSample.toFixed(2)} bytes per sample`);
  console.log(`an hour of them (240 rounds): ${mib((queue.bytes / rounds) * 240)} MiB`);
  console.log(
    `main thread, CPU per round: first ${taking[0]?.toFixed(0)} ms, then ${median(taking.slice(1)).toFixed(0)} ms`,
  );
  console.log(`main thread, most CPU of a slice: ${longest.toFixed(1)} ms (goal: ${MOST_SLICE_MS})`);
  console.log(
    `queue, CPU per round: first ${keeping[0]?.toFixed(0)} ms, then ${median(keeping.slice(1)).toFixed(0)} ms`,
  );
  queue.close();
  return longest <= MOST_SLICE_MS;
}

function mesh(sidecars: number): Live {
  const scrapes = Array.from({ length: sidecars }, (_, index) => {
    const service = `service-${index % 100}`;
    const latency = Object.fromEntries(Array.from({ length: 40 }, (_, bin) => [bin * 3 + 1, 10]));
    const outbound = Array.from({ length: 10 }, (_, peer): FlowSpec => {
      return { direction: 'outbound', peer: `service-${(index + peer * 7) % 100}`, counters: { '2xx': 100 }, latency };
    });
    return goodScrape({
      target: `10.${index >> 8}.${index & 255}.1:9901`,
      from: 0,
      to: INTERVAL_MS,
      identity: {
        service,
        instance: `${service}-7d9f8c6b5-${index.toString(36)}`,
        region: 'eu-west-1',
        zone: 'eu-west-1a',
      },
      flows: [{ counters: { '2xx': 100 }, latency }, ...outbound],
    });
  });
  return liveWith(scrapes);
}

let seed = 1;
/** Mulberry32: from 0 to 1, the same in every run. */
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** Up to 100 requests more in every flow, in a few bins each. */
function step(live: Live): void {
  for (const target of live.all()) {
    const { identity } = target;
    if (!identity) continue;
    const flowTotals = FlowTotals.of(target.flows);
    flowTotals.add(
      target.flows.map((_, place) => place),
      target.flows.map(({ bins: { keys } }) => more(keys)),
    );
    const scrape = goodScrape({ target: target.target.key, from: Date.now(), to: Date.now(), identity, flows: [] });
    live.apply([{ ...scrape, durationMs: random() * 10, findings: { ...scrape.findings, flowTotals } }]);
  }
}

function more(keys: readonly number[]) {
  const requests = Math.floor(random() * 100);
  const counts = new Map<number, number>();
  for (let left = requests; left > 0; left -= 10) {
    const key = keys[Math.floor(random() * random() * keys.length)] ?? 0;
    counts.set(key, (counts.get(key) ?? 0) + Math.min(left, 10));
  }
  const bins = [...counts].sort(([a], [b]) => a - b);
  return {
    counters: counters({ '2xx': requests }),
    gauges: gauges(),
    bins: { keys: bins.map(([key]) => key), counts: bins.map(([, count]) => count) },
  };
}

/** Answers 204 to everything, in a process of its own. */
async function startReceiver(): Promise<{ url: string; process: ChildProcess }> {
  const script = `const server = require('node:http').createServer((request, response) => {
    request.resume(); request.on('end', () => response.writeHead(204).end()); });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const receiver = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(receiver.stdout, 'data');
  return { url: `http://127.0.0.1:${String(port).trim()}/api/v1/write`, process: receiver };
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}
