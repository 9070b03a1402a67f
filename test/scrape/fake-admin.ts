/** Real servers on loopback that stand in for an Envoy's admin port, or for whatever else may listen there. */

import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { CLUSTERS_PATH } from '../../server/envoy/clusters.ts';
import { LISTENERS_PATH } from '../../server/envoy/listeners.ts';
import { CONNECTION_MANAGERS_PATH, SERVER_INFO_PATH } from '../../server/envoy/requests.ts';
import { parseTargetAddress, type TargetAddress } from '../../server/model/target.ts';

export type FakeAnswer = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeAdmin {
  readonly address: TargetAddress;
  /** As a configuration would name it. */
  readonly text: string;
  /** Names of what was asked for, in order: `stats`, `stats.json`, `managers`, `info`. */
  readonly asked: string[];
  /** Connections that were opened so far. */
  readonly connections: () => number;
  /** Most requests that were open at once. */
  readonly mostAtOnce: () => number;
  /** Ends the connections that are open, as an Envoy does that restarts. */
  dropConnections(): void;
  stop(): Promise<void>;
}

const LOOPBACK: ListenOptions = { host: '127.0.0.1', port: 0 };

export const FAKE_STATS = [
  'cluster.reviews.membership_total: 1',
  'cluster.reviews.upstream_rq_2xx: 12',
  'http.admin.downstream_rq_completed: 3',
  'http.ingress.downstream_rq_2xx: 40',
  'http.ingress.downstream_rq_time:',
  '  totals=1,0.1:30, 20,1:10',
  '  intervals=',
  '  summary=P0(nan,1)',
  'server.uptime: 9',
  '',
].join('\n');

export const FAKE_STATS_JSON = JSON.stringify({ stats: [{ name: 'http.ingress.downstream_rq_2xx', value: 40 }] });

export const FAKE_INFO = JSON.stringify({
  version: 'c0ffee/1.40.0/Clean/RELEASE/BoringSSL',
  state: 'LIVE',
  uptime_current_epoch: '600s',
  node: { id: 'checkout-1', cluster: 'checkout' },
});

export const FAKE_CLUSTERS = JSON.stringify({
  cluster_statuses: [
    {
      name: 'reviews',
      host_statuses: [
        {
          address: { socket_address: { address: '10.0.0.7', port_value: 80 } },
          stats: [
            { name: 'rq_success', value: '9' },
            { name: 'rq_error', value: '3' },
          ],
          locality: { region: 'eu', zone: 'eu-1' },
        },
      ],
    },
  ],
});

export const FAKE_LISTENERS = JSON.stringify({ listener_statuses: [] });

/** Which of the scraper's requests this is. */
export function askedFor({ url = '' }: IncomingMessage): string {
  if (url === SERVER_INFO_PATH) return 'info';
  if (url.startsWith('/stats?format=json&')) return 'stats.json';
  if (url === CONNECTION_MANAGERS_PATH) return 'managers';
  return url.startsWith('/stats?') ? 'stats' : url;
}

export function sendText(response: ServerResponse, text: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=UTF-8' }).end(text);
}

export function sendJson(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

/** What a healthy Envoy answers. */
export const healthy: FakeAnswer = (request, response) => {
  const what = askedFor(request);
  if (what === 'info') sendJson(response, FAKE_INFO);
  else if (what === 'stats.json') sendJson(response, FAKE_STATS_JSON);
  else if (request.url === CLUSTERS_PATH) sendJson(response, FAKE_CLUSTERS);
  else if (request.url === LISTENERS_PATH) sendJson(response, FAKE_LISTENERS);
  else sendText(response, FAKE_STATS);
};

/** A server that speaks HTTP. */
export async function startFakeAdmin(answer: FakeAnswer, listen: ListenOptions = LOOPBACK): Promise<FakeAdmin> {
  const asked: string[] = [];
  let open = 0;
  let mostAtOnce = 0;
  const server = createHttpServer({ keepAliveTimeout: 0 }, (request, response) => {
    asked.push(askedFor(request));
    mostAtOnce = Math.max(mostAtOnce, ++open);
    response.on('close', () => open--);
    answer(request, response);
  });
  return { ...(await listening(server, listen)), asked, mostAtOnce: () => mostAtOnce };
}

/** A server that does with its connections what it likes. */
export async function startFakeSocket(onConnection: (socket: Socket) => void): Promise<FakeAdmin> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  return { ...(await listening(server, LOOPBACK)), asked: [], mostAtOnce: () => 0 };
}

async function listening(server: Server, listen: ListenOptions): Promise<Omit<FakeAdmin, 'asked' | 'mostAtOnce'>> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(listen);
  await once(server, 'listening');
  const dropConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    ...addressOf(server.address()),
    connections: () => connections,
    dropConnections,
    async stop() {
      server.close();
      dropConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function addressOf(bound: AddressInfo | string | null): Pick<FakeAdmin, 'address' | 'text'> {
  if (bound === null) throw new Error('not listening');
  const host = typeof bound === 'object' && bound.family === 'IPv6' ? `[${bound.address}]` : '127.0.0.1';
  const text = typeof bound === 'string' ? `unix:${bound}` : `${host}:${bound.port}`;
  const parsed = parseTargetAddress(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return { address: parsed.address, text };
}
