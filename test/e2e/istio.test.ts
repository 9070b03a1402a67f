/**
 * A sidecar as Istio sets it up by default: Envoy's own stats of requests are hidden, and requests are counted in Istio's
 * metrics. Istio's Envoy has a filter for those; here the same names and labels come from Envoy's stats access logger,
 * under the same traffic, and a server in front takes off the prefix that only Istio's Envoy leaves out.
 */

import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listening } from './answering-server.ts';
import { CountedEnvoy } from './counted-envoy.ts';
import { cluster, type Json, listener } from './envoy-config.ts';
import { type FailingServers, startFailing } from './failing-servers.ts';
import { get } from './plain-client.ts';
import { type RealEnvoy, startRealEnvoy } from './real-envoy.ts';

/** The stats access logger is there since Envoy 1.37. */
const VERSION = '1.40.0';

const NODE = { id: 'sidecar~10.244.1.7~web-1.shop~shop.svc.cluster.local', cluster: 'web.shop' };

/** What Istio's `proxyStatsMatcher` lets through when nothing is configured. */
const STATS_CONFIG = {
  stats_matcher: {
    inclusion_list: {
      patterns: [
        ...['istiocustom', 'reporter=', 'component', 'cluster_manager', 'listener_manager', 'server'].map(prefix),
        ...['cluster.xds-grpc', 'wasm'].map(prefix),
        ...['rbac.allowed', 'rbac.denied', 'shadow_allowed', 'shadow_denied', 'downstream_cx_active'].map(suffix),
      ],
    },
  },
};

function prefix(text: string): Json {
  return { prefix: text };
}

function suffix(text: string): Json {
  return { suffix: text };
}

function counting(reporter: 'source' | 'destination', service: string): Json {
  const labels = {
    reporter,
    source_workload: reporter === 'source' ? 'web-v1' : 'unknown',
    destination_service: `${service}.shop.svc.cluster.local`,
    destination_service_name: service,
    destination_service_namespace: 'shop',
    request_protocol: 'http',
    response_flags: '%RESPONSE_FLAGS%',
    connection_security_policy: 'none',
  };
  const tags = (more: Readonly<Record<string, string>>) =>
    Object.entries({ ...labels, ...more }).map(([name, value_format]) => ({ name, value_format }));
  const stat = (name: string) => ({ name, tags: tags({ response_code: '%RESPONSE_CODE%' }) });
  return {
    access_log: [
      {
        name: 'stats',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config',
          stat_prefix: 'istiocustom',
          counters: [{ stat: stat('istio_requests_total'), value_fixed: 1 }],
          histograms: [
            { stat: stat('istio_request_duration_milliseconds'), unit: 'Milliseconds', value_format: '%DURATION%' },
          ],
        },
      },
    ],
  };
}

const toCluster = (name: string): Json => ({
  name,
  domains: ['*'],
  routes: [{ match: { prefix: '/' }, route: { cluster: name } }],
});

/** Istio's Envoy knows the namespace `istiocustom` and leaves it out of Prometheus's names; this one stands in for that. */
function startFakeNamespace(admin: string) {
  const server = createServer((request, response) => {
    void fetch(`http://${admin}${request.url}`).then(async (answer) => {
      const type = answer.headers.get('content-type') ?? '';
      const text = (await answer.text()).replaceAll('envoy_istiocustom_istio_', 'istio_');
      response.writeHead(answer.status, { 'content-type': type }).end(text);
    });
  });
  return listening(server, () => server.closeAllConnections());
}

let servers: FailingServers;
let envoy: RealEnvoy;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  servers = await startFailing();
  stops.push(servers.stop);
  const inbound = { name: 'in', statPrefix: 'inbound_0.0.0.0_8080;', virtualHosts: [toCluster('inbound|8080||')] };
  const outbound = { name: 'out', statPrefix: 'outbound_0.0.0.0_80;', virtualHosts: [toCluster('outbound|80||cart')] };
  envoy = await startRealEnvoy({
    version: VERSION,
    config: {
      node: NODE,
      stats_config: STATS_CONFIG,
      static_resources: {
        clusters: [cluster('inbound|8080||', [servers.http]), cluster('outbound|80||cart', [servers.http])],
        listeners: [
          listener({ ...inbound, manager: counting('destination', 'web') }),
          listener({ ...outbound, manager: counting('source', 'cart') }),
        ],
      },
    },
  });
  stops.push(envoy.stop);
}, 60_000);

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function send(to: 'in' | 'out', times: number, status: number): Promise<void> {
  for (let i = 0; i < times; i++)
    expect(await get({ port: envoy.port(to), host: 'any', path: `/${status}` })).toBe(String(status));
}

test('the text of its stats holds no request, and its Istio metrics are counted exactly', async () => {
  const fake = await startFakeNamespace(envoy.admin);
  const counted = new CountedEnvoy(`127.0.0.1:${fake.port}`, {});
  try {
    await counted.scrape();
    await send('in', 30, 200);
    await send('in', 4, 503);
    await send('out', 7, 200);
    await send('out', 2, 404);
    const text = (await envoy.page('/stats?usedonly')).toString('utf8');
    expect(text).not.toMatch(/_rq_/);
    await counted.expectSince({ inbound: '2xx 30, 5xx 4; 34 samples', cart: '2xx 7, 4xx 2; 9 samples' });
    await send('out', 5, 200);
    await counted.expectSince({ cart: '2xx 5; 5 samples' });
  } finally {
    await counted.close();
    await fake.stop();
  }
});
