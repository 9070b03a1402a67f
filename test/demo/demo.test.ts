import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CollectorOptions, type DemoOptions, runDemo } from '../../server/demo/demo.ts';
import { DemoError } from '../../server/demo/demo-error.ts';
import { loadMesh } from '../../server/demo/mesh-folder.ts';
import { checkPortsFree, findFreePortOffset } from '../../server/demo/ports.ts';
import { readEnvoyStats } from '../e2e/mesh-stats.ts';

const timeout = 120_000; // the first start on a machine installs Envoy
const name = 'three-services';
let dataFolder: string;
let portOffset: number;
let lines: string[];
let signals: EventEmitter;

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'sidelight-demo-'));
  portOffset = await findFreePortOffset((await loadMesh({ name, portOffset: 0 })).ports);
  lines = [];
  signals = new EventEmitter();
});

afterEach(() => rm(dataFolder, { recursive: true }));

const run = (startCollector: DemoOptions['startCollector'], overrides: Partial<DemoOptions> = {}) =>
  runDemo({
    mesh: name,
    listen: '127.0.0.1:9191',
    dataFolder,
    portOffset,
    startCollector,
    log: (line) => lines.push(line),
    signals,
    ...overrides,
  });

async function portsAreFree(): Promise<void> {
  const { ports } = await loadMesh({ name, portOffset });
  await checkPortsFree(ports);
}

test.for(['SIGINT', 'SIGTERM'])('runs until %s, with traffic, and ends everything', { timeout }, async (signal) => {
  const started: CollectorOptions[] = [];
  const stop = vi.fn(async () => {
    const targets = started[0]?.targets ?? [];
    expect(await readEnvoyStats(targets[0]?.address ?? '')).toBeDefined(); // the mesh outlives the collector
  });
  const ended = run(async (options) => {
    started.push(options);
    await writeFile(options.storagePath, '');
    return { url: 'http://collector', stop };
  });
  await vi.waitFor(() => expect(lines.at(-1)).toContain('http://collector'), timeout);
  const front = started[0]?.targets[0]?.address ?? '';
  await vi.waitFor(async () => {
    expect((await readEnvoyStats(front)).value('http.ingress_http.downstream_rq_2xx')).toBeGreaterThan(5);
  }, 10_000);
  signals.emit(signal);
  await ended;
  expect(stop).toHaveBeenCalledOnce();
  await portsAreFree();
  expect(started).toMatchObject([{ listen: '127.0.0.1:9191', scrapeIntervalMs: 2000 }]);
  expect(lines).toEqual([
    `mesh three-services: 5 Envoys with traffic, requests enter at http://127.0.0.1:${18000 + portOffset}`,
    'Sidelight shows it at http://collector  (Ctrl-C ends everything)',
    'ending the demo',
  ]);
  expect(signals.eventNames()).toEqual([]);
});

test('every run begins with an empty database', { timeout }, async () => {
  await writeFile(join(dataFolder, 'sidelight.db'), 'old');
  await writeFile(join(dataFolder, 'sidelight.db-wal'), 'old');
  let files: string[] = [];
  await run(async ({ storagePath }) => {
    files = await readdir(join(storagePath, '..'));
    signals.emit('SIGINT');
    return { url: 'http://collector', stop: async () => {} };
  });
  expect(files).toEqual(['mesh']);
});

test('a collector that cannot start ends the mesh', { timeout }, async () => {
  await expect(run(() => Promise.reject(new DemoError('port 9191 is taken')))).rejects.toThrow('port 9191 is taken');
  await portsAreFree();
});

test('a signal while starting ends what has started', { timeout }, async () => {
  const ended = run(() => Promise.reject(new Error('must not be reached')));
  signals.emit('SIGINT');
  await ended;
  expect(lines).toEqual(['ending the demo']);
  await portsAreFree();
});
