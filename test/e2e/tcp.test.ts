/** Bare connections through a real Envoy: their number, bytes and durations, and no request made of them. */

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { QueryAnswer, ServiceAnswer, StatusAnswer } from '../../server/api/contract.ts';
import { findEnvoy } from '../../server/demo/envoy.ts';
import { type EnvoyProcess, startEnvoyProcess } from '../../server/demo/envoy-process.ts';
import { findFreePortOffset } from '../../server/demo/ports.ts';
import { startWatchdog, type Watchdog } from '../../server/demo/watchdog.ts';
import { getJson, startTestCollector, type TestCollector } from './collector.ts';
import { exportedRows, total } from './exported.ts';

const PORTS = { admin: 18_301, http: 18_302, inbound: 18_303, outbound: 18_304, app: 18_305, database: 18_306 };
const OUTBOUND = { connections: 7, closed: 4, bytes: 1000 };
/** One more of the outbound ones, closed only when a scrape has seen it open. */
const HELD = { bytes: 1000 };
const SENT = { connections: OUTBOUND.connections + 1, closed: OUTBOUND.closed + 1 };
const INBOUND = { connections: 5, closed: 5, bytes: 300 };

const ports = { ...PORTS };
const startedAt = Date.now();
const servers: Server[] = [];
const open: Socket[] = [];
/** Of the connection that was held: it lasted at least, and at most, so many milliseconds. */
let held: { least: number; most: number };
/** No connection but that one lasted longer. */
let longestShort = 0;
let folder: string;
let envoy: EnvoyProcess;
let watchdog: Watchdog;
let collector: TestCollector;

const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const filterOf = (type: string, config: object) => ({
  name: type,
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.filters.network.${type}`, ...config },
});
const listener = (port: number, filter: object) => ({
  name: `on_${port}`,
  address: address(port),
  filter_chains: [{ filters: [filter] }],
});
const tcpProxy = (stat_prefix: string, cluster: string) => filterOf('tcp_proxy.v3.TcpProxy', { stat_prefix, cluster });
const cluster = (name: string, port: number) => ({
  name,
  type: 'STATIC',
  connect_timeout: '1s',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
  },
});
const connectionManager = filterOf('http_connection_manager.v3.HttpConnectionManager', {
  stat_prefix: 'ingress_http',
  route_config: {},
  http_filters: [
    {
      name: 'router',
      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
    },
  ],
});

/** A sidecar of `ledger` that takes connections for its application and makes some to a database; HTTP is there, unused. */
const bootstrap = () => ({
  node: { id: 'ledger-1', cluster: 'ledger' },
  admin: { address: address(ports.admin) },
  stats_flush_interval: '1s',
  static_resources: {
    listeners: [
      listener(ports.http, connectionManager),
      listener(ports.inbound, tcpProxy('inbound_tcp', 'local_app')),
      listener(ports.outbound, tcpProxy('outbound_tcp', 'database')),
    ],
    clusters: [cluster('local_app', ports.app), cluster('database', ports.database)],
  },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidelight-tcp-'));
  const uses = Object.entries(PORTS).map(([user, port]) => ({ host: '127.0.0.1', port, user, where: 'this test' }));
  const offset = await findFreePortOffset(uses);
  for (const [name, port] of Object.entries(PORTS)) ports[name as keyof typeof PORTS] = port + offset;
  for (const port of [ports.app, ports.database]) servers.push(await startEcho(port));
  await writeFile(join(folder, 'ledger.json'), JSON.stringify(bootstrap()));
  const version = process.env.ENVOY_VERSION;
  const binary = await findEnvoy({ log: console.log, ...(version ? { version } : {}) });
  watchdog = startWatchdog();
  const admin = { host: '127.0.0.1', port: ports.admin };
  envoy = startEnvoyProcess({
    binary,
    bootstrap: { instance: 'ledger-1', file: 'ledger.json', admin, listeners: [] },
    folder,
    watchdog,
  });
  await envoy.ready;
  collector = await startTestCollector({
    targets: [`127.0.0.1:${ports.admin}`],
    storagePath: join(folder, 'sidelight.db'),
    intervalSeconds: 1,
  });
  await vi.waitFor(async () => expect((await api<StatusAnswer>('status')).scrape.up).toBe(1), 30_000);
  await talk(ports.outbound, OUTBOUND);
  await talk(ports.inbound, INBOUND);
  held = await hold(ports.outbound, HELD.bytes);
}, 120_000); // the first start on a machine installs Envoy

afterAll(async () => {
  for (const socket of open) socket.destroy();
  await collector?.terminate();
  await envoy?.stop();
  await watchdog?.stop();
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Sends everything back. */
async function startEcho(port: number): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Opens connections one after the other, sends bytes over each and waits until they came back; closes some. */
async function talk(port: number, { connections, closed, bytes }: typeof OUTBOUND): Promise<void> {
  for (let index = 0; index < connections; index++) {
    const before = performance.now();
    const socket = await echoed(port, bytes);
    if (index < closed) {
      await closedBoth(socket);
      longestShort = Math.max(longestShort, performance.now() - before);
    }
  }
}

/** Holds a connection until its collector shows all that are open, and tells how long it lasted. */
async function hold(port: number, bytes: number): Promise<typeof held> {
  const before = performance.now();
  const socket = await echoed(port, bytes);
  const since = performance.now();
  await vi.waitFor(async () => {
    const { database } = await signal('active_connections');
    expect(database?.newest).toBe(SENT.connections - OUTBOUND.closed);
  }, 30_000);
  const least = performance.now() - since;
  await closedBoth(socket);
  return { least, most: performance.now() - before };
}

async function echoed(port: number, bytes: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  open.push(socket);
  socket.write(Buffer.alloc(bytes));
  for (let received = 0; received < bytes; ) {
    const [part] = (await once(socket, 'data')) as [Buffer];
    received += part.length;
  }
  return socket;
}

/** Closes a connection, and waits until the other end has done so too. */
async function closedBoth(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.end();
  await closed;
}

function api<T>(path: string): Promise<T> {
  return getJson<T>(`${collector.url}/api/v1/${path}`);
}

const window = () => `from=${startedAt}&to=${Date.now() + 60_000}`;

/** Sum, and newest value, of a signal by direction and peer. */
async function signal(name: string): Promise<Record<string, { sum: number; newest: number | null | undefined }>> {
  const { series } = await api<QueryAnswer>(
    `query?signal=${name}&service=ledger&by=direction,peer&step=1s&${window()}`,
  );
  return Object.fromEntries(
    series.map(({ labels, points }) => {
      const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
      const sum = values.reduce((total, value) => total + value, 0);
      return [labels.peer ?? labels.direction ?? '', { sum, newest: values.at(-1) }];
    }),
  );
}

test('connections that were begun', async () => {
  await vi.waitFor(async () => {
    expect(await signal('connections')).toMatchObject({
      database: { sum: SENT.connections },
      inbound: { sum: INBOUND.connections },
    });
  }, 30_000);
});

test('connections that are open', async () => {
  await vi.waitFor(async () => {
    expect(await signal('active_connections')).toMatchObject({
      database: { newest: SENT.connections - SENT.closed },
      inbound: { newest: 0 },
    });
  }, 30_000);
});

test('bytes in both directions', async () => {
  const sent = OUTBOUND.connections * OUTBOUND.bytes + HELD.bytes;
  const received = INBOUND.connections * INBOUND.bytes;
  await vi.waitFor(async () => {
    const rows = await exportedRows(join(folder, 'sidelight.db'));
    const bytes = (peer: string) => {
      const ofPeer = rows.filter((row) => row.peer === peer);
      return { rx: total(ofPeer, 'bytes_rx'), tx: total(ofPeer, 'bytes_tx') };
    };
    expect([bytes(''), bytes('database')]).toEqual([
      { rx: received, tx: received },
      { rx: sent, tx: sent },
    ]);
  }, 60_000);
  expect(Object.keys(await signal('bytes_tx')).sort()).toEqual(['database', 'inbound']);
});

test('one sample for each connection that ended, and none of those that are open', async () => {
  await vi.waitFor(async () => {
    const rows = await exportedRows(join(folder, 'sidelight.db'));
    const samples = (wanted: string) =>
      total(
        rows.filter(({ direction }) => direction === wanted),
        'latency_samples',
      );
    expect([samples('inbound_connections'), samples('outbound_connections')]).toEqual([INBOUND.closed, SENT.closed]);
    expect([samples('inbound'), samples('outbound')]).toEqual([0, 0]);
  }, 60_000);
});

test('how long connections lasted', async () => {
  await vi.waitFor(async () => {
    const [p50, p99] = [await durations('p50'), await durations('p99')];
    expect(Math.max(...(p99.database ?? []))).toBeGreaterThanOrEqual(within(held.least).least);
    expect(Math.max(...(p99.database ?? []))).toBeLessThanOrEqual(within(held.most).most);
    expect(p99.inbound).not.toEqual([]);
    for (const short of [...(p99.inbound ?? [Number.NaN]), Math.min(...(p50.database ?? []))])
      expect(short).toBeLessThanOrEqual(within(longestShort).most);
  }, 30_000);
});

/** Envoy records whole milliseconds, cut off, in bins that are up to a tenth of their values wide, at the end as it sees it. */
function within(ms: number): { least: number; most: number } {
  return { least: ms * 0.9 - 1, most: ms * 1.1 + 100 };
}

/** By peer, or direction where there is none. */
async function durations(percentile: string): Promise<Record<string, number[]>> {
  const { series } = await api<QueryAnswer>(
    `query?signal=connection_duration_${percentile}&service=ledger&by=direction,peer&step=1h&${window()}`,
  );
  return Object.fromEntries(
    series.map(({ labels, points }) => [
      labels.peer ?? labels.direction ?? '',
      points.flatMap(([, value]) => (value === null ? [] : [value])),
    ]),
  );
}

test('no request is made of a connection, neither done nor in flight, nor a failure of one that ended', async () => {
  const service = await api<ServiceAnswer>(`services/ledger?${window()}`);
  expect(service).toMatchObject({
    vantage: 'server',
    state: 'no_traffic',
    requests: 0,
    successRate: null,
    errorRate: null,
    latencySamples: 0,
    activeRequests: 0,
    failures: {},
    upstreams: [],
  });
  for (const name of ['requests', 'active_requests', 'failures'])
    for (const { sum } of Object.values(await signal(name))) expect([name, sum]).toEqual([name, 0]);
});
