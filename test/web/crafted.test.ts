/** Names and addresses that somebody made up to break a page. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CRAFTED_NAMES } from './fake-api/fake-services.ts';
import { expectNoNonsense, expectNoSidewaysScroll, type OpenedDashboard, openDashboard } from './opened-dashboard.ts';

let dashboard: OpenedDashboard;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-crafted');
});
afterAll(() => dashboard?.close());
beforeEach(() => dashboard.reset());

/** Nothing of a name became part of the page. */
async function expectTextOnly(page: Page): Promise<void> {
  expect(await page.locator('main :is(script, iframe, img, b[data-crafted])').count()).toBe(0);
  expect(await page.evaluate(() => Reflect.get(window, 'crafted'))).toBe(undefined);
  await expectNoSidewaysScroll(page);
}

describe('crafted names', () => {
  test.each(['/', '/?group=namespace', '/topology', '/topology?table=calls', '/regions', '/targets', '/alerts'])(
    'are text on %s, wide and narrow',
    (address) => {
      dashboard.fake.scenario = 'crafted';
      dashboard.fake.alerting = 2;
      return dashboard.look(address, async (page) => {
        await page.locator('main :is(.data, .node, .matrix)').first().waitFor();
        for (const width of [1440, 390]) {
          await page.setViewportSize({ width, height: 900 });
          await expectTextOnly(page);
        }
      });
    },
  );

  test('are all in the fleet, each as it is', () => {
    dashboard.fake.scenario = 'crafted';
    return dashboard.look('/', async (page) => {
      const links = page.locator('.fleet-table tbody th a');
      await links.first().waitFor();
      await expect
        .poll(async () => (await links.evaluateAll((all) => all.map(({ textContent }) => textContent))).sort())
        .toEqual([...CRAFTED_NAMES].sort());
    });
  });

  test.each(CRAFTED_NAMES)('%j leads to its page and back, and is searched for', (name) => {
    dashboard.fake.scenario = 'crafted';
    return dashboard.look('/', async (page) => {
      const link = page.locator('.fleet-table tbody th a').and(page.getByText(name, { exact: true }));
      await link.click();
      const head = page.getByRole('heading', { level: 1 });
      await page.locator('canvas').first().waitFor();
      await expect.poll(async () => (await head.textContent())?.trim()).toBe(name);
      await expectTextOnly(page);
      await page.goBack();
      await page.locator('.fleet-table').waitFor();
      await page.getByRole('searchbox').fill(name);
      await expect.poll(() => page.locator('.fleet-table tbody tr').count()).toBe(1);
      await page.reload();
      await link.waitFor();
      await expect.poll(() => page.locator('.fleet-table tbody tr').count()).toBe(1);
    });
  });
});

/** Nonsense in an address counts as not given; a page is never blank for it. */
const NONSENSE =
  'window=soon&from=x&to=%00&sort=--&q=%F0%9F%A6%84%25&compare=9y&group=moon&hide=,,%3C&paused=never&tables=%22&scale=7&focus=%2F%2F&by=galaxy&nodes=1&only=maybe&tz=Mars&zzz=1';

test.each(['/', '/services/checkout', '/topology', '/regions', '/targets', '/alerts', '/rules', '/status'])(
  '%s with nonsense behind it is the page all the same',
  (address) =>
    dashboard.look(`${address}?${NONSENSE}`, async (page, opened) => {
      opened.expectComplaint(/404/);
      await page.locator('main h1').first().waitFor();
      await page.locator('main :is(.data, .node, .matrix, .notice, .nothing, canvas)').first().waitFor();
      await expectNoNonsense(page);
      await expectNoSidewaysScroll(page);
    }),
);

test.each(['/services/%', '/services/%E0%A4%A', '/services//x', '/services/a/instances/', '/%00', '/services/..%2f..'])(
  'the address %s is told to lead nowhere',
  (address) =>
    dashboard.look(address, async (page, opened) => {
      opened.expectComplaint(/404/);
      await page.locator('main :is(.missing-page, .notice)').first().waitFor();
      await expectNoNonsense(page);
    }),
);
