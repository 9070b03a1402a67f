/** What may happen to the whole process while it runs, to the real collector on a real Envoy: nothing is lost by it. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ServiceAnswer, StatusAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import { startAnswering } from '../e2e/answering-server.ts';
import { getJson, startTestCollector, type TestCollector, type TestCollectorOptions } from '../e2e/collector.ts';
import { cluster, listener } from '../e2e/envoy-config.ts';
import { startFakeFaults } from '../e2e/fake-faults.ts';
import { get } from '../e2e/plain-client.ts';
import { startRealEnvoy } from '../e2e/real-envoy.ts';
import { keyOfSeries } from '../exporter/remote-write/decoded.ts';
import { healthy, startFakeAdmin } from '../scrape/fake-admin.ts';
import { smallDisk } from '../store/small-disk.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

/** How long an outage lasts at least: `OUTAGE_SECONDS=120` for minutes. */
const OUTAGE_MS = 1000 * Number(process.env.OUTAGE_SECONDS ?? 4);
const timeout = 90_000 + 2 * OUTAGE_MS;
const eventually = { timeout: 40_000, interval: 200 };

/** What another test wants of the collector. */
type Otherwise = Pick<TestCollectorOptions, 'preload' | 'environment' | 'configFile'> & {
  readonly more?: readonly string[];
};

/** A collector on a real sidecar of service `shop`, which has been scraped. */
async function started(
  storagePath = join(temporaryFolder(), 'sidelight.db'),
  { more = [], ...otherwise }: Otherwise = {},
) {
  const upstream = await startAnswering();
  onTestFinished(() => upstream.stop());
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'backend' } }];
  const envoy = await startRealEnvoy({
    config: {
      static_resources: {
        clusters: [cluster('backend', [upstream.port])],
        listeners: [
          listener({ name: 'in', statPrefix: 'ingress', virtualHosts: [{ name: 'all', domains: ['*'], routes }] }),
        ],
      },
    },
  });
  onTestFinished(() => envoy.stop());
  const targets = [`${envoy.admin},service=shop`, ...more];
  const collector = await startTestCollector({ targets, storagePath, intervalSeconds: 1, ...otherwise });
  onTestFinished(() => collector.kill());
  await vi.waitFor(async () => expect((await status(collector)).scrape.up).toBe(targets.length), eventually);
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) await get({ port: envoy.port('in'), host: 'shop', path: '/200' });
  };
  return { collector, envoy, send };
}

const status = ({ url }: TestCollector) => getJson<StatusAnswer>(`${url}/api/v1/status`);

/** Waits until so many requests, and their latencies, have been counted, and no more. */
async function expectCounted({ url }: TestCollector, requests: number): Promise<void> {
  const range = `from=${Date.now() - 600_000}&to=${Date.now() + 60_000}`;
  await vi.waitFor(async () => {
    const shop = await getJson<ServiceAnswer>(`${url}/api/v1/services/shop?${range}`);
    expect([shop.requests, shop.latencySamples]).toEqual([requests, requests]);
  }, eventually);
}

const scrapesOf = async ({ url }: TestCollector): Promise<number> =>
  Number(/^sidelight_scrapes_total\{result="good"\} (\d+)/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);

test('SIGSTOP and SIGCONT: what happened meanwhile is counted once', { timeout }, async () => {
  const { collector, envoy, send } = await started();
  await send(40);
  process.kill(collector.pid, 'SIGSTOP');
  // Several intervals and timeouts: as long as the sidecar needs to be asked something else a few times.
  const until = Date.now() + OUTAGE_MS;
  let sent = 40;
  while (Date.now() < until) {
    await send(20);
    sent += 20;
    await envoy.page('/ready');
  }
  process.kill(collector.pid, 'SIGCONT');
  await send(30);
  await expectCounted(collector, sent + 30);
  expect(await collector.terminate()).toBe(0);
});

test('no file handle left: told as it is, everything known goes on, and all is well once there are more', {
  timeout,
}, async () => {
  const late = await startFakeAdmin(healthy);
  onTestFinished(() => late.stop());
  const { collector, send } = await started(undefined, { more: [`${late.text},service=late`] });
  const limit = (most: number) => execFileSync('prlimit', ['--pid', String(collector.pid), `--nofile=${most}:`]);
  // Descriptors 0 to 2 are taken: there is no other one to be had.
  limit(3);
  late.dropConnections();
  await vi.waitFor(() => expect(collector.log.join('\n')).toContain('no file handle left'), eventually);
  await send(25);
  const before = late.connections();
  limit(1024);
  await vi.waitFor(() => expect(late.connections()).toBeGreaterThan(before), eventually);
  await expectCounted(collector, 25);
  await vi.waitFor(async () => {
    const { targets } = await getJson<TargetsAnswer>(`${collector.url}/api/v1/targets`);
    expect(targets.map(({ lastError }) => lastError)).toEqual(['', '']);
  }, eventually);
  expect(await collector.terminate()).toBe(0);
});

test('a full disk: told in the log and the status, and nothing is missing once there is room', {
  timeout,
}, async () => {
  const disk = smallDisk();
  const { collector, send } = await started(join(disk, 'sidelight.db'));
  await send(15);
  await expectCounted(collector, 15);
  try {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(2_500_000));
  } catch {
    // The disk is full now.
  }
  await send(20);
  await vi.waitFor(async () => {
    const { storage } = await status(collector);
    expect([storage.state, storage.message]).toEqual(['failing', expect.stringContaining('the disk is full')]);
  }, eventually);
  const scrapes = await scrapesOf(collector);
  await vi.waitFor(async () => expect(await scrapesOf(collector)).toBeGreaterThan(scrapes + 2), eventually);
  rmSync(join(disk, 'ballast'));
  await expectCounted(collector, 35);
  await vi.waitFor(async () => {
    expect((await status(collector)).storage).toMatchObject({ state: 'ok', waiting: 0, lost: 0 });
  }, eventually);
  expect(collector.log.filter((line) => /rounds can not be stored/.test(line))).toHaveLength(1);
  expect(collector.log.filter((line) => /rounds can be stored again/.test(line))).toHaveLength(1);
});

/** Makes files and folders what nobody can change, not even what has them open for writing, and takes that back. */
function immutable(paths: readonly string[], is: boolean): void {
  try {
    execFileSync('chattr', [is ? '+i' : '-i', ...paths], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`files can not be made immutable; run as root, with TMPDIR on ext4: ${String(error)}`);
  }
}

test('a disk that can only be read: told, everything known goes on, and nothing is missing afterwards', {
  timeout,
}, async () => {
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder);
  const { collector, send } = await started(join(folder, 'sidelight.db'));
  await send(15);
  await expectCounted(collector, 15);
  const frozen = [...readdirSync(folder).map((name) => join(folder, name)), folder];
  onTestFinished(() => immutable(frozen, false));
  immutable(frozen, true);
  await send(20);
  await vi.waitFor(async () => expect((await status(collector)).storage.state).toBe('failing'), eventually);
  const scrapes = await scrapesOf(collector);
  const until = Date.now() + OUTAGE_MS;
  await vi.waitFor(
    async () => {
      expect(await scrapesOf(collector)).toBeGreaterThan(scrapes + 2);
      expect(Date.now()).toBeGreaterThan(until);
    },
    { ...eventually, timeout: eventually.timeout + OUTAGE_MS },
  );
  expect((await status(collector)).storage).toMatchObject({
    lost: 0,
    message: expect.stringContaining('the disk has become read-only, or the file'),
  });
  immutable(frozen, false);
  await expectCounted(collector, 35);
  await vi.waitFor(async () => {
    expect((await status(collector)).storage).toMatchObject({ state: 'ok', waiting: 0, lost: 0 });
  }, eventually);
  expect(collector.log.filter((line) => /rounds can not be stored/.test(line))).toHaveLength(1);
  expect(collector.log.filter((line) => /rounds can be stored again/.test(line))).toHaveLength(1);
});

/** A collector whose threads end when they are told to. */
async function startedWithFaults(options: Pick<Otherwise, 'configFile'> = {}) {
  const folder = join(temporaryFolder(), 'threads');
  mkdirSync(folder);
  const preload = new URL('./end-threads.mjs', import.meta.url).href;
  const run = await started(undefined, { preload, environment: { THREAD_FAULTS: folder }, ...options });
  const threads = () =>
    readdirSync(folder)
      .flatMap((name) => /^thread-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  const tell = (what: 'exit' | 'eat', thread: number) => writeFileSync(join(folder, `${what}-${thread}`), '');
  return { ...run, threads, tell };
}

const endings = ({ log }: TestCollector, how: string) =>
  log.filter((line) => /ERROR storage\.path \S+: the thread that/.test(line) && line.includes(how)).length;

test('all threads of the store end: told, replaced, and every request is counted once', { timeout }, async () => {
  const { collector, send, threads, tell } = await startedWithFaults();
  await send(15);
  await expectCounted(collector, 15);
  const before = threads();
  expect(before).toHaveLength(3);
  for (const thread of before) tell('exit', thread);
  await send(20);
  await vi.waitFor(() => expect(threads()).toHaveLength(6), eventually);
  await expectCounted(collector, 35);
  await vi.waitFor(async () => {
    const { storage } = await status(collector);
    expect(storage).toMatchObject({ state: 'ok', waiting: 0, lost: 0, threads: { lost: 3 } });
  }, eventually);
  expect(endings(collector, '(it exited with code 1)')).toBeGreaterThan(1);
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toContain('sidelight_store_threads_lost_total 3');
  expect(await collector.terminate()).toBe(0);
});

test('no memory left in the thread that writes: told, replaced, and every request is counted once', {
  timeout,
}, async () => {
  const { collector, send, threads, tell } = await startedWithFaults();
  await send(15);
  await expectCounted(collector, 15);
  // The store starts it first.
  tell('eat', threads()[0] ?? 0);
  await send(20);
  await vi.waitFor(() => expect(endings(collector, 'writes ended (it ran out of memory)')).toBe(1), eventually);
  await send(25);
  await expectCounted(collector, 60);
  await vi.waitFor(async () => {
    expect((await status(collector)).storage).toMatchObject({ state: 'ok', lost: 0, threads: { lost: 1 } });
  }, eventually);
  const troubles = collector.log.filter((line) => / ERROR /.test(line));
  expect(troubles, troubles.join('\n')).toHaveLength(1);
  expect(await collector.terminate()).toBe(0);
});

test('the thread of remote write ends: told, replaced, and every sample is sent once', { timeout }, async () => {
  const receiver = await startFakeFaults();
  onTestFinished(() => receiver.stop());
  const configFile = join(temporaryFolder(), 'sidelight.yaml');
  writeFileSync(configFile, JSON.stringify({ remote_write: [{ name: 'receiver', url: receiver.url }] }));
  const { collector, send, threads, tell } = await startedWithFaults({ configFile });
  const times = () =>
    receiver.sent.flatMap(({ series }) => series).flatMap((one) => (isRequests(keyOfSeries(one)) ? [one.at] : []));
  await send(15);
  await vi.waitFor(() => expect(times().length).toBeGreaterThan(1), eventually);
  const before = threads();
  expect(before).toHaveLength(4);
  // Those of the store are started first.
  tell('exit', before.at(-1) ?? 0);
  await vi.waitFor(() => expect(threads()).toHaveLength(5), eventually);
  const replacedAt = Date.now();
  await vi.waitFor(() => expect(Math.max(...times())).toBeGreaterThan(replacedAt + 2000), eventually);
  expect(new Set(times()).size).toBe(times().length);
  expect(collector.log.filter((line) => / (?:ERROR|WARN) /.test(line) && line.includes('receiver'))).toHaveLength(1);
  expect((await status(collector)).storage.threads.lost).toBe(0);
  expect(await collector.terminate()).toBe(0);
});

/** Of one series. */
const isRequests = (key: string): boolean =>
  ['"mesh_requests_total"', '"2xx"', '"inbound"'].every((part) => key.includes(part));
