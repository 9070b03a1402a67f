/** Old Envoys, narrow ports and proxies: each is asked in the best form that it takes, and that is remembered. */

import type { IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { Precision } from '../../server/envoy/stats.ts';
import { eventually } from './eventually.ts';
import { FAKE_INFO, FAKE_STATS, FAKE_STATS_JSON, sendJson, sendText, startFakeAdmin } from './fake-admin.ts';
import { scraperOf } from './scraping.ts';

const BUCKETS = [
  'cluster.reviews.membership_total: 1',
  'cluster.reviews.upstream_rq_time: B0.5(0,0) B1(0,2) B5(1,7) B10(1,9)',
  '',
].join('\n');
const QUANTILES = [
  'cluster.reviews.membership_total: 1',
  'cluster.reviews.upstream_rq_time: P0(nan,1) P50(nan,2) P100(nan,3)',
  '',
].join('\n');
const PROMETHEUS = [
  '# TYPE envoy_cluster_membership_total gauge',
  'envoy_cluster_membership_total{envoy_cluster_name="reviews"} 1',
  'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="reviews",le="5"} 7',
  'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="reviews",le="+Inf"} 9',
  '',
].join('\n');

type Answer = { status: number; body: string; json?: boolean };
const ok = (body: string): Answer => ({ status: 200, body });
const no = (status: number): Answer => ({ status, body: 'usage' });

interface Case {
  readonly why: string;
  /** What the stand-in answers to a request for stats. */
  readonly answer: (path: string, query: URLSearchParams, url: string) => Answer;
  /** Path and parameters that are asked for from then on, the filter left out. */
  readonly taken: string;
  readonly precision: Precision;
}

const CASES: readonly Case[] = [
  {
    why: 'a recent Envoy',
    answer: () => ok(FAKE_STATS),
    taken: '/stats?histogram_buckets=detailed&usedonly=',
    precision: 'bins',
  },
  {
    why: 'text is refused',
    answer: (_, query) =>
      query.get('format') === 'json' ? { status: 200, body: FAKE_STATS_JSON, json: true } : no(400),
    taken: '/stats?format=json&histogram_buckets=detailed&usedonly=',
    precision: 'bins',
  },
  {
    why: 'a filter is refused',
    answer: (_, query) => (query.has('filter') ? no(400) : ok(FAKE_STATS)),
    taken: '/stats?histogram_buckets=detailed&usedonly=',
    precision: 'bins',
  },
  {
    why: 'a proxy refuses the long address',
    answer: (_path, _query, url) => (url.length > 200 ? no(414) : ok(FAKE_STATS)),
    taken: '/stats?histogram_buckets=detailed&usedonly=',
    precision: 'bins',
  },
  {
    why: 'Envoy 1.22 to 1.26 know no detailed bins',
    answer: (_, query) => (query.get('histogram_buckets') === 'detailed' ? no(400) : ok(BUCKETS)),
    taken: '/stats?histogram_buckets=cumulative&usedonly=',
    precision: 'buckets',
  },
  {
    why: 'Envoy 1.10 to 1.21 ignore what they do not know',
    answer: (path) => ok(path === '/stats/prometheus' ? PROMETHEUS : QUANTILES),
    taken: '/stats/prometheus?usedonly=',
    precision: 'buckets',
  },
  {
    why: 'Envoy 1.7 to 1.9 have no buckets at all',
    answer: (path) => (path === '/stats/prometheus' ? no(404) : ok(QUANTILES)),
    taken: '/stats?usedonly=',
    precision: 'none',
  },
  {
    why: 'Envoy 1.5 takes no parameters',
    answer: (path, query) => (path === '/stats' && query.size === 0 ? ok(QUANTILES) : no(404)),
    taken: '/stats',
    precision: 'none',
  },
  {
    why: 'a port with nothing but /stats/prometheus',
    answer: (path) => (path === '/stats/prometheus' ? ok(PROMETHEUS) : no(404)),
    taken: '/stats/prometheus?usedonly=',
    precision: 'buckets',
  },
  {
    why: 'a port with nothing but /metrics',
    answer: (path) => (path === '/metrics' ? ok(PROMETHEUS) : no(404)),
    taken: '/metrics',
    precision: 'buckets',
  },
  {
    why: 'admin.allow_paths with nothing but /stats/prometheus',
    answer: (path) => (path === '/stats/prometheus' ? ok(PROMETHEUS) : no(403)),
    taken: '/stats/prometheus?usedonly=',
    precision: 'buckets',
  },
];

function withoutFilter({ url = '' }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url, 'http://envoy');
  searchParams.delete('filter');
  return searchParams.size === 0 ? pathname : `${pathname}?${searchParams}`;
}

async function fakeStats(answer: Case['answer'], info: () => string = () => '') {
  const stats: string[] = [];
  const fake = await startFakeAdmin((request, response) => {
    const url = new URL(request.url ?? '', 'http://envoy');
    if (url.pathname === '/server_info')
      return info() === '' ? sendText(response, 'no', 404) : sendJson(response, info());
    if (url.searchParams.get('filter')?.startsWith('^http')) return sendText(response, 'no', 404);
    stats.push(withoutFilter(request));
    const { status, body, json } = answer(url.pathname, url.searchParams, request.url ?? '');
    return json ? sendJson(response, body) : sendText(response, body, status);
  });
  const parts = scraperOf(fake.address);
  onTestFinished(async () => {
    await parts.client.close();
    await fake.stop();
  });
  return { fake, stats, scraper: parts.scraper };
}

test.for(CASES)('$why', async ({ answer, taken, precision }) => {
  const { stats, scraper } = await fakeStats(answer);
  expect((await scraper.scrape()).precision).toBe(precision);
  expect(stats.at(-1)).toBe(taken);
  const asked = stats.length;
  await scraper.scrape();
  expect(stats.slice(asked)).toEqual([taken]);
});

test('an Envoy that was upgraded is asked in the best form again', async () => {
  let version = '1.25.9';
  const { fake, stats, scraper } = await fakeStats(
    (_, query) => {
      if (query.get('histogram_buckets') !== 'detailed') return ok(BUCKETS);
      return version === '1.40.0' ? ok(FAKE_STATS) : no(400);
    },
    () => FAKE_INFO.replace('1.40.0', version),
  );
  expect((await scraper.scrape()).precision).toBe('buckets');
  version = '1.40.0';
  fake.dropConnections();
  await expect
    .poll(() =>
      scraper.scrape().then(
        ({ precision }) => precision,
        () => 'failed',
      ),
    )
    .toBe('bins');
  expect(stats.at(-1)).toBe('/stats?histogram_buckets=detailed&usedonly=');
});

test('the copies of stats are asked for only where a cluster is called like one', async () => {
  let cluster = 'reviews';
  const urls: string[] = [];
  const { scraper } = await fakeStats(
    (_path, _query, url) => {
      urls.push(decodeURIComponent(url));
      return ok(FAKE_STATS.replaceAll('reviews', cluster));
    },
    () => FAKE_INFO,
  );
  const isNarrow = async () => {
    await scraper.scrape();
    return urls.at(-1)?.includes('[^e]rnal') ?? false;
  };
  expect([await isNarrow(), await isNarrow()]).toEqual([false, true]);
  cluster = 'shop.internal';
  expect([await isNarrow(), await isNarrow()]).toEqual([true, false]);
});

test('a target that refuses the filter without copies is asked for them again, and goes on so', async () => {
  const refused: string[] = [];
  const { stats, scraper } = await fakeStats(
    (_path, _query, url) => {
      if (!url.includes('rnal')) return ok(FAKE_STATS);
      refused.push(url);
      return no(400);
    },
    () => FAKE_INFO,
  );
  for (let i = 0; i < 3; i++) await scraper.scrape();
  expect([refused.length, stats.length]).toEqual([1, 4]);
});

test('what buckets hold follows the version of Envoy', async () => {
  const sampled = async (version: string) => {
    const { scraper } = await fakeStats(
      (_, query) => (query.get('histogram_buckets') === 'detailed' ? no(400) : ok(BUCKETS)),
      () => FAKE_INFO.replace('1.40.0', version),
    );
    const { reading } = await scraper.scrape();
    return [...reading.binKeys];
  };
  expect(await sampled('1.26.0')).not.toEqual(await sampled('1.38.0'));
});

test('a target that refuses everything is asked in few forms, and told of the first refusal', async () => {
  const { stats, scraper } = await fakeStats(() => no(404));
  await expect(scraper.scrape()).rejects.toThrow('there is no /stats at this port (404)');
  expect(stats).toHaveLength(4);
});

const ISTIO_NODE = 'sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local';
const ISTIO = 'istio_requests_total{reporter="destination",destination_service_name="web",response_code="200"} 3\n';

/** A proxy of Istio's whose connection managers are told or hidden, as its configuration has it; each answer over a connection of its own where `closes`. */
async function fakeIstio(hides: () => boolean, { prometheus = true, closes = false } = {}) {
  const asked: string[] = [];
  const fake = await startFakeAdmin((request, response) => {
    if (closes) response.setHeader('connection', 'close');
    const url = new URL(request.url ?? '', 'http://envoy');
    if (url.pathname === '/server_info')
      return sendJson(response, JSON.stringify({ ...JSON.parse(FAKE_INFO), node: { id: ISTIO_NODE } }));
    if (url.searchParams.get('filter')?.startsWith('^http'))
      return sendText(response, hides() ? '' : 'http.admin.downstream_rq_completed: 3\n');
    asked.push(url.pathname);
    if (url.pathname === '/stats') return sendText(response, hides() ? 'server.uptime: 9\n' : FAKE_STATS);
    return prometheus ? sendText(response, ISTIO) : sendText(response, 'no', 404);
  });
  const parts = scraperOf(fake.address);
  onTestFinished(async () => {
    await parts.client.close();
    await fake.stop();
  });
  return { fake, asked, scraper: parts.scraper };
}

test("a proxy of Istio's that hides its requests is asked for Istio's metrics at once, and for bins when it shows them", async () => {
  let hides = true;
  const { fake, asked, scraper } = await fakeIstio(() => hides);
  const { reading, precision } = await scraper.scrape();
  expect([precision, reading.layout.scalars]).toEqual(['buckets', [expect.stringContaining('istio.["inbound"')]]);
  await scraper.scrape();
  expect(asked).toEqual(['/stats', '/stats/prometheus', '/stats/prometheus']);
  hides = false;
  fake.dropConnections();
  await eventually(() =>
    scraper.scrape().then(
      ({ precision: now }) => now,
      () => undefined,
    ),
  ).toBe('bins');
  await scraper.scrape();
  expect(asked.slice(-2)).toEqual(['/stats', '/stats']);
});

test.each([
  ['is refused', { prometheus: false }],
  ['comes over a connection of its own each time', { closes: true }],
])('an answer of Istio that %s leads to no endless asking', async (_, how) => {
  const { asked, scraper } = await fakeIstio(() => true, how);
  for (let scrapes = 1; scrapes <= 3; scrapes++) {
    await scraper.scrape();
    expect(asked.length).toBeLessThanOrEqual(2 + scrapes);
  }
});
