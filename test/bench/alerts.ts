/** CPU and memory of many alert rules on many services, over a real file, and of telling an Alertmanager of them. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { AlertEngine } from '../../server/alerts/alert-engine.ts';
import { rulesOf } from '../../server/alerts/builtin-rules.ts';
import { AlertmanagerReceiver } from '../../server/alerts/notify/alertmanager.ts';
import { parseConfig } from '../../server/config/load.ts';
import { Live } from '../../server/live/live.ts';
import { SIGNAL_NAMES, SIGNAL_UNITS } from '../../server/model/signals.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { discovered } from '../live/live-targets.ts';
import { storeOptions } from '../store/options.ts';
import { goodScrape } from '../store/records.ts';

const INTERVAL_MS = 10_000;
const START = 1_700_000_000_000;
const ROUNDS = 36;
const MIB = 1024 * 1024;
const GOAL = { cpuMs: 200, sliceMs: 20, memoryMiB: 50 };
const THRESHOLDS = { count: '20', rate: '100/s', share: '1%', duration: '500ms', byte_rate: '1MiB/s' };

/** Rules on every signal over several windows. */
function rulesYaml(count: number): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const signal = SIGNAL_NAMES[index % SIGNAL_NAMES.length] ?? 'requests';
    const window = ['1m', '5m'][Math.floor(index / SIGNAL_NAMES.length) % 2];
    return `    - { name: R${index}, signal: ${signal}, above: ${THRESHOLDS[SIGNAL_UNITS[signal]]}, window: ${window}, for: 1m }`;
  });
  return `alerts:\n  rules:\n${lines.join('\n')}\n`;
}

function round(services: number, to: number) {
  return Array.from({ length: services }, (_, index) => {
    const counters = { '2xx': 90, '5xx': index % 7 };
    const flows = [{ counters, latency: { [5 + (index % 40)]: 70, 120: 15, [400 + index]: 5 } }];
    const identity = { service: `service-${index}`, namespace: 'prod', instance: `service-${index}-1` };
    return goodScrape({
      target: `10.0.${index >> 8}.${index & 255}:9901`,
      from: to - INTERVAL_MS,
      to,
      identity,
      flows,
    });
  });
}

/** Evaluations until the longest windows are answered from memory; within them all alerts become pending, and fire. */
const WARMING = 32;
const MEASURED = 12;

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const began = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1000;
}

/** CPU of the turn of the event loop that took the most, in milliseconds; other programs do not count. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let isDone = false;
  const watched = (async () => {
    while (!isDone) longest = Math.max(longest, await cpuOf(() => nextTurn()));
  })();
  await work();
  isDone = true;
  await watched;
  return longest;
}

const FIRING = 10_000;
const PER_POST = 500;

interface Delivery {
  readonly alerts: number;
  readonly posts: number;
  readonly cpuMs: number;
  readonly longestMs: number;
}

/** Tells a listener, a fake Alertmanager in a thread of its own, of many alerts that fire at once. */
async function deliver(engine: AlertEngine): Promise<Delivery> {
  const alerts = engine.alerts().filter(({ state }) => state.phase === 'firing');
  const told = alerts.slice(0, FIRING);
  const listener = new Worker(new URL('./fake-alertmanager.ts', import.meta.url));
  const [port] = (await once(listener, 'message')) as [number];
  const receiver = new AlertmanagerReceiver({
    config: { url: `http://127.0.0.1:${port}`, headers: {} },
    source: { alerts: () => told, link: ({ service }) => `https://mesh.example/services/${service}` },
    now: Date.now,
  });
  const { signal } = new AbortController();
  await receiver.deliver(signal);
  let longestMs = 0;
  const cpuMs = await cpuOf(async () => {
    longestMs = await longestTurn(() => receiver.deliver(signal).then(() => {}));
  });
  const posts = once(listener, 'message');
  listener.postMessage('posts');
  const [count] = (await posts) as [number];
  await listener.terminate();
  return { alerts: told.length, posts: count / 2, cpuMs, longestMs };
}

export async function alertsBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { rules: { type: 'string', default: '100' }, services: { type: 'string', default: '1000' } },
  });
  const services = Number(values.services);
  const loaded = parseConfig(rulesYaml(Number(values.rules)), 'bench.yaml');
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const folder = mkdtempSync(join(tmpdir(), 'sidelight-bench-'));
  const store = await SqliteStore.open(storeOptions(join(folder, 'bench.db')));
  const live = new Live();
  live.setTargets(round(services, START).map(({ target }) => discovered(target)));
  let now = START;
  const engine = new AlertEngine({
    store,
    live,
    slotMs: INTERVAL_MS,
    deadlineMs: 60_000,
    now: () => now,
    link: () => '',
    onChange: () => {},
    onProblem: (problem) => console.error(problem),
  });
  const next = async () => {
    now += INTERVAL_MS;
    const records = round(services, now);
    await store.append(records);
    live.apply(records);
    engine.scraped(records);
  };
  for (let index = 0; index < ROUNDS; index++) await next();
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  await engine.start(rulesOf(loaded.config.alerts));
  const cpu: number[] = [];
  let longest = 0;
  for (let index = 0; index < WARMING + MEASURED; index++) {
    await next();
    globalThis.gc?.();
    await delay(50);
    if (index < WARMING) longest = Math.max(longest, await longestTurn(() => engine.evaluate()));
    else cpu.push(await cpuOf(() => engine.evaluate()));
  }
  globalThis.gc?.();
  const memoryMiB = (process.memoryUsage().heapUsed - before) / MIB;
  const delivery = await deliver(engine);
  engine.stop();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
  const sorted = cpu.sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  console.log(`${engine.rules().length} rules, ${services} services, ${engine.alerts().length} alerts`);
  console.log(`main thread: ${median.toFixed(0)} ms of CPU an evaluation in the median (goal ${GOAL.cpuMs})`);
  console.log(`longest turn of the event loop: ${longest.toFixed(1)} ms of CPU (goal ${GOAL.sliceMs})`);
  console.log(`memory: ${memoryMiB.toFixed(1)} MiB (goal ${GOAL.memoryMiB})`);
  console.log(
    `${delivery.alerts} firing alerts told in ${delivery.posts} posts: ${delivery.cpuMs.toFixed(0)} ms of CPU, longest turn ${delivery.longestMs.toFixed(1)} ms (goal ${GOAL.sliceMs})`,
  );
  const isDelivered = delivery.posts === Math.ceil(delivery.alerts / PER_POST) && delivery.longestMs <= GOAL.sliceMs;
  return isDelivered && median <= GOAL.cpuMs && memoryMiB <= GOAL.memoryMiB && longest <= GOAL.sliceMs;
}
