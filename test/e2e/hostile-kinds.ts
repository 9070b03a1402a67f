/** Everything that may listen where an Envoy's admin port is expected, and what is to be told of each. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { askedFor, FAKE_INFO, FAKE_STATS, type FakeAnswer, healthy, sendJson, sendText } from '../scrape/fake-admin.ts';
import { drips, endlessly, type OnConnection, says } from '../scrape/hostile-sockets.ts';

export interface Hostile {
  readonly kind: string;
  /** By which a server is made: of connections, of requests, or one behind TLS. */
  readonly serves: { readonly socket: OnConnection } | { readonly http: FakeAnswer } | { readonly tls: FakeAnswer };
  /** What the reason that is told begins with or holds; undefined where the target is up and counted. */
  readonly down: RegExp | undefined;
  /** Whether it is up now and then. */
  readonly flaps?: boolean;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const TEXT = `${OK}content-type: text/plain\r\n`;
const CHUNKED = `${TEXT}transfer-encoding: chunked\r\n\r\n`;

const NO_ANSWER = /has not answered within/;
const NOT_HTTP = /does not speak HTTP\/1\.1/;
const CLOSED = /closed the connection before it had answered/;
const BIG_HEAD = /headers of over 16 kB/;
const TOO_LARGE = /larger than scrape\.body_limit/;
/** As fast as the machine is: whichever limit comes first. */
const TOO_MUCH = /larger than scrape\.body_limit|has not answered within/;
const COMPRESSED = /compresses its answer/;
const NO_STATS = /the answer is not Envoy's \/stats: line \d+ is not one of Envoy's/;
const NO_NUMBER = /the answer is not Envoy's \/stats: line \d+ has no number/;
const NO_COUNT = /is no count/;

const socket = (kind: string, onConnection: OnConnection, down: RegExp): Hostile => ({
  kind,
  serves: { socket: onConnection },
  down,
});
const http = (kind: string, answer: FakeAnswer, down: RegExp | undefined): Hostile => ({
  kind,
  serves: { http: answer },
  down,
});

type Body = string | Buffer;

/** A good admin port but for /stats; `scrape` counts from 0. */
function stats(kind: string, bodyOf: (scrape: number) => Body, down: RegExp | undefined): Hostile {
  let scrape = 0;
  const answer: FakeAnswer = (request, response) => {
    if (askedFor(request) !== 'stats') healthy(request, response);
    else response.writeHead(200, { 'content-type': 'text/plain' }).end(bodyOf(scrape++));
  };
  return http(kind, answer, down);
}

const always = (status: number, type: string, body: string, headers: Record<string, string> = {}): FakeAnswer => {
  return (_, response) => void response.writeHead(status, { 'content-type': type, ...headers }).end(body);
};

/** Takes nothing but a form other than text. */
const inForm =
  (form: 'stats.json' | 'prometheus', type: string, bodyOf: (scrape: number) => string): FakeAnswer =>
  (request: IncomingMessage, response: ServerResponse) => {
    const asked = askedFor(request);
    const isIt = form === asked || (form === 'prometheus' && asked.startsWith('/stats/prometheus'));
    if (isIt) response.writeHead(200, { 'content-type': type }).end(bodyOf(0));
    else if (asked.startsWith('/stats') || asked.startsWith('stats')) sendText(response, 'not in this form', 400);
    else healthy(request, response);
  };

const COUNTER = 'http.ingress.downstream_rq_2xx';
const counter = (value: string): string => `${COUNTER}: ${value}\ncluster.reviews.upstream_rq_2xx: 7\n`;
const bins = (totals: string): string =>
  `${COUNTER}: 40\nhttp.ingress.downstream_rq_time:\n  totals=${totals}\n  intervals=\n  summary=P0(nan,1)\n`;
const BOMB = Buffer.alloc(20_000_000, 'cluster.a.upstream_rq_2xx: 1\n');
const compressed = (coding: string, body: Buffer): FakeAnswer => {
  return (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': coding }).end(body);
};
const many = (count: number, of: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => of(i)).join('');
/** Names that are markup, quotes, backslashes and separators of every form that they are shown in. */
export const MARKUP = `<script>alert("1")</script>'\\"{}|=,;&`;

const info = (node: { id: string; cluster: string }, uptime = '600s'): string =>
  JSON.stringify({ ...JSON.parse(FAKE_INFO), uptime_current_epoch: uptime, node });
const withInfo =
  (text: string, body: Body): FakeAnswer =>
  (request, response) => {
    const asked = askedFor(request);
    if (asked === 'info') sendJson(response, text);
    else if (asked === 'stats') response.writeHead(200, { 'content-type': 'text/plain' }).end(body);
    else healthy(request, response);
  };
/** What a port answers before and after another process has taken it. */
export const BEFORE_CHANGE = withInfo(info({ id: 'first-1', cluster: 'first-owner' }), counter('1000'));
export const AFTER_CHANGE = withInfo(info({ id: 'second-1', cluster: 'second-owner' }, '90000s'), counter('5000000'));

export const HOSTILE: readonly Hostile[] = [
  socket('never answers', () => {}, NO_ANSWER),
  socket('headers a byte a second', (one) => void one.once('data', () => drips('', TEXT, 1000)(one)), NO_ANSWER),
  socket(
    'body a byte a second',
    (one) => void one.once('data', () => drips(`${TEXT}content-length: 9999\r\n\r\n`, FAKE_STATS, 1000)(one)),
    NO_ANSWER,
  ),
  socket('endless body', endlessly(CHUNKED, `1c\r\ncluster.a.upstream_rq_2xx: 1\r\n`), TOO_MUCH),
  socket('endless line', endlessly(CHUNKED, `400\r\n${'x'.repeat(1024)}\r\n`), TOO_MUCH),
  socket('endless 100 Continue', endlessly('', 'HTTP/1.1 100 Continue\r\n\r\n'), BIG_HEAD),
  socket('100 MB that are announced', says(`${TEXT}content-length: 100000000\r\n\r\n`), TOO_LARGE),
  http(
    '100 MB in chunks',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      let left = 1600;
      const send = () => {
        while (left-- > 0 && !response.destroyed) if (!response.write(Buffer.alloc(62_500, 'a.b: 1\n'))) return;
        response.end();
      };
      response.on('drain', send);
      send();
    },
    TOO_MUCH,
  ),
  http('a bomb of gzip', compressed('gzip', gzipSync(BOMB)), COMPRESSED),
  http('a bomb of deflate', compressed('deflate', deflateSync(BOMB)), COMPRESSED),
  http('a bomb of brotli', compressed('br', brotliCompressSync(BOMB)), COMPRESSED),
  stats('a bomb of gzip that does not say so', () => gzipSync(BOMB), NO_STATS),
  socket('a header of 2 MB', says(`${OK}x: ${'y'.repeat(2_000_000)}\r\ncontent-length: 0\r\n\r\n`), BIG_HEAD),
  socket('100,000 headers', says(`${OK}${'a: b\r\n'.repeat(100_000)}\r\n`), BIG_HEAD),
  socket(
    'a body that is shorter than announced',
    (one) => void one.once('data', () => one.end(`${TEXT}content-length: 9999\r\n\r\n${FAKE_STATS}`)),
    CLOSED,
  ),
  socket('cut chunks', (one) => void one.once('data', () => one.end(`${CHUNKED}fff\r\n${FAKE_STATS}`)), CLOSED),
  socket('broken chunks', says(`${CHUNKED}2\r\n${FAKE_STATS}\r\n0\r\n\r\n`), NOT_HTTP),
  socket('random bytes', (one) => void one.on('data', () => one.write(randomBytes(4096))), NOT_HTTP),
  stats('random bytes as a body', () => randomBytes(65_536), /the answer is not Envoy's \/stats/),
  stats('other random words each time', () => `${randomBytes(12).toString('hex')} of another program\n`, NO_STATS),
  http('HTML', always(200, 'text/html', '<html>Welcome to nginx!</html>'), /answered with text\/html/),
  http('HTML that says it is text', always(200, 'text/plain', '<html><body>hello</body></html>\n'), NO_STATS),
  http('foreign JSON', always(200, 'application/json', '{"cluster_name":"es","status":"green"}'), /no list "stats"/),
  http('500', always(500, 'text/plain', 'oh no'), /answered with status 500: "oh no"/),
  http('403', always(403, 'text/plain', 'no'), /Envoy forbids \/stats \(403\)/),
  http('404', always(404, 'text/plain', 'no'), /there is no \/stats at this port \(404\)/),
  http(
    '500 in other words each time',
    (_, response) => void response.writeHead(500).end(`request ${randomBytes(8).toString('hex')} failed`),
    /answered with status 500/,
  ),
  socket('closes at once', (one) => void one.destroy(), CLOSED),
  stats('a number of 1e400', () => counter('1e400'), NO_NUMBER),
  stats('a number of -5', () => counter('-5'), NO_NUMBER),
  stats('a number that is NaN', () => counter('NaN'), NO_NUMBER),
  stats('a number of 40 digits', () => counter('9'.repeat(40)), NO_COUNT),
  { ...stats('2^63 and 0 in turn', (scrape) => counter(scrape % 2 ? '0' : String(2n ** 63n)), NO_COUNT), flaps: true },
  stats('a counter that falls each time', (scrape) => counter(String(Math.max(0, 100_000 - scrape))), undefined),
  http('JSON with a number of 1e400', inForm('stats.json', 'application/json', jsonWith('1e400')), NO_COUNT),
  http(
    'JSON with a number of -5',
    inForm('stats.json', 'application/json', jsonWith('-5')),
    /not one of Envoy's stats/,
  ),
  http('Prometheus with NaN', inForm('prometheus', 'text/plain', prometheusWith('NaN')), NO_COUNT),
  http('Prometheus with +Inf', inForm('prometheus', 'text/plain', prometheusWith('+Inf')), NO_COUNT),
  http('Prometheus with -5', inForm('prometheus', 'text/plain', prometheusWith('-5')), NO_COUNT),
  stats('lines without numbers', () => `${COUNTER}:\ncluster.a.upstream_rq_2xx: many\n`, NO_NUMBER),
  stats(
    'names of invalid UTF-8',
    () => Buffer.from(`${COUNTER}: 40\ncluster.\xff\xfe\xc0.upstream_rq_2xx: 4\n`, 'latin1'),
    undefined,
  ),
  stats('one name of 8 MB', () => `cluster.${'x'.repeat(8_000_000)}.upstream_rq_2xx: 1\n`, NO_STATS),
  stats(
    '60,000 new series each time',
    (scrape) => many(60_000, (index) => `cluster.c${scrape}-${index}.upstream_rq_2xx: ${index}\n`),
    /60000 stats to use, more than scrape\.series_limit/,
  ),
  {
    ...stats(
      '2,000 other peers each time',
      (scrape) => many(2000, (index) => `cluster.c${scrape}-${index}.upstream_rq_2xx: ${index}\n`),
      /different peers so far, more than 5000, a quarter of scrape\.series_limit/,
    ),
    flaps: true,
  },
  stats('absurd bins', () => bins('1e308,1e308:3, 1e309,5:2'), /not a histogram's bin/),
  stats('bins that overlap', () => bins('1,50:3, 3,50:4, 3,1:5'), undefined),
  stats('bins in disorder', () => bins('90,1:3, 10,1:4'), /bins are out of order/),
  stats('negative bins', () => bins('-1,0.1:3'), /not a histogram's bin/),
  stats('negative counts of bins', () => bins('1,0.1:-3'), /not a histogram's bin/),
  stats('bins of 40 digits', () => bins(`1,0.1:${'9'.repeat(40)}`), NO_COUNT),
  stats('200,000 bins', () => bins(many(200_000, (index) => `${index},1:1, `).slice(0, -2)), undefined),
  socket(
    'the answer twice',
    says(`${TEXT}content-length: ${FAKE_STATS.length}\r\n\r\n${FAKE_STATS}`.repeat(2)),
    /no server information/,
  ),
  stats('the answer twice in one body', () => FAKE_STATS.repeat(2), /is listed twice/),
  {
    ...stats('good and garbage in turn', (scrape) => (scrape % 2 ? randomBytes(4096) : FAKE_STATS), /is not Envoy's/),
    flaps: true,
  },
  http(
    'names that are markup',
    withInfo(
      info({ id: MARKUP, cluster: MARKUP }),
      `${COUNTER}: 40\ncluster.${MARKUP}.upstream_rq_2xx: 4\nhttp.${MARKUP}.downstream_rq_2xx: 1\n`,
    ),
    undefined,
  ),
  http(
    'endless /clusters',
    (request, response) => {
      if (!request.url?.startsWith('/clusters')) return healthy(request, response);
      const send = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'a::b::c::1\n')));
      };
      response.writeHead(200, { 'content-type': 'application/json' }).on('drain', send);
      send();
    },
    undefined,
  ),
  http(
    'an uptime beyond all time',
    withInfo(info({ id: 'a', cluster: 'old' }, `${'9'.repeat(30)}s`), FAKE_STATS),
    /no server information/,
  ),
  { kind: 'a TLS port', serves: { tls: healthy }, down: /does not speak HTTP\/1\.1|closed the connection/ },
];

function jsonWith(value: string): () => string {
  return () => `{"stats":[{"name":"${COUNTER}","value":${value}}]}`;
}

function prometheusWith(value: string): () => string {
  return () =>
    `# TYPE envoy_http_downstream_rq_xx counter\nenvoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="ingress"} ${value}\n`;
}
