import { beforeEach, expect, test } from 'vitest';
import type { ServiceSummary, ServicesAnswer } from '../../server/api/contract.ts';
import { stat } from '../../server/cli/stat.ts';
import { screenLines } from '../../server/cli/stat-table.ts';

const checkout: ServiceSummary = {
  service: 'checkout',
  namespace: '',
  vantage: 'server',
  role: 'sidecar',
  regions: [],
  instances: { up: 9, total: 10 },
  failureSource: 'grpc_stats',
  alerts: { firing: 0, pending: 0 },
  requests: 74_000,
  requestRate: 1234.5,
  successRate: 0.97123,
  errorRate: 0.02877,
  codeClasses: null,
  latencyMs: { p50: 12.44, p90: 50, p95: 80.06, p99: 1310, p999: 2000, mean: 20 },
  latencySamples: 74_000,
  precision: { method: 'bins', source: 'downstream', maxRelativeError: 0.05, capped: false },
  timeouts: 0,
  retries: 0,
  activeRequests: 3,
  state: 'ok',
};
const unknown = { p50: null, p90: null, p95: null, p99: null, p999: null, mean: null };
const SERVICES: ServiceSummary[] = [
  checkout,
  {
    ...checkout,
    service: 'cart-with-a-long-name',
    requests: 3,
    requestRate: 0.05,
    successRate: 1,
    errorRate: 0,
    state: 'too_little_data',
    latencySamples: 7,
  },
  {
    ...checkout,
    service: 'idle',
    requests: 0,
    requestRate: 0,
    successRate: null,
    errorRate: null,
    latencyMs: unknown,
    state: 'no_traffic',
    instances: { up: 1, total: 1 },
  },
  {
    ...checkout,
    service: 'gone',
    requests: null,
    requestRate: null,
    successRate: null,
    errorRate: null,
    latencyMs: unknown,
    state: 'no_data',
    instances: { up: 0, total: 1 },
  },
  {
    ...checkout,
    service: 'slow',
    latencyMs: { ...checkout.latencyMs, p99: 9900, p999: 9900 },
    precision: { ...checkout.precision, capped: true },
  },
];

const answer = (services: ServiceSummary[]): ServicesAnswer => ({
  at: 0,
  windowMs: 60_000,
  window: '1m',
  offsetMs: 0,
  tiers: ['raw'],
  services,
});

let out: string[];
let err: string[];
let asked: string[];
beforeEach(() => {
  out = [];
  err = [];
  asked = [];
});

interface Asked {
  readonly body: unknown;
  readonly status?: number;
  readonly url?: string;
  readonly window?: string;
  readonly output?: 'table' | 'json';
}

function run({ body, status = 200, url = 'http://h:1', window = '1m', output = 'table' }: Asked): Promise<number> {
  const terminal = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const fetch = async (address: string | URL | Request) => {
    asked.push(String(address));
    if (body instanceof Error) throw body;
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  return stat({ url, window, output, terminal, fetch });
}

test('an aligned table, worst first, figures to the right', async () => {
  expect(await run({ body: answer(SERVICES) })).toBe(0);
  expect(out).toEqual([
    'SERVICE                     RATE  SUCCESS      P50      P95       P99    UP  STATE',
    'gone                           —        —        —        —         —   0/1  no data',
    'slow                    1.23 k/s   97.1 %  12.4 ms  80.1 ms  > 9.90 s  9/10  ok',
    'checkout                1.23 k/s   97.1 %  12.4 ms  80.1 ms    1.31 s  9/10  ok',
    'cart-with-a-long-name  0.0500 /s    100 %  12.4 ms  80.1 ms    1.31 s  9/10  too little data (7 samples)',
    'idle                        0 /s        —        —        —         —   1/1  no traffic',
  ]);
});

test('namespaces where there are any, and no name plays with the terminal', async () => {
  await run({
    body: answer([
      { ...checkout, namespace: 'shop' },
      { ...checkout, service: 'a\u001b[31m\nb' },
    ]),
  });
  expect(out).toEqual([
    'SERVICE   NAMESPACE      RATE  SUCCESS      P50      P95     P99    UP  STATE',
    'a?[31m?b             1.23 k/s   97.1 %  12.4 ms  80.1 ms  1.31 s  9/10  ok',
    'checkout  shop       1.23 k/s   97.1 %  12.4 ms  80.1 ms  1.31 s  9/10  ok',
  ]);
});

test.each([
  [120, '● checkout  1.23 k/s   97.1 %  12.4 ms  80.1 ms  1.31 s  9/10  2 firing, 1 pending  ok'],
  [80, '● checkout  1.23 k/s   97.1 %  12.4 ms  80.1 ms  1.31 s  9/10  ■2 ▲1   ok'],
])('alerts on a terminal of %i columns leave room for the state', (columns, line) => {
  const [head, ...rows] = screenLines(answer([{ ...checkout, alerts: { firing: 2, pending: 1 } }]), columns);
  expect(rows.map(({ text }) => text.slice(1))).toEqual([line.slice(1)]);
  expect([...(head?.text ?? '')].length).toBeLessThanOrEqual(columns);
});

test('no services', async () => {
  expect(await run({ body: answer([]) })).toBe(0);
  expect(out).toEqual(['no services in the last 1m; /api/v1/targets tells how the targets are']);
});

test('JSON as it came', async () => {
  const body = ` ${JSON.stringify(answer(SERVICES))}`;
  expect(await run({ body, output: 'json' })).toBe(0);
  expect(out).toEqual([body]);
});

test.for([
  ['http://h:1', '5m', 'http://h:1/api/v1/services?window=5m'],
  ['http://h:1/', '1m', 'http://h:1/api/v1/services?window=1m'],
  ['https://h/mesh/?a=b#c', '2h', 'https://h/mesh/api/v1/services?window=2h'],
])('--url=%s --window=%s asks %s', async ([url = '', window = '', expected]) => {
  await run({ body: answer([]), url, window });
  expect(asked).toEqual([expected]);
});

const refused = new TypeError('fetch failed', {
  cause: Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
});
const notFound = new TypeError('fetch failed', {
  cause: Object.assign(new Error('getaddrinfo ENOTFOUND h'), { code: 'ENOTFOUND' }),
});
const reset = new TypeError('fetch failed', {
  cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
});

test.for<[asked: Asked, line: string]>([
  [{ body: refused }, 'http://h:1 does not answer: connection refused; is Sidelight running there? see --url'],
  [{ body: notFound }, 'http://h:1 does not answer: the host name is not known; see --url'],
  [{ body: reset }, 'http://h:1 does not answer: read ECONNRESET'],
  [{ body: new DOMException('aborted', 'TimeoutError') }, 'http://h:1 does not answer: nothing came within 10 s'],
  [{ body: '<html>' }, "http://h:1 did not answer like Sidelight's API; see --url"],
  [{ body: '<html>', output: 'json' }, "http://h:1 did not answer like Sidelight's API; see --url"],
  [{ body: { services: [{}] } }, "http://h:1 did not answer like Sidelight's API; see --url"],
  [{ body: 'nope', status: 404 }, 'http://h:1 answered 404: is that Sidelight? see --url'],
  [
    { body: { error: { code: 'bad_window', message: 'window: at most 400d' } }, status: 400 },
    'http://h:1 answered 400: window: at most 400d',
  ],
  [{ body: '', window: '0s' }, '--window=0s: not a duration; write 30s, 1m or 2h'],
  [{ body: '', url: 'h:1' }, '--url=h:1: not a web address; write http://h:1'],
  [{ body: '', url: 'http://[::1' }, '--url=http://[::1: not a web address; write http://127.0.0.1:9191'],
  [{ body: '', url: 'ftp://h' }, '--url=ftp://h: not a web address; write http://127.0.0.1:9191'],
  [{ body: '', url: '' }, '--url=: not a web address; write http://127.0.0.1:9191'],
])('%j fails', async ([given, line]) => {
  expect(await run(given)).toBe(1);
  expect({ out, err }).toEqual({ out: [], err: [line] });
});
