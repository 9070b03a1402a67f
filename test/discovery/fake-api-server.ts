import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type PodPort, podPortOf, proxyToPod } from './fake-pod-proxy.ts';

export interface FakePod {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly status?: { readonly podIP?: unknown };
}

/** Events that a watch may begin with. */
const REMEMBERED = 1000;

type Verb = 'list' | 'watch';
/** Answers in place of the server. */
export type Trick = (response: ServerResponse, request: IncomingMessage) => void;

export interface FakeApiServer {
  readonly url: string;
  readonly kubeconfig: string;
  readonly tokenFile: string;
  /** Tokens that are let in. */
  readonly tokens: Set<string>;
  /** Queries of the requests for pods, in order. */
  readonly asked: { readonly verb: Verb; readonly query: URLSearchParams; readonly at: number }[];
  /** The next requests of this kind are answered by these. */
  trick(verb: Verb, ...tricks: Trick[]): void;
  put(...pods: FakePod[]): void;
  remove(pod: FakePod): void;
  /** An event as it is, to all watches that are open. */
  send(event: object | string): void;
  bookmark(): void;
  /** Open watches. */
  watching(): number;
  /** Answers everything with status 500. */
  broken: boolean;
  /** Denies the verb get on pods/proxy. */
  proxyDenied: boolean;
  /** Cuts all open watches off. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * A stand-in for an API server, pods and their proxy only, for what a real one can't be made to do on demand; plain
 * HTTP where it is given no certificate.
 */
export async function fakeApiServer(folder: string, tls?: { cert: string; key: string }): Promise<FakeApiServer> {
  /** JSON of each. */
  const pods = new Map<string, string>();
  const watches = new Set<ServerResponse>();
  const tricks: Record<Verb, Trick[]> = { list: [], watch: [] };
  const asked: FakeApiServer['asked'] = [];
  const tokens = new Set(['first']);
  const events: { version: number; text: string }[] = [];
  let version = 1000;

  const versioned = (pod: FakePod) => ({ ...pod, metadata: { ...pod.metadata, resourceVersion: String(version) } });
  const send = (event: object | string) => {
    for (const watch of watches) watch.write(typeof event === 'string' ? event : `${JSON.stringify(event)}\n`);
  };
  /** An event about a pod, which later watches from an earlier version see too. */
  const record = (type: string, pod: FakePod) => {
    const text = `${JSON.stringify({ type, object: versioned(pod) })}\n`;
    events.push({ version, text });
    if (events.length > REMEMBERED) events.shift();
    send(text);
  };
  const list: Trick = (response, request) => {
    const query = queryOf(request);
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit') ?? pods.size);
    const token = to < pods.size ? { continue: String(to) } : {};
    const metadata = JSON.stringify({ resourceVersion: String(version), ...token });
    const items = [...pods.values()].slice(from, to);
    response.end(`{"kind":"PodList","metadata":${metadata},"items":[${items.join(',')}]}`);
  };
  const watch: Trick = (response, request) => {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    const from = Number(queryOf(request).get('resourceVersion'));
    for (const event of events) if (event.version > from) response.write(event.text);
    watches.add(response);
    response.on('close', () => watches.delete(response));
  };

  const proxy = (port: PodPort, request: IncomingMessage, response: ServerResponse) => {
    const { namespace, name } = port;
    const pod = pods.get(`${namespace}/${name}`);
    const denied = `pods "${name}" is forbidden: User "me" cannot get resource "pods/proxy" in API group "" in the namespace "${namespace}"`;
    if (fake.proxyDenied) answer(response, 403, { kind: 'Status', message: denied });
    else if (pod === undefined) answer(response, 404, { kind: 'Status', message: `pods "${name}" not found` });
    else proxyToPod(request, response, { ...port, ip: String((JSON.parse(pod) as FakePod).status?.podIP) });
  };

  const respondTo: RequestListener = (request, response) => {
    if (fake.broken) return answer(response, 500, { kind: 'Status', message: 'broken' });
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (!tokens.has(token)) return answer(response, 401, { kind: 'Status', message: 'Unauthorized' });
    const podPort = podPortOf(request);
    if (podPort !== undefined) return proxy(podPort, request, response);
    if (!request.url?.startsWith('/api/v1/pods?')) return answer(response, 403, { kind: 'Status', message: '' });
    const verb: Verb = queryOf(request).has('watch') ? 'watch' : 'list';
    asked.push({ verb, query: queryOf(request), at: performance.now() });
    const respond = tricks[verb].shift() ?? (verb === 'list' ? list : watch);
    respond(response, request);
  };
  const server = tls ? createTlsServer(tls, respondTo) : createServer(respondTo);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [kubeconfig, tokenFile] = [join(folder, 'kubeconfig'), join(folder, 'token')];
  writeFileSync(tokenFile, 'first\n');
  writeFileSync(kubeconfig, kubeconfigText(url));
  const fake: FakeApiServer = {
    url,
    kubeconfig,
    broken: false,
    proxyDenied: false,
    tokenFile,
    tokens,
    asked,
    trick: (verb, ...more) => void tricks[verb].push(...more),
    put(...more) {
      for (const pod of more) {
        version++;
        const { namespace, name } = pod.metadata;
        const type = pods.has(`${namespace}/${name}`) ? 'MODIFIED' : 'ADDED';
        pods.set(`${namespace}/${name}`, JSON.stringify(pod));
        record(type, pod);
      }
    },
    remove(pod) {
      version++;
      pods.delete(`${pod.metadata.namespace}/${pod.metadata.name}`);
      record('DELETED', pod);
    },
    send,
    bookmark() {
      version += 100;
      send({ type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: String(version) } } });
    },
    watching: () => watches.size,
    cut() {
      for (const open of watches) open.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

/** A whole answer of JSON. */
export function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URL(url, 'http://localhost').searchParams;
}

/** Its `tokenFile` is relative, to the kubeconfig's folder. */
function kubeconfigText(server: string): string {
  return `apiVersion: v1
kind: Config
current-context: fake
clusters: [{ name: fake, cluster: { server: "${server}", insecure-skip-tls-verify: true } }]
users: [{ name: me, user: { tokenFile: token } }]
contexts: [{ name: fake, context: { cluster: fake, user: me } }]
`;
}
