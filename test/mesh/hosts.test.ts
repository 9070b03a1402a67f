import { expect, test } from 'vitest';
import type { ClusterHost } from '../../server/envoy/clusters.ts';
import { KnownAddresses } from '../../server/mesh/known-addresses.ts';
import { COUNTER_INDEX } from '../../server/model/flow.ts';
import type { ScrapeFindings } from '../../server/model/scrape-record.ts';
import { countedBy, ScrapedTarget, totalsOf } from './scraped-target.ts';

const T0 = Date.UTC(2030, 0, 1);
const INTERVAL = 10_000;
const at = (round: number) => T0 + round * INTERVAL;

type Hosts = Readonly<Record<string, readonly [success: number, error: number]>>;

/** Hosts of a dynamic forward proxy, by the name that was asked for. */
const named = (hosts: Hosts): ClusterHost[] =>
  Object.entries(hosts).map(([name, [success, error]], i) => {
    const address = `10.1.0.${i + 1}:80`;
    return { address, hostname: `${name}:80`, region: '', zone: '', total: success + error, success, error };
  });

/** Hosts of one service, by address, in a region each. */
const placed = (hosts: Hosts): ClusterHost[] =>
  Object.entries(hosts).map(([address, [success, error]], i) => {
    return { address, hostname: '', region: `r${i + 1}`, zone: `z${i + 1}`, total: success + error, success, error };
  });

const reading = (clusters: Readonly<Record<string, ClusterHost[]>>) => ({
  clusters: Object.entries(clusters).map(([cluster, hosts]) => ({ cluster, hosts })),
});

interface Counts {
  readonly ok?: number;
  readonly missing?: number;
  readonly failed?: number;
  readonly retries?: number;
  readonly grpc?: number;
}

function statsOf(cluster: string, { ok = 0, missing = 0, failed = 0, retries = 0, grpc }: Counts) {
  const of = (stat: string) => `cluster.${cluster}.${stat}`;
  const requests = ok + missing + failed;
  const bins = requests > 0 ? { histograms: { [of('upstream_rq_time')]: { 20: requests } } } : {};
  return {
    scalars: {
      [of('membership_total')]: 1,
      [of('upstream_rq_completed')]: requests,
      [of('upstream_rq_2xx')]: ok,
      [of('upstream_rq_4xx')]: missing,
      [of('upstream_rq_5xx')]: failed,
      [of('upstream_rq_retry')]: retries,
      ...(grpc === undefined ? {} : { [of('grpc.Cart.Add.failure')]: grpc }),
    },
    ...bins,
  };
}

/** Times of increments that are over more than their scrape, by peer. */
const spans = ({ observation }: ScrapeFindings) =>
  Object.fromEntries(observation.flows.flatMap(({ flow, from }) => (from === undefined ? [] : [[flow.peer, from]])));

function passThrough(target = new ScrapedTarget()) {
  const scrape = (round: number, counts: Counts, hosts?: Hosts) =>
    target.scrape({
      at: at(round),
      stats: statsOf('proxy', counts),
      started: T0 - 60_000,
      ...(hosts && { hosts: reading({ proxy: named(hosts) }) }),
    });
  scrape(0, {}, {});
  return { target, scrape };
}

test('what a pass-through cluster counted is kept until /clusters tells to whom it went', () => {
  const { scrape } = passThrough();
  expect(countedBy(scrape(1, { ok: 5 }))).toEqual({});
  expect(countedBy(scrape(2, { ok: 9 }))).toEqual({});
  const told = scrape(
    3,
    { ok: 9, failed: 1 },
    { 'emoji.default.svc': [6, 0], 'voting.shop.example': [3, 1], idle: [0, 0] },
  );
  expect(countedBy(told)).toMatchObject({
    emoji: expect.stringMatching(/2xx 6/),
    'voting.shop.example': expect.stringMatching(/2xx 3.*5xx 1/),
  });
  expect(spans(told)).toMatchObject({ emoji: at(0), 'voting.shop.example': at(0) });
  expect(told.observation.flows.map(({ flow }) => flow.peer)).not.toContain('idle');
  expect(told.carriers).toEqual(['proxy']);
});

test('the only one that answered has its latency, too', () => {
  const { scrape } = passThrough();
  scrape(1, { ok: 5 });
  const { flows } = scrape(2, { ok: 5 }, { emoji: [5, 0] }).observation;
  expect(flows.map(({ flow, bins }) => [flow.peer, bins.counts])).toEqual([
    ['proxy', []],
    ['emoji', [5]],
  ]);
});

test('samples that come after their requests are still of the only one that answered', () => {
  const { target, scrape } = passThrough();
  scrape(1, { ok: 5 }, { emoji: [5, 0] });
  const late = { ...statsOf('proxy', { ok: 5 }), histograms: { 'cluster.proxy.upstream_rq_time': { 20: 8 } } };
  const hosts = reading({ proxy: named({ emoji: [5, 0] }) });
  const { flows } = target.scrape({ at: at(2), stats: late, started: T0 - 60_000, hosts }).observation;
  expect(flows.map(({ flow, bins }) => [flow.peer, bins.counts])).toEqual([
    ['proxy', []],
    ['emoji', [3]],
  ]);
});

test('latency of several stays with the cluster, and so does what may have come late', () => {
  const { scrape } = passThrough();
  const samplesAt = (round: number, ok: number, hosts: Hosts) =>
    Object.fromEntries(
      scrape(round, { ok }, hosts).observation.flows.map(({ flow, bins }) => [flow.peer, bins.counts.join()]),
    );
  expect(samplesAt(1, 8, { emoji: [5, 0], voting: [3, 0] })).toMatchObject({ proxy: '8', emoji: '', voting: '' });
  expect(samplesAt(2, 10, { emoji: [7, 0], voting: [3, 0] })).toMatchObject({ proxy: '2', emoji: '' });
  expect(samplesAt(3, 13, { emoji: [10, 0], voting: [3, 0] })).toMatchObject({ proxy: '', emoji: '3' });
});

test('what hosts do not explain is given one more reading, and stays with the cluster then', () => {
  const { scrape } = passThrough();
  const counted = (round: number, ok: number, hosts: Hosts) => countedBy(scrape(round, { ok }, hosts));
  expect(counted(1, 10, { emoji: [6, 0] })).toEqual({ emoji: expect.stringMatching(/2xx 6/) });
  const second = counted(2, 12, { emoji: [9, 0] });
  expect(second).toEqual({ emoji: expect.stringMatching(/2xx 3/), proxy: expect.stringMatching(/2xx 1\b/) });
  expect(counted(3, 12, { emoji: [9, 0] })).toEqual({ proxy: expect.stringMatching(/2xx 2/) });
});

test('a host that was evicted and came back counts from zero', () => {
  const { scrape } = passThrough();
  scrape(1, { ok: 5 }, { emoji: [5, 0] });
  scrape(2, { ok: 5 }, {});
  expect(countedBy(scrape(3, { ok: 7 }, { emoji: [2, 0] }))).toEqual({ emoji: expect.stringMatching(/2xx 2/) });
});

test('where /clusters is refused from then on, all of it is the cluster’s', () => {
  const { target, scrape } = passThrough();
  scrape(1, { ok: 5 });
  const stats = statsOf('proxy', { ok: 7 });
  const refused = target.scrape({ at: at(2), stats, started: T0 - 60_000, hosts: { refused: true } });
  expect(countedBy(refused)).toEqual({ proxy: expect.stringMatching(/2xx 7/) });
  expect(countedBy(scrape(3, { ok: 8 }))).toEqual({ proxy: expect.stringMatching(/2xx 1/) });
});

test('a collector that is killed in between loses nothing of it', () => {
  const { target, scrape } = passThrough();
  scrape(1, { ok: 5 }, { emoji: [5, 0] });
  scrape(2, { ok: 9 });
  target.restartCollector();
  const told = scrape(4, { ok: 12 }, { emoji: [9, 0], voting: [3, 0] });
  expect(countedBy(told)).toMatchObject({
    emoji: expect.stringMatching(/2xx 4/),
    voting: expect.stringMatching(/2xx 3/),
  });
  expect(totalsOf(told)).toMatchObject({ emoji: expect.stringMatching(/2xx 9/) });
});

test('an Envoy that restarted in between loses nothing that was counted, and counts its hosts from zero', () => {
  const { target, scrape } = passThrough();
  scrape(1, { ok: 5 }, { emoji: [5, 0] });
  scrape(2, { ok: 9 });
  const stats = statsOf('proxy', { ok: 6 });
  const hosts = reading({ proxy: named({ emoji: [6, 0] }) });
  const restarted = target.scrape({ at: at(3), stats, started: at(2) + 3000, hosts });
  expect(countedBy(restarted)).toEqual({ emoji: expect.stringMatching(/2xx 6/) });
  const next = target.scrape({ at: at(4), stats, started: at(2) + 3000, hosts });
  expect(countedBy(next)).toEqual({ proxy: expect.stringMatching(/2xx 4/) });
});

const gateways = () => {
  const addresses = new KnownAddresses();
  addresses.set('edge', {
    service: 'edge',
    namespace: '',
    role: 'gateway',
    host: '10.0.0.9',
    listeners: ['0.0.0.0:80'],
  });
  return addresses;
};

test('what went to a gateway is no request of its caller to the service', () => {
  const target = new ScrapedTarget({ addresses: gateways() });
  const scrape = (round: number, ok: number, hosts: Hosts) =>
    target.scrape({
      at: at(round),
      stats: statsOf('cart', { ok }),
      started: T0 - 60_000,
      hosts: reading({ cart: placed(hosts) }),
    });
  scrape(0, 0, { '10.0.0.2:80': [0, 0], '10.0.0.9:80': [0, 0] });
  const told = scrape(1, 10, { '10.0.0.2:80': [7, 0], '10.0.0.9:80': [3, 0] });
  expect(countedBy(told)).toEqual({ cart: expect.stringMatching(/2xx 7/), edge: expect.stringMatching(/2xx 3/) });
  expect(told.carriers).toEqual([]);
});

test('a gateway that becomes known later is told apart from then on', () => {
  const addresses = new KnownAddresses();
  const target = new ScrapedTarget({ addresses });
  const scrape = (round: number, ok: number, hosts?: Hosts) =>
    target.scrape({
      at: at(round),
      stats: statsOf('cart', { ok }),
      started: T0 - 60_000,
      ...(hosts && { hosts: reading({ cart: placed(hosts) }) }),
    });
  scrape(0, 0, { '10.0.0.9:80': [0, 0] });
  addresses.set('edge', { service: 'edge', namespace: '', role: 'gateway', host: '10.0.0.9', listeners: [] });
  expect(countedBy(scrape(1, 4))).toEqual({});
  expect(countedBy(scrape(2, 4, { '10.0.0.9:80': [4, 0] }))).toEqual({ edge: expect.stringMatching(/2xx 4/) });
});

/** Scrapes of one cluster, each with a reading of its host behind it; gRPC failures that were counted. */
function grpcFailures(
  rounds: readonly (readonly [Counts, success: number, error: number])[],
  cluster = 'cart',
): number[] {
  const target = new ScrapedTarget({ labels: { service: 'shop' } });
  const all = rounds.map(([counts, success, error], round) => {
    const { observation } = target.scrape({
      at: at(round),
      stats: statsOf(cluster, counts),
      started: T0 - 60_000,
      hosts: reading({ [cluster]: placed({ '10.0.0.2:80': [success, error] }) }),
    });
    return observation.flows.reduce((sum, { counters }) => sum + failedOf(counters), 0);
  });
  return all;
}

const failedOf = (counters: Float64Array) => counters[COUNTER_INDEX.grpc_failed] ?? 0;

test.each([
  [
    'calls that failed under 200',
    [
      [{}, 0, 0],
      [{ ok: 10 }, 7, 3],
      [{ ok: 10 }, 7, 3],
    ],
    [0, 0, 3],
  ],
  [
    '5xx are none',
    [
      [{}, 0, 0],
      [{ ok: 7, failed: 3 }, 7, 3],
      [{ ok: 7, failed: 3 }, 7, 3],
    ],
    [0, 0, 0],
  ],
  [
    'of both, what is no 5xx',
    [
      [{}, 0, 0],
      [{ ok: 7, failed: 3 }, 5, 5],
      [{ ok: 7, failed: 3 }, 5, 5],
    ],
    [0, 0, 2],
  ],
  [
    'a 5xx that the cluster counts a scrape later is none',
    [
      [{}, 0, 0],
      [{ ok: 7 }, 7, 1],
      [{ ok: 7, failed: 1 }, 7, 1],
    ],
    [0, 0, 0],
  ],
  [
    'retried tries are none',
    [
      [{}, 0, 0],
      [{ ok: 10, retries: 4 }, 10, 4],
      [{ ok: 10, retries: 4 }, 10, 4],
    ],
    [0, 0, 0],
  ],
  [
    'a cluster with grpc_stats is told by them',
    [
      [{ grpc: 0 }, 0, 0],
      [{ ok: 10, grpc: 2 }, 7, 3],
      [{ ok: 10, grpc: 2 }, 7, 3],
    ],
    [0, 2, 0],
  ],
  [
    'what hosts had counted before is none',
    [
      [{ ok: 10 }, 7, 3],
      [{ ok: 10 }, 7, 3],
      [{ ok: 10 }, 7, 3],
    ],
    [0, 0, 0],
  ],
] as const)('failures that only hosts tell: %s', (_, rounds, failed) => {
  expect(grpcFailures(rounds)).toEqual(failed);
});

test('failures of the own application, which its connection manager shows as 200', () => {
  const target = new ScrapedTarget();
  const scrape = (round: number, counts: Counts, success: number, error: number) => {
    const { scalars } = statsOf('local_app', counts);
    const manager = { 'http.ingress.downstream_rq_completed': 10, 'http.ingress.downstream_rq_2xx': counts.ok ?? 0 };
    return target.scrape({
      at: at(round),
      stats: { scalars: { ...scalars, ...manager } },
      started: T0 - 60_000,
      hosts: reading({ local_app: placed({ '127.0.0.1:8080': [success, error] }) }),
    });
  };
  scrape(0, {}, 0, 0);
  scrape(1, { ok: 8, failed: 2 }, 5, 5);
  const told = scrape(2, { ok: 8, failed: 2 }, 5, 5);
  expect(failedOf(told.observation.flows[0]?.counters ?? new Float64Array())).toBe(3);
  expect(told.failureSource).toBe('clusters');
});

test.each([
  ['HTTP/2 without grpc_stats may be gRPC', { 'cluster.cart.upstream_cx_http2_total': 1 }, true],
  ['HTTP/1 is none', { 'cluster.cart.upstream_cx_http1_total': 1 }, false],
  [
    'grpc_stats tell themselves',
    { 'cluster.cart.upstream_cx_http2_total': 1, 'cluster.cart.grpc.A.B.success': 4 },
    false,
  ],
])('whether reading hosts often is worth it: %s', (_, scalars, adds) => {
  const target = new ScrapedTarget();
  const { scalars: requests } = statsOf('cart', { ok: 5 });
  const hosts = placed({ '10.0.0.2:80': [5, 0] }).map((host) => ({ ...host, region: '', zone: '' }));
  target.scrape({ at: at(0), stats: { scalars: { ...requests, ...scalars } }, hosts: reading({ cart: hosts }) });
  expect(target.wantsClusters).toBe(adds);
});
