import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Random, seededRandom } from '../../examples/meshes/random.ts';
import type { RegionsAnswer } from '../../server/api/contract.ts';
import type { Identity } from '../../server/model/flow.ts';
import { type FlowSpec, goodScrape } from '../store/records.ts';
import { BASE, INTERVAL, meshOf, NOW } from './meshes.ts';
import { type MeshData, type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;

function on(mesh: MeshData): void {
  beforeAll(async () => {
    api = await startApi(mesh);
  });
  afterAll(() => api.stop());
}

const regions = (parameters = '') => api.get<RegionsAnswer>(`/api/v1/regions?window=1m${parameters}`);
const toRegions = ({ regions: routes }: RegionsAnswer) =>
  routes.map(({ from, to, requests, share }) => `${from} → ${to}: ${requests} ${share?.toFixed(3)}`);
const toZones = ({ zones: routes }: RegionsAnswer) =>
  routes.map(
    ({ fromRegion, fromZone, toRegion, toZone, requests }) =>
      `${fromRegion}/${fromZone} → ${toRegion}/${toZone}: ${requests}`,
  );

const shop1: Partial<Identity> = { service: 'shop', instance: 'shop-1', region: 'eu', zone: 'eu-1' };
const shop2: Partial<Identity> = { service: 'shop', instance: 'shop-2', region: 'us', zone: 'us-1' };

const calls = (peer: string, spec: FlowSpec): FlowSpec => ({ direction: 'outbound', peer, ...spec });
const toZone = (peer: string, peerZone: string, spec: FlowSpec): FlowSpec => ({
  direction: 'zone',
  peer,
  peerZone,
  ...spec,
});
const ok = (count: number, latencyMs: number): FlowSpec => ({
  counters: { '2xx': count },
  latency: { [latencyMs]: count },
});

/** What a target told by zone at every third scrape. */
function zonesOf(address: string, identity: Partial<Identity>, flows: readonly FlowSpec[]): MeshData['records'] {
  return [0, 3].map((round) =>
    goodScrape({
      target: `zones of ${address}`,
      from: BASE + round * INTERVAL,
      to: BASE + (round + 3) * INTERVAL,
      identity,
      flows,
    }),
  );
}

const MESH = meshOf([
  {
    address: '10.0.0.1:9901',
    identity: shop1,
    flows: [{ counters: { '2xx': 50 } }, calls('cart', ok(20, 5)), calls('stock', ok(10, 7))],
  },
  {
    address: '10.0.0.2:9901',
    identity: shop2,
    flows: [{ counters: { '2xx': 9 } }, calls('cart', { counters: { '2xx': 10, grpc_failed: 1, timed_out: 1 } })],
  },
  {
    address: '10.0.0.3:9901',
    identity: { service: 'edge', instance: 'edge-1', role: 'gateway' },
    flows: [{ counters: { '2xx': 59 } }, calls('shop', ok(59, 9))],
  },
]);

const RECORDS = [
  ...MESH.records,
  ...zonesOf('10.0.0.1:9901', shop1, [
    toZone('cart', 'eu-1', ok(45, 5)),
    toZone('cart', 'us-1', { counters: { '2xx': 10, '5xx': 5 }, latency: { 90: 15 } }),
    toZone('stock', 'ap-1', ok(29, 7)),
    toZone('stock', '', ok(1, 7)),
  ]),
  ...zonesOf('10.0.0.2:9901', shop2, [toZone('cart', 'us-1', ok(30, 3))]),
].sort((a, b) => a.at - b.at);

describe('callers that tell zones, and one that does not', () => {
  on({ ...MESH, records: RECORDS });

  test('from region to region: unknown is null', async () => {
    const answer = await regions();
    expect(answer).toMatchObject({ at: NOW, windowMs: 60_000, window: '1m' });
    expect(toRegions(answer)).toEqual([
      'null → null: 354 0.596',
      'eu → eu: 90 0.152',
      'eu → null: 60 0.101',
      'us → us: 60 0.101',
      'eu → us: 30 0.051',
    ]);
  });

  test('from zone to zone: a zone that no target is in has no region', async () => {
    expect(toZones(await regions())).toEqual([
      'null/null → null/null: 354',
      'eu/eu-1 → eu/eu-1: 90',
      'us/us-1 → us/us-1: 60',
      'eu/eu-1 → null/ap-1: 58',
      'eu/eu-1 → us/us-1: 30',
      'eu/eu-1 → null/null: 2',
    ]);
  });

  test('rate, shares, latency and state of a route', async () => {
    const { regions: routes } = await regions();
    expect(routes.find(({ from, to }) => from === 'eu' && to === 'us')).toMatchObject({
      requests: 30,
      requestRate: 0.5,
      successRate: expect.closeTo(20 / 30, 12),
      errorRate: 10 / 30,
      codeClasses: { '2xx': 20, '5xx': 10 },
      latencySamples: 30,
      latencyMs: { p50: 90.5 },
      precision: { method: 'bins', source: 'upstream', capped: false },
      state: 'ok',
    });
  });

  test('gRPC failures have no zone: the share of failures is not known then, and timeouts make latency a lower bound', async () => {
    const { regions: routes } = await regions();
    expect(routes.find(({ from, to }) => from === 'us' && to === 'us')).toMatchObject({
      requests: 60,
      successRate: null,
      errorRate: null,
      precision: { capped: true },
    });
  });

  test.each<[string, string[]]>([
    ['&service=stock', ['eu → null: 60 1.000']],
    ['&service=cart', ['eu → eu: 90 0.500', 'us → us: 60 0.333', 'eu → us: 30 0.167']],
    ['&service=shop', ['null → null: 354 1.000']],
    [
      '&service=shop&direction=outbound',
      ['eu → eu: 90 0.375', 'eu → null: 60 0.250', 'us → us: 60 0.250', 'eu → us: 30 0.125'],
    ],
    ['&service=edge&direction=outbound', ['null → null: 354 1.000']],
    ['&service=nobody', []],
    ['&namespace=prod', []],
  ])('%s', async (parameters, expected) => {
    expect(toRegions(await regions(parameters))).toEqual(expected);
  });

  test('no other figure holds what is told by zone', async () => {
    const { edges } = await api.get<{ edges: { source: string; target: string; requests: number }[] }>(
      '/api/v1/topology?window=1m',
    );
    expect(edges.map(({ source, target, requests }) => `${source} → ${target}: ${requests}`).sort()).toEqual([
      'edge → shop: 354',
      'shop → cart: 180',
      'shop → stock: 60',
    ]);
  });
});

describe('an empty mesh', () => {
  on({ targets: [], records: [] });

  test('has no routes', async () => {
    expect(await regions()).toEqual({
      at: NOW,
      windowMs: 60_000,
      offsetMs: 0,
      tiers: ['raw'],
      window: '1m',
      regions: [],
      zones: [],
    });
  });
});

describe('some instances of a zone tell zones, and some do not', () => {
  /** Requests per round to a zone of eu or us. */
  function mixedMesh(random: Random) {
    const truth = { told: { eu: 0, us: 0 }, untold: 0 };
    const besides: MeshData['records'][number][] = [];
    const sidecars = Array.from({ length: 6 }, (_, index) => {
      const [address, tells] = [`10.0.1.${index}:9901`, random() < 0.5];
      const identity = { ...shop1, service: `caller-${index % 2}`, instance: `caller-${index}` };
      const [near, far] = [Math.floor(random() * 20), Math.floor(random() * 20)];
      if (tells) {
        besides.push(
          ...zonesOf(address, identity, [
            toZone('stock', 'eu-1', ok(3 * near, 7)),
            toZone('stock', 'us-1', ok(3 * far, 7)),
          ]),
        );
        truth.told.eu += 6 * near;
        truth.told.us += 6 * far;
      } else truth.untold += 6 * (near + far);
      return { address, identity, flows: [calls('stock', ok(near + far, 7))] };
    });
    const there = { address: '10.0.2.1:9901', identity: { ...shop2, service: 'other' }, flows: [{}] };
    const mesh = meshOf([...sidecars, there]);
    return { truth, mesh: { ...mesh, records: [...mesh.records, ...besides] } };
  }

  test.each([1, 2, 3, 4])(
    'mesh %i: where requests of the others went is not known, and none is missing',
    async (seed) => {
      const { truth, mesh } = mixedMesh(seededRandom(seed));
      const own = await startApi(mesh);
      onTestFinished(() => own.stop());
      const expected = { 'eu → eu': truth.told.eu, 'eu → us': truth.told.us, 'eu → null': truth.untold };
      for (const filter of ['', '&direction=inbound&service=stock', '&direction=outbound']) {
        const answer = await own.get<RegionsAnswer>(`/api/v1/regions?window=1m${filter}`);
        const found = answer.regions.map(({ from, to, requests }) => [`${from} → ${to}`, requests]);
        expect(Object.fromEntries(found), filter).toEqual(expected);
        const samples = answer.regions.map(({ latencySamples }) => latencySamples);
        expect(samples.reduce((sum, count) => sum + count, 0)).toBe(truth.told.eu + truth.told.us + truth.untold);
      }
    },
  );
});
