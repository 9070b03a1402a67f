import { expect, onTestFinished, test } from 'vitest';
import { Limiter } from '../../server/scrape/limiter.ts';
import type { ScrapeResult } from '../../server/scrape/scrape-loop.ts';
import type { ScrapeManager, ScrapeManagerOptions } from '../../server/scrape/scrape-manager.ts';
import { phaseOf, spreadOf } from '../../server/scrape/scrape-manager.ts';
import { eventually } from './eventually.ts';
import { type FakeAdmin, type FakeAnswer, healthy, startFakeAdmin } from './fake-admin.ts';
import { managerWith, targetAt } from './scraping.ts';

interface Scraping {
  readonly manager: ScrapeManager;
  readonly results: ScrapeResult[];
  readonly of: (fake: FakeAdmin) => ScrapeResult[];
}

function scraping(fakes: readonly FakeAdmin[], options: Partial<ScrapeManagerOptions> = {}): Scraping {
  const results: ScrapeResult[] = [];
  const manager = managerWith({ onResult: (result) => results.push(result), ...options });
  onTestFinished(async () => {
    await manager.stop();
    await Promise.all(fakes.map((fake) => fake.stop()));
  });
  manager.apply(fakes.map(({ address }) => targetAt(address)));
  return { manager, results, of: (fake) => results.filter(({ target }) => target.key === fake.text) };
}

/** So much before its time a scrape may begin. */
const EARLY_MS = 20;

/** Answers as a healthy Envoy, `delayMs` later. */
const after =
  (delayMs: number): FakeAnswer =>
  (request, response) =>
    void setTimeout(() => healthy(request, response), delayMs);

const BEGAN = Date.now();
/** A wall clock that lags behind the one of timers, so that they end before their time. */
const lagging = () => BEGAN + (Date.now() - BEGAN) * 0.9;

test.each([
  ['on the wall clock', Date.now],
  ['with timers that end a little early by the wall clock', lagging],
])('scrapes once in every interval, %s', async (_, now) => {
  const fake = await startFakeAdmin(healthy);
  const { of } = scraping([fake], { now, intervalMs: 100 });
  await eventually(() => of(fake).length).toBeGreaterThan(5);
  expect(of(fake).filter(({ error }) => error !== '')).toEqual([]);
  const phase = phaseOf(fake.text, spreadOf(1, 100)) - EARLY_MS;
  const intervals = of(fake).map(({ at }) => Math.floor((at - phase) / 100));
  expect(new Set(intervals.slice(1)).size).toBe(intervals.length - 1); // the first comes at once
});

test('a target that is slower than the interval is never asked twice at once', async () => {
  const fake = await startFakeAdmin(after(60));
  const { of } = scraping([fake]);
  await eventually(() => of(fake).length).toBeGreaterThan(4);
  expect(fake.mostAtOnce()).toBe(1);
  expect(fake.connections()).toBe(1);
});

test('bad targets delay no other, and each has its reason', async () => {
  const hanging = await startFakeAdmin(() => {});
  const dripping = await startFakeAdmin((_, response) => void response.writeHead(200).write('x'));
  const broken = await startFakeAdmin((_, response) => void response.destroy());
  const good = await startFakeAdmin(healthy);
  const { of } = scraping([hanging, dripping, broken, good]);
  await eventually(() => of(good).length).toBeGreaterThan(9);
  expect(of(good).filter(({ error }) => error !== '')).toEqual([]);
  expect(of(hanging)).toEqual([]);
  expect(of(dripping)).toEqual([]);
  await eventually(() => of(broken)[0]?.error).toBe(`${broken.text} closed the connection before it had answered`);
});

test('a failed scrape is a result like any other, and the next one is tried', async () => {
  let failing = true;
  const fake = await startFakeAdmin((request, response) => {
    if (failing) response.writeHead(500).end();
    else healthy(request, response);
  });
  const { of } = scraping([fake]);
  await eventually(() => of(fake).length).toBeGreaterThan(1);
  expect(of(fake)[0]).toMatchObject({ error: '/stats was answered with status 500', good: undefined });
  failing = false;
  await eventually(() => of(fake).at(-1)?.error).toBe('');
});

test('a slow target is asked less often, and told so, until it is quick', async () => {
  let delayMs = 30;
  const fake = await startFakeAdmin((request, response) => {
    setTimeout(() => healthy(request, response), delayMs);
  });
  const { of } = scraping([fake], { slowDown: true });
  const slow = { slowedDown: expect.stringMatching(/^it took .* to answer, more than a fifth of the interval$/) };
  await eventually(() => of(fake).at(-1)?.pace).toMatchObject(slow);
  expect(of(fake).find(({ pace }) => pace?.slowedDown !== '')?.pace?.intervalMs).toBeGreaterThan(40);
  delayMs = 0;
  await eventually(() => of(fake).at(-1)?.pace).toEqual({ intervalMs: 40, slowedDown: '' });
});

test('stop() ends a request that hangs, and no result comes after it', async () => {
  let open = 0;
  const fake = await startFakeAdmin((request) => {
    open++;
    request.socket.on('close', () => open--);
  });
  const { manager, results } = scraping([fake], { timeoutMs: 60_000 });
  await eventually(() => open).toBe(1);
  await manager.stop();
  await eventually(() => open).toBe(0);
  expect(results).toEqual([]);
});

test('apply() ends the loops of targets that have gone and leaves the others alone', async () => {
  const [staying, going, coming] = [
    await startFakeAdmin(healthy),
    await startFakeAdmin(healthy),
    await startFakeAdmin(healthy),
  ];
  const { manager, of } = scraping([staying, going]);
  onTestFinished(() => coming.stop());
  await eventually(() => Math.min(of(staying).length, of(going).length)).toBeGreaterThan(1);
  manager.apply([targetAt(staying.address), targetAt(coming.address)]);
  const asked = going.asked.length;
  await eventually(() => of(coming).length).toBeGreaterThan(2);
  expect(going.asked.length).toBeLessThanOrEqual(asked + 1);
  expect(staying.connections()).toBe(1);
});

test.each([
  [1, 15_000, 500],
  [256, 15_000, 500],
  [257, 15_000, 15_000],
  [3, 600, 300],
])('%i targets at an interval of %i ms are spread over %i ms', (targets, intervalMs, spreadMs) => {
  expect(spreadOf(targets, intervalMs)).toBe(spreadMs);
});

test.each([
  ['10.0.0.5:9901', 500, 384],
  ['10.0.0.6:9901', 500, 231],
  ['unix:/run/envoy.sock', 15_000, 6366],
])('the phase of %s within %i ms is always %i ms', (key, spreadMs, phase) => {
  expect(phaseOf(key, spreadMs)).toBe(phase);
});

test('phases are spread evenly', () => {
  const tenths = new Array<number>(10).fill(0);
  for (let i = 0; i < 1000; i++) {
    const tenth = Math.floor(phaseOf(`10.0.${i >> 8}.${i & 255}:9901`, 10_000) / 1000);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  expect(Math.min(...tenths)).toBeGreaterThan(70);
  expect(Math.max(...tenths)).toBeLessThan(130);
});

test('a limiter lets no more tasks run than it may, in order, and an error frees its place', async () => {
  const limiter = new Limiter(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const task = (number: number) =>
    limiter.run(async () => {
      started.push(number);
      most = Math.max(most, ++running);
      if (number === 3) void task(100).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (number % 3 === 0) throw new Error('no');
    });
  await Promise.allSettled([0, 1, 2, 3, 4, 5, 6, 7, 8].map(task));
  await eventually(() => started).toContain(100);
  expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 100]);
  expect(most).toBe(2);
});

test('a target with other labels keeps its connection; one that is reached in another way does not', async () => {
  const fake = await startFakeAdmin(healthy);
  const { manager, of } = scraping([fake]);
  await eventually(() => of(fake).length).toBeGreaterThan(1);
  manager.apply([{ ...targetAt(fake.address), labels: { service: 'a' } }]);
  await eventually(() => of(fake).at(-1)?.target.labels).toEqual({ service: 'a' });
  expect(fake.connections()).toBe(1);
  manager.apply([{ ...targetAt(fake.address), reach: { key: 'other', auth: { bearerToken: 't' } } }]);
  await eventually(() => fake.connections()).toBe(2);
});

test('a limit that is raised lets waiting tasks go at once, and one that is lowered holds back new ones', async () => {
  const limiter = new Limiter(1);
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const running = new Set<number>();
  const tasks = gates.map(({ promise }, index) =>
    limiter.run(async () => {
      running.add(index);
      await promise;
      running.delete(index);
    }),
  );
  limiter.change(3);
  await eventually(() => [...running]).toEqual([0, 1, 2]);
  limiter.change(1);
  gates[0]?.resolve();
  gates[1]?.resolve();
  await eventually(() => [...running]).toEqual([2]);
  gates[2]?.resolve();
  await eventually(() => [...running]).toEqual([3]);
  gates[3]?.resolve();
  await Promise.all(tasks);
});
