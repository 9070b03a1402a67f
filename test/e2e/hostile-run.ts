/** The collector beside good sidecars and everything hostile, as one run whose figures a test or a benchmark judges. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServicesAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import { startAnswering } from './answering-server.ts';
import { getJson, startTestCollector, type TestCollector } from './collector.ts';
import { cluster, type Json, listener } from './envoy-config.ts';
import { HOSTILE } from './hostile-kinds.ts';
import type { HostileOrder, HostilePorts } from './hostile-servers.ts';
import { ProcessorWaits } from './processor-waits.ts';
import { startRealEnvoy } from './real-envoy.ts';
import { Stopping } from './stopping.ts';

/** Real Envoys, each of which is a target at so many addresses of loopback: ten good sidecars in two processes. */
const ENVOYS = 2;
const ADDRESSES = 5;
const INTERVAL_MS = 1000;
const REDIRECT = 'redirect';
const CHANGING = 'changes owner midway';

/** What the run is over for a scrape to have happened several times, at the least. */
export interface HostileRunOptions {
  /** How long all is scraped after every target was seen, in seconds. */
  readonly seconds: number;
}

export interface HostileRun {
  /** By kind: the reasons that were told while it was down, and whether it was up at any time. */
  readonly told: ReadonlyMap<string, { readonly reasons: ReadonlySet<string>; readonly wasUp: boolean }>;
  /** Requests sent to each good sidecar, and those that the API tells in the end. */
  readonly sent: readonly number[];
  readonly counted: readonly (number | null)[];
  /**
   * Longest time since the last good scrape of any good sidecar, without what the collector and that sidecar waited for
   * a processor meanwhile, and without the second interval that it is given when it was slow itself.
   */
  readonly stalestMs: number;
  /** Good sidecars that were down at any time. */
  readonly goodDown: ReadonlySet<string>;
  readonly mostMemoryMiB: number;
  /** Lines of the log about targets, by kind. */
  readonly logLines: ReadonlyMap<string, readonly string[]>;
  /** Requests that came to where the redirect leads. */
  readonly followed: number;
  /** Of all answers of the API, /metrics and the export: what is no number, infinite or negative. */
  readonly wrongNumbers: readonly string[];
  /** By service, as told after the port has changed its owner. */
  readonly owners: ReadonlyMap<string, number | null | undefined>;
  readonly exitCode: number | null;
  readonly storagePath: string;
  cleanUp(): Promise<void>;
}

async function startServers() {
  const child = fork(fileURLToPath(new URL('./hostile-servers.ts', import.meta.url)), {
    stdio: 'inherit',
    execArgv: [],
  });
  const [ports] = (await once(child, 'message')) as [HostilePorts];
  return {
    ports,
    async ask<Answer>(order: HostileOrder): Promise<Answer> {
      const answered = once(child, 'message');
      child.send(order);
      return (await answered)[0] as Answer;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function startGood(upstream: number, stopping: Stopping) {
  const config: Json = {
    admin: { address: { socket_address: { address: '0.0.0.0', port_value: 0 } } },
    static_resources: {
      clusters: [cluster('backend', [upstream])],
      listeners: ['ingress_a', 'ingress_b'].map((name) =>
        listener({
          name,
          statPrefix: name,
          virtualHosts: [{ name, domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'backend' } }] }],
        }),
      ),
    },
  };
  const envoy = stopping.add(await startRealEnvoy({ config }), (one) => one.stop());
  const port = envoy.admin.split(':').at(-1);
  const addresses = Array.from({ length: ADDRESSES }, (_, index) => `127.0.0.${index + 1}:${port}`);
  return { envoy, addresses, pid: envoy.pid };
}

/** Sends one request after the other to all listeners until it is stopped. */
class Traffic {
  readonly sent: number[];
  private stopping = false;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly running: Promise<unknown>;

  constructor(listeners: readonly (readonly number[])[]) {
    this.sent = listeners.map(() => 0);
    this.running = Promise.all(listeners.map((ports, envoy) => this.run(ports, envoy)));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    this.agent.destroy();
  }

  private async run(ports: readonly number[], envoy: number): Promise<void> {
    for (let index = 0; !this.stopping; index++) {
      const path = `/${[200, 404, 503][index % 3]}`;
      await new Promise<void>((resolve, reject) => {
        const port = ports[index % ports.length];
        const sent = get({ host: '127.0.0.1', port, path, agent: this.agent }, (answer) => {
          answer.resume().once('end', resolve).once('error', reject);
        });
        sent.once('error', reject);
      });
      this.sent[envoy] = (this.sent[envoy] ?? 0) + 1;
      await delay(5);
    }
  }
}

/** Runs it all. Waits for conditions; how long it takes is up to them and `seconds`. */
export async function runHostile(options: HostileRunOptions): Promise<HostileRun> {
  const stopping = new Stopping();
  try {
    return await run(options, stopping);
  } finally {
    await stopping.all();
  }
}

async function run({ seconds }: HostileRunOptions, stopping: Stopping): Promise<HostileRun> {
  const folder = await mkdtemp(join(tmpdir(), 'sidelight-hostile-'));
  const storagePath = join(folder, 'sidelight.db');
  const upstream = stopping.add(await startAnswering(), (server) => server.stop());
  const servers = stopping.add(await startServers(), (one) => one.stop());
  const good = await Promise.all(Array.from({ length: ENVOYS }, () => startGood(upstream.port, stopping)));
  const kinds = kindsBy(servers.ports);
  const goodTargets = good.flatMap(({ addresses }) => addresses);
  const labelled = goodTargets.map((address, index) => `${address},service=good-${index},instance=good-${index}`);
  const intervalSeconds = INTERVAL_MS / 1000;
  const collector = await startTestCollector({ targets: [...labelled, ...kinds.keys()], storagePath, intervalSeconds });
  stopping.add(collector, (one) => one.kill());
  const startedAt = Date.now();
  const watch = new Watch(collector, {
    kinds,
    good: new Map(good.flatMap(({ addresses, pid }) => addresses.map((one) => [one, pid]))),
  });
  await watch.until('the first scrapes', () => watch.scrapes >= 2);
  const ports = good.map(({ envoy }) => ['ingress_a', 'ingress_b'].map((name) => envoy.port(name)));
  const traffic = stopping.add(new Traffic(ports), (one) => one.stop());
  await watch.until('every target', () => watch.sawAll, seconds * 500);
  await servers.ask('change');
  await watch.until('the other owner', () => watch.sawOwners.size > 1, seconds * 500);
  await traffic.stop();
  const sent = traffic.sent.flatMap((count) => Array<number>(ADDRESSES).fill(count));
  const range = () => `from=${startedAt - 60_000}&to=${Date.now() + 60_000}`;
  const requestsBy = async (name: RegExp) => {
    const { services } = await watch.api<ServicesAnswer>(`services?${range()}`);
    return new Map(
      services.flatMap(({ service, requests }) => (name.test(service) ? [[service, requests] as const] : [])),
    );
  };
  let counted: (number | null)[] = [];
  await watch.until('all requests', async () => {
    const requests = await requestsBy(/^good-/);
    counted = goodTargets.map((_, index) => requests.get(`good-${index}`) ?? null);
    return counted.every((count, index) => (count ?? 0) >= (sent[index] ?? 0));
  });
  const owners = await requestsBy(/-owner$/);
  for (const path of ['topology?', 'regions?', 'query?signal=requests&by=service&step=10s&top=20&'])
    await watch.api(path + range());
  for (const path of ['status', 'alerts', 'rules']) await watch.api(path);
  await watch.metrics();
  await watch.until('what those questions took', () => true);
  const { followed } = await servers.ask<{ followed: number }>('followed');
  const exitCode = await collector.terminate();
  const cleanUp = () => rm(folder, { recursive: true, force: true });
  return { ...watch.figures(), sent, counted, followed, owners, exitCode, storagePath, cleanUp };
}

/** By address. */
function kindsBy(ports: HostilePorts): Map<string, string> {
  const address = (port = 0) => `127.0.0.1:${port}`;
  return new Map([
    ...HOSTILE.map(({ kind }, index) => [address(ports.kinds[index]), kind] as const),
    [address(ports.redirect), REDIRECT],
    [address(ports.changing), CHANGING],
  ]);
}

/** A target that was slow a few times, be it for a busy machine, is asked once a minute. */
const GIVE_UP_MS = 240_000;
const LOOK_EVERY_MS = 200;

interface Watched {
  /** By target. */
  readonly kinds: ReadonlyMap<string, string>;
  /** The process of each good sidecar. */
  readonly good: ReadonlyMap<string, number>;
}

/** Looks at the collector again and again, as a dashboard would, and remembers the worst. */
class Watch {
  readonly sawOwners = new Set<string>();
  /** Good scrapes that every good sidecar has had at the least. */
  scrapes = 0;
  private readonly collector: TestCollector;
  private readonly watched: Watched;
  private readonly told = new Map<string, { reasons: Set<string>; wasUp: boolean }>();
  private readonly seen = new Map<string, Set<number>>();
  private readonly goodDown = new Set<string>();
  private readonly wrongNumbers = new Set<string>();
  private stalestMs = 0;
  private readonly waits: ProcessorWaits;
  private mostMemoryMiB = 0;

  constructor(collector: TestCollector, watched: Watched) {
    this.collector = collector;
    this.watched = watched;
    this.waits = new ProcessorWaits([collector.pid, ...new Set(watched.good.values())]);
  }

  /** Whether every hostile target has been scraped, and has shown what it is. */
  get sawAll(): boolean {
    if (this.told.size < this.watched.kinds.size) return false;
    return HOSTILE.every(({ kind, down, flaps }) => {
      const { reasons = new Set<string>(), wasUp = false } = this.told.get(kind) ?? {};
      const isTold = down === undefined || [...reasons].some((reason) => down.test(reason));
      return isTold && (wasUp || (down !== undefined && !flaps));
    });
  }

  /** Looks until it is done, `afterMs` at the earliest. */
  async until(what: string, isDone: () => boolean | Promise<boolean>, afterMs = 0): Promise<void> {
    const earliest = Date.now() + afterMs;
    const deadline = earliest + GIVE_UP_MS;
    for (;;) {
      await this.look();
      if (Date.now() >= earliest && (await isDone())) return;
      if (Date.now() > deadline)
        throw new Error(`${what} did not come; the log ends:\n${this.collector.log.slice(-20).join('\n')}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  async api<Answer>(path: string): Promise<Answer> {
    const answer = await getJson<Answer>(`${this.collector.url}/api/v1/${path}`);
    this.checkNumbers(answer, path);
    return answer;
  }

  async metrics(): Promise<void> {
    const text = await (await fetch(`${this.collector.url}/metrics`)).text();
    for (const line of text.split('\n'))
      if (!line.startsWith('#') && /(?:^| )(?:[-+]?Inf|NaN|-[\d.e+-]+)$/i.test(line)) this.wrongNumbers.add(line);
  }

  figures() {
    const { told, goodDown, stalestMs, mostMemoryMiB } = this;
    const wrongNumbers = [...this.wrongNumbers];
    const logLines = new Map<string, string[]>();
    for (const line of this.collector.log) {
      const kind = this.watched.kinds.get(/ target=(\S+)/.exec(line)?.[1] ?? '');
      if (kind) logLines.set(kind, [...(logLines.get(kind) ?? []), line]);
    }
    return { told, goodDown, wrongNumbers, stalestMs, mostMemoryMiB, logLines };
  }

  private async look(): Promise<void> {
    const at = Date.now();
    await this.waits.look(at);
    const { targets } = await this.api<TargetsAnswer>('targets');
    for (const { labels, discoveredLabels, health, lastError, lastScrape, intervalMs } of targets) {
      const { service = '' } = labels;
      const address = discoveredLabels.__address__ ?? '';
      if (this.watched.good.has(address)) this.lookAtGood({ at, address, health, lastScrape, intervalMs });
      const kind = this.watched.kinds.get(address);
      if (kind === undefined || health === 'unknown') continue;
      const told = this.told.get(kind) ?? { reasons: new Set(), wasUp: false };
      this.told.set(kind, told);
      if (health === 'up') told.wasUp = true;
      else told.reasons.add(lastError);
      if (service.endsWith('-owner')) this.sawOwners.add(service);
    }
    this.scrapes = Math.min(...[...this.watched.good.keys()].map((address) => this.seen.get(address)?.size ?? 0));
    const status = await readFile(`/proc/${this.collector.pid}/status`, 'utf8');
    this.mostMemoryMiB = Math.max(this.mostMemoryMiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  private lookAtGood({ at, address, health, lastScrape, intervalMs }: Look): void {
    if (health === 'unknown' || lastScrape === null) return;
    if (health === 'down') this.goodDown.add(address);
    const waited = this.waits.since(lastScrape, [this.collector.pid, this.watched.good.get(address) ?? 0]);
    const slowedMs = Math.min(INTERVAL_MS, (intervalMs ?? INTERVAL_MS) - INTERVAL_MS);
    this.stalestMs = Math.max(this.stalestMs, at - lastScrape - waited - slowedMs);
    this.seen.set(address, (this.seen.get(address) ?? new Set()).add(lastScrape));
  }

  private checkNumbers(value: unknown, path: string): void {
    if (typeof value === 'number' && (!Number.isFinite(value) || value < 0)) this.wrongNumbers.add(`${path}: ${value}`);
    if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) this.checkNumbers(inner, `${path}.${key}`);
  }
}

interface Look {
  readonly at: number;
  readonly address: string;
  readonly health: string;
  readonly lastScrape: number | null;
  readonly intervalMs: number | null;
}
