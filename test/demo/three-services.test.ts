import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { httpGet, keepAliveAgent } from '../../examples/meshes/http-client.ts';
import type { PlannedRequest } from '../../examples/meshes/three-services/instructions.ts';
import { type Hop, Ledger } from '../../examples/meshes/three-services/ledger.ts';
import { sendPlan } from '../../examples/meshes/three-services/send.ts';
import { type AppLedger, apps } from '../../examples/meshes/three-services/services.ts';
import { startTestMesh, type TestMesh } from '../e2e/mesh.ts';
import { type Bin, type EnvoyStats, readEnvoyStats } from '../e2e/mesh-stats.ts';

const repeat = (count: number, request: PlannedRequest): PlannedRequest[] => Array(count).fill(request);

const plan: PlannedRequest[] = [
  ...repeat(8, { delayMs: 5, calls: [{ service: 'service_b', delayMs: 10 }] }),
  ...repeat(6, { calls: [{ service: 'service_b' }, { service: 'service_c', delayMs: 30 }] }),
  ...repeat(6, {
    calls: [
      { service: 'service_c', delayMs: 3 },
      { service: 'service_c', delayMs: 12 },
    ],
  }),
  ...repeat(5, { status: 404 }),
  ...repeat(2, { status: 301 }),
  ...repeat(3, { status: 500, delayMs: 20 }),
  ...repeat(4, { status: 404, calls: [{ service: 'service_b', status: 404 }] }),
  ...repeat(4, { calls: [{ service: 'service_b', status: 500 }] }),
  ...repeat(3, { calls: [{ service: 'service_b', retry: 'recovers', delayMs: 4 }] }),
  ...repeat(3, { calls: [{ service: 'service_b', retry: 'recovers', status: 403 }] }),
  ...repeat(3, { calls: [{ service: 'service_b', retry: 'exhausted' }] }),
  ...repeat(2, { calls: [{ service: 'service_c', status: 503 }] }),
  ...repeat(3, { calls: [{ service: 'service_c', delayMs: 600 }] }),
  ...repeat(1, { status: 200, calls: [{ service: 'service_c', delayMs: 600 }, { service: 'service_b' }] }),
];

let mesh: TestMesh;
const ledger = new Ledger();

beforeAll(async () => {
  mesh = await startTestMesh();
  await sendPlan(plan, { baseUrl: mesh.frontUrl, concurrency: 4, ledger });
}, 120_000); // the first start on a machine installs Envoy

afterAll(() => mesh?.stop());

/** Where each hop's requests are counted: the Envoy, the counters' prefix, the histogram, and what the ledger says. */
const hops: [envoy: string, prefix: string, hop: () => Hop][] = [
  ['front-proxy', 'http.ingress_http.downstream_rq', () => ledger.inbound('front-proxy')],
  ['front-proxy', 'cluster.service_a.upstream_rq', () => ledger.outbound('front-proxy', 'service_a')],
  ['service-a', 'http.ingress.downstream_rq', () => ledger.inbound('service-a')],
  ['service-a', 'cluster.service_a.upstream_rq', () => ledger.inbound('service-a')],
  ['service-a', 'cluster.service_b.upstream_rq', () => ledger.outbound('service_a', 'service_b')],
  ['service-a', 'cluster.service_c.upstream_rq', () => ledger.outbound('service_a', 'service_c')],
  ['service-b-1', 'http.ingress.downstream_rq', () => ledger.inbound('service-b-1')],
  ['service-b-1', 'cluster.service_b.upstream_rq', () => ledger.inbound('service-b-1')],
  ['service-b-2', 'http.ingress.downstream_rq', () => ledger.inbound('service-b-2')],
  ['service-b-2', 'cluster.service_b.upstream_rq', () => ledger.inbound('service-b-2')],
  ['service-c', 'http.ingress.downstream_rq', () => ledger.inbound('service-c')],
  ['service-c', 'cluster.service_c.upstream_rq', () => ledger.inbound('service-c')],
];

const instances = ['front-proxy', 'service-a', 'service-b-1', 'service-b-2', 'service-c'];

function statsOf(instance: string): Promise<EnvoyStats> {
  const target = mesh.targets[instances.indexOf(instance)];
  if (target === undefined) throw new Error(`no target ${instance}`);
  return readEnvoyStats(target.address);
}

test('every request of the plan is answered', () => {
  expect([ledger.answered, ledger.unanswered]).toEqual([plan.length, []]);
  expect(ledger.outbound('service_a', 'service_b').retries).toBe(9);
  expect(ledger.inbound('service-c').timeouts).toBeGreaterThanOrEqual(4);
});

test.for(hops)('the ledger equals what Envoy counted: %s %s', async ([envoy, prefix, expected]) => {
  const stats = await statsOf(envoy);
  const hop = expected();
  const counted = (name: string) => stats.value(`${prefix}_${name}`);
  const classes = Object.keys(hop.byClass).map((name) => [name, counted(name)]);
  expect(Object.fromEntries(classes)).toEqual(hop.byClass);
  expect(counted('completed')).toBe(hop.requests);
  expect(hop.requests).toBeGreaterThan(0);
  if (!prefix.startsWith('cluster.')) return;
  expect({ timeouts: counted('timeout'), retries: counted('retry') }).toEqual({
    timeouts: hop.timeouts,
    retries: hop.retries,
  });
});

/** Timeouts have no sample in the cluster that timed out, so the callee's own figure is the connection manager's. */
const withSampleOfEveryRequest = hops.filter(([envoy, prefix]) => !(envoy === 'service-c' && prefix.startsWith('cl')));

test.for(withSampleOfEveryRequest)(
  'what Envoy measured lies within the ledger: %s %s',
  async ([envoy, prefix, hop]) => {
    const { delaysMs, observedMs, requests } = hop();
    const samples = await vi.waitFor(async () => {
      const bins = (await statsOf(envoy)).bins(`${prefix}_time`);
      const all = bins.flatMap((bin): Bin[] => Array(bin.count).fill(bin));
      expect(all).toHaveLength(requests); // complete after Envoy's next flush
      return all;
    }, 5_000);
    const ascending = (values: number[]) => values.toSorted((a, b) => a - b);
    const shortest = ascending(delaysMs);
    const longest = ascending(observedMs);
    for (const [rank, { lower, width }] of samples.entries()) {
      expect(lower + Math.max(1, width)).toBeGreaterThan(Math.floor(shortest[rank] ?? 0));
      expect(lower).toBeLessThanOrEqual(longest[rank] ?? 0);
    }
  },
);

test('the applications answered what the ledger says', async () => {
  const agent = keepAliveAgent();
  for (const { instance, port } of apps) {
    const { body } = await httpGet(`http://127.0.0.1:${port + mesh.portOffset}/ledger`, agent);
    const { byStatus, aborted }: AppLedger = JSON.parse(body);
    const answered = Object.values(byStatus).reduce((sum, count) => sum + count, 0);
    const { requests, timeouts } = ledger.inbound(instance);
    expect([instance, answered, aborted]).toEqual([instance, requests - timeouts, timeouts]);
  }
  agent.destroy();
});

test('the slow instance is slow', () => {
  expect(Math.max(...ledger.inbound('service-b-1').delaysMs)).toBeGreaterThanOrEqual(0);
  expect(Math.min(...ledger.inbound('service-b-2').delaysMs)).toBeGreaterThan(55);
});
