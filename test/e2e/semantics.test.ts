/**
 * What becomes of the counts when a real Envoy is restarted, drained, reconfigured or told to show less: exact figures, or
 * an honest gap.
 */

import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readerOf } from '../../server/envoy/stats-form.ts';
import { increments } from '../../server/mesh/increments.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { compilePlan } from '../../server/mesh/plan.ts';
import { told } from '../mesh/faults.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { freePort } from './answering-server.ts';
import { type Counted, CountedEnvoy } from './counted-envoy.ts';
import { cluster, endpoint, GRPC_STATS, type Json, listener, OVER_HTTP2 } from './envoy-config.ts';
import { type FailingServers, startFailing } from './failing-servers.ts';
import { get, grpcStatus } from './plain-client.ts';
import { type RealEnvoy, startRealEnvoy } from './real-envoy.ts';

let servers: FailingServers;
/** What is to be ended after a test, last first. */
let running: (() => Promise<void>)[] = [];

beforeEach(async () => {
  servers = await startFailing();
  running = [servers.stop];
});

afterEach(async () => {
  for (const stop of running.reverse()) await stop();
});

const toCluster = (name: string): Json => ({
  name,
  domains: [name],
  routes: [{ match: { prefix: '/' }, route: { cluster: name } }],
});
const sidecar = (...peers: string[]): Json[] => [
  listener({ name: 'in', statPrefix: 'ingress', virtualHosts: [toCluster('local_app')], filters: [GRPC_STATS] }),
  listener({ name: 'out', statPrefix: 'egress', virtualHosts: peers.map(toCluster) }),
];

async function start(
  config: Json,
  more: { flags?: string[]; adminPort?: number; folder?: string } = {},
): Promise<RealEnvoy> {
  const envoy = await startRealEnvoy({ config, version: process.env.ENVOY_VERSION, ...more });
  running.push(envoy.stop);
  return envoy;
}

/** Counts from now on. */
async function counting({ admin }: RealEnvoy): Promise<CountedEnvoy> {
  const counted = new CountedEnvoy(admin, { service: 'web' });
  running.push(() => counted.close());
  await counted.scrape();
  return counted;
}

async function send(envoy: RealEnvoy, to: string, times: number, status = 200): Promise<void> {
  const port = envoy.port(to === 'local_app' ? 'in' : 'out');
  for (let i = 0; i < times; i++) expect(await get({ port, host: to, path: `/${status}` })).toBe(String(status));
}

test('a hot restart of an Envoy that rests: what the old process had told and what the new one counts, each once', async () => {
  const clusters = [cluster('local_app', [servers.http]), cluster('b', [servers.http])];
  const listeners = [
    listener({ name: 'in', statPrefix: 'ingress', virtualHosts: [toCluster('local_app')], port: await freePort() }),
    listener({ name: 'out', statPrefix: 'egress', virtualHosts: [toCluster('b')], port: await freePort() }),
  ];
  const config = { static_resources: { clusters, listeners } };
  const drain = ['--drain-time-s', '1', '--parent-shutdown-time-s', '1'];
  const adminPort = await freePort();
  const baseIdFile = join(temporaryFolder(), 'base-id');
  const parent = await start(config, {
    adminPort,
    flags: ['--use-dynamic-base-id', '--base-id-path', baseIdFile, ...drain],
  });
  const counted = await counting(parent);
  await send(parent, 'b', 7);
  await counted.expectSince({ b: '2xx 7; 7 samples' });
  const baseId = await readFile(baseIdFile, 'utf8');
  const child = await start(config, { adminPort, flags: ['--base-id', baseId, '--restart-epoch', '1', ...drain] });
  await counted.expectSince({});
  await parent.exited; // until then it may take requests too
  await send(child, 'b', 4, 503);
  await send(child, 'local_app', 2);
  await counted.expectSince({ b: '5xx 4; 4 samples', inbound: '2xx 2; 2 samples' });
  await send(child, 'b', 3);
  await counted.expectSince({ b: '2xx 3; 3 samples' });
});

test('draining goes on counting', async () => {
  const clusters = [cluster('local_app', [servers.http]), cluster('b', [servers.http])];
  const envoy = await start({ static_resources: { clusters, listeners: sidecar('b') } });
  const counted = await counting(envoy);
  await send(envoy, 'local_app', 3);
  await envoy.post('/healthcheck/fail');
  await send(envoy, 'local_app', 4);
  await counted.expectSince({ inbound: '2xx 7; 7 samples' });
  await envoy.post('/drain_listeners?graceful&skip_exit');
  await send(envoy, 'b', 2);
  await counted.expectSince({ b: '2xx 2; 2 samples' });
  await envoy.post('/healthcheck/ok');
  await envoy.post('/reset_counters');
  await send(envoy, 'b', 1, 404);
  await counted.expectSince({ b: '4xx 1; 1 samples' });
});

describe('clusters and hosts that come and go', () => {
  const TYPES = 'type.googleapis.com/envoy.config';
  let envoy: RealEnvoy;
  let counted: CountedEnvoy;

  async function write(name: 'cds' | 'eds', resources: readonly Json[]): Promise<void> {
    const file = join(folder, `${name}.json`);
    await writeFile(`${file}.new`, JSON.stringify({ version_info: String(++version), resources }));
    await rename(`${file}.new`, file);
  }
  let folder = '';
  let version = 0;

  const peer = (more: Json = {}): Json => ({
    '@type': `${TYPES}.cluster.v3.Cluster`,
    name: 'b',
    type: 'EDS',
    connect_timeout: '1s',
    eds_cluster_config: { eds_config: { path_config_source: { path: join(folder, 'eds.json') } } },
    ...more,
  });
  const hosts = (...ports: number[]): Json => ({
    '@type': `${TYPES}.endpoint.v3.ClusterLoadAssignment`,
    cluster_name: 'b',
    endpoints: [{ lb_endpoints: ports.map(endpoint) }],
  });
  /** The value of a stat, and undefined for one that Envoy does not list. */
  const stat = async (name: string) =>
    /: (\d+)/.exec((await envoy.page(`/stats?filter=^${name}$`)).toString('utf8'))?.[1];

  test('are counted in every life', async () => {
    folder = temporaryFolder();
    await write('eds', [hosts(servers.http)]);
    await write('cds', [peer()]);
    envoy = await start(
      {
        node: { id: 'web-1', cluster: 'web' },
        dynamic_resources: { cds_config: { path_config_source: { path: join(folder, 'cds.json') } } },
        static_resources: { clusters: [cluster('local_app', [servers.http])], listeners: sidecar('b') },
      },
      { folder },
    );
    counted = await counting(envoy);
    await send(envoy, 'b', 5);
    await counted.expectSince({ b: '2xx 5; 5 samples' });

    await write('eds', [hosts()]);
    await vi.waitFor(async () => expect(await stat('cluster.b.membership_total')).toBe('0'), 20_000);
    await send(envoy, 'b', 2, 503);
    await counted.expectSince({ b: '5xx 2, no_healthy_upstream 2' });
    await write('eds', [hosts(servers.http)]);
    await vi.waitFor(async () => expect(await stat('cluster.b.membership_total')).toBe('1'), 20_000);
    await send(envoy, 'b', 3);
    await counted.expectSince({ b: '2xx 3; 3 samples' });

    await write('cds', [peer({ connect_timeout: '2s' })]);
    await vi.waitFor(async () => expect(await stat('cluster_manager.cluster_modified')).toBe('1'), 20_000);
    await send(envoy, 'b', 4, 404);
    await counted.expectSince({ b: '4xx 4; 4 samples' });

    await write('cds', []);
    await vi.waitFor(async () => expect(await stat('cluster.b.membership_total')).toBe(undefined), 20_000);
    await counted.expectSince({});
    await write('cds', [peer()]);
    await vi.waitFor(async () => expect(await stat('cluster.b.membership_total')).toBe('1'), 20_000);
    await send(envoy, 'b', 6);
    await counted.expectSince({ b: '2xx 6; 6 samples' });
  });
});

interface Shown {
  readonly what: string;
  readonly stats: Json;
  /** Stat prefix of the connection manager that requests come in by. */
  readonly prefix?: string;
  readonly text: Counted;
  /** Default: as in the text. */
  readonly prometheus?: Counted;
}

const ALL: Counted = { inbound: '2xx 3, 5xx 2; 5 samples', 'shop.eu': '2xx 4; 4 samples' };
const rejecting = (pattern: Json): Json => ({ stats_matcher: { exclusion_list: { patterns: [pattern] } } });

test.each<Shown>([
  { what: 'nothing special', stats: {}, text: ALL },
  {
    what: 'fixed tags, and a tag of its own',
    stats: {
      stats_tags: [
        { tag_name: 'team', fixed_value: 'shop "1"' },
        { tag_name: 'mesh.zone', regex: '^cluster\\.shop\\.((eu)\\.)' },
      ],
    },
    text: ALL,
    prometheus: { inbound: '2xx 3, 5xx 2; 5 samples', shop: '2xx 4; 4 samples' },
  },
  { what: 'a stat prefix with dots', stats: {}, prefix: 'mesh.public_listener.v1', text: ALL },
  {
    what: 'buckets of its own',
    stats: { histogram_bucket_settings: [{ match: { suffix: 'rq_time' }, buckets: [1, 7, 77, 777] }] },
    text: ALL,
  },
  {
    what: 'no latencies',
    stats: rejecting({ suffix: 'rq_time' }),
    text: { inbound: '2xx 3, 5xx 2', 'shop.eu': '2xx 4' },
  },
  {
    what: 'no connection managers: the local cluster tells what came in',
    stats: rejecting({ prefix: 'http.' }),
    text: ALL,
  },
  { what: 'no clusters', stats: rejecting({ prefix: 'cluster.' }), text: { inbound: '2xx 3, 5xx 2; 5 samples' } },
  { what: 'no counts of requests', stats: rejecting({ contains: '_rq_' }), text: {} },
])('$what', async ({ stats, prefix = 'ingress', text, prometheus = text }) => {
  const [, out] = sidecar('shop.eu');
  const into = listener({ name: 'in', statPrefix: prefix, virtualHosts: [toCluster('local_app')] });
  const clusters = [cluster('local_app', [servers.http]), cluster('shop.eu', [servers.http])];
  const envoy = await start({ stats_config: stats, static_resources: { clusters, listeners: [into, out] } });
  await send(envoy, 'local_app', 3);
  await send(envoy, 'local_app', 2, 503);
  await send(envoy, 'shop.eu', 4);
  await vi.waitFor(async () => {
    const bodies = [
      await envoy.page('/stats?histogram_buckets=detailed&usedonly'),
      await envoy.page('/stats/prometheus?usedonly'),
    ];
    expect(bodies.map((body, index) => countedIn(body, index === 0 ? 'text' : 'prometheus'))).toEqual([
      text,
      prometheus,
    ]);
  }, 20_000);
});

/** What a body comes to, counted from zero. */
function countedIn(body: Buffer, form: 'text' | 'prometheus'): Counted {
  const reading = readerOf(form, true).read(body);
  const plan = compilePlan({
    layout: reading.layout,
    service: 'web',
    labelledRole: '',
    namedRole: 'sidecar',
    managers: new Set(),
    rules: NO_RULES,
  });
  const flows = increments(plan, reading, undefined).map((one) => [one.flow.peer || 'inbound', told(one)] as const);
  return Object.fromEntries(flows.filter(([, counts]) => counts !== ''));
}

test('a gRPC call that a sidecar fails on the way to its own application is one failed request', async () => {
  const clusters = [cluster('local_app', [servers.closed], OVER_HTTP2), cluster('b', [servers.http])];
  const envoy = await start({ static_resources: { clusters, listeners: sidecar('b') } });
  const counted = await counting(envoy);
  expect(await grpcStatus({ port: envoy.port('in'), host: 'local_app', path: '/shop.Cart/Get' })).toBe('14');
  await counted.expectSince({ inbound: '2xx 1, grpc_failed 1, connect 1; 1 samples' });
});
