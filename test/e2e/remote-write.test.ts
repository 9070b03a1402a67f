/**
 * What a real Prometheus has received is what was taken, sample by sample: over its own death, the collector's, refusals
 * that pass and hangs. Servers with figures that grow stand in for Envoys.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { RemoteWriteStatus, StatusAnswer, TargetsAnswer } from '../../server/api/contract.ts';
import { type DecodedSeries, keyOfSeries } from '../exporter/remote-write/decoded.ts';
import { type RunningPrometheus, startPrometheus } from '../running-prometheus.ts';
import { askedFor, type FakeAdmin, healthy, sendText, startFakeAdmin } from '../scrape/fake-admin.ts';
import { freePort } from './answering-server.ts';
import { getJson, startTestCollector, type TestCollector } from './collector.ts';
import { type FakeFaults, startFakeFaults } from './fake-faults.ts';
import { PATIENT, PROMETHEUS3 } from './prometheus-run.ts';

const LONG = 120_000;
const FLAGS = ['--web.enable-remote-write-receiver'];

let folder: string;
let port: number;
let admins: FakeAdmin[];
let prometheus: RunningPrometheus;
let native: RunningPrometheus | undefined;
let faults: FakeFaults;
let collector: TestCollector;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidelight-remote-write-'));
  port = await freePort();
  admins = await Promise.all([growing('stays'), growing('goes')]);
  prometheus = await startPrometheus({}, { flags: FLAGS });
  native = PROMETHEUS3 ? await startPrometheus({}, { flags: FLAGS, program: PROMETHEUS3 }) : undefined;
  faults = await startFakeFaults(`${prometheus.url}/api/v1/write`);
  await configure(admins);
  await startCollector();
}, LONG);

afterAll(async () => {
  await collector?.kill();
  await Promise.all([
    faults?.stop(),
    prometheus?.stop(),
    native?.stop(),
    ...(admins ?? []).map((admin) => admin.stop()),
  ]);
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => faults?.set('pass'));

/** An admin port whose counters grow with every answer. */
function growing(name: string): Promise<FakeAdmin> {
  let count = 0;
  return startFakeAdmin((request, response) => {
    if (request.url === '/server_info') {
      const info = { version: 'c/1.40.0/Clean/RELEASE/B', state: 'LIVE', uptime_current_epoch: '600s' };
      const body = JSON.stringify({ ...info, node: { id: `${name}-1`, cluster: name } });
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    } else if (askedFor(request) === 'stats') {
      count += 3;
      sendText(response, stats(count));
    } else healthy(request, response);
  });
}

const stats = (count: number): string => `cluster.reviews.upstream_rq_2xx: ${count}
http.ingress.downstream_rq_2xx: ${2 * count}
http.ingress.downstream_rq_time:
  totals=1,0.1:${count}, 20,1:${count}
  intervals=
  summary=P0(nan,1)
`;

async function configure(targets: readonly FakeAdmin[]): Promise<void> {
  const receivers = [
    { name: 'prometheus', url: faults.url, timeout: '2s', external_labels: { cluster: 'test' } },
    ...(native ? [{ name: 'native', url: `${native.url}/api/v1/write`, send_native_histograms: true }] : []),
  ];
  const config = {
    scrape: { timeout: '1s' },
    discovery: { static: [{ targets: targets.map(({ text }) => text) }] },
    remote_write: receivers,
  };
  await writeFile(join(folder, 'sidelight.yaml'), JSON.stringify(config));
}

async function startCollector(): Promise<void> {
  collector = await startTestCollector({
    targets: [],
    configFile: join(folder, 'sidelight.yaml'),
    storagePath: join(folder, 'sidelight.db'),
    intervalSeconds: 1,
    port,
  });
}

async function status(): Promise<RemoteWriteStatus> {
  const { remoteWrite } = await getJson<StatusAnswer>(`${collector.url}/api/v1/status`);
  const [first] = remoteWrite;
  if (!first) throw new Error('no receiver');
  return first;
}

/** Waits until all that was taken by now has been sent. */
async function drained(): Promise<void> {
  const { rounds } = await status();
  await vi.waitFor(async () => {
    const now = await status();
    expect(now.rounds).toBeGreaterThan(rounds);
    expect([now.state, now.samplesPending, now.message]).toEqual(['ok', 0, '']);
  }, PATIENT);
}

async function waiting(rounds: number): Promise<void> {
  await vi.waitFor(async () => {
    const { samplesPending, series } = await status();
    expect(samplesPending).toBeGreaterThanOrEqual(rounds * series);
  }, PATIENT);
}

test('samples arrive, with the headers of remote write 1.0', async () => {
  await vi.waitFor(async () => expect(await prometheus.query('mesh_sidecar_up == 1')).toHaveLength(2), PATIENT);
  const [first] = faults.sent;
  expect(first?.headers).toMatchObject({
    'content-encoding': 'snappy',
    'content-type': 'application/x-protobuf',
    'x-prometheus-remote-write-version': '0.1.0',
    'user-agent': 'sidelight/0.1.0',
  });
  for (const { labels } of first?.series ?? []) {
    const names = labels.map(([name]) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toContain('__name__');
    expect(labels.map(([, value]) => value)).not.toContain('');
  }
  await vi.waitFor(() => expect(faults.sent.flatMap(({ metadata }) => metadata)).not.toEqual([]), PATIENT);
});

test('over a death of the receiver, errors, hangs and a death of the collector', { timeout: LONG }, async () => {
  await prometheus.restart(() => waiting(2));
  await drained();
  for (const fault of [{ status: 500 }, { status: 503 }, 'reset', 'hang'] as const) {
    faults.set(fault);
    await waiting(2);
    await vi.waitFor(async () => {
      const { state, message, lagMs } = await status();
      expect([state, message]).toEqual(['failing', expect.stringContaining('it does not take samples: ')]);
      expect(lagMs).toBeGreaterThan(0);
    }, PATIENT);
    faults.set('pass');
    await drained();
  }
  faults.set('hang');
  await waiting(2);
  await collector.kill();
  faults.set('pass');
  await startCollector();
  await drained();
});

test('a receiver that asks for time is given it', { timeout: LONG }, async () => {
  await drained();
  faults.set({ status: 429, headers: { 'retry-after': '2' } });
  const from = faults.sent.length;
  await vi.waitFor(() => expect(faults.sent.length).toBeGreaterThan(from), PATIENT);
  faults.set('pass');
  await drained();
  const [asked, next] = faults.sent.slice(from);
  expect((next?.cameAt ?? 0) - (asked?.cameAt ?? 0)).toBeGreaterThanOrEqual(1990);
});

test('what a receiver refuses for good is told, not repeated, and what comes after arrives', {
  timeout: LONG,
}, async () => {
  await drained();
  faults.set({ status: 400 });
  const { samplesDropped } = await status();
  await vi.waitFor(async () => expect((await status()).samplesDropped.refused).toBeGreaterThan(0), PATIENT);
  expect(samplesDropped).toEqual({ full: 0, damaged: 0, refused: 0 });
  faults.set('pass');
  await drained();
  expect((await status()).lastError).toEqual({ at: expect.any(Number), reason: 'it answered 400: this is' });
  expect(collector.log.join('\n')).toMatch(
    /WARN {2}remote write to prometheus: samples were refused for good reason="it answered 400: this is"/,
  );
  const refused = faults.sent.filter(({ fault }) => typeof fault === 'object' && fault.status === 400);
  const again = new Set(faults.sent.filter((one) => !refused.includes(one)).flatMap(({ series }) => series.map(timed)));
  for (const { series } of refused) for (const one of series) expect(again.has(timed(one))).toBe(false);
});

const timed = (series: DecodedSeries) => `${keyOfSeries(series)} ${series.at}`;

test('what is gone ends at once, there too', { timeout: LONG }, async () => {
  const gone = 'mesh_requests_total{service="goes",code_class="2xx",direction="inbound"}';
  expect(await prometheus.query(gone)).toHaveLength(1);
  await configure(admins.slice(0, 1));
  expect((await fetch(`${collector.url}/-/reload`, { method: 'POST' })).status).toBe(200);
  await vi.waitFor(async () => expect(await prometheus.query(gone)).toEqual([]), PATIENT);
  expect(await prometheus.query('{service="goes"}')).toEqual([]);
  expect(await prometheus.query('mesh_sidecar_up{service="stays"}')).toHaveLength(1);
  const { targets } = await getJson<TargetsAnswer>(`${collector.url}/api/v1/targets`);
  expect(targets).toHaveLength(1);
});

test('what went while the collector was down ends, too', { timeout: LONG }, async () => {
  await configure(admins);
  expect((await fetch(`${collector.url}/-/reload`, { method: 'POST' })).status).toBe(200);
  const gone = 'mesh_sidecar_up{service="goes"}';
  await vi.waitFor(async () => expect(await prometheus.query(gone)).toHaveLength(1), PATIENT);
  await collector.kill();
  await configure(admins.slice(0, 1));
  await startCollector();
  await vi.waitFor(async () => expect(await prometheus.query(gone)).toEqual([]), PATIENT);
  expect(await prometheus.query('mesh_sidecar_up{service="stays"}')).toHaveLength(1);
});

interface Matrix {
  readonly result: readonly { readonly metric: Record<string, string>; readonly values: readonly [number, string][] }[];
}

test('Prometheus has every sample that was taken, once, at its time, with its value', { timeout: LONG }, async () => {
  await drained();
  await collector.terminate();
  const accepted = faults.sent.filter(({ fault }) => typeof fault === 'string' || fault.status !== 400);
  const truth = new Map<string, Map<number, number>>();
  for (const one of accepted.flatMap(({ series }) => series)) {
    if (typeof one.value === 'object') throw new Error('a native histogram that nobody asked for');
    const samples = truth.get(keyOfSeries(one)) ?? new Map<number, number>();
    truth.set(keyOfSeries(one), samples);
    const value = one.value === 'stale' ? Number.NaN : one.value;
    expect([timed(one), samples.get(one.at) ?? value]).toEqual([timed(one), value]);
    samples.set(one.at, value);
  }
  const { result } = await prometheus.api<Matrix>(`query?query=${encodeURIComponent('{cluster="test"}[1h]')}`);
  const received = new Map(
    result.map(({ metric, values }) => {
      const labels = Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1));
      return [keyOfSeries({ labels }), values.map(([at, value]) => [Math.round(at * 1000), Number(value)])] as const;
    }),
  );
  const told = [...truth].map(([key, samples]) => {
    const living = [...samples].filter(([, value]) => !Number.isNaN(value)).sort(([a], [b]) => a - b);
    return [key, living] as const;
  });
  const alive = told.filter(([, samples]) => samples.length > 0);
  expect(received.size).toBe(alive.length);
  for (const [key, samples] of alive) expect([key, received.get(key)]).toEqual([key, samples]);
});

test('no round of any life of the collector is missing', () => {
  const rounds = new Map<number, number>();
  for (const { series } of faults.sent)
    for (const { labels, at, value } of series)
      if (
        labels.some(([, text]) => text === 'sidelight_remote_write_rounds_total') &&
        labels.some(([, text]) => text === 'prometheus')
      )
        rounds.set(at, Number(value));
  const counted = [...rounds].sort(([a], [b]) => a - b).map(([, value]) => value);
  expect(counted.filter((value) => value === 0)).toHaveLength(3);
  const inARow = counted.map((value, index) => (value === 0 ? 0 : (counted[index - 1] ?? -1) + 1));
  expect(counted).toEqual(inARow);
});

if (PROMETHEUS3) {
  test('native histograms arrive in Prometheus 3, and end', async () => {
    if (!native) throw new Error('no Prometheus 3 runs');
    const inbound = '{service="stays",direction="inbound"}';
    const counts = await valuesOf(native, `histogram_count(mesh_request_duration_seconds${inbound})`);
    expect(counts.length).toBeGreaterThan(10);
    expect(counts.filter((count) => count % 2 !== 0)).toEqual([]);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    const p99 = await valuesOf(native, `histogram_quantile(0.99, mesh_request_duration_seconds${inbound})`);
    expect(p99.length).toBeGreaterThan(0);
    for (const seconds of p99.filter((value) => !Number.isNaN(value)))
      expect(Math.abs(seconds / 0.02098 - 1)).toBeLessThan(0.03);
    expect(await valuesOf(native, `mesh_request_duration_seconds_bucket${inbound}`)).toEqual([]);
    expect(await native.query('mesh_request_duration_seconds{service="goes"}')).toEqual([]);
  });
} else {
  test('NOT RUN: native histograms in Prometheus 3 (PROMETHEUS3 is not set)', () => {
    console.warn('Not run: native histograms. The environment variable PROMETHEUS3 names no program of Prometheus 3.');
    expect(native).toBeUndefined();
  });
}

/** Distinct values of the only series over the last minutes. */
async function valuesOf(from: RunningPrometheus, expression: string): Promise<number[]> {
  const end = Date.now() / 1000;
  const range = `start=${end - 600}&end=${end}&step=1`;
  const { result } = await from.api<Matrix>(`query_range?query=${encodeURIComponent(expression)}&${range}`);
  return [...new Set(result[0]?.values.map(([, value]) => Number(value)))];
}
