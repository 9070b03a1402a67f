import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findEnvoy } from '../../server/demo/envoy.ts';
import { endingOf } from '../../server/demo/process-end.ts';
import { startWatchdog } from '../../server/demo/watchdog.ts';

/** A bootstrap without its admin port; listeners may have port 0. */
export type EnvoyConfig = Readonly<Record<string, unknown>>;

export interface RealEnvoyOptions {
  readonly config: EnvoyConfig;
  /** One of the versions that are installed on demand; without it the demo's Envoy runs. */
  readonly version?: string | undefined;
  /** Flags besides the usual ones. */
  readonly flags?: readonly string[];
  /** Default: any free one. */
  readonly adminPort?: number;
  /** Default: a folder of its own, removed at the end. */
  readonly folder?: string;
}

export interface RealEnvoy {
  readonly pid: number;
  /** `127.0.0.1:PORT` of the admin port. */
  readonly admin: string;
  readonly folder: string;
  /** Port of a listener, by its name. */
  port(listener: string): number;
  /** Body of a page of the admin port; throws when it is not answered with 200. */
  page(path: string): Promise<Buffer>;
  /** For what changes something, such as draining. */
  post(path: string): Promise<void>;
  /** Resolves when the process has ended by itself. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

const START_WITHIN_MS = 20_000;

/** Starts a real Envoy on ports that are free; resolves when it is live. Rejects with the end of its log. */
export async function startRealEnvoy(options: RealEnvoyOptions): Promise<RealEnvoy> {
  const { config, version, adminPort = 0, flags = ['--disable-hot-restart'] } = options;
  const binary = await findEnvoy({ log: console.log, ...(version ? { version } : {}) });
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'sidelight-envoy-')));
  const files = { config: join(folder, 'envoy.json'), admin: join(folder, 'admin.txt') };
  const admin = { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } };
  await rm(files.admin, { force: true });
  await writeFile(files.config, JSON.stringify({ admin, stats_flush_interval: '0.1s', ...config }));
  const usual = ['--concurrency', '1', '--log-level', 'error', '--admin-address-path', files.admin];
  const child = spawn(binary, ['-c', files.config, ...usual, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  const log: string[] = [];
  child.stderr.on('data', (data: Buffer) => log.push(data.toString('utf8')));
  const watchdog = startWatchdog();
  if (child.pid !== undefined) watchdog.watch(child.pid);
  const { exited } = endingOf(child);
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    await watchdog.stop();
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  };
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const address = await liveAddress(files.admin, isGone);
  if (address === undefined) {
    await stop();
    throw new Error(`Envoy did not start: ${log.join('').slice(-800)}`);
  }
  const ports = listenerPorts(await page(address, '/listeners?format=json'));
  return {
    pid: child.pid ?? 0,
    admin: address,
    folder,
    exited,
    stop,
    page: (path) => page(address, path),
    async post(path) {
      const answer = await fetch(`http://${address}${path}`, { method: 'POST' });
      if (answer.status !== 200) throw new Error(`POST ${path}: ${answer.status}`);
    },
    port(listener) {
      const port = ports.get(listener);
      if (port === undefined) throw new Error(`no listener ${listener}`);
      return port;
    },
  };
}

async function liveAddress(file: string, isGone: () => boolean): Promise<string | undefined> {
  const deadline = performance.now() + START_WITHIN_MS;
  while (!isGone() && performance.now() < deadline) {
    const address = await readFile(file, 'utf8').catch(() => '');
    const answer = address === '' ? undefined : await fetch(`http://${address}/ready`).catch(() => undefined);
    if (answer?.status === 200) return address;
    await delay(20);
  }
  return undefined;
}

async function page(address: string, path: string): Promise<Buffer> {
  const answer = await fetch(`http://${address}${path}`, { headers: { accept: 'text/plain' } });
  const body = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${body.toString('utf8').slice(0, 200)}`);
  return body;
}

interface Listeners {
  readonly listener_statuses: readonly {
    readonly name: string;
    readonly local_address: { readonly socket_address: { readonly port_value: number } };
  }[];
}

function listenerPorts(body: Buffer): Map<string, number> {
  const { listener_statuses } = JSON.parse(body.toString('utf8')) as Listeners;
  return new Map(
    listener_statuses.map(({ name, local_address }) => [name, local_address.socket_address.port_value] as const),
  );
}
