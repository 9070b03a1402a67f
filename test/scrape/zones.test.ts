/** At which scrapes a target is asked for what it has by zone. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { TargetScraper } from '../../server/scrape/target-scraper.ts';
import { FAKE_INFO, healthy, sendJson, sendText, startFakeAdmin } from './fake-admin.ts';
import { scraperOf } from './scraping.ts';

const INFO = JSON.stringify({ ...JSON.parse(FAKE_INFO), node: { id: 'a', locality: { zone: 'eu-1' } } });
const PLAIN = 'cluster.cart.membership_total: 1\ncluster.cart.upstream_rq_2xx: 9\n';

interface FakeEnvoy {
  /** Called zones. */
  readonly zones: () => readonly string[];
  readonly info?: string;
  /** Refuses patterns that leave something out. */
  readonly isOld?: boolean;
}

/** Scrapes a fake Envoy that knows the filter, and tells what each scrape asked for and brought by zone. */
async function scrapes({ zones, info = INFO, isOld = false }: FakeEnvoy, zonesEvery = 3) {
  const requests: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '';
    if (url.startsWith('/server_info')) return sendJson(response, info);
    const filter = new URL(url, 'http://fake').searchParams.get('filter') ?? '';
    if (filter.startsWith('^http')) return healthy(request, response);
    const isNarrow = filter.includes('|downstream)');
    if (isNarrow && isOld) return sendText(response, 'Invalid regex', 400);
    const pattern = new RegExp(filter);
    const lines = zones().map((zone) => `cluster.cart.zone.eu-1.${zone}.upstream_rq_2xx: 1\n`);
    const shown = lines.filter((line) => pattern.test(line.split(': ')[0] ?? ''));
    requests.push(isNarrow ? (shown.length < lines.length ? 'without zones' : 'without copies') : 'everything');
    return sendText(response, PLAIN + shown.join(''));
  };
  const fake = await startFakeAdmin((request: IncomingMessage, response: ServerResponse) => answer(request, response));
  const { client } = scraperOf(fake.address);
  const scraper = new TargetScraper(client, { zonesEvery });
  onTestFinished(async () => {
    await client.close();
    await fake.stop();
  });
  return async () => {
    requests.length = 0;
    const { zones: told, reading } = await scraper.scrape();
    const byZone = reading.layout.scalars.filter((name) => name.includes('.zone.')).length;
    return [...requests, byZone, told];
  };
}

test('zones are in the first answer, and then in every third', async () => {
  const scrape = await scrapes({ zones: () => ['eu-1', 'us-1'] });
  expect(await scrape()).toEqual(['everything', 2, 'told']);
  for (let i = 0; i < 2; i++) {
    expect(await scrape()).toEqual(['without zones', 0, undefined]);
    expect(await scrape()).toEqual(['without zones', 0, undefined]);
    expect(await scrape()).toEqual(['without copies', 2, 'told']);
  }
});

test('a target without zones is asked as always; what comes up is told at once', async () => {
  let zones: readonly string[] = [];
  const scrape = await scrapes({ zones: () => zones });
  expect(await scrape()).toEqual(['everything', 0, 'none']);
  expect(await scrape()).toEqual(['without copies', 0, 'none']);
  zones = ['eu-1'];
  expect(await scrape()).toEqual(['without copies', 1, 'told']);
  expect(await scrape()).toEqual(['without zones', 0, undefined]);
});

test('after a new zone the next answer has them all', async () => {
  let zones = ['eu-1'];
  const scrape = await scrapes({ zones: () => zones });
  await scrape();
  zones = ['eu-1', 'us-1'];
  expect(await scrape()).toEqual(['without zones', 1, undefined]);
  expect(await scrape()).toEqual(['without copies', 2, 'told']);
  expect(await scrape()).toEqual(['without zones', 0, undefined]);
});

test('where zones are not wanted, they are left out', async () => {
  const scrape = await scrapes({ zones: () => ['eu-1'] }, 0);
  expect(await scrape()).toEqual(['everything', 1, undefined]);
  for (let i = 0; i < 4; i++) expect(await scrape()).toEqual(['without zones', 0, undefined]);
});

test('zones that can not be told apart are no zones, and no sign that there are none', async () => {
  const info = JSON.stringify({ ...JSON.parse(FAKE_INFO), node: {} });
  const scrape = await scrapes({ zones: () => ['rack.1'], info });
  expect(await scrape()).toEqual(['everything', 1, undefined]);
  expect(await scrape()).toEqual(['without copies', 1, undefined]);
});

test.each<[string, FakeEnvoy]>([
  ['zones with odd names', { zones: () => ['rack 7 (left)'] }],
  ['an Envoy that refuses to leave anything out', { zones: () => ['eu-1'], isOld: true }],
])('%s: in every answer, and counted at every third', async (_, envoy) => {
  const scrape = await scrapes(envoy);
  const told = [];
  for (let i = 0; i < 7; i++) told.push((await scrape()).slice(-2));
  const [yes, no] = [
    [1, 'told'],
    [1, undefined],
  ];
  expect(told).toEqual([yes, no, no, yes, no, no, yes]);
});

test('a form that does not tell zones is no sign that there are none', async () => {
  const body = 'envoy_cluster_upstream_rq_xx{envoy_cluster_name="cart",envoy_response_code_class="2"} 9\n';
  const fake = await startFakeAdmin((request, response) => {
    if (request.url?.startsWith('/stats/prometheus')) return sendText(response, body);
    if (request.url?.startsWith('/server_info')) return sendJson(response, INFO);
    return sendText(response, 'no', 404);
  });
  const { client } = scraperOf(fake.address);
  onTestFinished(async () => {
    await client.close();
    await fake.stop();
  });
  const scraper = new TargetScraper(client, { zonesEvery: 1 });
  for (let i = 0; i < 2; i++) expect((await scraper.scrape()).zones).toBeUndefined();
});
