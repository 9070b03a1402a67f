import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServiceAnswer, ServiceSummary, ServicesAnswer } from '../../server/api/contract.ts';
import { BASE, INTERVAL, MIXED, meshOf, NOW, ODD_NAME, OUTBOUND_ONLY } from './meshes.ts';
import { type MeshData, type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;

/** Starts the API on a mesh for the tests of a block. */
function on(mesh: MeshData): void {
  beforeAll(async () => {
    api = await startApi(mesh);
  });
  afterAll(() => api.stop());
}

async function services(parameters = 'window=1m'): Promise<ServiceSummary[]> {
  return (await api.get<ServicesAnswer>(`/api/v1/services?${parameters}`)).services;
}

async function serviceNamed(name: string, parameters = 'window=1m'): Promise<ServiceSummary | undefined> {
  return (await services(parameters)).find(({ service }) => service === name);
}

const detail = (name: string, parameters = 'window=1m') =>
  api.get<ServiceAnswer>(`/api/v1/services/${encodeURIComponent(name)}?${parameters}`);

describe('an empty mesh', () => {
  on({ targets: [], records: [] });

  test('has no services', async () => {
    expect(await api.get('/api/v1/services')).toEqual({
      at: NOW,
      windowMs: 300_000,
      window: '5m',
      offsetMs: 0,
      tiers: expect.any(Array),
      services: [],
    });
  });
});

describe('a mixed mesh', () => {
  on(MIXED);

  test('every service with its figures', async () => {
    const answer = await api.get<ServicesAnswer>('/api/v1/services?window=1m');
    expect([answer.at, answer.windowMs, answer.window]).toEqual([NOW, 60_000, '1m']);
    expect(
      answer.services.map(({ service, vantage, role, requests, instances, state }) => [
        service,
        vantage,
        role,
        requests,
        `${instances.up}/${instances.total}`,
        state,
      ]),
    ).toEqual([
      [ODD_NAME, 'client', 'sidecar', 6, '0/0', 'too_little_data'],
      ['cart', 'client', 'sidecar', 102, '1/1', 'ok'],
      ['edge', 'server', 'gateway', 198, '1/1', 'ok'],
      ['idle', 'client', 'sidecar', 0, '0/0', 'no_traffic'],
      ['ledger', 'server', 'sidecar', 0, '1/1', 'no_traffic'],
      ['shop', 'server', 'sidecar', 180, '2/2', 'ok'],
      ['sleepy', 'server', 'sidecar', 10, '0/1', 'too_little_data'],
    ]);
  });

  test('only the fields that are asked for, in the same values', async () => {
    const whole = await services();
    const fields = 'instances,latencyMs.p99,latencyMs.p50&fields=precision&fields=precision.capped';
    expect(await services(`window=1m&fields=${fields}`)).toEqual(
      whole.map(({ service, namespace, instances, latencyMs: { p50, p99 }, precision }) => ({
        service,
        namespace,
        instances,
        latencyMs: { p50, p99 },
        precision,
      })),
    );
    expect(await services('window=1m&fields=service')).toEqual(
      whole.map(({ service, namespace }) => ({ service, namespace })),
    );
    expect(await services(`window=1m&fields=${Object.keys(whole[0] ?? {}).join(',')}`)).toEqual(whole);
    expect(await services('window=1m&fields=')).toEqual(whole);
  });

  test('a service that its own sidecars measure', async () => {
    expect(await serviceNamed('edge')).toEqual({
      service: 'edge',
      namespace: '',
      vantage: 'server',
      role: 'gateway',
      regions: ['eu'],
      instances: { up: 1, total: 1 },
      failureSource: 'status',
      requests: 198,
      requestRate: expect.closeTo(3.3),
      successRate: 1 - 6 / 198,
      errorRate: 6 / 198,
      codeClasses: { '2xx': 180, '3xx': 0, '4xx': 12, '5xx': 6 },
      latencyMs: { p50: 5.5, p90: 5.9, p95: 5.95, p99: 5.99, p999: expect.closeTo(5.999), mean: 5.5 },
      latencySamples: 198,
      precision: { method: 'bins', source: 'downstream', maxRelativeError: expect.any(Number), capped: false },
      timeouts: 0,
      retries: 0,
      activeRequests: 0,
      state: 'ok',
      alerts: { firing: 0, pending: 0 },
    });
  });

  test('gRPC failures are failures, and 4xx are none', async () => {
    expect(await serviceNamed('shop')).toMatchObject({
      requests: 180,
      errorRate: 12 / 180,
      codeClasses: { '2xx': 180, '5xx': 0 },
      regions: ['eu', 'us'],
      activeRequests: 4,
    });
  });

  test('a service that only its callers measure is their sum, with timeouts as its slowest requests', async () => {
    expect(await serviceNamed('cart')).toMatchObject({
      vantage: 'client',
      requests: 102,
      errorRate: 12 / 102,
      timeouts: 12,
      retries: 6,
      latencySamples: 90,
      latencyMs: { p50: expect.closeTo(3.46, 1), p95: 4, p99: 4, p999: 4 },
      precision: { source: 'upstream', capped: true },
      regions: ['eu'],
    });
  });

  test('a service without traffic has zeros, and shares and percentiles that are null', async () => {
    expect(await serviceNamed('ledger')).toMatchObject({
      requests: 0,
      requestRate: 0,
      successRate: null,
      errorRate: null,
      codeClasses: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
      latencyMs: { p50: null, p99: null, mean: null },
      latencySamples: 0,
      precision: { maxRelativeError: null, capped: false },
      activeRequests: 0,
      state: 'no_traffic',
    });
  });

  test('a service that is down has what was measured of it, and no gauge', async () => {
    expect(await serviceNamed('sleepy')).toMatchObject({
      requests: 10,
      requestRate: 0.5,
      successRate: 1,
      activeRequests: null,
      state: 'too_little_data',
    });
  });

  test('a service that was not measured in the window has no figures', async () => {
    expect(await serviceNamed('sleepy', 'window=30s')).toMatchObject({
      vantage: 'server',
      requests: null,
      requestRate: null,
      successRate: null,
      codeClasses: null,
      activeRequests: null,
      latencyMs: { p50: null, mean: null },
      state: 'no_data',
    });
  });

  test.each<[filters: string, found: Record<string, number | null>]>([
    ['service=shop', { shop: 180 }],
    ['service=shop&service=cart', { cart: 102, shop: 180 }],
    ['service=nobody', {}],
    ['service=', {}],
    ['region=eu', { edge: 198, shop: 120 }],
    ['region=us&region=eu', { edge: 198, shop: 180 }],
    ['zone=us-1', { shop: 60 }],
    ['instance=shop-2', { shop: 60 }],
    ['instance=cart-1', {}],
    ['service=shop&region=us', { shop: 60 }],
    ['service=cart&region=eu', {}],
    ['namespace=prod', {}],
    ['namespace=&service=shop&service=cart', { cart: 102, shop: 180 }],
    [`service=${encodeURIComponent(ODD_NAME)}`, { [ODD_NAME]: 6 }],
  ])('filtered by %s', async (filters, found) => {
    const list = await services(`window=1m&${filters}`);
    expect(Object.fromEntries(list.map(({ service, requests }) => [service, requests]))).toEqual(found);
  });

  test('with a filter by place, instances and regions are those that match', async () => {
    expect(await serviceNamed('shop', 'window=1m&region=us')).toMatchObject({
      regions: ['us'],
      instances: { up: 1, total: 1 },
      errorRate: 12 / 60,
      activeRequests: 1,
    });
  });

  test('a window by from and to', async () => {
    const [from, to] = [BASE + 2 * INTERVAL, BASE + 4 * INTERVAL];
    const answer = await api.get<ServicesAnswer>(`/api/v1/services?from=${from}&to=${to}&service=shop`);
    expect(answer).toMatchObject({ at: to, windowMs: 20_000, window: '20s', services: [{ requests: 60 }] });
    const iso = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
    expect(await api.get(`/api/v1/services?${iso}&service=shop`)).toEqual(answer);
  });

  test('a window that would cut intervals has them whole', async () => {
    const [from, to] = [BASE + INTERVAL / 2, BASE + 2.5 * INTERVAL];
    expect(await serviceNamed('shop', `from=${from}&to=${to}`)).toMatchObject({ requests: 90, requestRate: 3 });
    const answer = await api.get<ServiceAnswer>(`/api/v1/services/shop?from=${from}&to=${to}`);
    expect(answer).toMatchObject({ requests: 90, windowMs: 3 * INTERVAL });
  });

  test('one service with its parts', async () => {
    const shop = await detail('shop');
    expect(shop).toMatchObject({ ...(await serviceNamed('shop')), at: NOW, windowMs: 60_000, window: '1m' });
    expect(
      shop.byInstance.map(({ instance, region, zone, health, requests }) => [instance, region, zone, health, requests]),
    ).toEqual([
      ['shop-1', 'eu', 'eu-1', 'up', 120],
      ['shop-2', 'us', 'us-1', 'up', 60],
    ]);
    expect(shop.byRegion.map(({ region, requests, errorRate }) => [region, requests, errorRate])).toEqual([
      ['eu', 120, 0],
      ['us', 60, 0.2],
    ]);
    expect(
      shop.upstreams.map(({ service, requests, timeouts, failures }) => [service, requests, timeouts, failures]),
    ).toEqual([
      [ODD_NAME, 6, 0, {}],
      ['cart', 84, 12, { timeout: 12 }],
    ]);
    expect(shop.downstreams.map(({ service, requests, failures }) => [service, requests, failures])).toEqual([
      ['edge', 180, {}],
    ]);
    expect(shop.failures).toEqual({ grpc: 12 });
  });

  test('one service that only its callers measure', async () => {
    const cart = await detail('cart');
    expect(cart).toMatchObject({ vantage: 'client', requests: 102, failures: { timeout: 12 }, byRegion: [] });
    expect(cart.byInstance).toMatchObject([{ instance: 'cart-1', health: 'up', requests: null, state: 'no_data' }]);
    expect(cart.downstreams.map(({ service, requests, precision }) => [service, requests, precision.source])).toEqual([
      ['edge', 18, 'upstream'],
      ['shop', 84, 'upstream'],
    ]);
    expect(cart.upstreams).toEqual([]);
  });

  test('one service whose figures are filtered by place', async () => {
    const shop = await detail('shop', 'window=1m&region=us');
    expect(shop).toMatchObject({ requests: 60, instances: { total: 1 }, regions: ['us'], downstreams: [] });
    expect(shop.byInstance.map(({ instance }) => instance)).toEqual(['shop-2']);
    expect(shop.upstreams.map(({ service, requests }) => [service, requests])).toEqual([['cart', 24]]);
    expect(await detail('cart', 'window=1m&region=eu')).toMatchObject({ requests: null, state: 'no_data' });
    expect(await detail('shop', 'window=1m&region=mars')).toMatchObject({ requests: null, byInstance: [] });
  });

  test('one service that is down', async () => {
    const sleepy = await detail('sleepy', 'window=20s');
    expect(sleepy).toMatchObject({ state: 'no_data', instances: { up: 0, total: 1 } });
    expect(sleepy.byInstance).toMatchObject([{ instance: 'sleepy-1', health: 'down', requests: null }]);
  });

  test('a name that has to be encoded', async () => {
    expect(await detail(ODD_NAME)).toMatchObject({ service: ODD_NAME, vantage: 'client', requests: 6 });
  });

  test.each([
    ['/api/v1/services/nobody', 'no service "nobody" is known, and none was called in the last 5m'],
    [
      '/api/v1/services/no%2Fbody%20%25?window=1h',
      'no service "no/body %" is known, and none was called in the last 1h',
    ],
    ['/api/v1/services/shop?namespace=prod', 'no service "shop" is known, and none was called in the last 5m'],
  ])('%s is not found', async (path, message) => {
    const response = await fetch(api.url + path);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: { code: 'not_found', message } });
  });
});

describe('a mesh of sidecars that see only what their services send', () => {
  on(OUTBOUND_ONLY);

  test('services are measured by their callers', async () => {
    const list = await services();
    expect(
      list.map(({ service, vantage, requests, requestRate, state, precision }) => [
        service,
        vantage,
        requests,
        requestRate,
        state,
        precision.source,
      ]),
    ).toEqual([
      ['a', 'client', null, null, 'no_data', 'upstream'],
      ['b', 'client', 60, 1, 'ok', 'upstream'],
      ['c', 'client', 54, 0.9, 'ok', 'upstream'],
    ]);
  });

  test('nothing is known of places', async () => {
    expect(await services('window=1m&region=eu')).toEqual([]);
    expect(await detail('b')).toMatchObject({ regions: ['us'], byRegion: [], byInstance: [{ requests: null }] });
  });
});

describe('instances that follow one another', () => {
  const flows = [{ counters: { '2xx': 40 }, latency: { 5: 40 }, gauges: { active_requests: 2 } }];
  on(
    meshOf([
      { address: '10.0.0.1:9901', identity: { instance: 'old', region: 'eu' }, flows, until: 3 },
      { address: '10.0.0.2:9901', identity: { instance: 'new', region: 'us' }, flows, since: 3 },
    ]),
  );

  test('make one rate, on the list and on the page', async () => {
    expect(await serviceNamed('shop')).toMatchObject({ requests: 240, requestRate: 4, activeRequests: 2 });
    expect(await detail('shop')).toMatchObject({ requests: 240, requestRate: 4, activeRequests: 2 });
    expect((await detail('shop')).byInstance.map(({ requestRate }) => requestRate)).toEqual([4, 4]);
  });
});

describe('a service of which only some instances see what they receive', () => {
  const calls = { direction: 'outbound', peer: 'shop', counters: { '2xx': 30 } } as const;
  on(
    meshOf([
      { address: '10.0.0.1:9901', identity: { instance: 'seen', region: 'eu' }, flows: [{ counters: { '2xx': 10 } }] },
      {
        address: '10.0.0.2:9901',
        identity: { instance: 'unseen', region: 'eu' },
        flows: [{ direction: 'outbound', peer: 'x' }],
      },
      { address: '10.0.0.3:9901', identity: { service: 'edge' }, flows: [calls] },
    ]),
  );

  test('is measured by those, and the others are told to be unseen', async () => {
    expect(await serviceNamed('shop')).toMatchObject({
      vantage: 'server',
      requests: 60,
      instances: { up: 2, total: 2 },
    });
    expect(
      (await detail('shop')).byInstance.map(({ instance, requests, state }) => [instance, requests, state]),
    ).toEqual([
      ['seen', 60, 'too_little_data'],
      ['unseen', null, 'no_data'],
    ]);
  });
});

describe('an instance that comes late to a service without a request so far', () => {
  on(
    meshOf([
      { address: '10.0.0.1:9901', identity: { instance: 'idle' }, flows: [{ direction: 'outbound', peer: 'x' }] },
      { address: '10.0.0.2:9901', identity: { instance: 'late' }, flows: [{ counters: { '2xx': 40 } }], since: 3 },
    ]),
  );

  test('has a rate over its own time, the service one over all of the time that it was watched', async () => {
    const { requestRate, byInstance } = await detail('shop');
    expect(requestRate).toBe(2);
    expect(await serviceNamed('shop')).toMatchObject({ requestRate });
    expect(byInstance.map(({ instance, requestRate: own }) => [instance, own])).toEqual([
      ['idle', null],
      ['late', 4],
    ]);
  });
});

describe('a request is counted once', () => {
  const received = { counters: { '2xx': 10 } };
  const calls = (peerNamespace: string) =>
    ({ direction: 'outbound', peer: 'shop', peerNamespace, counters: { '2xx': 10 } }) as const;
  const edge = {
    address: '10.0.0.2:9901',
    identity: { service: 'edge', namespace: 'prod' },
    flows: [calls(''), { ...calls('prod') }],
  };
  const shop = { address: '10.0.0.1:9901', identity: { namespace: 'prod' }, flows: [received] };
  const whole = meshOf([shop, edge]);

  describe('where callers name the namespace or not', () => {
    on(whole);
    test('', async () => {
      expect((await services()).map(({ service, requests }) => [service, requests])).toEqual([
        ['edge', null],
        ['shop', 60],
      ]);
      expect((await detail('shop')).downstreams.map(({ requests }) => requests)).toEqual([120]);
    });
  });

  describe('after the targets of a service have gone', () => {
    on({ ...whole, targets: whole.targets.filter(({ key }) => key === edge.address) });
    test('', async () => {
      expect(
        (await services()).map(({ service, namespace, vantage, requests }) => [service, namespace, vantage, requests]),
      ).toEqual([
        ['edge', 'prod', 'client', null],
        ['shop', 'prod', 'server', 60],
      ]);
    });
  });

  describe('after sidecars stopped to show what they receive', () => {
    const later = { ...shop, flows: [{ direction: 'outbound', peer: 'x' } as const], since: 3 };
    const sooner = { ...shop, until: 3 };
    const records = meshOf([sooner, later, edge]).records.filter(({ error }) => error === '');
    on({ targets: whole.targets, records });
    test('', async () => {
      const list = await services('window=1m&service=shop');
      expect(list.map(({ vantage, requests }) => [vantage, requests])).toEqual([['client', 120]]);
    });
  });
});
