/**
 * What the running collector asks or tells goes away for a while, one after the other: the rest goes on, each is told of
 * once, and what had to wait is there afterwards, once. `OUTAGE_SECONDS=120` makes every outage last that long.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { AlertsAnswer, ServiceAnswer, StatusAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import { Alertmanager } from '../alerts/notify/alertmanager-process.ts';
import { Listener } from '../alerts/notify/listener.ts';
import { type FakeApiServer, fakeApiServer } from '../discovery/fake-api-server.ts';
import { type FakeDns, startFakeDns } from '../discovery/fake-dns.ts';
import { podManifest } from '../discovery/pod-manifest.ts';
import { getJson, startTestCollector, type TestCollector } from '../e2e/collector.ts';
import { type FakeFaults, startFakeFaults } from '../e2e/fake-faults.ts';
import { keyOfSeries } from '../exporter/remote-write/decoded.ts';
import { CountingAdmin } from './counting-admin.ts';
import { Relay } from './relay.ts';

const OUTAGE_MS = 1000 * Number(process.env.OUTAGE_SECONDS ?? 3);
const timeout = 120_000 + 2 * OUTAGE_MS;
/** Longest pause between two tries of any that waits is a minute. */
const eventually = { timeout: 60_000 + OUTAGE_MS, interval: 100 };

/** Samples are a second apart; a busy machine may take some later. */
const LONGEST_GAP_MS = 5000;

const KUBERNETES = /discovery\.kubernetes\[0\]: /;

let folder: string;
let admins: Record<'listed' | 'named' | 'pod' | 'late', CountingAdmin>;
let dns: FakeDns;
let api: FakeApiServer;
let apiRelay: Relay;
let manager: Alertmanager;
let managed: Listener;
let hook: Listener;
let receiver: FakeFaults;
let receiverRelay: Relay;
let collector: TestCollector;

const pod = (name: string, { port }: CountingAdmin) =>
  podManifest({
    name,
    labels: { app: name },
    annotations: { 'sidelight.io/port': String(port) },
    status: { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] },
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sidelight-outages-'));
  const admin = () => new CountingAdmin().start();
  admins = { listed: await admin(), named: await admin(), pod: await admin(), late: await admin() };
  dns = await startFakeDns();
  dns.names.set('named.test', [{ type: 'A', address: '127.0.0.1', ttl: 1 }]);
  api = await fakeApiServer(folder);
  api.put(pod('pod', admins.pod));
  apiRelay = await new Relay(api.url).start();
  managed = await new Listener().listen();
  manager = await new Alertmanager().start(managed.url);
  hook = await new Listener().listen();
  receiver = await startFakeFaults();
  receiverRelay = await new Relay(receiver.url).start();
  const kubeconfig = join(folder, 'relayed');
  writeFileSync(kubeconfig, kubeconfigFor(apiRelay.url));
  const configFile = join(folder, 'sidelight.yaml');
  writeFileSync(configFile, JSON.stringify(configWith(kubeconfig)));
  collector = await startTestCollector({
    configFile,
    targets: [],
    storagePath: join(folder, 'sidelight.db'),
    intervalSeconds: 1,
  });
  await vi.waitFor(async () => expect(await up()).toEqual(['listed', 'named', 'pod']), eventually);
}, 120_000);

afterAll(async () => {
  await collector?.kill();
  await Promise.all([receiverRelay?.stop(), apiRelay?.stop(), hook?.close(), managed?.close(), manager?.remove()]);
  await Promise.all([receiver?.stop(), api?.close(), ...Object.values(admins ?? {}).map((one) => one.stop())]);
  dns?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function kubeconfigFor(server: string): string {
  return JSON.stringify({
    'current-context': 'fake',
    clusters: [{ name: 'fake', cluster: { server } }],
    users: [{ name: 'me', user: { token: 'first' } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'me' } }],
  });
}

function configWith(kubeconfig: string): object {
  const busy = { signal: 'request_rate', above: '1/s', window: '10s', by: ['service'], match: { service: 'listed' } };
  return {
    discovery: {
      static: [{ targets: [admins.listed.text], labels: { service: 'listed' } }],
      dns: [
        {
          names: ['named.test'],
          type: 'A',
          port: admins.named.port,
          refresh: '5s',
          servers: [dns.server],
          labels: { service: 'named' },
        },
      ],
      kubernetes: [{ kubeconfig }],
    },
    alerts: {
      interval: '1s',
      rules: [{ name: 'Busy', ...busy }],
      alertmanagers: [{ url: manager.url }],
      webhooks: [{ url: hook.url }],
    },
    remote_write: [{ name: 'receiver', url: receiverRelay.url, timeout: '2s' }],
  };
}

const status = () => getJson<StatusAnswer>(`${collector.url}/api/v1/status`);

/** A line of /metrics by its beginning: name and labels. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${collector.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1),
  );
}

/** Services whose sidecar is up. */
async function up(): Promise<string[]> {
  const { targets } = await getJson<TargetsAnswer>(`${collector.url}/api/v1/targets`);
  return targets.flatMap(({ health, labels }) => (health === 'up' ? [labels.service ?? ''] : [])).sort();
}

/** Requests of a service that the history has. */
async function requestsOf(service: string): Promise<number> {
  const range = `from=${Date.now() - 3_600_000}&to=${Date.now() + 60_000}`;
  return (await getJson<ServiceAnswer>(`${collector.url}/api/v1/services/${service}?${range}`)).requests ?? 0;
}

const lines = (pattern: RegExp) => collector.log.filter((line) => pattern.test(line)).length;

async function toldOnce(pattern: RegExp, times = 1): Promise<void> {
  await vi.waitFor(() => expect(lines(pattern), collector.log.join('\n')).toBe(times), eventually);
}

/** All sidecars go on being scraped for the time of an outage, and all that they count is counted. */
async function restGoesOn(): Promise<void> {
  const before = await Promise.all([requestsOf('listed'), requestsOf('named'), requestsOf('pod')]);
  await delay(OUTAGE_MS);
  await vi.waitFor(async () => {
    const now = await Promise.all([requestsOf('listed'), requestsOf('named'), requestsOf('pod')]);
    for (const [index, requests] of now.entries()) expect(requests).toBeGreaterThan((before[index] ?? 0) + 7);
  }, eventually);
}

test('DNS is away: what it told stays and is scraped', { timeout }, async () => {
  const { port } = new URL(`udp://${dns.server}`);
  dns.stop();
  await toldOnce(/named\.test: /);
  await restGoesOn();
  const entry = async () => (await status()).discovery.find(({ name }) => name === 'discovery.dns[0]');
  expect((await entry())?.error).toContain('named.test');
  expect(await metric('sidelight_discovery_failing{entry="discovery.dns[0]"}')).toBe(1);
  dns = await startFakeDns(Number(port));
  dns.names.set('named.test', [{ type: 'A', address: '127.0.0.1', ttl: 1 }]);
  await toldOnce(/discovery\.dns\[0\] works again/);
  expect([(await entry())?.error, lines(/named\.test: /)]).toEqual(['', 1]);
  expect(await metric('sidelight_discovery_failing{entry="discovery.dns[0]"}')).toBe(0);
});

test('the API server is away: pods stay and are scraped, those that came meanwhile are there after it', {
  timeout,
}, async () => {
  await apiRelay.stop();
  await toldOnce(KUBERNETES);
  api.put(pod('late', admins.late));
  await restGoesOn();
  expect(await up()).toEqual(['listed', 'named', 'pod']);
  expect(await metric('sidelight_discovery_failing{entry="discovery.kubernetes[0]"}')).toBe(1);
  await toldOnce(KUBERNETES);
  await apiRelay.start();
  await toldOnce(/discovery\.kubernetes\[0\] works again/);
  await vi.waitFor(async () => expect(await up()).toEqual(['late', 'listed', 'named', 'pod']), eventually);
});

test('who is told of alerts is away: the alert fires, and is told of once when they are back', {
  timeout,
}, async () => {
  const firing = async () =>
    (await getJson<AlertsAnswer>(`${collector.url}/api/v1/alerts`)).alerts.map((one) => one.state);
  const heard = () => hook.received.flatMap(({ text }) => JSON.parse(text).events as { status: string }[]);
  const shown = () => managed.received.map(({ text }) => JSON.parse(text).status as string);
  await vi.waitFor(() => expect([heard().length, shown()]).toEqual([1, ['firing']]), eventually);
  await Promise.all([manager.stop('SIGTERM'), hook.close()]);
  admins.listed.busy = false;
  await vi.waitFor(async () => expect(await firing()).toEqual(['resolved']), eventually);
  admins.listed.busy = true;
  await vi.waitFor(async () => expect(await firing()).toEqual(['firing']), eventually);
  await restGoesOn();
  await toldOnce(/was not told of alerts/, 2);
  await Promise.all([manager.start(managed.url), hook.listen()]);
  await toldOnce(/is told of alerts again/, 2);
  await vi.waitFor(
    () => expect(heard().map((one) => one.status)).toEqual(['firing', 'resolved', 'firing']),
    eventually,
  );
});

test('the receiver of remote write is away: what is taken waits within bounds, and is sent once', {
  timeout,
}, async () => {
  const written = async () => (await status()).remoteWrite[0];
  await vi.waitFor(async () => expect(await written()).toMatchObject({ state: 'ok' }), eventually);
  await receiverRelay.stop();
  await vi.waitFor(async () => expect((await written())?.state).toBe('failing'), eventually);
  await restGoesOn();
  const { samplesPending = 0, queueBytes = 0, maxQueueBytes = 0 } = (await written()) ?? {};
  expect(samplesPending).toBeGreaterThan(0);
  expect(queueBytes).toBeLessThanOrEqual(maxQueueBytes);
  const behind = Date.now();
  await receiverRelay.start();
  await vi.waitFor(async () => {
    const now = await written();
    expect([now?.state, (now?.lagMs ?? behind) < 5000]).toEqual(['ok', true]);
  }, eventually);
  expect((await written())?.samplesDropped).toEqual({ full: 0, damaged: 0, refused: 0 });
  expectEachOnce(behind);
});

/** Every sample that was taken before has come, and none of them twice. */
function expectEachOnce(before: number): void {
  const came = new Map<string, number[]>();
  for (const one of receiver.sent.flatMap(({ series }) => series)) {
    const key = keyOfSeries(one);
    if (/"mesh_requests_total"/.test(key) && one.at <= before) came.set(key, [...(came.get(key) ?? []), one.at]);
  }
  expect(came.size).toBeGreaterThan(0);
  for (const [key, times] of came) {
    expect(new Set(times).size, key).toBe(times.length);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...gaps), key).toBeLessThan(LONGEST_GAP_MS);
  }
}

test('after all that every request is counted once', { timeout }, async () => {
  for (const one of Object.values(admins)) one.busy = false;
  await vi.waitFor(async () => {
    for (const name of ['listed', 'named', 'pod', 'late'] as const)
      expect(await requestsOf(name), name).toBe(admins[name].counted);
  }, eventually);
  expect(await collector.terminate()).toBe(0);
});
