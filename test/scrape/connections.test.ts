/** Which targets are asked how long connections lasted, and what their answers are taken for. */

import { expect, onTestFinished, test } from 'vitest';
import { TargetScraper } from '../../server/scrape/target-scraper.ts';
import { textBody } from '../envoy/stats-body.ts';
import { FAKE_INFO, healthy, sendJson, sendText, startFakeAdmin } from './fake-admin.ts';
import { scraperOf } from './scraping.ts';

const HTTP = { 'web.membership_total': 1, 'web.upstream_cx_total': 2, 'web.upstream_cx_http1_total': 2 };
const BARE = { 'db.membership_total': 1, 'db.upstream_cx_total': 2 };
const LENGTHS = { 1000: 3 };

/** Scrapes a fake Envoy that knows the filter: whether each scrape asked for lengths, the histograms it brought, and what they are. */
async function scrapes(stats: () => Readonly<Record<string, number>>, { takesFilter = true } = {}) {
  let asked = false;
  const fake = await startFakeAdmin((request, response) => {
    const url = new URL(request.url ?? '', 'http://fake');
    if (url.pathname === '/server_info') return sendJson(response, FAKE_INFO);
    const filter = url.searchParams.get('filter') ?? '';
    if (filter.startsWith('^http')) return healthy(request, response);
    if (filter !== '' && !takesFilter) return sendText(response, 'too long', 414);
    asked = filter.includes('cx_length_ms');
    const passes = ([name]: [string, unknown]) => new RegExp(filter).test(name);
    const scalars = Object.entries(stats()).map(([name, value]): [string, number] => [`cluster.${name}`, value]);
    const totals = scalars.filter(([name]) => name.endsWith('.upstream_cx_total'));
    const histograms = totals.map(([name]): [string, typeof LENGTHS] => [name.replace('total', 'length_ms'), LENGTHS]);
    const shown = { scalars: scalars.filter(passes), histograms: histograms.filter(passes) };
    const [ofScalars, ofHistograms] = [Object.fromEntries(shown.scalars), Object.fromEntries(shown.histograms)];
    return sendText(response, textBody({ scalars: ofScalars, histograms: ofHistograms }).toString());
  });
  const { client } = scraperOf(fake.address);
  const scraper = new TargetScraper(client);
  onTestFinished(async () => {
    await client.close();
    await fake.stop();
  });
  return async () => {
    const { connections, reading } = await scraper.scrape();
    return [asked, reading.layout.histograms.length, connections];
  };
}

test('a target with nothing but HTTP is never asked', async () => {
  const scrape = await scrapes(() => HTTP);
  for (let i = 0; i < 3; i++) expect(await scrape()).toEqual([false, 0, 'none']);
});

test('a target with bare connections is asked from the second scrape on', async () => {
  const scrape = await scrapes(() => ({ ...HTTP, ...BARE }));
  expect(await scrape()).toEqual([false, 0, undefined]);
  for (let i = 0; i < 3; i++) expect(await scrape()).toEqual([true, 2, 'told']);
});

test('what ceases to be there is still asked for: it may come back', async () => {
  let stats: Readonly<Record<string, number>> = HTTP;
  const scrape = await scrapes(() => stats);
  expect(await scrape()).toEqual([false, 0, 'none']);
  stats = { ...HTTP, ...BARE };
  expect(await scrape()).toEqual([false, 0, undefined]);
  stats = HTTP;
  expect(await scrape()).toEqual([true, 1, 'told']);
});

test('an answer without a filter tells at once', async () => {
  const scrape = await scrapes(() => ({ ...HTTP, ...BARE }), { takesFilter: false });
  expect(await scrape()).toEqual([false, 2, 'told']);
});
