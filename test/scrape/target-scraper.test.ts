import { mkdtemp, rm } from 'node:fs/promises';
import type { ListenOptions } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { AdminClient } from '../../server/scrape/admin-client.ts';
import type { TargetScraper } from '../../server/scrape/target-scraper.ts';
import { eventually } from './eventually.ts';
import {
  askedFor,
  FAKE_INFO,
  FAKE_STATS_JSON,
  type FakeAdmin,
  type FakeAnswer,
  healthy,
  sendJson,
  sendText,
  startFakeAdmin,
} from './fake-admin.ts';
import { IMPATIENT_MS, scraperOf } from './scraping.ts';

async function scraping(
  answer: FakeAnswer,
  { listen, timeoutMs }: { listen?: ListenOptions; timeoutMs?: number } = {},
): Promise<{ fake: FakeAdmin; client: AdminClient; scraper: TargetScraper }> {
  const fake = await startFakeAdmin(answer, listen);
  const parts = scraperOf(fake.address, timeoutMs);
  onTestFinished(async () => {
    await parts.client.close();
    await fake.stop();
  });
  return { fake, ...parts };
}

test('a good scrape brings figures, the process and all connection managers', async () => {
  const { scraper } = await scraping(healthy);
  const before = Date.now();
  const { reading, at, infoAt, bodyBytes, info, managers } = await scraper.scrape();
  expect(reading.layout.scalars).toContain('http.ingress.downstream_rq_2xx');
  expect([...reading.binCounts]).toEqual([30, 10]);
  expect(bodyBytes).toBeGreaterThan(200);
  expect(info).toMatchObject({ version: '1.40.0', uptimeSeconds: 600, nodeCluster: 'checkout' });
  expect([...managers]).toContain('admin');
  expect(at).toBeGreaterThanOrEqual(before);
  expect(infoAt).toBeGreaterThanOrEqual(at);
});

test('many scrapes take one connection, and /server_info is asked once', async () => {
  const { fake, scraper } = await scraping(healthy);
  for (let i = 0; i < 5; i++) await scraper.scrape();
  expect(fake.asked).toEqual(['stats', 'info', 'managers', 'stats', 'stats', 'stats', 'stats']);
  expect(fake.connections()).toBe(1);
});

test('/server_info is asked again after the connection broke', async () => {
  const { fake, scraper } = await scraping(healthy);
  await scraper.scrape();
  fake.dropConnections();
  await eventually(() =>
    scraper.scrape().then(
      () => fake.connections(),
      () => 0,
    ),
  ).toBe(2);
  expect(fake.asked.filter((what) => what === 'info')).toHaveLength(2);
});

test('/server_info is asked again after a scrape failed, though over the same connection', async () => {
  let failing = false;
  const { fake, scraper } = await scraping((request, response) => {
    if (failing) sendText(response, 'no', 500);
    else healthy(request, response);
  });
  await scraper.scrape();
  failing = true;
  await expect(scraper.scrape()).rejects.toThrow('status 500');
  failing = false;
  await scraper.scrape();
  expect(fake.asked).toEqual(['stats', 'info', 'managers', 'stats', 'stats', 'info', 'managers']);
  expect(fake.connections()).toBe(1);
});

test('a scrape whose /server_info hangs fails, and is tried again from the start', async () => {
  let hanging = true;
  const { fake, scraper } = await scraping(
    (request, response) => {
      if (!hanging || askedFor(request) !== 'info') healthy(request, response);
    },
    { timeoutMs: IMPATIENT_MS },
  );
  await expect(scraper.scrape()).rejects.toThrow('has not answered within 250 ms');
  hanging = false;
  expect((await scraper.scrape()).info?.nodeCluster).toBe('checkout');
  expect(fake.asked).toEqual(['stats', 'info', 'stats', 'info', 'managers']);
});

test.each([403, 404])('where /server_info is refused with %i, scraping goes on without it', async (status) => {
  const { fake, scraper } = await scraping((request, response) => {
    if (askedFor(request) === 'info') sendText(response, 'not allowed', status);
    else healthy(request, response);
  });
  expect((await scraper.scrape()).info).toBeUndefined();
  await scraper.scrape();
  expect(fake.asked).toEqual(['stats', 'info', 'managers', 'stats']);
});

test('where Envoy refuses to tell its connection managers, scraping goes on without them', async () => {
  const { scraper } = await scraping((request, response) => {
    if (askedFor(request) === 'managers') sendText(response, 'not allowed', 403);
    else healthy(request, response);
  });
  expect((await scraper.scrape()).managers.size).toBe(0);
});

test('where the text is refused with 400, the JSON form is taken and remembered', async () => {
  const { fake, scraper } = await scraping((request, response) => {
    if (askedFor(request) === 'stats') sendText(response, 'usage: /stats', 400);
    else healthy(request, response);
  });
  expect((await scraper.scrape()).reading.layout.scalars).toEqual(['http.ingress.downstream_rq_2xx']);
  await scraper.scrape();
  expect(fake.asked).toEqual(['stats', 'stats.json', 'info', 'managers', 'stats.json']);
});

test('a passing error page does not change the form that is asked for', async () => {
  let broken = true;
  const { fake, scraper } = await scraping((request, response) => {
    if (broken) response.writeHead(200, { 'content-type': 'text/html' }).end('<html>please wait</html>');
    else healthy(request, response);
  });
  await expect(scraper.scrape()).rejects.toThrow('text/html instead of text/plain');
  broken = false;
  await scraper.scrape();
  expect(fake.asked).toEqual(['stats', 'stats.json', 'stats', 'info', 'managers']);
});

test('a target that took only JSON is asked for text again once it refuses JSON', async () => {
  let refused = 'stats';
  const { fake, scraper } = await scraping((request, response) => {
    if (askedFor(request) === refused) sendText(response, 'usage: /stats', 400);
    else healthy(request, response);
  });
  await scraper.scrape();
  refused = 'stats.json';
  await scraper.scrape();
  await scraper.scrape();
  // Refused without the copies of stats, JSON is asked for once more with them.
  expect(fake.asked.slice(4)).toEqual(['stats.json', 'stats.json', 'stats', 'stats']);
});

test('behind something that closes every connection, each scrape makes sure of the process', async () => {
  const { fake, scraper } = await scraping((request, response) => {
    response.setHeader('connection', 'close');
    healthy(request, response);
  });
  for (let i = 0; i < 2; i++) expect((await scraper.scrape()).info?.nodeCluster).toBe('checkout');
  expect(fake.asked).toEqual(['stats', 'info', 'managers', 'stats', 'info', 'managers']);
  expect(fake.connections()).toBe(6);
});

test('an answer is not counted when Envoy may have restarted behind it', async () => {
  const { scraper } = await scraping((request, response) => {
    response.setHeader('connection', 'close');
    if (askedFor(request) === 'info') sendJson(response, FAKE_INFO.replace('600s', '0s'));
    else healthy(request, response);
  });
  await expect(scraper.scrape()).rejects.toThrow(
    'Envoy may have restarted between two answers: counted at the next scrape',
  );
});

test('requests are GET, and ask for text before JSON', async () => {
  const seen: (string | undefined)[][] = [];
  const { scraper } = await scraping((request, response) => {
    seen.push([request.method, request.headers.accept, request.headers['user-agent']]);
    healthy(request, response);
  });
  await scraper.scrape();
  expect(seen).toEqual(Array.from({ length: 3 }, () => ['GET', 'text/plain, application/json', 'sidelight']));
});

test('a second request to a target that is still answering is refused', async () => {
  const { client, fake } = await scraping(healthy);
  const first = client.get('/stats?a');
  await expect(client.get('/stats?b')).rejects.toThrow('the request before has not ended');
  expect((await first).status).toBe(200);
  expect(fake.mostAtOnce()).toBe(1);
});

test('a target at a unix socket', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sidelight-socket-'));
  const { scraper, fake } = await scraping(healthy, { listen: { path: join(folder, 'admin.sock') } });
  expect(fake.text).toBe(`unix:${folder}/admin.sock`);
  expect((await scraper.scrape()).info?.nodeId).toBe('checkout-1');
  await rm(folder, { recursive: true });
});

test('a target at an IPv6 address', async () => {
  const { scraper, fake } = await scraping(healthy, { listen: { host: '::1', port: 0 } });
  expect(fake.text).toMatch(/^\[::1\]:\d+$/);
  expect((await scraper.scrape()).info?.nodeId).toBe('checkout-1');
});

test('the content type may carry a charset', async () => {
  const { scraper, fake } = await scraping((request, response) => {
    if (askedFor(request) === 'stats') sendText(response, 'no', 400);
    else if (askedFor(request) === 'stats.json')
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(FAKE_STATS_JSON);
    else healthy(request, response);
  });
  await scraper.scrape();
  expect(fake.asked).toContain('stats.json');
});
