/**
 * What PromQL says of Sidelight's /metrics is what Sidelight says: a real Prometheus scrapes a collector on real Envoys
 * with known traffic, in OpenMetrics and in plain text, and the Envoys themselves by http_sd.
 */

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { PlannedRequest } from '../../examples/meshes/three-services/instructions.ts';
import { Ledger } from '../../examples/meshes/three-services/ledger.ts';
import { sendPlan } from '../../examples/meshes/three-services/send.ts';
import type { HttpSdAnswer, ServiceAnswer, StatusAnswer, TopologyAnswer } from '../../server/api/contract.ts';
import type { PrometheusSeries, RunningPrometheus } from '../running-prometheus.ts';
import { describeBoards } from './boards-on-prometheus.ts';
import { PATIENT, PREFIXES, PROMETHEUS3, type Prefix, PrometheusRun } from './prometheus-run.ts';

const repeat = (count: number, request: PlannedRequest): PlannedRequest[] => Array(count).fill(request);

const PLAN: readonly PlannedRequest[] = Array.from({ length: 6 }, () => [
  ...repeat(60, { delayMs: 2, calls: [{ service: 'service_b', delayMs: 5 }] }),
  ...repeat(30, { calls: [{ service: 'service_b' }, { service: 'service_c', delayMs: 15 }] }),
  ...repeat(20, { calls: [{ service: 'service_c', delayMs: 40 }] }),
  ...repeat(10, { delayMs: 110 }),
  ...repeat(5, { status: 404 }),
  ...repeat(2, { status: 500, delayMs: 20 }),
  ...repeat(3, { calls: [{ service: 'service_b', retry: 'recovers', delayMs: 4 }] }),
  ...repeat(1, { calls: [{ service: 'service_b', retry: 'exhausted' }] }),
  ...repeat(2, { calls: [{ service: 'service_c', delayMs: 600 }] }),
]).flat();

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const SERVICES = ['front-proxy', 'service_a', 'service_b', 'service_c'];
/** Prometheus adds it: how the scrape went by. */
const withoutJob = ({ labels: { job, ...labels }, value }: PrometheusSeries) => ({ labels, value });

const ledger = new Ledger();
let run: PrometheusRun;
/**
 * What is compared, in each format: whole seconds, as the API wants them, with nothing under way at either end; PromQL
 * is asked of as long a time that ends with a scrape, so that it need not extrapolate.
 */
const windows = new Map<Prefix, { from: number; to: number; at: number }>();
const wholeSeconds = (moment: number): number => Math.ceil(moment / 1000) * 1000;

beforeAll(async () => {
  run = await PrometheusRun.start();
  const from = wholeSeconds(Math.max(...(await lastScrapes()).values()));
  await run.scrapedSince(from);
  await sendPlan(PLAN, { baseUrl: run.mesh.frontUrl, concurrency: 4, ledger });
  await vi.waitFor(async () => {
    for (const prefix of PREFIXES) {
      for (const metric of ['mesh_requests_total', 'mesh_request_duration_seconds_count']) {
        const [sum] = await run.prometheus.query(`sum(${prefix}${metric}{service="service_a",direction="inbound"})`);
        expect(sum?.value).toBe(PLAN.length);
      }
    }
  }, PATIENT);
  const settledAt = Date.now();
  await run.scrapedSince(settledAt);
  await vi.waitFor(async () => {
    expect(Math.min(...(await lastScrapes()).values())).toBeGreaterThan(settledAt);
  }, PATIENT);
  for (const [prefix, at] of await lastScrapes()) windows.set(prefix, { from, to: wholeSeconds(at), at });
  await run.scrapedSince(Math.max(...[...windows.values()].map(({ to }) => to)));
}, 180_000); // the first start on a machine installs Envoy

afterAll(() => run?.stop());

async function lastScrapes(): Promise<Map<Prefix, number>> {
  return new Map(await Promise.all(PREFIXES.map(async (prefix) => [prefix, await run.lastScrape(prefix)] as const)));
}

function windowOf(prefix: Prefix) {
  const { from, to, at } = windows.get(prefix) ?? { from: 0, to: 0, at: 0 };
  return { from, to, at, range: `[${to - from}ms]`, parameters: `from=${from}&to=${to}` };
}

function summaryOf(prefix: Prefix, service: string): Promise<ServiceAnswer> {
  return run.api<ServiceAnswer>(`services/${service}?${windowOf(prefix).parameters}`);
}

async function only(prefix: Prefix, expression: string): Promise<number> {
  const series = await run.prometheus.query(expression, windowOf(prefix).at);
  expect([expression, series]).toEqual([expression, [expect.anything()]]);
  return series[0]?.value ?? Number.NaN;
}

function expectWithinOnePercent(shown: number, told: number | null): void {
  expect(told).toBeGreaterThan(0);
  expect(Math.abs(shown / (told ?? 0) - 1)).toBeLessThan(0.01);
}

test('every request was answered, and Prometheus asked in both formats', async () => {
  expect(ledger.unanswered).toEqual([]);
  const { activeTargets } = await run.prometheus.targets();
  expect(new Set(activeTargets.map(({ scrapePool, health }) => `${scrapePool} ${health}`))).toEqual(
    new Set(['sidelight up', 'sidelight-text up', 'envoys up']),
  );
  expect([...run.contentTypes].sort()).toEqual([
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ...(PROMETHEUS3 ? [PROTOBUF] : []),
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
});

test.each(['mesh_requests_total', 'mesh_request_duration_seconds_bucket', 'mesh_sidecar_info', 'mesh_endpoints'])(
  'both formats tell the same of %s, under the labels of the mesh',
  async (metric) => {
    const { to } = windowOf('');
    const openMetrics = (await run.prometheus.query(metric, to)).map(withoutJob);
    const text = (await run.prometheus.query(`text_${metric}`, to)).map(withoutJob);
    const named = text.map(({ labels, value }) => ({ labels: { ...labels, __name__: metric }, value }));
    expect(openMetrics.length).toBeGreaterThan(4);
    expect(sorted(named)).toEqual(sorted(openMetrics));
  },
);

/** OpenMetrics writes a bound of 1 as `1.0`, plain text as `1`. */
function sorted(series: readonly Pick<PrometheusSeries, 'labels' | 'value'>[]): string[] {
  return series
    .map(({ labels: { le = '', ...labels }, value }) => {
      return `${JSON.stringify(Object.entries(labels).sort())} ${le.replace(/\.0$/, '')} ${value}`;
    })
    .sort();
}

describe.each(PREFIXES)('over %smesh_…', (prefix) => {
  test.each(SERVICES)('rate and increase of %s are those of the API within one percent', async (service) => {
    const { range } = windowOf(prefix);
    const inbound = `${prefix}mesh_requests_total{service="${service}",direction="inbound"}${range}`;
    const { requestRate, requests, windowMs } = await summaryOf(prefix, service);
    expect(`[${windowMs}ms]`).toBe(range);
    expectWithinOnePercent(await only(prefix, `sum(rate(${inbound}))`), requestRate);
    expectWithinOnePercent(await only(prefix, `sum(increase(${inbound}))`), requests);
  });

  test('rates of calls are those of the API within one percent', async () => {
    const { range, parameters } = windowOf(prefix);
    const { edges } = await run.api<TopologyAnswer>(`topology?${parameters}`);
    expect(edges).toHaveLength(3);
    for (const { source, target, requestRate } of edges) {
      const calls = `${prefix}mesh_requests_total{service="${source}",peer="${target}",direction="outbound"}`;
      expectWithinOnePercent(await only(prefix, `sum(rate(${calls}${range}))`), requestRate);
    }
  });

  test.each(SERVICES)('the p99 of %s lies within a bucket of that of the API', async (service) => {
    const { range, to } = windowOf(prefix);
    const bucket = `${prefix}mesh_request_duration_seconds_bucket{service="${service}",direction="inbound"}`;
    const shown = await only(prefix, `histogram_quantile(0.99, sum by (le) (rate(${bucket}${range})))`);
    const told = ((await summaryOf(prefix, service)).latencyMs.p99 ?? Number.NaN) / 1000;
    const bounds = [
      0,
      ...(await run.prometheus.query(`sum by (le) (${bucket})`, to)).map(({ labels }) => Number(labels.le)),
    ];
    const upper = Math.min(...bounds.filter((bound) => bound >= told));
    const lower = Math.max(...bounds.filter((bound) => bound < told));
    expect(upper).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(shown).toBeGreaterThanOrEqual(lower);
    expect(shown).toBeLessThanOrEqual(upper);
  });
});

if (PROMETHEUS3) {
  test.each(SERVICES)(
    'native histograms of %s, by protobuf, have the count of the API and its p99 within three percent',
    async (service) => {
      const prometheus = run.withNative;
      if (!prometheus) throw new Error('no Prometheus 3 runs');
      const { from } = windowOf('');
      const { latencyMs, requests } = await summaryOf('', service);
      const match = `{service="${service}",direction="inbound"}`;
      await vi.waitFor(async () => {
        const [classic] = await prometheus.query(`sum(mesh_request_duration_seconds_count${match})`);
        const [native] = await prometheus.query(`histogram_count(sum(mesh_request_duration_seconds${match}))`);
        expect([native?.value, classic?.value]).toEqual([requests, requests]);
      }, PATIENT);
      const rate = `rate(mesh_request_duration_seconds${match}[${Date.now() - from}ms])`;
      const [p99] = await prometheus.query(`histogram_quantile(0.99, sum(${rate}))`);
      const told = (latencyMs.p99 ?? Number.NaN) / 1000;
      expect(Math.abs((p99?.value ?? Number.NaN) / told - 1)).toBeLessThan(0.03);
    },
  );

  test.each(SERVICES)(
    'what is pushed of %s by OTLP has the count of the API and its p99 within three percent',
    async (service) => {
      const prometheus = run.byOtlp;
      if (!prometheus) throw new Error('no Prometheus 3 runs');
      const { from } = windowOf('');
      const { latencyMs, requests, successRate } = await summaryOf('', service);
      const match = `{service_name="${service}",direction="inbound"}`;
      await vi.waitFor(async () => {
        const [count] = await prometheus.query(`sum(mesh_requests_total${match})`);
        const [native] = await prometheus.query(`histogram_count(sum(mesh_request_duration_seconds${match}))`);
        const [failed] = await prometheus.query(`sum(mesh_failed_requests_total${match})`);
        expect([count?.value, native?.value]).toEqual([requests, requests]);
        expect(1 - (failed?.value ?? 0) / (requests ?? 0)).toBeCloseTo(successRate ?? 0, 12);
      }, PATIENT);
      const rate = `rate(mesh_request_duration_seconds${match}[${Date.now() - from}ms])`;
      const [p99] = await prometheus.query(`histogram_quantile(0.99, sum(${rate}))`);
      const told = (latencyMs.p99 ?? Number.NaN) / 1000;
      expect(Math.abs((p99?.value ?? Number.NaN) / told - 1)).toBeLessThan(0.03);
    },
  );

  test('metrics have the same names by OTLP as at /metrics, the collector’s own too', async () => {
    const names = async (prometheus: RunningPrometheus | undefined) => {
      const series = (await prometheus?.query('count by (__name__) ({__name__=~"mesh_.+|sidelight_.+"})')) ?? [];
      const bare = series.map(({ labels }) => (labels.__name__ ?? '').replace(/_(bucket|sum|count)$/, ''));
      return [...new Set(bare)].sort();
    };
    const shown = await names(run.withNative);
    expect(shown.length).toBeGreaterThan(40);
    await vi.waitFor(async () => expect(await names(run.byOtlp)).toEqual(shown), PATIENT);
  });

  test('/api/v1/status tells how pushing goes', async () => {
    const { otlp } = await run.api<StatusAnswer>('status');
    expect(otlp).toMatchObject({
      endpoint: run.byOtlp?.url,
      temporality: 'cumulative',
      problem: '',
      dropped: 0,
      rejected: 0,
    });
    expect(otlp?.accepted).toBeGreaterThan(1000);
  });
} else {
  test('NOT RUN: native histograms and OTLP in Prometheus 3 (PROMETHEUS3 is not set)', () => {
    console.warn(
      'Not run: native histograms and OTLP. The environment variable PROMETHEUS3 names no program of Prometheus 3.',
    );
    expect([run.withNative, run.byOtlp]).toEqual([undefined, undefined]);
  });
}

describeBoards(() => ({ prometheus: run.prometheus, from: windowOf('').from, to: windowOf('').at }));

/** The addresses of `http_sd`, and of the Envoys that Prometheus knows. */
async function discovered(): Promise<{ told: string[]; taken: string[] }> {
  const groups = await run.api<HttpSdAnswer>('http_sd');
  const told = groups.flatMap(({ targets, labels }) =>
    targets.map((address) => `${address} ${labels.service} ${labels.region}`),
  );
  const { activeTargets } = await run.prometheus.targets();
  const taken = activeTargets
    .filter(({ scrapePool }) => scrapePool === 'envoys')
    .map(({ discoveredLabels, labels }) => `${discoveredLabels.__address__} ${labels.service} ${labels.region}`);
  return { told: told.sort(), taken: taken.sort() };
}

test('Prometheus takes the targets of http_sd, with their labels, and scrapes them', async () => {
  const { told, taken } = await discovered();
  expect(taken).toEqual(told);
  expect(taken.map((line) => line.split(' ')[0])).toEqual(run.mesh.targets.map(({ address }) => address).sort());
  const counted = await run.prometheus.query('count by (service) (envoy_server_live{job="envoys"} == 1)');
  expect(counted.map(({ labels, value }) => `${labels.service} ${value}`).sort()).toEqual([
    'front-proxy 1',
    'service_a 1',
    'service_b 2',
    'service_c 1',
  ]);
});

describe('once a target is gone', () => {
  test('its series end at once, the others go on, and no counter of theirs falls', async () => {
    const [gone] = (await run.api<HttpSdAnswer>('http_sd?instance=service-b-2')).flatMap(({ targets }) => targets);
    await run.removeTarget(gone ?? '');
    await vi.waitFor(async () => {
      for (const prefix of PREFIXES)
        expect(await run.prometheus.query(`{__name__=~"${prefix}mesh_.*",instance="service-b-2"}`)).toEqual([]);
    }, PATIENT);
    const up = await run.prometheus.query('mesh_sidecar_up');
    expect(up.map(({ labels }) => labels.instance).sort()).toEqual([
      'front-proxy',
      'service-a',
      'service-b-1',
      'service-c',
    ]);
    expect(await run.prometheus.query('resets(mesh_requests_total[2m]) > 0')).toEqual([]);
  });

  test('http_sd takes it away from Prometheus too', async () => {
    await vi.waitFor(async () => {
      const { told, taken } = await discovered();
      expect([told.length, taken]).toEqual([4, told]);
    }, PATIENT);
  });

  test('a stopped collector leaves nothing behind', async () => {
    expect(await run.collector.terminate()).toBe(0);
    await vi.waitFor(async () => {
      expect(await run.prometheus.query('{__name__=~"mesh_.*|sidelight_.*"}')).toEqual([]);
      expect((await run.prometheus.query('up{job="sidelight"}')).map(({ value }) => value)).toEqual([0]);
    }, PATIENT);
  });
});
