import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DemoError, firstLine } from './demo-error.ts';
import { findEnvoy } from './envoy.ts';
import { type Running, type RunningMesh, startMesh } from './mesh.ts';

export interface CollectorOptions {
  targets: RunningMesh['targets'];
  /** `host:port` */
  listen: string;
  scrapeIntervalMs: number;
  /** A file that does not exist yet, in a folder that does. */
  storagePath: string;
}

export type StartCollector = (options: CollectorOptions) => Promise<Running & { url: string }>;

export interface DemoOptions {
  /** A folder of examples/meshes. */
  mesh: string;
  listen: string;
  /** Default 2000. */
  scrapeIntervalMs?: number;
  /** Takes the database and the mesh's logs. Default: the mesh's own under data/demo in the project's folder. */
  dataFolder?: string;
  /** Added to every port of the mesh. Default 0. */
  portOffset?: number;
  startCollector: StartCollector;
  log: (line: string) => void;
  /** Where SIGINT and SIGTERM come from. */
  signals?: Pick<NodeJS.EventEmitter, 'once' | 'off'>;
}

const DATA_FOLDER = join(import.meta.dirname, '../../data/demo');

/**
 * Starts an example mesh, the collector on it and steady traffic, and resolves when SIGINT or SIGTERM has ended it all.
 * Rejects, with nothing left running, with a DemoError of one line (or what startCollector rejected with). A second
 * Ctrl-C ends the process at once; the mesh's processes follow it.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  const { signals = process } = options;
  for (const name of ['SIGINT', 'SIGTERM']) signals.once(name, interrupt);
  const running: Running[] = [];
  try {
    await startAll(options, running, interruption.signal);
    await aborted(interruption.signal);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
  } finally {
    if (interruption.signal.aborted) options.log('ending the demo');
    for (const part of running.reverse()) {
      await part.stop().catch((error: unknown) => options.log(`could not end all of the demo (${firstLine(error)})`));
    }
    for (const name of ['SIGINT', 'SIGTERM']) signals.off(name, interrupt);
  }
}

/** Adds each part to `running` as soon as it runs. Traffic comes last, so that it stops first. */
async function startAll(options: DemoOptions, running: Running[], signal: AbortSignal): Promise<void> {
  const { mesh: name, listen, scrapeIntervalMs = 2_000, portOffset = 0, startCollector, log } = options;
  // Demos of two meshes may run at once: neither may have the other's database.
  const { dataFolder = join(DATA_FOLDER, name) } = options;
  const envoy = await findEnvoy({ log, signal });
  signal.throwIfAborted();
  const mesh = await startMesh({ name, envoy, portOffset, runFolder: join(dataFolder, 'mesh'), log });
  running.push(mesh);
  signal.throwIfAborted();
  const storagePath = await freshStorage(join(dataFolder, 'sidelight.db'));
  const collector = await startCollector({ targets: mesh.targets, listen, scrapeIntervalMs, storagePath });
  running.push(collector);
  signal.throwIfAborted();
  running.push(await mesh.startTraffic());
  log(`mesh ${name}: ${mesh.targets.length} Envoys with traffic, requests enter at ${mesh.frontUrl}`);
  log(`Sidelight shows it at ${collector.url}  (Ctrl-C ends everything)`);
}

async function freshStorage(path: string): Promise<string> {
  try {
    await mkdir(dirname(path), { recursive: true });
    for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
    return path;
  } catch (error) {
    throw new DemoError(`cannot write the demo's database ${path} (${firstLine(error)})`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
