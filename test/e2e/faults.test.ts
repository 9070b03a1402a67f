/**
 * Faults injected live into a real Envoy: what is counted of each, by the product's own path from the scrape to the
 * observation. One Envoy, which is told to be a gateway so that what came in is counted too; each fault has a route and
 * a cluster of its own.
 */

import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CountedEnvoy } from './counted-envoy.ts';
import { cluster, GRPC_STATS, httpFilter, type Json, listener, OVER_HTTP2 } from './envoy-config.ts';
import { type FailingServers, startFailing } from './failing-servers.ts';
import { FAULTS, type Fault, MAINTENANCE, MIRRORED, TIMES } from './fault-table.ts';
import { get, grpcStatus } from './plain-client.ts';
import { type RealEnvoy, startRealEnvoy } from './real-envoy.ts';

const ALL = [...FAULTS, MIRRORED];
const idOf = ({ fault }: Fault) => `fault-${ALL.findIndex((one) => one.fault === fault)}`;
const isGrpc = ({ ask }: Fault) => /^[A-Z]/.test(ask);

function clusterOf(fault: Fault, servers: FailingServers): Json {
  const { server = 'http', drops } = fault;
  const ports = server === 'none' ? [] : [servers[server]];
  const made = cluster(idOf(fault), ports, { ...(server === 'grpc' ? OVER_HTTP2 : {}), ...fault.cluster });
  if (!drops) return made;
  const policy = { drop_overloads: [{ category: 'shed', drop_percentage: { numerator: 100 } }] };
  return { ...made, load_assignment: { ...(made.load_assignment as Json), policy } };
}

function hostOf(fault: Fault): Json {
  const { route = {}, action = { route: { cluster: idOf(fault), ...route } }, filters } = fault;
  const perFilter = filters ? { typed_per_filter_config: filters } : {};
  return { name: idOf(fault), domains: [idOf(fault)], routes: [{ match: { prefix: '/' }, ...action, ...perFilter }] };
}

function configOf(servers: FailingServers): Json {
  const maintained = ALL.filter(({ fault }) => fault === MAINTENANCE).map(idOf);
  const runtime = Object.fromEntries(maintained.map((id) => [`upstream.maintenance_mode.${id}`, 100]));
  return {
    layered_runtime: { layers: [{ name: 'static', static_layer: runtime }] },
    static_resources: {
      clusters: [
        ...ALL.map((fault) => clusterOf(fault, servers)),
        cluster('mirror', [servers.http]),
        cluster('ratelimit', [servers.grpc], OVER_HTTP2),
      ],
      listeners: [
        listener({
          name: 'in',
          statPrefix: 'front',
          virtualHosts: ALL.map(hostOf),
          filters: [
            GRPC_STATS,
            httpFilter('health_check', 'HealthCheck', {
              pass_through_mode: false,
              headers: [{ name: ':path', string_match: { exact: '/healthz' } }],
            }),
            httpFilter('fault', 'HTTPFault'),
            httpFilter('ratelimit', 'RateLimit', {
              domain: 'all',
              timeout: '5s',
              rate_limit_service: {
                grpc_service: { envoy_grpc: { cluster_name: 'ratelimit' } },
                transport_api_version: 'V3',
              },
            }),
            httpFilter('local_ratelimit', 'LocalRateLimit', { stat_prefix: 'unused' }),
          ],
        }),
      ],
    },
  };
}

let servers: FailingServers;
let envoy: RealEnvoy;
let counted: CountedEnvoy;

beforeAll(async () => {
  servers = await startFailing();
  envoy = await startRealEnvoy({ config: configOf(servers), version: process.env.ENVOY_VERSION });
  counted = new CountedEnvoy(envoy.admin, { service: 'front', role: 'gateway' });
});

afterAll(async () => {
  await counted?.close();
  await envoy?.stop();
  await servers?.stop();
});

/** What a client sees of one request. */
function seen(fault: Fault): Promise<string> {
  const [port, host] = [envoy.port('in'), idOf(fault)];
  if (isGrpc(fault)) return grpcStatus({ port, host, path: `/shop.Cart/${fault.ask}` });
  const until = fault.seen === 'gone' ? { until: once(servers.asked, 'silent') } : {};
  return get({ port, host, path: `/${fault.ask}`, ...until });
}

test.each(FAULTS)('$fault', async (fault) => {
  await counted.expectSince({});
  const answers: string[] = [];
  for (let i = 0; i < TIMES; i++) answers.push(await seen(fault));
  const { outbound, inbound } = fault;
  expect(answers.join(' ')).toBe(fault.seen.includes(' ') ? fault.seen : answers.map(() => fault.seen).join(' '));
  await counted.expectSince(withoutEmpty({ [idOf(fault)]: outbound, inbound }));
});

test('mirrored requests are requests to the mirror too', async () => {
  await counted.expectSince({});
  for (let i = 0; i < TIMES; i++) await seen(MIRRORED);
  await counted.expectSince({
    [idOf(MIRRORED)]: MIRRORED.outbound,
    inbound: MIRRORED.inbound,
    mirror: MIRRORED.outbound,
  });
});

test('what the health check filter answers is no request, but has a sample', async () => {
  await counted.expectSince({});
  for (let i = 0; i < TIMES; i++) await get({ port: envoy.port('in'), host: 'any', path: '/healthz' });
  await counted.expectSince({ inbound: '; 5 samples' });
});

function withoutEmpty(counts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(counts).filter(([, text]) => text !== ''));
}
