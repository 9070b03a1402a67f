/** A fleet of a thousand services: how soon it is seen, and what a refresh takes. Figures are printed; bounds are wide. */

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenedDashboard, openDashboard } from './opened-dashboard.ts';

const REFRESHES = 10;
/** Goals on an idle machine: 1 s, and 50 ms. */
const MOST = { firstRowsMs: 5000, refreshMs: 400 };
const INTERVAL_MS = 15_000;

let dashboard: OpenedDashboard;
let now = Date.now();

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-large', { now: () => now, intervalMs: INTERVAL_MS });
  dashboard.fake.scenario = 'large';
});
afterAll(() => dashboard?.close());

/** Milliseconds of CPU that the page's main thread took so far: on a busy machine tasks take longer than that. */
async function mainThreadMs(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const times = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(readFileSync(`/proc/${id}/task/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6);
  await session.detach();
  return times.reduce((sum, time) => sum + time, 0);
}

/** Milliseconds from the start of loading the page to its first row. */
async function firstRowsMs(page: Page): Promise<number> {
  await page.addInitScript(() => {
    const look = () => {
      if (document.querySelector('.fleet-table tbody tr')) performance.mark('first rows');
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.reload();
  await page.locator('.fleet-table tbody tr').first().waitFor();
  return page.evaluate(() => performance.getEntriesByName('first rows')[0]?.startTime ?? Number.NaN);
}

test('the first rows come soon, and a refresh hardly keeps the page', () =>
  dashboard.look('/', async (page) => {
    await page.locator('.fleet-table tbody tr').first().waitFor();
    const first = await firstRowsMs(page);
    await expect.poll(() => page.locator('.fleet-table .sparkline .line').count()).toBeGreaterThan(10);
    await expect.poll(() => dashboard.fake.listeners).toBe(1);
    const browser = page.context().browser();
    if (!browser) throw new Error('the page has no browser');
    const asked = () => dashboard.fake.asked.filter((path) => path.startsWith('/api/v1/services')).length;
    const before = await mainThreadMs(browser);
    for (let refresh = 0; refresh < REFRESHES; refresh++) {
      const count = asked();
      now += INTERVAL_MS;
      const seen = page.waitForResponse((response) => response.url().includes('/api/v1/services'));
      dashboard.fake.tick();
      await (await seen).finished();
      await expect.poll(asked).toBeGreaterThan(count);
      await page.evaluate(() => new Promise((done) => requestIdleCallback(done)));
    }
    const refresh = ((await mainThreadMs(browser)) - before) / REFRESHES;
    console.log(
      `1,000 services: first rows after ${first.toFixed(0)} ms, ${refresh.toFixed(1)} ms of main thread per refresh`,
    );
    expect(first).toBeLessThan(MOST.firstRowsMs);
    expect(refresh).toBeLessThan(MOST.refreshMs);
  }));
