import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StatusAnswer, TargetsAnswer, TopologyAnswer, TopologyEdge } from '../../server/api/contract.ts';
import { CALL_FIELDS } from '../../web/listed-call.ts';
import { MIXED, meshOf, NOW, ODD_NAME } from './meshes.ts';
import { type MeshData, type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;

function on(mesh: MeshData): void {
  beforeAll(async () => {
    api = await startApi(mesh);
  });
  afterAll(() => api.stop());
}

const topology = (parameters = '') => api.get<TopologyAnswer>(`/api/v1/topology?window=1m${parameters}`);
const edgesOf = ({ edges }: TopologyAnswer) =>
  edges.map(({ source, target, requests }) => `${source} → ${target}: ${requests}`).sort();
const nodesOf = ({ nodes }: TopologyAnswer) => nodes.map(({ id }) => id).sort();

describe('an empty mesh', () => {
  on({ targets: [], records: [] });

  test('has no nodes, edges and targets', async () => {
    expect(await topology()).toEqual({
      at: NOW,
      windowMs: 60_000,
      window: '1m',
      offsetMs: 0,
      tiers: expect.any(Array),
      nodes: [],
      edges: [],
    });
    expect(await api.get('/api/v1/targets')).toEqual({
      targets: [],
      total: 0,
      counts: { up: 0, down: 0, unknown: 0 },
      dropped: [],
      droppedTotal: 0,
      discovery: [],
    });
  });
});

/** The fields of a call by their addresses, such as `latencyMs.p95`. */
function partOf(edge: TopologyEdge, fields: string): Record<string, unknown> {
  const part: Record<string, unknown> = { source: edge.source, target: edge.target };
  for (const field of fields.split(',')) {
    const [name = '', inner] = field.split('.');
    const value: unknown = Object.entries(edge).find(([key]) => key === name)?.[1];
    part[name] = inner === undefined ? value : { ...Object(part[name]), [inner]: Object(value)[inner] };
  }
  return part;
}

const FIELD_LISTS = [
  CALL_FIELDS,
  'source',
  'requests,requestRate,successRate,errorRate,codeClasses',
  'latencyMs.p50,latencyMs.mean',
  'latencyMs.p999,latencyMs.p90,precision.source',
  'latencyMs,state',
  'precision,latencyMs.p95',
  'latencyMs.p95,precision.maxRelativeError',
  'latencyMs.p50,precision.capped,timeouts,retries,activeRequests',
];

describe('a mixed mesh', () => {
  on(MIXED);

  test.each(FIELD_LISTS)('only %s of the calls, in the same values', async (fields) => {
    const whole = await topology();
    expect(await topology(`&fields=${fields}`)).toEqual({
      ...whole,
      edges: whole.edges.map((edge) => partOf(edge, fields)),
    });
  });

  test('no field is every field', async () => {
    expect(await topology('&fields=')).toEqual(await topology());
  });

  test('who called whom', async () => {
    const answer = await topology();
    expect(edgesOf(answer)).toEqual(
      ['edge → cart: 18', 'edge → shop: 180', 'shop → cart: 84', `shop → ${ODD_NAME}: 6`].sort(),
    );
    expect(nodesOf(answer)).toEqual([ODD_NAME, 'cart', 'edge', 'ledger', 'shop', 'sleepy']);
    expect(answer.nodes.find(({ id }) => id === 'edge')).toEqual({
      id: 'edge',
      service: 'edge',
      namespace: '',
      role: 'gateway',
      regions: ['eu'],
    });
    expect(answer.edges.find(({ source, target }) => source === 'shop' && target === 'cart')).toMatchObject({
      requests: 84,
      errorRate: 12 / 84,
      timeouts: 12,
      precision: { source: 'upstream', capped: true },
    });
  });

  test.each<[filters: string, edges: string[], nodes: string[]]>([
    ['&service=cart', ['edge → cart: 18', 'shop → cart: 84'], ['cart', 'edge', 'shop']],
    ['&service=edge', ['edge → cart: 18', 'edge → shop: 180'], ['cart', 'edge', 'shop']],
    ['&region=us', ['shop → cart: 24'], ['cart', 'shop']],
    ['&service=ledger', [], ['ledger']],
    ['&service=nobody', [], []],
    ['&namespace=prod', [], []],
  ])('filtered by %s', async (filters, edges, nodes) => {
    const answer = await topology(filters);
    expect(edgesOf(answer)).toEqual(edges);
    expect(nodesOf(answer)).toEqual(nodes);
  });

  test('every target with its health', async () => {
    const { targets } = await api.get<TargetsAnswer>('/api/v1/targets');
    expect(targets.map(({ labels, health }) => [labels.address, labels.service, health])).toEqual([
      ['10.0.0.7:9901', undefined, 'down'],
      ['10.0.0.4:9901', 'cart', 'up'],
      ['10.0.0.1:9901', 'edge', 'up'],
      ['10.0.0.5:9901', 'ledger', 'up'],
      ['10.0.0.2:9901', 'shop', 'up'],
      ['10.0.0.3:9901', 'shop', 'up'],
      ['10.0.0.6:9901', 'sleepy', 'down'],
    ]);
    expect(targets[2]).toEqual({
      labels: {
        address: '10.0.0.1:9901',
        service: 'edge',
        instance: 'edge-1',
        region: 'eu',
        zone: 'eu-1',
        role: 'gateway',
      },
      discoveredLabels: { __address__: '10.0.0.1:9901' },
      health: 'up',
      lastError: '',
      lastScrape: NOW,
      scrapeDurationMs: 3.25,
      bodyBytes: 2048,
      samples: 10,
      envoyVersion: '1.40.0',
      startedAt: null,
      restarts: [],
      intervalMs: null,
      slowedDown: '',
      busyShare: null,
      certificateExpiry: null,
      precision: 'bins',
      note: '',
      failureSource: 'status',
      clusters: null,
    });
    expect(targets[0]).toMatchObject({
      labels: { address: '10.0.0.7:9901' },
      lastError: 'nothing listens at 10.0.0.7:9901',
      bodyBytes: null,
      samples: null,
      precision: 'unknown',
    });
  });

  test.each([
    ['service=shop', 2],
    ['region=us', 1],
    ['service=shop&instance=shop-1', 1],
    ['service=nobody', 0],
  ])('targets filtered by %s', async (filters, count) => {
    expect((await api.get<TargetsAnswer>(`/api/v1/targets?${filters}`)).targets).toHaveLength(count);
  });

  test('the status', async () => {
    expect(await api.get<StatusAnswer>('/api/v1/status')).toMatchObject({
      storage: { state: 'ok', schemaVersion: 10 },
    });
  });
});

describe('services of the same name in two namespaces', () => {
  const calls = (peerNamespace: string) =>
    ({ direction: 'outbound', peer: 'shop', peerNamespace, counters: { '2xx': 1 } }) as const;
  on(
    meshOf([
      { address: '10.0.0.1:9901', identity: { namespace: 'one' }, flows: [{}] },
      { address: '10.0.0.2:9901', identity: { namespace: 'two' }, flows: [{}, calls('one')] },
      { address: '10.0.0.3:9901', identity: { service: 'edge' }, flows: [calls('two'), calls('one')] },
    ]),
  );

  test('are two nodes', async () => {
    const answer = await topology();
    expect(nodesOf(answer)).toEqual(['edge', 'one/shop', 'two/shop']);
    expect(edgesOf(answer)).toEqual(['edge → one/shop: 6', 'edge → two/shop: 6', 'two/shop → one/shop: 6']);
    expect(edgesOf(await topology('&namespace=one'))).toEqual(['edge → one/shop: 6', 'two/shop → one/shop: 6']);
  });
});

describe('a service that its callers name in several ways', () => {
  const calls = (peerNamespace: string, ms: number) =>
    ({
      direction: 'outbound',
      peer: 'shop',
      peerNamespace,
      counters: { '2xx': 40, timed_out: peerNamespace === '' ? 3 : 0 },
      latency: { [ms]: 40 },
    }) as const;
  on(
    meshOf([
      { address: '10.0.0.1:9901', identity: { namespace: 'prod' }, flows: [{}] },
      { address: '10.0.0.2:9901', identity: { service: 'edge' }, flows: [calls('prod', 10), calls('', 500)] },
    ]),
  );

  test.each(FIELD_LISTS)('only %s of the one call, in the same values', async (fields) => {
    const { edges } = await topology();
    expect(edges).toHaveLength(1);
    expect(edges[0]?.precision.capped).toBe(true);
    const part = await topology(`&fields=${fields}`);
    expect(part.edges).toEqual(edges.map((edge) => partOf(edge, fields)));
  });
});
