import { expect, onTestFinished, test } from 'vitest';
import { skippedScrapes } from '../../server/scrape/skipped-scrapes.ts';
import { eventually } from './eventually.ts';
import { healthy, startFakeAdmin } from './fake-admin.ts';
import { managerWith, targetAt } from './scraping.ts';

test.each([
  ['on time', 10_000, 5, 0],
  ['sooner, as the first one is on no beat', 3000, 5, 0],
  ['a timer that ends a little early or late', 10_900, 5, 0],
  ['a beat late', 20_000, 5, 1],
  ['six beats late', 70_000, 5, 6],
  ['a target that answers after more than an interval', 20_000, 12_000, 0],
  ['one that never answers within a limit as long as the interval', 20_000, 9998, 0],
  ['two beats late, one of them because of the target', 30_000, 12_000, 1],
])('%s', (_, betweenMs, busyMs, skipped) => {
  expect(skippedScrapes({ betweenMs, intervalMs: 10_000, busyMs })).toBe(skipped);
});

test('scrapes that could not begin while another target took the only place are counted', async () => {
  const gate = Promise.withResolvers<void>();
  let waiting = false;
  const slow = await startFakeAdmin(async (request, response) => {
    waiting = true;
    await gate.promise;
    healthy(request, response);
  });
  const quick = await startFakeAdmin(healthy);
  let skipped = 0;
  const results: string[] = [];
  const manager = managerWith({
    concurrency: 1,
    onResult: ({ target }) => results.push(target.key),
    onSkipped: (count) => {
      skipped += count;
    },
  });
  onTestFinished(async () => {
    await manager.stop();
    await Promise.all([slow.stop(), quick.stop()]);
  });
  manager.apply([targetAt(slow.address)]);
  await eventually(() => waiting).toBe(true);
  manager.apply([targetAt(slow.address), targetAt(quick.address)]);
  const began = performance.now();
  await eventually(() => performance.now() - began).toBeGreaterThan(1500);
  gate.resolve();
  await eventually(() => results).toContain(quick.text);
  await eventually(() => skipped).toBeGreaterThan(3);
});
