import { expect, onTestFinished, test } from 'vitest';
import type { AdminClient } from '../../server/scrape/admin-client.ts';
import { ExtrasScraper, type ScrapedExtras } from '../../server/scrape/extras-scraper.ts';
import type { TargetScraper } from '../../server/scrape/target-scraper.ts';
import { eventually } from './eventually.ts';
import {
  FAKE_INFO,
  type FakeAdmin,
  type FakeAnswer,
  healthy,
  sendJson,
  sendText,
  startFakeAdmin,
} from './fake-admin.ts';
import { BODY_LIMIT_BYTES, IMPATIENT_MS, managerWith, scraperOf, targetAt } from './scraping.ts';

const CLUSTERS = JSON.stringify({
  cluster_statuses: [
    { name: 'c', host_statuses: [{ address: { socket_address: { address: '10.0.0.1', port_value: 80 } } }] },
  ],
});
const JSON_PATH = '/clusters?format=json';
const LISTENERS = '/listeners?format=json';

/** An Envoy that tells its hosts, but for what `answers` says instead. */
const telling =
  (answers: Readonly<Record<string, FakeAnswer>> = {}): FakeAnswer =>
  (request, response) => {
    const { url = '' } = request;
    const own = answers[url];
    if (own) own(request, response);
    else if (url === JSON_PATH) sendJson(response, CLUSTERS);
    else if (url === LISTENERS) sendJson(response, '{"listener_statuses":[]}');
    else healthy(request, response);
  };

interface Extras {
  readonly fake: FakeAdmin;
  readonly client: AdminClient;
  readonly scraper: TargetScraper;
  /** Scrapes so often; what was asked for besides, in order, `-` where nothing was. */
  rounds(count: number, wanted?: boolean): Promise<string[]>;
  next(): Promise<ScrapedExtras | undefined>;
}

async function extrasOf(answer: FakeAnswer, { every = 5, timeoutMs = 10_000 } = {}): Promise<Extras> {
  const fake = await startFakeAdmin(answer);
  const { client, scraper } = scraperOf(fake.address, timeoutMs);
  const extras = new ExtrasScraper(client, { every, hostLimit: 100, key: '10.0.0.1:9901' });
  onTestFinished(async () => {
    await client.close();
    await fake.stop();
  });
  const next = async (wanted = true) => {
    const good = await scraper.scrape();
    return extras.isTurn(good, wanted) ? extras.ask(good) : undefined;
  };
  const rounds = async (count: number, wanted = true) => {
    const found: string[] = [];
    for (let i = 0; i < count; i++) {
      const before = fake.asked.length;
      await next(wanted);
      found.push(
        fake.asked
          .slice(before)
          .filter((path) => /^\/(clusters|listeners)/.test(path))
          .join(' ') || '-',
      );
    }
    return found;
  };
  return { fake, client, scraper, rounds, next: () => next() };
}

test('at first sight and then at every fifth scrape; the listeners once', async () => {
  const { rounds, fake } = await extrasOf(telling());
  const asked = await rounds(16);
  expect(asked[0]).toBe(`${JSON_PATH} ${LISTENERS}`);
  const turns = asked.flatMap((paths, round) => (round > 0 && paths !== '-' ? [round] : []));
  expect(asked.filter((_, round) => turns.includes(round))).toEqual([JSON_PATH, JSON_PATH, JSON_PATH]);
  expect(turns.map((turn) => turn - (turns[0] ?? 0))).toEqual([0, 5, 10]);
  expect([fake.mostAtOnce(), fake.connections()]).toEqual([1, 1]);
});

test('seldom where it adds nothing, never where it is switched off', async () => {
  const seldom = await extrasOf(telling());
  expect((await seldom.rounds(1 + 60, false)).filter((paths) => paths !== '-')).toHaveLength(2);
  const never = await extrasOf(telling(), { every: 0 });
  expect(new Set(await never.rounds(7))).toEqual(new Set(['-']));
});

test('hosts, listeners, and what asking cost', async () => {
  const { next } = await extrasOf(telling());
  expect(await next()).toMatchObject({
    asked: { result: 'ok', error: '', bodyBytes: CLUSTERS.length },
    hosts: { clusters: [{ cluster: 'c', hosts: [{ address: '10.0.0.1:80' }] }] },
    listeners: [],
  });
});

test.each([403, 404])('a refusal with %i is remembered, and another version is asked again', async (status) => {
  const refuse: FakeAnswer = (_, response) => sendText(response, 'no', status);
  let info = FAKE_INFO;
  const { rounds, fake } = await extrasOf(
    telling({ [JSON_PATH]: refuse, '/clusters': refuse, '/server_info': (_, response) => sendJson(response, info) }),
  );
  const asked = await rounds(30);
  expect(asked[0]).toBe(`${JSON_PATH} /clusters`);
  expect(new Set(asked.slice(1))).toEqual(new Set(['-']));
  info = FAKE_INFO.replace('1.40.0', '1.41.0').replace('600s', '5s');
  fake.dropConnections();
  await eventually(() =>
    rounds(1).then(
      ([paths]) => paths,
      () => '',
    ),
  ).toContain('/clusters');
});

test('the text form where JSON is refused, from then on', async () => {
  const { rounds, next } = await extrasOf(
    telling({
      [JSON_PATH]: (_, response) => sendText(response, 'usage', 400),
      '/clusters': (_, response) => sendText(response, 'c::added_via_api::false\nc::10.0.0.2:80::rq_total::4\n'),
    }),
    { every: 1 },
  );
  expect(await next()).toMatchObject({ hosts: { clusters: [{ hosts: [{ address: '10.0.0.2:80', total: 4 }] }] } });
  expect(await rounds(1)).toEqual(['/clusters']);
});

const MANY_HOSTS = [
  'c::added_via_api::true',
  ...Array.from({ length: 101 }, (_, i) => `c::10.0.0.1:${i}::rq_total::1`),
].join('\n');

const FAILURES: readonly (readonly [string, FakeAnswer, string])[] = [
  ['an error', (_, response) => sendText(response, 'no', 500), '/clusters was answered with status 500'],
  [
    'a web page',
    (_, response) => sendText(response, '<html>'),
    "the answer is not Envoy's /clusters: it is not what /clusters answers",
  ],
  [
    'more hosts than may be',
    (_, response) => sendText(response, MANY_HOSTS),
    '/clusters has 101 hosts, more than scrape.series_limit (100)',
  ],
  ['no end', () => {}, `has not answered within ${IMPATIENT_MS} ms`],
  ['too much', (_, response) => sendText(response, 'x'.repeat(BODY_LIMIT_BYTES + 1)), 'larger than scrape.body_limit'],
  ['a broken connection', (_, response) => response.destroy(), 'closed the connection before it had answered'],
];

test.each(FAILURES)('%s is told, fails no scrape, and is tried again in its turn', async (_, answer, reason) => {
  const { next, scraper } = await extrasOf(telling({ [JSON_PATH]: answer }), { timeoutMs: IMPATIENT_MS });
  expect(await next()).toMatchObject({
    asked: { result: 'failed', error: expect.stringContaining(reason) },
    hosts: undefined,
  });
  expect((await scraper.scrape()).info?.nodeCluster).toBe('checkout');
});

test('a loop asks right after its scrape, and tells the cost of both apart', async () => {
  const fake = await startFakeAdmin(telling());
  const results: { bodyBytes: number; clusters: number | undefined }[] = [];
  const manager = managerWith({
    clustersEvery: 1,
    onResult: ({ good, extras }) =>
      results.push({ bodyBytes: good?.bodyBytes ?? 0, clusters: extras?.asked.bodyBytes }),
  });
  onTestFinished(async () => {
    await manager.stop();
    await fake.stop();
  });
  manager.apply([targetAt(fake.address)]);
  await eventually(async () => results.length).toBeGreaterThan(2);
  for (const { bodyBytes, clusters } of results) expect([bodyBytes > 200, clusters]).toEqual([true, CLUSTERS.length]);
  expect(fake.mostAtOnce()).toBe(1);
});
