/**
 * What the product shows equals what was sent: real Envoys, known traffic, a sidecar restarted and the collector
 * killed midway. Every count is compared for equality, in the API, in SQLite and in /metrics.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { codeClasses, type Hop, sumOfHops } from '../../examples/meshes/hop.ts';
import type { PlannedRequest } from '../../examples/meshes/three-services/instructions.ts';
import { Ledger } from '../../examples/meshes/three-services/ledger.ts';
import { sendPlan } from '../../examples/meshes/three-services/send.ts';
import type {
  QueryAnswer,
  ServiceAnswer,
  ServicesAnswer,
  StatusAnswer,
  TargetsAnswer,
  TopologyAnswer,
} from '../../server/api/contract.ts';
import { checkFile } from '../../server/store/sqlite/maintenance.ts';
import { getJson, startTestCollector, type TestCollector } from './collector.ts';
import { exportedRows, total } from './exported.ts';
import { parseExposition, type Sample } from './exposition.ts';
import { expectLatencyWithin } from './latency.ts';
import { startTestMesh, type TestMesh } from './mesh.ts';

const INTERVAL_SECONDS = 1;
/** An interval, what the counting may take, and the second flush of Envoy that its histograms need. */
const SETTLE_MS = 40_000;
const CONCURRENCY = 6;

const repeat = (count: number, request: PlannedRequest): PlannedRequest[] => Array(count).fill(request);

const PLAN: readonly PlannedRequest[] = [
  ...repeat(120, { delayMs: 2, calls: [{ service: 'service_b', delayMs: 5 }] }),
  ...repeat(40, { calls: [{ service: 'service_b' }, { service: 'service_c', delayMs: 15 }] }),
  ...repeat(30, { calls: [{ service: 'service_c', delayMs: 40 }] }),
  ...repeat(20, { delayMs: 110 }),
  ...repeat(15, { status: 404 }),
  ...repeat(6, { status: 301 }),
  ...repeat(5, { status: 500, delayMs: 20 }),
  ...repeat(9, { status: 404, calls: [{ service: 'service_b', status: 404 }] }),
  ...repeat(7, { calls: [{ service: 'service_b', status: 500 }] }),
  ...repeat(6, { calls: [{ service: 'service_b', retry: 'recovers', delayMs: 4 }] }),
  ...repeat(4, { calls: [{ service: 'service_b', retry: 'exhausted' }] }),
  ...repeat(5, { calls: [{ service: 'service_c', status: 503 }] }),
  ...repeat(4, { calls: [{ service: 'service_c', delayMs: 600 }] }),
];

const ledger = new Ledger();
let mesh: TestMesh;
let collector: TestCollector;
let folder: string;
let startedAt: number;

const storagePath = () => join(folder, 'sidelight.db');
/** The goal on an idle machine is the interval and a second more. */
const MOST_UNTIL_TOLD_MS = 15_000;

const since = () => `from=${startedAt}&to=${Date.now() + 60_000}`;
const api = <T>(path: string) => getJson<T>(`${collector.url}/api/v1/${path}`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidelight-e2e-'));
  mesh = await startTestMesh('three-services');
  startedAt = Date.now();
  collector = await start();
  await allScraped();
  await sendPlan(PLAN, { baseUrl: mesh.frontUrl, concurrency: CONCURRENCY, ledger });
  await settled();

  await mesh.restartEnvoy('service-b-1');
  await sendPlan(PLAN, { baseUrl: mesh.frontUrl, concurrency: CONCURRENCY, ledger });

  const port = Number(new URL(collector.url).port);
  const traffic = sendPlan(PLAN, { baseUrl: mesh.frontUrl, concurrency: CONCURRENCY, ledger });
  await vi.waitUntil(() => ledger.answered > 2.3 * PLAN.length, { timeout: SETTLE_MS, interval: 5 });
  await collector.kill();
  await vi.waitUntil(() => ledger.answered > 2.8 * PLAN.length, { timeout: SETTLE_MS, interval: 5 });
  collector = await start(port);
  await traffic;
  await settled();
}, 180_000); // the first start on a machine installs Envoy

afterAll(async () => {
  await collector?.terminate();
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

function start(port?: number): Promise<TestCollector> {
  const targets = mesh.targets.map(({ address }) => address);
  const options = { targets, storagePath: storagePath(), intervalSeconds: INTERVAL_SECONDS };
  return startTestCollector(port === undefined ? options : { ...options, port });
}

async function allScraped(): Promise<void> {
  await vi.waitFor(async () => {
    const { scrape } = await api<StatusAnswer>('status');
    expect([scrape.up, scrape.targets]).toEqual([mesh.targets.length, mesh.targets.length]);
  }, SETTLE_MS);
}

/** Waits until every request and every latency sample that was sent has been counted. */
async function settled(): Promise<void> {
  await vi.waitFor(
    async () => {
      for (const [service, expected] of Object.entries(services())) {
        const { requests, latencySamples } = await api<ServiceAnswer>(`services/${service}?${since()}`);
        expect([service, requests, latencySamples]).toEqual([service, expected.requests, expected.requests]);
      }
      const { edges } = await api<TopologyAnswer>(`topology?${since()}`);
      const sent = edges.map(({ source, target, requests }) => [source, target, requests]);
      expect(sent.sort()).toEqual(
        calls()
          .map(([caller, called, hop]) => [caller, called, hop.requests])
          .sort(),
      );
    },
    { timeout: SETTLE_MS, interval: 200 },
  );
}

/** Requests of a service by what its instances received. */
function services(): Record<string, Hop> {
  return {
    'front-proxy': ledger.inbound('front-proxy'),
    service_a: ledger.inbound('service-a'),
    service_b: sumOfHops([ledger.inbound('service-b-1'), ledger.inbound('service-b-2')]),
    service_c: ledger.inbound('service-c'),
  };
}

const INSTANCES: Readonly<Record<string, readonly [service: string, region: string]>> = {
  'front-proxy': ['front-proxy', 'eu-west-1'],
  'service-a': ['service_a', 'eu-west-1'],
  'service-b-1': ['service_b', 'eu-west-1'],
  'service-b-2': ['service_b', 'us-east-1'],
  'service-c': ['service_c', 'eu-west-1'],
};

function calls(): [caller: string, called: string, hop: Hop][] {
  return [
    ['front-proxy', 'service_a', ledger.outbound('front-proxy', 'service_a')],
    ['service_a', 'service_b', ledger.outbound('service_a', 'service_b')],
    ['service_a', 'service_c', ledger.outbound('service_a', 'service_c')],
  ];
}

test('every request was answered and the mesh did what was planned', () => {
  expect(ledger.unanswered).toEqual([]);
  expect(ledger.answered).toBe(3 * PLAN.length);
  expect(mesh.messages).toEqual([]);
});

describe('the API', () => {
  test('/services shows every service with exactly what was sent', async () => {
    const answer = await api<ServicesAnswer>(`services?${since()}`);
    const shown = answer.services.map(({ service, vantage, role, requests, codeClasses, timeouts, state }) => {
      return { service, vantage, role, requests, codeClasses, timeouts, state };
    });
    const expected = Object.entries(services()).map(([service, { requests, byClass, timeouts }]) => {
      const role = service === 'front-proxy' ? 'gateway' : 'sidecar';
      return { service, vantage: 'server', role, requests, codeClasses: byClass, timeouts, state: 'ok' };
    });
    expect(shown).toEqual(expected);
    for (const { service, requests, errorRate, successRate } of answer.services) {
      const failed = services()[service]?.byClass['5xx'] ?? 0;
      expect(errorRate).toBeCloseTo(failed / (requests ?? 0), 12);
      expect(successRate).toBeCloseTo(1 - failed / (requests ?? 0), 12);
    }
  });

  test.each(Object.entries(INSTANCES))(
    'the figures of instance %s are its own',
    async (instance, [service, region]) => {
      const { byInstance } = await api<ServiceAnswer>(`services/${service}?${since()}`);
      const own = byInstance.find((row) => row.instance === instance);
      const hop = ledger.inbound(instance);
      expect(own).toMatchObject({
        region,
        requests: hop.requests,
        codeClasses: hop.byClass,
        timeouts: hop.timeouts,
        health: 'up',
      });
    },
  );

  test('regions of service_b are told apart', async () => {
    const { byRegion } = await api<ServiceAnswer>(`services/service_b?${since()}`);
    expect(byRegion.map(({ region, requests }) => [region, requests])).toEqual([
      ['eu-west-1', ledger.inbound('service-b-1').requests],
      ['us-east-1', ledger.inbound('service-b-2').requests],
    ]);
  });

  test('edges show what the callers counted, by class, with their retries', async () => {
    const { edges } = await api<TopologyAnswer>(`topology?${since()}`);
    for (const [source, target, hop] of calls()) {
      const edge = edges.find((one) => one.source === source && one.target === target);
      expect(edge).toMatchObject({ requests: hop.requests, codeClasses: hop.byClass, retries: hop.retries });
    }
    expect(edges).toHaveLength(calls().length);
  });

  test('upstreams and downstreams of service_a are its callers and called', async () => {
    const answer = await api<ServiceAnswer>(`services/service_a?${since()}`);
    const rows = (peers: { service: string; requests: number | null }[]) =>
      peers.map(({ service, requests }) => [service, requests]);
    expect(rows(answer.upstreams)).toEqual([
      ['service_b', ledger.outbound('service_a', 'service_b').requests],
      ['service_c', ledger.outbound('service_a', 'service_c').requests],
    ]);
    expect(rows(answer.downstreams)).toEqual([['front-proxy', ledger.outbound('front-proxy', 'service_a').requests]]);
  });

  test('timeouts of service_c are told as such', async () => {
    const { failures, timeouts } = await api<ServiceAnswer>(`services/service_c?${since()}`);
    expect(failures).toEqual({ timeout: ledger.inbound('service-c').timeouts });
    expect(timeouts).toBe(ledger.inbound('service-c').timeouts);
  });

  test.each(['10s', '7s', '1m'])('steps of %s add up to what was sent', async (step) => {
    const answer = await api<QueryAnswer>(
      `query?signal=requests&by=service,instance,region,code_class&step=${step}&${since()}`,
    );
    const sums = new Map(
      answer.series.map(({ labels, points }) => [`${labels.instance} ${labels.code_class}`, sumPoints(points)]),
    );
    for (const instance of Object.keys(INSTANCES)) {
      for (const name of codeClasses)
        expect(sums.get(`${instance} ${name}`)).toBe(ledger.inbound(instance).byClass[name]);
    }
  });

  test('what service_a sent adds up by peer and class', async () => {
    const answer = await api<QueryAnswer>(
      `query?signal=requests&by=peer,code_class&direction=outbound&service=service_a&step=10s&${since()}`,
    );
    for (const { labels, points } of answer.series) {
      const name = codeClasses.find((known) => known === labels.code_class) ?? '2xx';
      expect(sumPoints(points)).toBe(ledger.outbound('service_a', labels.peer ?? '').byClass[name]);
    }
    expect(answer.series).toHaveLength(8);
  });

  test('targets are up and known by what their Envoys say', async () => {
    const { targets } = await api<TargetsAnswer>('targets');
    expect(
      targets.map(({ labels, health, lastError }) => [
        labels.service,
        labels.instance,
        labels.region,
        health,
        lastError,
      ]),
    ).toEqual(Object.entries(INSTANCES).map(([instance, [service, region]]) => [service, instance, region, 'up', '']));
  });
});

function sumPoints(points: QueryAnswer['series'][number]['points']): number {
  return points.reduce((sum, [, value]) => sum + (value ?? 0), 0);
}

describe('latency', () => {
  test.each(['front-proxy', 'service_a', 'service_b', 'service_c'])(
    'percentiles of %s lie within the bins of the sent delays',
    async (service) => {
      const answer = await api<ServiceAnswer>(`services/${service}?${since()}`);
      const hop = services()[service];
      if (!hop) throw new Error(`no hop ${service}`);
      expect(answer.latencySamples).toBe(hop.requests);
      expect(answer.precision).toMatchObject({ method: 'bins', source: 'downstream', capped: false });
      expectLatencyWithin(answer, hop);
    },
  );

  test('percentiles by instance show which one is slow', async () => {
    const { byInstance } = await api<ServiceAnswer>(`services/service_b?${since()}`);
    for (const row of byInstance) expectLatencyWithin(row, ledger.inbound(row.instance));
    const [first, second] = byInstance;
    expect(second?.latencyMs.p50).toBeGreaterThan(2 * (first?.latencyMs.p50 ?? Number.POSITIVE_INFINITY));
  });

  test.each([0, 1, 2])('percentiles of call %i as the caller saw it', async (index) => {
    const [source, target, hop] = calls()[index] ?? ['', '', ledger.inbound('')];
    const { edges } = await api<TopologyAnswer>(`topology?${since()}`);
    const edge = edges.find((one) => one.source === source && one.target === target);
    if (!edge) throw new Error(`no edge ${source} to ${target}`);
    expect(edge.precision).toMatchObject({ source: 'upstream', capped: false });
    expectLatencyWithin(edge, hop);
  });
});

describe('SQLite', () => {
  test('the file is whole', () => expect(checkFile(storagePath(), () => {})).toEqual([]));

  test.each(['inbound', 'outbound'])('the file holds the same %s counts for sidelight db export', async (direction) => {
    const exported = (await exportedRows(storagePath())).filter((row) => row.direction === direction);
    const flows = Map.groupBy(exported, ({ instance, peer }) => JSON.stringify([instance, peer]));
    const rows = [...flows]
      .map(([, members]) => ({
        instance: members[0]?.instance,
        peer: members[0]?.peer,
        ...Object.fromEntries(codeClasses.map((name) => [name, total(members, `requests_${name}`)])),
      }))
      .sort((a, b) => (`${a.instance} ${a.peer}` < `${b.instance} ${b.peer}` ? -1 : 1));
    const inbound = Object.keys(INSTANCES).map((instance) => ({
      instance,
      peer: '',
      ...ledger.inbound(instance).byClass,
    }));
    const outbound = calls().map(([caller, peer, hop]) => ({
      instance: caller.replace('_', '-'),
      peer,
      ...hop.byClass,
    }));
    expect(rows).toEqual(direction === 'inbound' ? inbound : outbound);
  });
});

describe('/metrics', () => {
  let samples: Sample[];

  beforeAll(async () => {
    samples = parseExposition(await (await fetch(`${collector.url}/metrics`)).text());
  });

  function sumOfSamples(name: string, labels: Record<string, string>): number {
    const found = samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    expect(found.length).toBeGreaterThan(0);
    return found.reduce((sum, { value }) => sum + value, 0);
  }

  test.each(Object.keys(INSTANCES))('counters of instance %s equal what it received', (instance) => {
    const hop = ledger.inbound(instance);
    for (const name of codeClasses) {
      expect(sumOfSamples('mesh_requests_total', { instance, direction: 'inbound', code_class: name })).toBe(
        hop.byClass[name],
      );
    }
    expect(sumOfSamples('mesh_request_duration_seconds_count', { instance, direction: 'inbound' })).toBe(hop.requests);
    expect(sumOfSamples('mesh_request_failures_total', { instance, direction: 'inbound', reason: 'timeout' })).toBe(
      hop.timeouts,
    );
  });

  test('counters of calls equal what was sent', () => {
    for (const [service, peer, hop] of calls()) {
      for (const name of codeClasses) {
        expect(sumOfSamples('mesh_requests_total', { service, peer, direction: 'outbound', code_class: name })).toBe(
          hop.byClass[name],
        );
      }
      expect(sumOfSamples('mesh_request_retries_total', { service, peer, direction: 'outbound' })).toBe(hop.retries);
    }
  });
});

describe('freshness', () => {
  test('a request is soon in the API: the figure is printed, its bound is wide', async () => {
    const before = ledger.answered;
    await sendPlan([{ status: 404 }], { baseUrl: mesh.frontUrl, concurrency: 1, ledger });
    const sentAt = performance.now();
    await vi.waitFor(
      async () => {
        const { requests } = await api<ServiceAnswer>(`services/front-proxy?${since()}`);
        expect(requests).toBe(before + 1);
      },
      { timeout: MOST_UNTIL_TOLD_MS, interval: 20 },
    );
    const took = performance.now() - sentAt;
    console.log(`a request was in the API after ${took.toFixed(0)} ms, at an interval of ${INTERVAL_SECONDS} s`);
  });
});
