/** A page that stays open: an hour and more of ticks, one right after the other. */

import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenedDashboard, openDashboard } from './opened-dashboard.ts';

const INTERVAL_MS = 15_000;
const WARM_UP = 30;
const MOST_GROWTH_BYTES = 2 * 1024 * 1024;

let dashboard: OpenedDashboard;
let now = Date.now();

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-long', { now: () => now, intervalMs: INTERVAL_MS });
});
afterAll(() => dashboard?.close());

/** Heap that lives. */
async function heapBytes(session: CDPSession): Promise<number> {
  for (let round = 0; round < 3; round++) await session.send('HeapProfiler.collectGarbage');
  return (await session.send('Runtime.getHeapUsage')).usedSize;
}

async function tick(page: Page, times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    now += INTERVAL_MS;
    const answered = page.waitForResponse((response) => response.url().includes('/api/v1/services'));
    dashboard.fake.tick();
    await (await answered).finished();
  }
}

/** An hour of ticks of the fleet; a service's charts take longer to draw. */
test.each([
  ['the fleet', 240, '/', '.fleet-table .sparkline .line'],
  ['a service', 80, '/services/checkout?namespace=shop', 'canvas'],
])(
  '%s, %i ticks: memory stays flat',
  (name, ticks, address, shown) =>
    dashboard.look(address, async (page) => {
      dashboard.fake.alerting = 2;
      await page.locator(shown).first().waitFor();
      await expect.poll(() => dashboard.fake.listeners).toBe(1);
      const session = await page.context().newCDPSession(page);
      await tick(page, WARM_UP);
      const before = await heapBytes(session);
      await tick(page, ticks);
      const grown = (await heapBytes(session)) - before;
      console.log(
        `${name}: ${(before / 1e6).toFixed(1)} MB of heap, ${(grown / 1e3).toFixed(0)} kB more after ${ticks} ticks`,
      );
      expect(grown).toBeLessThan(MOST_GROWTH_BYTES);
    }),
  240_000,
);
