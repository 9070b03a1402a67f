import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { freePort } from './e2e/answering-server.ts';

/** A busy machine starts a Prometheus slowly. */
const START = { timeout: 40_000, interval: 50 };

type MetricLabels = Readonly<Record<string, string>>;

export interface PrometheusSeries {
  readonly labels: MetricLabels;
  readonly value: number;
}

export interface PrometheusTarget {
  readonly scrapePool: string;
  readonly labels: MetricLabels;
  readonly discoveredLabels: MetricLabels;
  readonly health: string;
}

interface PrometheusTargets {
  readonly activeTargets: readonly PrometheusTarget[];
  readonly droppedTargets: readonly Pick<PrometheusTarget, 'discoveredLabels'>[];
}

export interface RunningPrometheus {
  readonly url: string;
  /** The answer of a path of its API, such as `targets`. */
  api<T>(path: string): Promise<T>;
  targets(): Promise<PrometheusTargets>;
  /** What an expression gives at one moment (Unix milliseconds; default: now). */
  query(expression: string, at?: number): Promise<PrometheusSeries[]>;
  /** Ends it as a power cut would, does something, and starts it again on the same data and port. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  /** Besides its configuration, in its folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Default: Debian's. */
  readonly program?: string;
  /** Besides those of configuration, data and address. */
  readonly flags?: readonly string[];
}

/** Starts a Prometheus; resolves when it is ready. */
export async function startPrometheus(
  config: object,
  { files = {}, program = 'prometheus', flags = [] }: PrometheusOptions = {},
): Promise<RunningPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'sidelight-prometheus-'));
  for (const [name, text] of Object.entries({ 'prometheus.yml': JSON.stringify(config), ...files }))
    await writeFile(join(folder, name), text);
  const url = `http://127.0.0.1:${await freePort()}`;
  const start = () => run(program, { folder, url, flags });
  let end = await start();
  const api = <T>(path: string): Promise<T> => dataOf<T>(`${url}/api/v1/${path}`);
  return {
    url,
    api,
    targets: () => api('targets'),
    async query(expression, at = Date.now()) {
      const path = `query?query=${encodeURIComponent(expression)}&time=${at / 1000}`;
      const { resultType, result } = await api<{ resultType: string; result: VectorElement[] }>(path);
      if (resultType !== 'vector') throw new Error(`${expression} gives a ${resultType}`);
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    async restart(meanwhile) {
      await end();
      await meanwhile();
      end = await start();
    },
    async stop() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface VectorElement {
  readonly metric: MetricLabels;
  readonly value: readonly [time: number, value: string];
}

async function dataOf<T>(url: string): Promise<T> {
  const response = await fetch(url);
  const { data, error } = (await response.json()) as { data: T; error?: string };
  if (!response.ok) throw new Error(`${url}: ${response.status} ${error}`);
  return data;
}

/** @returns what ends it. */
async function run(
  program: string,
  { folder, url, flags }: { folder: string; url: string; flags: readonly string[] },
): Promise<() => Promise<void>> {
  const all = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${new URL(url).host}`,
    ...flags,
  ];
  const prometheus = spawn(program, all, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  prometheus.stderr.on('data', (data: Buffer) => {
    log = (log + data).slice(-2000);
  });
  const failed = Promise.withResolvers<never>();
  prometheus.once('error', () => failed.reject(new Error(`${program} does not run: apt-get install prometheus`)));
  prometheus.once('exit', (code) => failed.reject(new Error(`prometheus ended with ${code}: ${log}`)));
  failed.promise.catch(() => {});
  const ready = vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).status).toBe(200), START);
  await Promise.race([ready, failed.promise]);
  return async () => {
    if (prometheus.exitCode !== null) return;
    const ended = once(prometheus, 'exit');
    prometheus.kill('SIGKILL');
    await ended;
  };
}
