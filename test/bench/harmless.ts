/** What being scraped takes of a big Envoy's main thread, which answers its admin port and its probes. */

import { once } from 'node:events';
import { Agent, createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cluster, listener } from '../e2e/envoy-config.ts';
import { type RealEnvoy, startRealEnvoy } from '../e2e/real-envoy.ts';
import { cpuMsOf } from './fleet/process-tree.ts';
import { Scraping, targetAt } from './scrape.ts';

const OPTIONS = {
  clusters: { type: 'string', default: '2000' },
  active: { type: 'string', default: '300' },
  /** Between two scrapes while it is measured, seconds; what one costs is then told for the default interval. */
  interval: { type: 'string', default: '1' },
  seconds: { type: 'string', default: '30' },
} as const;

const DEFAULT_INTERVAL_MS = 15_000;
const GOAL_SHARE = 0.01;
/** What half of the probes may take more than without scraping: noise of the machine. */
const MOST_READY_MS = 1;
const REQUEST_EVERY_MS = 10;
const PROBE_EVERY_MS = 25;

/**
 * Prints the figures; false when it takes more than a hundredth of the main thread at the default interval, or when half
 * of the probes are answered later than without.
 */
export async function harmlessBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const [clusters, active] = [Number(values.clusters), Number(values.active)];
  const seconds = Number(values.seconds);
  const upstream = createServer((_, response) => void response.end('ok')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const envoy = await startRealEnvoy({ config: configOf(clusters, portOf(upstream)) });
  const traffic = new Traffic(envoy.port('egress'), active);
  try {
    await traffic.ofEach();
    traffic.start();
    await delay(2000);
    const alone = await watched(envoy, seconds);
    const scraping = new Scraping(Number(values.interval) * 1000);
    scraping.manager.apply([targetAt(Number(envoy.admin.split(':')[1]))]);
    await delay(3000); // the first scrape asks for more
    const before = { ...scraping.counts };
    const scraped = await watched(envoy, seconds);
    const scrapes = scraping.counts.scrapes - before.scrapes;
    const bytes = (scraping.counts.bodyBytes - before.bodyBytes) / scrapes;
    await scraping.stop();
    const share = (scraped.mainMs - alone.mainMs) / scrapes / DEFAULT_INTERVAL_MS;
    print({ alone, scraped, scrapes, bytes, share });
    const isReadyAsFast = at(scraped, 0.5) <= at(alone, 0.5) + MOST_READY_MS;
    return scraping.counts.failed === 0 && share <= GOAL_SHARE && isReadyAsFast;
  } finally {
    traffic.stop();
    await envoy.stop();
    upstream.close();
    upstream.closeAllConnections();
  }
}

function configOf(clusters: number, port: number): Readonly<Record<string, unknown>> {
  const names = Array.from({ length: clusters }, (_, index) => `shop-${index}.default.svc.cluster.local`);
  const routes = names.map((name, index) => ({ match: { prefix: `/${index}/` }, route: { cluster: name } }));
  const virtualHosts = [{ name: 'all', domains: ['*'], routes }];
  return {
    stats_flush_interval: '5s', // as Envoy does where nothing is configured
    static_resources: {
      clusters: names.map((name) => cluster(name, [port])),
      listeners: [listener({ name: 'egress', statPrefix: 'egress_http', virtualHosts })],
    },
  };
}

/** Requests to some of the clusters, one after the other. */
class Traffic {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly port: number;
  private readonly active: number;
  private next = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(port: number, active: number) {
    this.port = port;
    this.active = active;
  }

  /** One request to each of them. */
  async ofEach(): Promise<void> {
    for (let i = 0; i < this.active; i++) await timeOf({ port: this.port, path: this.path(), agent: this.agent });
  }

  start(): void {
    const send = () => void timeOf({ port: this.port, path: this.path(), agent: this.agent }).catch(() => {});
    this.timer = setInterval(send, REQUEST_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.agent.destroy();
  }

  private path(): string {
    return `/${this.next++ % this.active}/`;
  }
}

interface Watched {
  /** CPU of Envoy's main thread. */
  readonly mainMs: number;
  /** Of answers to /ready, sorted. */
  readonly readyMs: readonly number[];
}

async function watched(envoy: RealEnvoy, seconds: number): Promise<Watched> {
  const stat = `/proc/${envoy.pid}/task/${envoy.pid}/stat`;
  const agent = new Agent({ keepAlive: true });
  const port = Number(envoy.admin.split(':')[1]);
  const readyMs: number[] = [];
  const before = cpuMsOf(stat);
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    readyMs.push(await timeOf({ port, path: '/ready', agent }));
    await delay(PROBE_EVERY_MS);
  }
  agent.destroy();
  return { mainMs: cpuMsOf(stat) - before, readyMs: readyMs.sort((a, b) => a - b) };
}

function timeOf(options: { readonly port: number; readonly path: string; readonly agent: Agent }): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const request = get({ host: '127.0.0.1', ...options }, (response) => {
      response.resume().once('end', () => resolve(performance.now() - began));
    });
    request.once('error', reject);
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

interface Found {
  readonly alone: Watched;
  readonly scraped: Watched;
  readonly scrapes: number;
  readonly bytes: number;
  readonly share: number;
}

/** Of the probes, sorted, the one at this place from 0 to 1. */
function at({ readyMs }: Watched, place: number): number {
  return readyMs[Math.floor((readyMs.length - 1) * place)] ?? Number.NaN;
}

function print({ alone, scraped, scrapes, bytes, share }: Found): void {
  const ready = (one: Watched) => [0.5, 0.99, 1].map((place) => at(one, place).toFixed(1)).join(', ');
  const figures = [
    ['scrapes', `${scrapes}`],
    ['bytes of a body', bytes.toFixed(0)],
    ["CPU of Envoy's main thread, unscraped", `${alone.mainMs} ms`],
    ['  scraped', `${scraped.mainMs} ms`],
    ['  per scrape', `${((scraped.mainMs - alone.mainMs) / scrapes).toFixed(1)} ms`],
    ['share of it at an interval of 15 s (goal 1 %)', `${(share * 100).toFixed(2)} %`],
    ['/ready, p50, p99, longest, unscraped', `${ready(alone)} ms`],
    ['  scraped at the interval of this run', `${ready(scraped)} ms`],
  ];
  for (const [about = '', figure = ''] of figures) console.log(`${about.padEnd(50)} ${figure.padStart(22)}`);
}
