/** Outbound-only sidecars in two regions: services are seen by their callers only, and endpoints change under traffic. */

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ControlPlane } from '../../examples/meshes/basic/endpoints.ts';
import { entries, ledgerOptions } from '../../examples/meshes/basic/traffic.ts';
import { sumOfHops } from '../../examples/meshes/hop.ts';
import { MeshLedger } from '../../examples/meshes/ledger.ts';
import { type EntryRequest, sendPlan } from '../../examples/meshes/sender.ts';
import type { ServicesAnswer } from '../../server/api/contract.ts';
import { MeshRun } from './mesh-run.ts';
import { readEnvoyStats } from './mesh-stats.ts';
import type { Truth } from './truth.ts';
import { describeTruth } from './truth-suite.ts';

const repeat = (count: number, entry: string, request: Omit<EntryRequest, 'entry' | 'to'>): EntryRequest[] =>
  Array(count).fill({ entry, to: 'shop', ...request });

const PLAN: readonly EntryRequest[] = ['eu', 'us'].flatMap((entry) => [
  ...repeat(20, entry, { calls: [{ to: 'catalog', delayMs: 4 }] }),
  ...repeat(14, entry, { delayMs: 2, calls: [{ to: 'catalog', calls: [{ to: 'stock', delayMs: 3 }] }] }),
  ...repeat(9, entry, { calls: [{ to: 'stock' }, { to: 'catalog' }] }),
  ...repeat(6, entry, { status: 404 }),
  ...repeat(5, entry, { calls: [{ to: 'stock', status: 404 }] }),
  ...repeat(4, entry, { calls: [{ to: 'stock', status: 500 }] }),
  ...repeat(3, entry, { calls: [{ to: 'catalog', status: 503 }] }),
]);

const ledger = new MeshLedger(ledgerOptions);
let run: MeshRun;

const REGIONS = { eu: 'eu-west-1', us: 'us-east-1' } as const;
const SERVICES = ['catalog', 'shop', 'stock'];

/** The calls of `shop` to `catalog` went to its instances and to the other region's front proxy at once. */
const LATENCY_TOLD = [
  ['front-proxy', 'shop'],
  ['front-proxy', 'catalog'],
  ['shop', 'stock'],
  ['catalog', 'stock'],
] as const;

const truth = (): Truth => {
  const instances: Record<string, Truth['instances'][string]> = {};
  for (const [suffix, region] of Object.entries(REGIONS)) {
    const front = `front-proxy-${suffix}`;
    instances[front] = { service: 'front-proxy', region, inbound: ledger.inbound(front) };
    for (const service of SERVICES) instances[`${service}-${suffix}`] = { service, region };
  }
  const calls = Object.keys(instances).flatMap((from) => {
    const isGateway = from.startsWith('front-proxy');
    const hopTo = (to: string) => (isGateway ? ledger.outbound(from, to) : ledger.direct(from, to));
    const toServices = SERVICES.map((to) => ({ from, to, hop: hopTo(to) }));
    const gateways = Object.keys(REGIONS).map((suffix) => ledger.relayed(from, `front-proxy-${suffix}`));
    return [...toServices, { from, to: 'front-proxy', hop: sumOfHops(gateways) }];
  });
  return { instances, calls, latencyTold: LATENCY_TOLD };
};

beforeAll(async () => {
  run = await MeshRun.start('basic');
  const controlPlane = new ControlPlane(run.mesh.runFolder);
  const send = () => sendPlan(PLAN, { entries, portOffset: run.mesh.portOffset, concurrency: 6, ledger });
  await send();
  const underChange = send();
  await answered(1.2);
  await controlPlane.withdraw('eu', 'catalog');
  await knownEndpoints(1);
  await underChange;
  await send();
  const underRestoring = send();
  await answered(3.2);
  await controlPlane.restore('eu', 'catalog');
  await knownEndpoints(2);
  await underRestoring;
  await run.settled(truth());
}, 120_000); // the first start on a machine installs Envoy

afterAll(() => run?.stop());

const answered = (plans: number) =>
  vi.waitUntil(() => ledger.answered > plans * PLAN.length, { timeout: 30_000, interval: 5 });

/** Waits until the sidecars of shop-eu and stock-eu have so many endpoints for catalog. */
async function knownEndpoints(count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      for (const instance of ['shop-eu', 'stock-eu']) {
        expect((await statsOf(instance)).value('cluster.catalog.membership_total')).toBe(count);
      }
    },
    { timeout: 30_000, interval: 50 },
  );
}

function statsOf(instance: string) {
  const target = run.mesh.targets[Object.keys(truth().instances).sort().indexOf(instance)];
  return readEnvoyStats(target?.address ?? '');
}

test('every request was answered and the mesh did what was planned', () => {
  expect([ledger.answered, ledger.unanswered, run.mesh.messages]).toEqual([4 * PLAN.length, [], []]);
  const [home, away] = [ledger.arrived('catalog-eu').requests, ledger.outbound('front-proxy-us', 'catalog').requests];
  expect(home).toBeGreaterThanOrEqual(46);
  expect(away).toBeGreaterThanOrEqual(46);
  expect(home + away).toBe(ledger.outbound('shop-eu', 'catalog').requests);
});

test('Envoy itself tells zone from zone as the ledger does', async () => {
  const stats = await statsOf('shop-eu');
  const completed = (to: string) => stats.value(`cluster.catalog.zone.eu-west-1a.${to}.upstream_rq_completed`);
  expect([completed('eu-west-1a'), completed('us-east-1a')]).toEqual([
    ledger.arrived('catalog-eu').requests,
    ledger.outbound('front-proxy-us', 'catalog').requests,
  ]);
});

test('services that only their callers see are told to be measured there', async () => {
  const { services } = await run.whole<ServicesAnswer>('services');
  const seen = services.map(({ service, vantage, state }) => [service, vantage, state]);
  expect(seen.filter(([service]) => service !== 'front-proxy')).toEqual(
    SERVICES.map((service) => [service, 'client', 'ok']),
  );
});

test('a request that crosses the regions through a front proxy counts once', async () => {
  const { services } = await run.whole<ServicesAnswer>('services');
  for (const service of SERVICES) {
    const { requests, codeClasses, errorRate } = services.find((one) => one.service === service) ?? {};
    const { requests: sent, byClass } = sumOfHops(
      Object.keys(REGIONS).map((suffix) => ledger.arrived(`${service}-${suffix}`)),
    );
    expect([service, requests, codeClasses, errorRate]).toEqual([service, sent, byClass, byClass['5xx'] / sent]);
  }
});

describeTruth(() => run, truth);
