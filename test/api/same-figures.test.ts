/**
 * The same figure asked for in several ways is the same figure: lists, pages, series by whatever labels, topology, regions
 * and heatmap of random meshes, whose services share names, are measured by some of their sidecars, change their
 * names and places, come late and go.
 */

import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../examples/meshes/random.ts';
import type {
  HeatmapAnswer,
  QueryAnswer,
  RegionsAnswer,
  ServiceAnswer,
  ServiceSummary,
  ServicesAnswer,
  TopologyAnswer,
} from '../../server/api/contract.ts';
import type { Identity } from '../../server/model/flow.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';
import { discovered } from '../live/live-targets.ts';
import { type FlowSpec, goodScrape } from '../store/records.ts';
import { BASE, INTERVAL, ROUNDS } from './meshes.ts';
import { type MeshData, type RunningApi, startApi } from './running-api.ts';

const SERVICES = ['a', 'b', 'c', 'd'];
const NAMESPACES = ['', 'n1', 'n2'];
const REGIONS = ['', 'eu', 'us'];
const ZONES = ['', 'eu-1', 'us-1'];
const LATENCIES = [0, 3, 20, 99, 250, 3000];

const below = (random: Random, end: number): number => Math.floor(random() * end);
const oneOf = <T>(random: Random, all: readonly T[], first: T): T => all[below(random, all.length)] ?? first;

function latencyOf(random: Random, samples: number): Record<number, number> {
  const latency: Record<number, number> = {};
  for (let left = samples; left > 0; left--) {
    const ms = oneOf(random, LATENCIES, 0);
    latency[ms] = (latency[ms] ?? 0) + 1;
  }
  return latency;
}

function counted(random: Random): FlowSpec {
  const [ok, failed, timeouts] = [below(random, 50), below(random, 5), below(random, 3)];
  return {
    counters: { '2xx': ok, '5xx': failed, timeout: timeouts, timed_out: timeouts, retries: below(random, 3) },
    gauges: { active_requests: below(random, 4) },
    latency: latencyOf(random, ok + failed),
  };
}

/** The same requests by the zone that they went to. */
function byZone({ counters, ...flow }: FlowSpec): FlowSpec[] {
  const [ok, failed] = [counters?.['2xx'] ?? 0, counters?.['5xx'] ?? 0];
  const near = Math.floor(ok / 2);
  const half = { ...flow, direction: 'zone', gauges: {} } as const;
  return [
    { ...half, peerZone: 'eu-1', counters: { '2xx': near, '5xx': failed }, latency: { 3: near } },
    { ...half, peerZone: 'us-1', counters: { '2xx': ok - near }, latency: { 20: ok - near } },
  ];
}

interface Sidecar {
  readonly address: string;
  readonly identity: Partial<Identity>;
  /** Who it is from the middle on. */
  readonly later: Partial<Identity>;
  readonly peers: readonly FlowSpec[];
  readonly seesInbound: boolean;
  readonly tellsZones: boolean;
  readonly since: number;
  readonly isGone: boolean;
}

function sidecarOf(random: Random, index: number): Sidecar {
  const region = oneOf(random, REGIONS, '');
  const names = { service: oneOf(random, SERVICES, 'a'), namespace: oneOf(random, NAMESPACES, '') };
  const identity = { ...names, instance: `i${index}`, region, zone: region && `${region}-1` };
  const peers = new Map(
    Array.from({ length: below(random, 4) }, () => {
      const [peer, peerNamespace] = [oneOf(random, [...SERVICES, 'x', 'y'], 'x'), oneOf(random, NAMESPACES, '')];
      return [`${peer} ${peerNamespace}`, { direction: 'outbound' as const, peer, peerNamespace }];
    }),
  );
  return {
    address: `10.0.0.${index}:9901`,
    identity,
    later: random() < 0.2 ? { ...identity, service: oneOf(random, SERVICES, 'a') } : identity,
    peers: [...peers.values()],
    seesInbound: random() < 0.5,
    tellsZones: region !== '' && random() < 0.7,
    since: random() < 0.3 ? below(random, 4) : 0,
    isGone: random() < 0.15,
  };
}

function scrapesOf(random: Random, one: Sidecar, round: number): ScrapeRecord[] {
  const times = { from: BASE + round * INTERVAL, to: BASE + (round + 1) * INTERVAL };
  const calls = one.peers.map((peer) => ({ ...peer, ...counted(random) }));
  const inbound = one.seesInbound ? [counted(random)] : [];
  const idle: FlowSpec = { direction: 'outbound', peer: 'idle' };
  const scrape = { ...times, identity: round < ROUNDS / 2 ? one.identity : one.later };
  return [
    goodScrape({ ...scrape, target: one.address, flows: [idle, ...inbound, ...calls] }),
    ...(one.tellsZones
      ? [goodScrape({ ...scrape, target: `zones of ${one.address}`, flows: calls.flatMap(byZone) })]
      : []),
  ];
}

function meshOf(random: Random): MeshData {
  const sidecars = Array.from({ length: 3 + below(random, 6) }, (_, index) => sidecarOf(random, index + 1));
  const records: ScrapeRecord[] = [];
  for (let round = 0; round < ROUNDS; round++)
    for (const one of sidecars)
      if (round >= one.since && random() > 0.1) records.push(...scrapesOf(random, one, round));
  return { targets: sidecars.filter(({ isGone }) => !isGone).map(({ address }) => discovered(address)), records };
}

type Params = Readonly<Record<string, string>>;

class Asker {
  private readonly api: RunningApi;
  readonly window: string;
  readonly filters: Params;

  constructor(api: RunningApi, random: Random) {
    this.api = api;
    this.window = oneOf(random, ['1m', '30s', '20s'], '1m');
    this.filters = {
      ...(random() < 0.35 && { service: oneOf(random, SERVICES, 'a') }),
      ...(random() < 0.4 && { namespace: oneOf(random, NAMESPACES, '') }),
      ...(random() < 0.2 && { region: oneOf(random, REGIONS, '') }),
      ...(random() < 0.15 && { zone: oneOf(random, ZONES, '') }),
    };
  }

  get<Answer>(path: string, params: Params = this.filters): Promise<Answer> {
    const search = new URLSearchParams({ window: this.window, ...params });
    return this.api.get<Answer>(`/api/v1/${path}?${search}`);
  }

  query(signal: string, by: string, more: Params = {}): Promise<QueryAnswer> {
    return this.get('query', { step: this.window, signal, by, ...this.filters, ...more });
  }

  /** Of all series and steps. */
  async sumBy(by: string, more: Params = {}): Promise<number> {
    const { series, other } = await this.query('requests', by, more);
    return sum([...series, ...other].flatMap(({ points }) => points.map(([, value]) => value ?? 0)));
  }

  get byPlace(): Params {
    const { service: _, namespace: __, ...places } = this.filters;
    return places;
  }
}

const sum = (numbers: readonly number[]): number => Math.round(1e6 * numbers.reduce((all, one) => all + one, 0)) / 1e6;
const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 1e6) / 1e6);
const nameOf = ({ service, namespace }: { service: string; namespace: string }) => `${namespace}/${service}`;
const told = (entries: readonly (readonly [string, number | null])[]) =>
  Object.fromEntries(entries.map(([name, value]) => [name, rounded(value)]).sort());

const SIGNALS: readonly [signal: string, of: (service: ServiceSummary) => number | null][] = [
  ['requests', ({ requests }) => requests],
  ['request_rate', ({ requestRate }) => requestRate],
  ['success_rate', ({ successRate }) => successRate],
  ['latency_p99', ({ latencyMs }) => latencyMs.p99],
  ['active_requests', ({ activeRequests }) => activeRequests],
];
const BY = ['', 'region', 'zone,instance', 'namespace', 'code_class'];

async function expectSeries(asker: Asker, services: readonly ServiceSummary[]): Promise<void> {
  const measured = services.filter(({ requests }) => requests !== null);
  for (const [signal, of] of SIGNALS) {
    const { series } = await asker.query(signal, 'service,namespace');
    const found = series.map(
      ({ labels: { service = '', namespace = '' }, points: [point] }) =>
        [nameOf({ service, namespace }), point?.[1] ?? null] as const,
    );
    expect(told(found), signal).toEqual(told(measured.map((one) => [nameOf(one), of(one)])));
  }
  const all = sum(measured.map(({ requests }) => requests ?? 0));
  for (const by of BY) expect(await asker.sumBy(by), `requests by ${by || 'nothing'}`).toBe(all);
  expect(await asker.sumBy('service', { step: '10s' }), 'requests in short steps').toBe(all);
  expect(await asker.sumBy('region', { top: '1' }), 'the top region and the others').toBe(all);
  if (!('service' in asker.filters)) return;
  const { counts } = await asker.get<HeatmapAnswer>('heatmap', { ...asker.filters, step: '10s' });
  const samples = sum(measured.map(({ latencySamples }) => latencySamples));
  expect(sum(counts.flatMap((column) => column ?? [])), 'heatmap').toBe(samples);
}

interface Edge {
  readonly source: string;
  readonly target: string;
  readonly requests: number;
}

async function edgesOf(asker: Asker): Promise<Edge[]> {
  const { edges } = await asker.get<TopologyAnswer>('topology', asker.byPlace);
  const id = (text: string) => (text.includes('/') ? text : `/${text}`);
  return edges.map(({ source, target, requests }) => ({
    source: id(source),
    target: id(target),
    requests: requests ?? 0,
  }));
}

async function expectCalls(asker: Asker, edges: readonly Edge[]): Promise<void> {
  const all = sum(edges.map(({ requests }) => requests));
  const sent = await asker.get<QueryAnswer>('query', {
    ...asker.byPlace,
    signal: 'requests',
    direction: 'outbound',
    step: asker.window,
  });
  expect(sum(sent.series.flatMap(({ points }) => points.map(([, value]) => value ?? 0))), 'calls').toBe(all);
  if (Object.keys(asker.byPlace).length > 0) return;
  for (const direction of ['inbound', 'outbound']) {
    const { regions, zones } = await asker.get<RegionsAnswer>('regions', { direction });
    expect(sum(regions.map(({ requests }) => requests ?? 0)), `regions, ${direction}`).toBe(all);
    expect(sum(zones.map(({ requests }) => requests ?? 0)), `zones, ${direction}`).toBe(all);
  }
}

async function expectPage(asker: Asker, listed: ServiceSummary, edges: readonly Edge[]): Promise<void> {
  const path = `services/${encodeURIComponent(listed.service)}`;
  const page = await asker.get<ServiceAnswer>(path, { ...asker.byPlace, namespace: listed.namespace });
  expect(page, nameOf(listed)).toMatchObject(listed);
  const isSeen = page.vantage === 'server' && page.requests !== null;
  if (isSeen)
    expect(sum(page.byInstance.map(({ requests }) => requests ?? 0)), 'instances').toBe(sum([page.requests ?? 0]));
  const calls = (all: ServiceAnswer['upstreams']) => told(all.map((one) => [nameOf(one), one.requests]));
  const own = nameOf(listed);
  expect(calls(page.upstreams), `upstreams of ${own}`).toEqual(
    told(edges.filter(({ source }) => source === own).map(({ target, requests }) => [target, requests])),
  );
  if (Object.keys(asker.byPlace).length > 0) return;
  expect(calls(page.downstreams), `downstreams of ${own}`).toEqual(
    told(edges.filter(({ target }) => target === own).map(({ source, requests }) => [source, requests])),
  );
}

const SEEDS = [28, 31, 39];

test.each(SEEDS)('of mesh %i', async (seed) => {
  const random = seededRandom(seed);
  const api = await startApi(meshOf(random));
  try {
    for (let question = 0; question < 3; question++) {
      const asker = new Asker(api, random);
      const { services } = await asker.get<ServicesAnswer>('services');
      const edges = await edgesOf(asker);
      await expectSeries(asker, services);
      await expectCalls(asker, edges);
      for (const service of services.slice(0, 2)) await expectPage(asker, service, edges);
    }
  } finally {
    await api.stop();
  }
});
