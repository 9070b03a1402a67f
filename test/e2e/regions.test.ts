/** Region to region and zone to zone: outbound-only sidecars in two regions, one of which loses its catalog. */

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ControlPlane } from '../../examples/meshes/basic/endpoints.ts';
import { entries, ledgerOptions } from '../../examples/meshes/basic/traffic.ts';
import { codeClasses, type Hop, sumOfHops } from '../../examples/meshes/hop.ts';
import { MeshLedger } from '../../examples/meshes/ledger.ts';
import { type EntryRequest, sendPlan } from '../../examples/meshes/sender.ts';
import type { RegionsAnswer, TopologyAnswer } from '../../server/api/contract.ts';
import { total } from './exported.ts';
import { MeshRun } from './mesh-run.ts';
import { readEnvoyStats } from './mesh-stats.ts';

const REGIONS = { eu: 'eu-west-1', us: 'us-east-1' } as const;
const SERVICES = ['catalog', 'shop', 'stock'];

const PLAN: readonly EntryRequest[] = ['eu', 'us'].flatMap((entry) => [
  ...Array<EntryRequest>(12).fill({ entry, to: 'shop', calls: [{ to: 'catalog', delayMs: 4 }] }),
  ...Array<EntryRequest>(7).fill({ entry, to: 'shop', calls: [{ to: 'catalog', calls: [{ to: 'stock' }] }] }),
  ...Array<EntryRequest>(5).fill({ entry, to: 'shop', calls: [{ to: 'stock', status: 404 }] }),
  ...Array<EntryRequest>(3).fill({ entry, to: 'shop', calls: [{ to: 'catalog', status: 503 }] }),
]);

const ledger = new MeshLedger(ledgerOptions);
let run: MeshRun;

beforeAll(async () => {
  run = await MeshRun.start('basic');
  const controlPlane = new ControlPlane(run.mesh.runFolder);
  const send = () => sendPlan(PLAN, { entries, portOffset: run.mesh.portOffset, concurrency: 6, ledger });
  await send();
  await controlPlane.withdraw('eu', 'catalog');
  await vi.waitFor(async () => expect(await endpointsOfCatalog()).toEqual([1, 1, 1]), {
    timeout: 30_000,
    interval: 50,
  });
  await send();
}, 120_000); // the first start on a machine installs Envoy

afterAll(() => run?.stop());

/** As the sidecars of eu know them. */
async function endpointsOfCatalog(): Promise<number[]> {
  const instances = CALLERS.map(({ instance }) => instance).sort();
  const addresses = SERVICES.map((service) => run.mesh.targets[instances.indexOf(`${service}-eu`)]?.address ?? '');
  const stats = await Promise.all(addresses.map(readEnvoyStats));
  return stats.map(({ value }) => value('cluster.catalog.membership_total'));
}

const CALLERS = Object.keys(REGIONS).flatMap((suffix) =>
  ['front-proxy', ...SERVICES].map((service) => ({ instance: `${service}-${suffix}`, suffix })),
);

/** What all callers of a region sent to a service. */
const sentFrom = (region: keyof typeof REGIONS, service: string): Hop =>
  sumOfHops(
    CALLERS.filter(({ suffix }) => suffix === region).map(({ instance }) => ledger.outbound(instance, service)),
  );

/** What left eu for us: all of it came through the front proxy there, to catalog. */
const away = (): Hop => ledger.outbound('front-proxy-us', 'catalog');

/** Requests by class on each way to `services`, as they were sent. */
function sent(services: readonly string[]): Record<string, Record<string, number>> {
  const from = (region: keyof typeof REGIONS) =>
    sumOfHops(services.map((service) => sentFrom(region, service))).byClass;
  const left = services.includes('catalog') ? away().byClass : sumOfHops([]).byClass;
  const all = from('eu');
  const home = Object.fromEntries(codeClasses.map((name) => [name, all[name] - left[name]]));
  const ways: [string, Record<string, number>][] = [
    ['eu-west-1 → eu-west-1', home],
    ['us-east-1 → us-east-1', from('us')],
    ['eu-west-1 → us-east-1', left],
  ];
  return Object.fromEntries(ways.filter(([, classes]) => Object.values(classes).some((count) => count > 0)));
}

const countsOf = (routes: readonly { codeClasses: Record<string, number> | null }[], way: (index: number) => string) =>
  Object.fromEntries(routes.map(({ codeClasses }, index) => [way(index), codeClasses]));

async function regions(parameters = ''): Promise<RegionsAnswer> {
  return run.whole<RegionsAnswer>(`regions${parameters}`);
}

const byRegion = ({ regions: routes }: RegionsAnswer) =>
  countsOf(routes, (index) => `${routes[index]?.from} → ${routes[index]?.to}`);

test('the mesh did what was planned: some of it at home, some away', () => {
  expect([ledger.answered, ledger.unanswered, run.mesh.messages]).toEqual([2 * PLAN.length, [], []]);
  expect(away().requests).toBe(22);
});

test('from region to region: every request, by class, as it was sent', async () => {
  await vi.waitFor(async () => expect(byRegion(await regions())).toEqual(sent(SERVICES)), 40_000);
  const { regions: routes } = await regions();
  const total = routes.reduce((sum, { requests }) => sum + (requests ?? 0), 0);
  for (const { requests, share } of routes) expect(share).toBeCloseTo((requests ?? 0) / total, 12);
});

test.each(SERVICES)('calls to %s alone', async (service) => {
  expect(byRegion(await regions(`?service=${service}`))).toEqual(sent([service]));
});

test('calls of the front proxies alone', async () => {
  const calls = (suffix: string) =>
    sumOfHops(SERVICES.map((service) => ledger.outbound(`front-proxy-${suffix}`, service))).byClass;
  expect(byRegion(await regions('?service=front-proxy&direction=outbound'))).toEqual({
    'eu-west-1 → eu-west-1': calls('eu'),
    'us-east-1 → us-east-1': calls('us'),
  });
});

test('from zone to zone: the same ways, since each region has one zone', async () => {
  const { zones: routes } = await regions();
  const way = (index: number) => {
    const { fromRegion, fromZone, toRegion, toZone } = routes[index] ?? {};
    expect([fromZone, toZone]).toEqual([`${fromRegion}a`, `${toRegion}a`]);
    return `${fromRegion} → ${toRegion}`;
  };
  expect(countsOf(routes, way)).toEqual(sent(SERVICES));
});

test('every answer has a latency sample, none below what the application took', async () => {
  await vi.waitFor(async () => {
    const { regions: routes } = await regions();
    const samples = routes.map(({ latencySamples, requests }) => [latencySamples, requests]);
    expect(samples).toEqual(routes.map(({ requests }) => [requests, requests]));
  }, 40_000);
  const { regions: routes } = await regions('?service=catalog');
  for (const { latencyMs, precision } of routes) {
    expect(precision).toMatchObject({ source: 'upstream', capped: false });
    expect(latencyMs.p999).toBeGreaterThanOrEqual(4);
  }
});

test('what is told by zone is in no figure of what was sent', async () => {
  const expected = SERVICES.flatMap((service) => [sentFrom('eu', service), sentFrom('us', service)]);
  await vi.waitFor(async () => {
    const { edges } = await run.whole<TopologyAnswer>('topology');
    const requests = edges.reduce((sum, edge) => sum + (edge.requests ?? 0), 0);
    expect(requests).toBe(sumOfHops(expected).requests);
  }, 40_000); // calls that a gateway passes on are counted after two turns of /clusters
}, 60_000);

test('an export tells it by a direction of its own', async () => {
  const exported = await run.exported();
  const told = exported.filter(({ direction, requests_2xx: ok }) => direction === 'zone' && Number(ok) > 0);
  const rows = [...Map.groupBy(told, ({ zone, peer_zone }) => `${zone} ${peer_zone}`).values()].map((members) => ({
    zone: members[0]?.zone,
    peer_zone: members[0]?.peer_zone,
    ok: total(members, 'requests_2xx'),
  }));
  const ways = Object.entries(sent(SERVICES)).map(([way, classes]) => {
    const [zone, peer_zone] = way.split(' → ').map((region) => `${region}a`);
    return { zone, peer_zone, ok: classes['2xx'] };
  });
  const key = ({ zone, peer_zone }: Record<string, unknown>) => `${zone} ${peer_zone}`;
  const sorted = (all: Record<string, unknown>[]) => all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  expect(sorted(rows)).toEqual(sorted(ways));
});
