/** When a target is asked for what it has by zone, and what is left out of the ordinary request then. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { type GoodScrape, TargetScraper } from '../../server/scrape/target-scraper.ts';
import { FAKE_INFO, healthy, sendJson, sendText, startFakeAdmin } from './fake-admin.ts';
import { scraperOf } from './scraping.ts';

const INFO = JSON.stringify({ ...JSON.parse(FAKE_INFO), node: { id: 'a', locality: { zone: 'eu-1' } } });
const line = (zone: string, count = 1) => `cluster.cart.zone.eu-1.${zone}.upstream_rq_2xx: ${count}\n`;
const PLAIN = 'cluster.cart.membership_total: 1\ncluster.cart.upstream_rq_2xx: 9\n';

interface FakeEnvoy {
  /** Called zones; those that a request leaves out are not told in its answer. */
  readonly zones: () => readonly string[];
  readonly info?: string;
  readonly zoneAnswer?: (response: ServerResponse) => void;
}

/** Scrapes a fake Envoy, and tells what each scrape asked for and brought. */
async function scrapes({ zones, info = INFO, zoneAnswer }: FakeEnvoy, zonesEvery = 3) {
  const requests: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '';
    if (url.startsWith('/server_info')) return sendJson(response, info);
    const filter = new URL(url, 'http://fake').searchParams.get('filter') ?? '';
    if (filter.startsWith('^http')) return healthy(request, response);
    const byZone = zones().map((zone) => line(zone));
    const isZones = filter.startsWith('^cluster');
    requests.push(isZones ? 'zones' : filter.includes('(((') ? 'narrow' : 'whole');
    if (isZones) return zoneAnswer ? zoneAnswer(response) : sendText(response, byZone.join(''));
    const leftOut = filter.includes('1-ue') || filter.includes(']eu-1') || filter.includes(']u-1');
    return sendText(response, PLAIN + (leftOut ? '' : byZone.join('')));
  };
  const fake = await startFakeAdmin(answer);
  const { client } = scraperOf(fake.address);
  const scraper = new TargetScraper(client, { zonesEvery });
  onTestFinished(async () => {
    await client.close();
    await fake.stop();
  });
  return async () => {
    requests.length = 0;
    const good = await scraper.scrape();
    return [requests.join(' '), told(good)];
  };
}

function told({ zones }: GoodScrape): string {
  if (zones === undefined || zones === 'none') return zones ?? '';
  return zones.reading.layout.scalars.flatMap((name) => /\.zone\.(.+)\.upstream/.exec(name)?.[1] ?? []).join(' ');
}

test('zones are taken from the first answer, and then asked for at every third scrape', async () => {
  const scrape = await scrapes({ zones: () => ['eu-1'] });
  expect(await scrape()).toEqual(['whole', 'eu-1.eu-1']);
  expect(await scrape()).toEqual(['narrow', '']);
  expect(await scrape()).toEqual(['narrow', '']);
  expect(await scrape()).toEqual(['narrow zones', 'eu-1.eu-1']);
  expect(await scrape()).toEqual(['narrow', '']);
});

test('a target without zones is not asked for them; when the first comes up it is asked at once', async () => {
  let zones: readonly string[] = [];
  const scrape = await scrapes({ zones: () => zones });
  expect(await scrape()).toEqual(['whole', 'none']);
  expect(await scrape()).toEqual(['narrow', 'none']);
  zones = ['eu-1'];
  expect(await scrape()).toEqual(['narrow', 'eu-1.eu-1']);
  expect(await scrape()).toEqual(['narrow', '']);
});

test('where zones are never asked for, they are left out', async () => {
  const scrape = await scrapes({ zones: () => ['eu-1'] }, 0);
  expect(await scrape()).toEqual(['whole', '']);
  expect(await scrape()).toEqual(['narrow', '']);
});

test('zones that can not be told apart are no zones, and no sign that there are none', async () => {
  const info = JSON.stringify({ ...JSON.parse(FAKE_INFO), node: {} });
  const scrape = await scrapes({ zones: () => ['rack.1'], info });
  expect(await scrape()).toEqual(['whole', '']);
  expect(await scrape()).toEqual(['narrow', '']);
});

test('zones with odd names are told by every answer', async () => {
  const scrape = await scrapes({ zones: () => ['rack 7 (left)'] });
  expect(await scrape()).toEqual(['whole', 'eu-1.rack 7 (left)']);
  expect(await scrape()).toEqual(['narrow', '']);
  expect(await scrape()).toEqual(['narrow', '']);
  expect(await scrape()).toEqual(['narrow', 'eu-1.rack 7 (left)']);
});

test.each<[string, NonNullable<FakeEnvoy['zoneAnswer']>, string]>([
  ['is refused', (response) => sendText(response, 'no', 403), ''],
  ['is no stats', (response) => sendText(response, '<html>'), ''],
  ['breaks off', (response) => response.destroy(), ''],
  ['is empty', (response) => sendText(response, ''), ''],
])('a zone request that %s does not make the scrape fail', async (_, zoneAnswer) => {
  const scrape = await scrapes({ zones: () => ['eu-1'], zoneAnswer });
  for (let i = 0; i < 3; i++) await scrape();
  expect(await scrape()).toEqual(['narrow zones', '']);
});
