import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Ledger } from '../../examples/meshes/three-services/ledger.ts';
import { sendPlan } from '../../examples/meshes/three-services/send.ts';
import { DemoError } from '../../server/demo/demo-error.ts';
import { findEnvoy } from '../../server/demo/envoy.ts';
import { reasonInLog } from '../../server/demo/envoy-process.ts';
import { startMesh } from '../../server/demo/mesh.ts';
import { loadMesh } from '../../server/demo/mesh-folder.ts';
import { checkPortsFree, findFreePortOffset } from '../../server/demo/ports.ts';
import { startTestMesh } from '../e2e/mesh.ts';
import { readEnvoyStats } from '../e2e/mesh-stats.ts';
import { isRunning } from './processes.ts';

const timeout = 120_000; // the first start on a machine installs Envoy
const name = 'three-services';
const log = () => {};
let runFolder: string;

beforeEach(async () => {
  runFolder = await mkdtemp(join(tmpdir(), 'sidelight-mesh-test-'));
});

afterEach(() => rm(runFolder, { recursive: true }));

test('after stop() no process is left, and the same ports can be used at once', { timeout }, async () => {
  const envoy = await findEnvoy({ log });
  const portOffset = await findFreePortOffset((await loadMesh({ name, portOffset: 0 })).ports);
  for (let round = 0; round < 2; round++) {
    const mesh = await startMesh({ name, envoy, portOffset, runFolder, log });
    await mesh.startTraffic();
    const processIds = mesh.processIds();
    expect(processIds).toHaveLength(8); // five Envoys, applications, traffic, watchdog
    expect(processIds.every(isRunning)).toBe(true);
    await mesh.stop();
    expect(processIds.filter(isRunning)).toEqual([]);
  }
});

test('no process outlives a killed parent', { timeout }, async () => {
  const parent = fork(new URL('./run-mesh.ts', import.meta.url), [], { execArgv: [], stdio: 'pipe' });
  if (parent.stdout === null) throw new Error('no output');
  const [line] = await once(createInterface(parent.stdout), 'line');
  const told: { runFolder: string; processIds: number[] } = JSON.parse(line);
  expect(told.processIds.every(isRunning)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(told.processIds.filter(isRunning)).toEqual([]), { timeout: 10_000, interval: 50 });
  await rm(told.runFolder, { recursive: true });
});

test('a taken port is told in one line before anything starts', { timeout }, async () => {
  const { ports } = await loadMesh({ name, portOffset: 0 });
  const portOffset = await findFreePortOffset(ports);
  const port = 18030 + portOffset;
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  await expect(startMesh({ name, envoy: '/no/envoy', portOffset, runFolder, log })).rejects.toThrow(
    new DemoError(
      `port ${port} is taken, and listener ingress of service-b-2 needs it ` +
        '(examples/meshes/three-services/service-b-2.yaml): end the program that has it, perhaps another demo',
    ),
  );
  other.close();
});

test('when one Envoy fails to start, its reason is told and the others are ended', { timeout }, async () => {
  const { ports } = await loadMesh({ name, portOffset: 0 });
  const portOffset = await findFreePortOffset(ports);
  const fake = join(runFolder, 'fake-envoy');
  const list = join(runFolder, 'pids');
  const fails =
    'if [ "$2" = service-c.yaml ]; then echo "[time][1][critical][main] [x.cc:1] no luck today"; exit 1; fi';
  await writeFile(fake, `#!/bin/sh\necho $$ >> '${list}'\n${fails}\nexec '${await findEnvoy({ log })}' "$@"\n`);
  await chmod(fake, 0o755);
  await expect(startMesh({ name, envoy: fake, portOffset, runFolder, log })).rejects.toThrow(
    new DemoError('the Envoy of service-c did not start: no luck today'),
  );
  const processIds = (await readFile(list, 'utf8')).trim().split('\n').map(Number);
  expect(processIds.filter(isRunning)).toEqual([]);
  await checkPortsFree(ports.map((use) => ({ ...use, port: use.port + portOffset })));
});

test('a folder that cannot be written is told in one line', { timeout }, async () => {
  const portOffset = await findFreePortOffset((await loadMesh({ name, portOffset: 0 })).ports);
  const file = join(runFolder, 'file');
  await writeFile(file, '');
  const attempt = startMesh({ name, envoy: '/no/envoy', portOffset, runFolder: join(file, 'mesh'), log });
  await expect(attempt).rejects.toThrow(/^cannot write the mesh's files to .*\/file\/mesh \(ENOTDIR: .*\)$/);
});

test('an Envoy can be stopped, started and restarted, and the ledger knows who answered', { timeout }, async () => {
  const mesh = await startTestMesh();
  const ledger = new Ledger();
  const callC = () =>
    sendPlan([{ calls: [{ service: 'service_c' }] }], { baseUrl: mesh.frontUrl, concurrency: 1, ledger });
  const completed = async (index: number, counter: string) =>
    (await readEnvoyStats(mesh.targets[index]?.address ?? '')).value(`${counter}_completed`);
  await callC();
  expect(await completed(4, 'http.ingress.downstream_rq')).toBe(1);
  await mesh.stopEnvoy('service-c');
  await callC();
  expect([ledger.outbound('service_a', 'service_c').requests, ledger.inbound('service-c').requests]).toEqual([2, 1]);
  expect(await completed(1, 'cluster.service_c.upstream_rq')).toBe(2);
  await mesh.startEnvoy('service-c');
  await callC();
  expect(ledger.inbound('service-c').byClass['2xx']).toBe(2);
  expect(await completed(4, 'http.ingress.downstream_rq')).toBe(1);
  await mesh.restartEnvoy('service-c');
  expect(await completed(4, 'http.ingress.downstream_rq')).toBe(0);
  await expect(mesh.startEnvoy('service-c')).rejects.toThrow('the Envoy of service-c runs already');
  expect(mesh.messages).toEqual([]);
  await mesh.stop();
});

test('an Envoy that ends by itself is told', { timeout }, async () => {
  const mesh = await startTestMesh();
  process.kill(mesh.processIds()[0] ?? 0, 'SIGKILL');
  const told = `the Envoy of front-proxy ended by itself, its log is ${join(mesh.runFolder, 'front-proxy.log')}`;
  await vi.waitFor(() => expect(mesh.messages).toEqual([told]), 5_000);
  await mesh.startEnvoy('front-proxy');
  await mesh.stop();
});

test.for([
  ['', undefined],
  [
    "[2026-01-01 10:00:00.1][7][critical][main] [source/x.cc:449] error `a`\n  f.yaml'\ncannot bind 'h:1'\n",
    "cannot bind 'h:1'",
  ],
  ['[2026-01-01 10:00:00.1][7][critical][main] [source/x.cc:449] assert failure\n', 'assert failure'],
] as const)('the line of the log that says why: %j', ([text, expected]) => {
  expect(reasonInLog(text)).toBe(expected);
});
