import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ENVOY_CONTAINERS } from '../../server/config/kubernetes-fields.ts';
import { KubernetesDiscoverer } from '../../server/discovery/kubernetes.ts';
import { WATCH_TIMING, type WatchTiming } from '../../server/discovery/kubernetes-watch.ts';
import { eventually } from '../scrape/eventually.ts';
import { answer, type FakeApiServer, fakeApiServer, type Trick } from './fake-api-server.ts';
import { podManifest } from './pod-manifest.ts';
import { type RecordingSink, recordingSink } from './recording-sink.ts';

const FAST: WatchTiming = { ...WATCH_TIMING, backOffMs: { first: 10, longest: 50 }, deniedMs: 50 };

let folder: string;
let server: FakeApiServer;
let running: KubernetesDiscoverer[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fake-api-server-'));
  server = await fakeApiServer(folder);
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((discoverer) => discoverer.stop()));
  await server.close();
  rmSync(folder, { recursive: true });
});

const pod = (number: number, more: Parameters<typeof podManifest>[0] = {}) =>
  podManifest({ name: `shop-${number}`, ...more, status: { podIP: `10.0.${number >> 8}.${number & 255}` } });
const address = (number: number) => `10.0.${number >> 8}.${number & 255}:9901`;

interface Run {
  readonly timing?: Partial<WatchTiming>;
  readonly now?: () => number;
  readonly access?: 'direct' | 'proxy';
  readonly kubeconfig?: string;
}

function discover({ timing = {}, now = Date.now, access = 'direct', kubeconfig = server.kubeconfig }: Run = {}) {
  const discoverer = new KubernetesDiscoverer(
    { kubeconfig, namespaces: [], selector: '', container: ENVOY_CONTAINERS, access, relabel: [] },
    { now, random: () => 0.5 },
    { ...FAST, ...timing },
  );
  const sink = recordingSink();
  running.push(discoverer);
  discoverer.start(sink);
  return sink;
}

const versions = (verb: 'list' | 'watch') =>
  server.asked.filter((one) => one.verb === verb).map(({ query }) => query.get('resourceVersion'));
const lists = () => server.asked.filter(({ verb }) => verb === 'list').length;
const watching = () => eventually(() => server.watching()).toBe(1);

async function showsThat(sink: RecordingSink, numbers: readonly number[]): Promise<void> {
  await eventually(() => sink.addresses()).toEqual(numbers.map(address).sort());
}

test('a list comes in pages, is told at once, and the watch goes on from it', async () => {
  server.put(...Array.from({ length: 1250 }, (_, index) => pod(index)));
  const sink = discover();
  await watching();
  expect(lists()).toBe(3);
  expect(sink.batches).toHaveLength(1);
  expect(sink.addresses()).toHaveLength(1250);
  expect(versions('watch')).toEqual(['2250']);
});

test('an empty cluster is an answer too', async () => {
  const sink = discover();
  await eventually(() => sink.batches).toEqual([[]]);
});

test('a watch that ends, or is cut off, goes on from the last event or bookmark, without a list', async () => {
  const sink = discover();
  await watching();
  server.put(pod(1));
  await showsThat(sink, [1]);
  server.cut();
  await eventually(() => versions('watch')).toEqual(['1000', '1001']);
  await watching();
  server.bookmark();
  server.put(pod(2));
  server.bookmark();
  await showsThat(sink, [1, 2]);
  server.send('\n');
  server.cut();
  await eventually(() => versions('watch').slice(0, 3)).toEqual(['1000', '1001', '1202']);
  expect(lists()).toBe(1);
});

const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
const GONE: readonly [about: string, trick: Trick][] = [
  ['as an event', (response) => response.end(`${JSON.stringify({ type: 'ERROR', object: gone })}\n`)],
  ['as a status', (response) => answer(response, 410, gone)],
];

test.each(GONE)('410 Gone %s: a new list, which tells what went meanwhile, and no error', async (_about, trick) => {
  server.put(pod(1), pod(2));
  const sink = discover();
  await watching();
  await showsThat(sink, [1, 2]);
  server.trick('watch', trick);
  server.trick('watch', (response) => {
    server.remove(pod(1));
    server.put(pod(3));
    trick(response, response.req);
  });
  server.cut();
  await showsThat(sink, [2, 3]);
  expect(sink.batches.slice(1).flat()).toHaveLength(2);
  expect(sink.told.filter((error) => error !== '' && !/can't be asked/.test(error))).toEqual([]);
});

test('410 Gone amid the pages of a list: from the first page again', async () => {
  server.put(...Array.from({ length: 600 }, (_, index) => pod(index)));
  const normal: Trick = (response) =>
    answer(response, 200, { metadata: { resourceVersion: '5', continue: 'old' }, items: [pod(4000)] });
  server.trick('list', normal, (response) => answer(response, 410, gone));
  const sink = discover();
  await watching();
  expect(sink.addresses()).toHaveLength(600);
  expect(sink.batches).toHaveLength(1);
});

const cutMidway: Trick = (response) => {
  response.writeHead(200, { 'content-length': '5000' });
  response.write('{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[{"meta', () => response.destroy());
};
const PAGE = '<html><title>Sign in</title></html>';
/** What answers a list, and what is said of it; then all is well. */
const BAD_LISTS: readonly [about: string, trick: Trick, error: RegExp][] = [
  ['cut off', cutMidway, /can't be asked: /],
  ['a sign-in page', (response) => response.end(PAGE), /is not JSON: is it really the API server's address/],
  ['a redirect', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /status 302/],
  ['JSON of something else', (response) => answer(response, 200, { ok: true }), /is not a Kubernetes list/],
  ['a list', (response) => answer(response, 200, []), /is not a Kubernetes list/],
  ['an error', (response) => answer(response, 500, { kind: 'Status', message: 'etcd\nfell' }), /status 500: etcd fell/],
  ['an endless error', (response) => response.writeHead(503).end('x'.repeat(1_000_000)), /status 503$/],
  ['not HTTP', (response) => response.socket?.end('SSH-2.0\r\n\r\n'), /does not speak HTTP/],
  ['silence', () => {}, /has not answered within 0.2 s/],
  ['half an answer', (response) => response.writeHead(200).write('{'), /has not answered within 0.2 s/],
  ['too large', (response) => endless(response), /larger than 8388608 bytes/],
];

function endless(response: Parameters<Trick>[0]): void {
  const chunk = Buffer.alloc(2 ** 20, ' ');
  const more = (error?: Error | null) => void (error || response.destroyed || response.write(chunk, more));
  response.writeHead(200);
  more();
}

test.each(BAD_LISTS)('a list that is %s is told, and asked for again', async (about, trick, error) => {
  server.put(pod(1));
  server.trick('list', trick);
  const sink = discover({ timing: { pageMs: about === 'too large' ? 20_000 : 200 } });
  await showsThat(sink, [1]);
  expect(sink.told[0]).toMatch(error);
  await eventually(() => sink.told.at(-1)).toBe('');
});

const BAD_EVENTS: readonly [about: string, event: string, error: RegExp | undefined][] = [
  ['broken', '{"type":"ADDED","object":{"meta\n', /is not JSON/],
  ['endless', 'x'.repeat(9 * 2 ** 20), /larger than 8388608 bytes/],
  ['of an unknown type', '{"type":"NEW","object":5}\n', undefined],
  ['no event', '[]\n', undefined],
  ['no pod', '{"type":"ADDED","object":{"metadata":null}}\n', undefined],
];

test.each(BAD_EVENTS)('an event that is %s', async (_about, event, error) => {
  const sink = discover();
  await watching();
  server.send(event);
  if (error !== undefined) {
    await eventually(() => sink.told.find((one) => error.test(one))).toBeDefined();
    await eventually(() => sink.told.at(-1)).toBe('');
    await watching();
  }
  server.put(pod(2));
  await showsThat(sink, [2]);
});

test('an event in single bytes, and many in one', async () => {
  const sink = discover();
  await watching();
  const events = [1, 2, 3].map((number) => JSON.stringify({ type: 'ADDED', object: pod(number) }));
  for (const byte of `${events[0]}\n`) server.send(byte);
  server.send(`${events[1]}\n${events[2]}\n`);
  await showsThat(sink, [1, 2, 3]);
});

test('a watch that fails again and again is begun with a new list', async () => {
  const sink = discover();
  await watching();
  const broken: Trick = (response) => response.end('nonsense\n');
  server.trick('watch', broken, broken, broken, broken);
  server.cut();
  await eventually(lists).toBe(2);
  await watching();
  await eventually(() => sink.told.at(-1)).toBe('');
});

test('a silent watch is given up, and pods that went meanwhile are gone', async () => {
  server.put(pod(1));
  server.trick('watch', (response) => response.writeHead(200).flushHeaders());
  const sink = discover({ timing: { watchSeconds: 0.4, graceMs: 100 } });
  await showsThat(sink, [1]);
  await eventually(() => versions('watch').length).toBeGreaterThan(1);
  await watching();
  server.remove(pod(1));
  await showsThat(sink, []);
});

test('429: the API server is left alone for as long as it asks', async () => {
  const overloaded: Trick = (response) => answer(response, 429, { message: 'slow down' }, { 'retry-after': '1' });
  server.trick('list', overloaded);
  const sink = discover();
  await showsThat(sink, []);
  await watching();
  const [first, second] = server.asked;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  expect(sink.told[0]).toBe('the API server is overloaded (429): list of pods in all namespaces is tried again later');
});

test('a token that has expired is read anew, at once', async () => {
  const sink = discover({ now: () => 0 });
  await watching();
  server.tokens.clear();
  server.cut();
  await eventually(() => sink.told.at(-1)).toMatch(/does not know us \(401\): the token or certificate has expired/);
  server.tokens.add('second');
  writeFileSync(server.tokenFile, 'second');
  await watching();
  server.put(pod(1));
  await showsThat(sink, [1]);
  await eventually(() => sink.told.at(-1)).toBe('');
});

test('denied to watch, the pods are listed again and again', async () => {
  const denied: Trick = (response) =>
    answer(response, 403, { message: 'pods is forbidden: User "system:serviceaccount:a:b" cannot watch resource' });
  server.trick('watch', ...Array.from({ length: 1000 }, () => denied));
  const sink = discover();
  await eventually(() => sink.told.at(-1)).toMatch(
    /^system:serviceaccount:a:b is denied \(403\): it needs the verb watch on pods in all namespaces; bind/,
  );
  server.put(pod(7));
  await showsThat(sink, [7]);
});

test('while it fails, nothing is emitted: the last groups stay', async () => {
  server.put(pod(1));
  const sink = discover();
  await watching();
  await server.close();
  await eventually(() => sink.told.at(-1)).toMatch(/nothing listens there/);
  expect(sink.addresses()).toEqual([address(1)]);
  expect(sink.batches).toHaveLength(1);
});

test('changes that concern no target are not told', async () => {
  server.put(pod(1));
  const sink = discover();
  await watching();
  const sooner = { ...pod(1), spec: { ...pod(1).spec, priority: 5 } };
  server.put(sooner);
  server.put(pod(1, { containers: [] }));
  await eventually(() => sink.groups.get('default/shop-1')?.targets).toEqual([]);
  expect(sink.batches).toHaveLength(2);
});

test('access: proxy reaches pods through the API server, with a token that is fresh', async () => {
  server.put(pod(1));
  const sink = discover({ access: 'proxy' });
  await showsThat(sink, [1]);
  const reach = sink.groups.get('default/shop-1')?.targets[0]?.reach;
  expect(reach).toMatchObject({
    via: `${server.url}/api/v1/namespaces/default/pods/shop-1:9901/proxy`,
    tls: { insecureSkipVerify: true },
  });
  expect(await reach?.headers?.()).toEqual({ authorization: 'Bearer first' });
  expect(reach?.key).not.toContain('first');
});

const KUBECONFIGS: readonly [about: string, text: string | undefined, error: RegExp][] = [
  ['not there', undefined, /^kubeconfig \S+: .*no such file/],
  ['empty', '', /^kubeconfig \S+: it is empty/],
  ['not YAML', 'a: [', /^kubeconfig \S+: /],
  ['without a context', 'clusters: []\nusers: []\n', /current-context "" names no cluster and user/],
  [
    'without a server',
    'current-context: a\nclusters: [{ name: a, cluster: {} }]\nusers: [{ name: a }]\ncontexts: [{ name: a, context: { cluster: a, user: a } }]\n',
    /the cluster of current-context "a" has no server such as https:\/\/host:6443/,
  ],
  ['of odd types', 'users: 5\nclusters: x\ncurrent-context: [a]\n', /names no cluster and user/],
];

test.each(KUBECONFIGS)('a kubeconfig that is %s', async (_about, text, error) => {
  const kubeconfig = join(folder, 'other');
  if (text !== undefined) writeFileSync(kubeconfig, text);
  const sink = discover({ kubeconfig });
  await eventually(() => sink.told.at(-1)).toMatch(error);
});

test('after stop() nothing is told any more, and nothing is left running', async () => {
  const sink = discover();
  await watching();
  await running.pop()?.stop();
  await eventually(() => server.watching()).toBe(0);
  const { length } = sink.told;
  server.put(pod(1));
  expect(sink.addresses()).toEqual([]);
  expect(sink.told).toHaveLength(length);
});
