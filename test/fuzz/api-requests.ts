/** Requests of all kinds, good and hostile ones, the same ones for the same seed and index. */

import { type Random, seededRandom } from '../../examples/meshes/random.ts';
import { openApi } from '../../server/api/openapi.ts';
import type { Parameter } from '../../server/api/openapi-parameters.ts';
import { NOW } from '../api/meshes.ts';

export interface FuzzedRequest {
  readonly method: string;
  /** As it is sent. */
  readonly path: string;
  /** All of it. */
  readonly bytes: Buffer;
  /** Its end can't be told, or it ends its connection: it gets one of its own. */
  readonly alone: boolean;
  /** It asks for what is described. */
  readonly isDescribed: boolean;
}

const OPERATIONS = Object.entries(openApi.paths).flatMap(([path, { get }]) => (get ? [{ path, ...get }] : []));

const HOSTILE = [
  '',
  ' ',
  '0',
  '-0',
  '-1',
  '1e400',
  '1e9',
  'NaN',
  'Infinity',
  '+Infinity',
  '0x10',
  '9007199254740993',
  '9'.repeat(16),
  '9'.repeat(400),
  '1.5',
  'null',
  'undefined',
  'true',
  '[]',
  '{}',
  '__proto__',
  'constructor',
  'toString',
  "' OR 1=1 --",
  '"; DROP TABLE series; --',
  '%',
  '%%',
  '%s',
  '\u0000',
  '\r\n',
  'a\r\nset-cookie: b',
  '../../etc/passwd',
  '<script>',
  '\u202e',
  '\ud83d\ude00',
  'ü',
  'a'.repeat(3000),
  '*',
  '.*',
  '(a+)+$',
  ',',
  ',,',
  'a,b',
  'service,',
  '1s1s',
  '1y400d',
  '0s',
  '999ms',
  '400d',
  '401d',
  '1w',
  '5m',
  '1h',
  '30s',
  '-5m',
  '5 m',
  '９ｓ',
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '2026-02-30T00:00:00Z',
  '2026-11-21T10:00:00+99:99',
  '+275760-09-13T00:00:00.001Z',
  String(NOW),
  String(NOW - 60_000),
  String(NOW + 1),
  '1',
  '8640000000000001',
  'shop',
  'cart',
  'inbound',
  'outbound',
  'requests',
  'latency_p99',
] as const;

const NAMES = [
  'service',
  'namespace',
  'region',
  'window',
  'from',
  'to',
  'step',
  'by',
  '__proto__',
  'a[]',
  'a[b]',
  '',
  'signal ',
];

const PATHS = [
  '/',
  '//',
  '/api',
  '/api/',
  '/api/v1',
  '/api/v1/services',
  '/API/V1/services/',
  '/api/v1/services//',
  '/api/v1/services/%2F',
  '/api/v1/services/%00',
  '/api/v1/services/%',
  '/api/v1/services/%zz',
  '/api/v1/services/%c0%af',
  '/api/v1/services/..%2f..%2f',
  '/api/v1/services/../status',
  '/assets',
  '/assets/',
  '/assets/..%2f..%2fpackage.json',
  '/assets/%2e%2e/%2e%2e/x',
  '/assets/x.js',
  '/index.html',
  '/.hidden',
  '/%2e%2e%2f',
  '/..;/',
  '/-/',
  '/-/reload',
  '/-/healthy/',
  '/-/nothing',
  '/metrics/',
  '/metrics?a=b',
  '/favicon.ico',
  '/service/shop',
  '/%E0%A4%A',
  '/?',
  '/??',
  '/api/v1/query?',
  '/api/v1/alerts/history/',
  '/*',
  '/:service',
  '/{*path}',
  '*',
  'http://x/api/v1/status',
  'http://[::1/',
  'x://',
  '/api/v1/status#a',
  '/api/v1/status;a=b',
  '/\\..\\..\\a',
] as const;

const HEADERS: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['accept', ['*/*', 'text/html', 'application/openmetrics-text', 'a/b;q=2', ';', ',,,', 'text/plain;'.repeat(200)]],
  ['accept-encoding', ['gzip', 'gzip;q=0', 'br', 'identity;q=0', '*;q=0', 'gzip, gzip, gzip', ';;']],
  [
    'authorization',
    ['Basic', 'Basic !!!', 'Bearer', 'Bearer a b', 'Digest x', 'Basic Og==', `Basic ${'A'.repeat(5000)}`],
  ],
  ['range', ['bytes=0-0', 'bytes=-1', 'bytes=9-1', 'bytes=0-,0-,0-', 'x']],
  ['if-none-match', ['*', '"a"', 'W/"']],
  ['if-modified-since', ['Sat, 21 Nov 2026 10:00:00 GMT', '0', 'x']],
  ['if-range', ['x', '"a"']],
  ['x-prometheus-scrape-timeout-seconds', ['1', '-1', '1e400', 'NaN', '']],
  ['origin', ['null', 'https://evil.example', 'x']],
  ['sec-fetch-site', ['cross-site', 'same-origin', 'x']],
  ['x-forwarded-for', ['127.0.0.1', ','.repeat(500)]],
  ['x-http-method-override', ['DELETE']],
  ['cookie', ['a=b', '='.repeat(2000)]],
  ['content-type', ['application/json', 'x/;;']],
  ['upgrade', ['websocket', 'h2c']],
  ['expect', ['100-continue']],
  ['te', ['trailers']],
  ['last-event-id', ['1', '\u00ff']],
];

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'HEAD'] as const;

/** What no server can take for a request, or whose end is not where it says. */
const BROKEN = [
  'GET\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'get / http/1.1\r\nhost: localhost\r\n\r\n',
  '\0\0\0\0',
  '\x16\x03\x01\x02\x00\x01\x00',
  'GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\n\r\n',
  'GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n',
  'POST /-/reload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /-/reload HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999999999999\r\n\r\n',
  'GET /\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  `GET / HTTP/1.1\r\nhost: localhost\r\na: ${'b'.repeat(20_000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\nhost: localhost\r\n${'a: b\r\n'.repeat(2500)}\r\n`,
  'GET / HTTP/1.1\r\nhost: localhost\r\n folded: a\r\n\r\n',
  'GET / HTTP/1.1\nhost: localhost\n\n',
  'GET / HTTP/1.1\r\nhost: localhost\r\na\0b: c\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
] as const;

/** One in so many is broken, and has a connection of its own. */
const BROKEN_EVERY = 100;

export function requestAt(seed: number, index: number): FuzzedRequest {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  if (random() * BROKEN_EVERY < 1) return broken(random);
  const kind = random();
  if (kind < 0.75) return described(random);
  const method = kind < 0.9 ? 'GET' : pick(METHODS, random);
  return request({ method, path: hostilePath(random), random, isDescribed: false });
}

function described(random: Random): FuzzedRequest {
  const { path, parameters = [] } = pick(OPERATIONS, random);
  const values = new Map(parameters.map((parameter) => [parameter, drawn(parameter, random)]));
  const wanted = parameters.filter((one) => one.in === 'query' && random() < (one.required ? 0.95 : 0.3));
  const pairs = wanted.flatMap((one) =>
    (values.get(one) ?? []).map((value) => `${one.name}=${encoded(value, random)}`),
  );
  if (random() < 0.05) pairs.push(`${encoded(pick(NAMES, random), random)}=${encoded(pick(HOSTILE, random), random)}`);
  if (random() < 0.01) pairs.push(...Array.from({ length: 99 + Math.floor(random() * 4) }, () => 'service=a'));
  const name = random() < 0.6 ? pick(['shop', 'cart', 'web'], random) : pick(HOSTILE, random).slice(0, 500);
  const address = path.replace('{service}', encodeURIComponent(wellFormed(name)) || 'shop');
  // A stream of events does not end: it is asked for its head, or with a parameter that is refused.
  const isStream = path.endsWith('/events') && pairs.length === 0;
  const method = isStream || random() < 0.05 ? 'HEAD' : 'GET';
  const isDot = /\/\.{1,2}$/.test(address);
  const whole = pairs.length === 0 ? address : `${address}?${pairs.join('&')}`;
  return request({ method, path: whole, random, isDescribed: !isDot });
}

/** Values of a parameter: what fits, mostly. */
function drawn({ schema, example }: Parameter, random: Random): string[] {
  const { items } = schema as { items?: { enum?: readonly string[] } };
  const known = (schema.enum ?? items?.enum ?? [example].flat()) as readonly unknown[];
  const count = random() < 0.9 ? 1 : 2 + Math.floor(random() * 3);
  return Array.from({ length: count }, () => (random() < 0.6 ? String(pick(known, random)) : pick(HOSTILE, random)));
}

function hostilePath(random: Random): string {
  if (random() < 0.7) return pick(PATHS, random);
  const parts = Array.from({ length: 1 + Math.floor(random() * 6) }, () =>
    encoded(pick(HOSTILE, random).slice(0, 300), random),
  );
  return `/${random() < 0.5 ? 'api/v1/' : ''}${parts.join('/')}`;
}

interface Drawn {
  readonly method: string;
  readonly path: string;
  readonly random: Random;
  readonly isDescribed: boolean;
}

function request({ method, path, random, isDescribed }: Drawn): FuzzedRequest {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${random() < 0.98 ? 'localhost' : pick(['127.0.0.1:1', '[::1]', 'evil.example', 'a b', 'x:y:z'], random)}`,
  ];
  while (random() < 0.2) {
    const [name, values] = pick(HEADERS, random);
    lines.push(`${name}: ${pick(values, random)}`);
  }
  const alone = lines.includes('expect: 100-continue');
  const body = method === 'POST' || method === 'PUT' ? pick(['', '{}', 'x'.repeat(5000)], random) : '';
  if (body !== '') lines.push(`content-length: ${body.length}`);
  return {
    method,
    path,
    bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'),
    alone,
    isDescribed,
  };
}

function broken(random: Random): FuzzedRequest {
  const start = pick(BROKEN, random);
  const bytes = Buffer.from(random() < 0.5 ? start : start.slice(0, Math.floor(random() * start.length)), 'latin1');
  for (let flips = Math.floor(random() * 3); flips > 0 && bytes.length > 0; flips--)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return { method: '', path: '', bytes, alone: true, isDescribed: false };
}

/** Percent-encoded, now and then twice, or in part, or cut off. */
function encoded(text: string, random: Random): string {
  const once = encodeURIComponent(wellFormed(text));
  const way = random();
  if (way < 0.9) return once;
  if (way < 0.94) return encodeURIComponent(once);
  return way < 0.97
    ? once.slice(0, Math.floor(random() * once.length))
    : `${once}%${pick(['', '0', 'ff', 'zz', 'c3', 'u0041'], random)}`;
}

const wellFormed = (text: string) => text.toWellFormed();

function pick<T>(list: readonly T[], random: Random): T {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
}
