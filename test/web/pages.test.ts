/** Topology, regions, status, alerts, keys and bad answers, in a real browser on the fake API. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  expectNoNonsense,
  expectNoSidewaysScroll,
  type OpenedDashboard,
  openDashboard,
  screenshotPath,
} from './opened-dashboard.ts';

let dashboard: OpenedDashboard;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-pages');
});
afterAll(() => dashboard?.close());
beforeEach(() => dashboard.reset());

const pathOf = (page: Page) => page.url().replace(dashboard.fake.url, '');
const focusedNode = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('data-node') ?? '');
const transform = (page: Page, id: string) => page.locator(`[data-node="${id}"]`).getAttribute('transform');

async function expectSound(page: Page) {
  await expectNoNonsense(page);
  await expectNoSidewaysScroll(page);
}

describe('the topology', () => {
  test('is walked with the arrow keys; Space selects, Escape lets go, Enter opens', () =>
    dashboard.look('/topology', async (page) => {
      await page.locator('[data-node="edge/frontend"]').waitFor();
      await page.locator('[data-node="edge/frontend"]').focus();
      await page.keyboard.press('ArrowRight');
      expect(await focusedNode(page)).toBe('shop/catalog');
      await page.keyboard.press('ArrowUp');
      expect(await focusedNode(page)).toBe('shop/checkout');
      await page.keyboard.press('Space');
      expect(pathOf(page)).toBe('/topology?focus=shop%2Fcheckout');
      await page.getByRole('region', { name: 'Selected: checkout' }).waitFor();
      await page.keyboard.press('Escape');
      await expect.poll(() => pathOf(page)).toBe('/topology');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'checkout' }).waitFor();
    }));

  test('new figures move nothing', () =>
    dashboard.look('/topology', async (page) => {
      await page.locator('[data-node="shop/cart"]').waitFor();
      await expect.poll(() => dashboard.fake.listeners).toBe(1);
      await page.getByRole('button', { name: 'Zoom in' }).click();
      const sight = () => page.locator('.graph-drawing > g').getAttribute('transform');
      const before = [await transform(page, 'shop/cart'), await sight()];
      const asked = () => dashboard.fake.asked.filter((path) => path.includes('/topology')).length;
      const count = asked();
      dashboard.fake.tick();
      await expect.poll(asked).toBe(count + 1);
      await page.getByRole('button', { name: /^Live \d\d/ }).waitFor();
      expect([await transform(page, 'shop/cart'), await sight()]).toEqual(before);
    }));

  test('three hundred services: by namespace at first, then all of them', () => {
    dashboard.fake.scenario = 'wide';
    return dashboard.look('/topology', async (page) => {
      await page.getByText('8 namespaces').waitFor();
      await page.getByRole('button', { name: 'Services', exact: true }).click();
      await expect.poll(() => page.locator('.node').count(), { timeout: 10_000 }).toBe(300);
      await expect.poll(() => page.locator('.graph-drawing .edge').count(), { timeout: 10_000 }).toBe(726);
      await page.screenshot({ path: screenshotPath('topology-300') });
    });
  });

  test('a search steps back what it does not find; the table has the same calls', () =>
    dashboard.look('/topology', async (page) => {
      await page.locator('.node').first().waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('payments');
      await expect.poll(() => page.locator('.node:not(.away)').count()).toBe(1);
      await page.getByRole('button', { name: 'Calls as a table' }).click();
      await expect.poll(() => page.locator('.edge-table tbody tr').count()).toBe(1);
      expect(pathOf(page)).toBe('/topology?q=payments&table=calls');
    }));

  test('a name in the address that nobody has is told', () =>
    dashboard.look('/topology?focus=nobody&only=1&nodes=moon', async (page) => {
      await page.getByText('Nothing here is called “nobody”.').waitFor();
      await page.getByRole('button', { name: 'Show everything' }).click();
      expect(pathOf(page)).toBe('/topology');
    }));
});

test('regions: the service and zones are in the address, and what is not known has its reason', () =>
  dashboard.look('/regions', async (page) => {
    await page.locator('.matrix').waitFor();
    await page.getByLabel('Requests to').selectOption('shop/checkout');
    await page.getByRole('button', { name: 'Zones' }).click();
    expect(pathOf(page)).toBe('/regions?focus=shop%2Fcheckout&by=zone');
    await expect.poll(() => page.locator('.region-cards .panel').count()).toBe(2);
    expect(await page.locator('.matrix .missing').first().getAttribute('data-hint')).toContain('node.locality');
    expect(dashboard.fake.asked.some((asked) => /regions\?service=checkout&namespace=shop/.test(asked))).toBe(true);
  }));

test('regions on a phone are a list of the ways that there are, each in full', () =>
  dashboard.look(
    '/regions',
    async (page) => {
      await page.locator('.matrix').waitFor();
      const shown = page.locator('.matrix tbody td:visible');
      await expect.poll(() => shown.count()).toBe(8);
      const lefts = await shown.evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().left));
      expect(new Set(lefts).size).toBe(1);
      const box = page.locator('.matrix-box');
      await expect.poll(() => box.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
      const sizes = await page
        .locator('.strip dd')
        .evaluateAll((all) => all.map((each) => getComputedStyle(each).fontSize));
      expect(sizes).toEqual(['20px', '20px', '20px', '20px']);
    },
    { width: 390, height: 844 },
  ));

test('a graph that is wider than a phone shows where it goes on', () =>
  dashboard.look(
    '/topology',
    async (page) => {
      await page.locator('.graph.more-right:not(.more-left)').waitFor();
      for (let press = 0; press < 12; press += 1) await page.getByRole('button', { name: 'Zoom out' }).click();
      await page.locator('.graph:not(.more-left, .more-right)').waitFor();
      await page.getByRole('button', { name: 'Fit' }).click();
      await page.locator('.graph.more-right').waitFor();
    },
    { width: 390, height: 844 },
  ));

test('targets that are down are told before the first tick', () =>
  dashboard.look('/', async (page) => {
    await page.getByRole('link', { name: 'Targets 2 down' }).waitFor();
  }));

test('that no alert ended is told of others where there are some', () =>
  dashboard.look('/alerts', async (page) => {
    await page.getByRole('heading', { name: 'Nothing fires' }).waitFor();
    await page.getByText('No alert ended in the last day.').waitFor();
  }));

test('the fleet asks for latencies before rates, which the collector then tells from the same sums', () =>
  dashboard.look('/status', async (page) => {
    const sent: string[] = [];
    page.on('request', (request) => sent.push(...(/query\?signal=(\w+)/.exec(request.url())?.slice(1) ?? [])));
    await page.getByRole('link', { name: 'Fleet' }).click();
    await expect.poll(() => sent).toEqual(['latency_p99', 'request_rate']);
  }));

test('status tells what fails and what to do', () => {
  dashboard.fake.scenario = 'failing';
  return dashboard.look('/status', async (page) => {
    const words = ['the disk is full', '14 had to be given up', 'write 15s', 'targets/edge.yaml:3'];
    const pushing = ['ECONNREFUSED', '12 samples (refused 12)', 'HTTP status 401', '4,200 refused'];
    for (const each of [...words, ...pushing]) await page.getByText(each).first().waitFor();
  });
});

describe('alerts', () => {
  test('are offered from the start, and fire on the icon', () =>
    dashboard.look('/', async (page) => {
      const icon = () => page.locator('link[rel=icon]').getAttribute('href');
      await expect.poll(() => dashboard.fake.listeners).toBe(1);
      await page.getByRole('link', { name: 'Alerts', exact: true }).waitFor();
      dashboard.fake.alerting = 3;
      dashboard.fake.tick();
      await page.getByRole('link', { name: 'Alerts 3 firing' }).click();
      await expect.poll(() => page.locator('.alerts-table:not(.ended) tbody tr').count()).toBe(5);
      await expect.poll(icon).toMatch(/^data:image\/png/);
      dashboard.fake.alerting = 0;
      dashboard.fake.tick();
      await page.getByRole('heading', { name: 'Nothing fires' }).waitFor();
      await expect.poll(icon).toBe('/favicon.svg');
    }));

  test('that fire when the page is opened are told before the first tick', () => {
    dashboard.fake.alerting = 2;
    return dashboard.look('/', async (page) => {
      await page.getByRole('link', { name: 'Alerts 2 firing' }).waitFor();
      await page.locator('.fleet-table .col-alerts .badge.bad').first().waitFor();
      expect(await page.locator('.fleet-table td.col-alerts .badge').allTextContents()).toEqual([
        ' 2 firing',
        ' 1 pending',
      ]);
      await page.locator('.strip').getByRole('link', { name: '2 firing 1 pending' }).waitFor();
    });
  });

  test('show the moment they fired, each one that is asked for, and those that ended', () => {
    dashboard.fake.alerting = 1;
    return dashboard.look('/alerts', async (page) => {
      await page.locator('.alert-moment canvas').waitFor();
      const { fake } = dashboard;
      expect(
        fake.asked.some((asked) => /query\?signal=latency_p99&service=checkout&namespace=shop&region=/.test(asked)),
      ).toBe(true);
      await page
        .locator('.alerts-table.ended tbody tr')
        .filter({ hasText: 'SlowService' })
        .first()
        .getByRole('button', { name: 'Chart of SlowService' })
        .click();
      await expect.poll(() => pathOf(page)).toContain('focus=');
      await page.locator('.alert-moment .readout').getByText('1 alert fired').waitFor();
      await page.getByRole('button', { name: /as a table/ }).click();
      await page.getByText('SlowService fired (812 ms against 500 ms, ended').waitFor();
    });
  });

  test('of a collector without them', () => {
    dashboard.fake.alerting = null;
    return dashboard.look('/alerts', async (page, opened) => {
      opened.expectComplaint(/404/);
      await page.getByRole('heading', { name: 'This collector evaluates no alerts' }).waitFor();
    });
  });
});

describe('keys', () => {
  test.each([
    ['t', 'Topology'],
    ['r', 'Regions'],
    ['s', 'Status'],
    ['e', 'Targets'],
    ['f', 'Fleet'],
  ])('g %s goes to %s', (key, title) =>
    dashboard.look('/nowhere', async (page) => {
      await page.locator('h1').waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
    }),
  );

  test('? lists them, Escape closes, and meanwhile they do nothing', () =>
    dashboard.look('/', async (page) => {
      await page.locator('.fleet-table').waitFor();
      await page.keyboard.press('?');
      const help = page.getByRole('dialog', { name: 'Keys' });
      await help.waitFor();
      await page.keyboard.press('p');
      expect(pathOf(page)).toBe('/');
      await page.keyboard.press('Escape');
      await help.waitFor({ state: 'hidden' });
      await page.keyboard.press('?');
      await help.waitFor();
    }));
});

const ADDRESSES = ['/', '/topology', '/regions', '/targets', '/status', '/services/checkout?namespace=shop'];

describe('bad answers', () => {
  const cases = ADDRESSES.flatMap((address) =>
    ['<html>', '[]', 'null', '{}', '{"services":7,"nodes":[{}],"regions":"x","targets":null,"storage":4}'].map(
      (garbage) => [address, garbage] as const,
    ),
  );
  test.each(cases)('%s, on %s: says so, and heals', (address, garbage) => {
    dashboard.fake.babble(garbage);
    return dashboard.look(address, async (page, opened) => {
      opened.expectComplaint(/./);
      await page.locator('main .notice').first().waitFor();
      dashboard.fake.babble(null);
      // What was asked before and is still on its way is not asked for again by the first tick.
      await expect
        .poll(() => {
          dashboard.fake.tick();
          return page.locator('main .notice').count();
        })
        .toBe(0);
      await page.locator('main :is(.data, .node)').first().waitFor();
    });
  });

  test.each(ADDRESSES)('%s, slow: an outline, then the figures', (address) => {
    dashboard.fake.hold();
    return dashboard.look(address, async (page) => {
      await page.locator('main .skeleton').first().waitFor();
      dashboard.fake.release();
      await page.locator('main :is(.data, .node)').first().waitFor();
    });
  });
});

const LOOKS = ['/topology', '/regions?focus=shop%2Fcheckout', '/status', '/alerts', '/rules'].flatMap((address) =>
  (['light', 'dark'] as const).flatMap((theme) => [
    [address, theme, 'wide', 1440] as const,
    [address, theme, 'narrow', 390] as const,
  ]),
);

test.each(LOOKS)('%s, %s, %s', (address, colorScheme, size, width) => {
  dashboard.fake.alerting = 3;
  return dashboard.look(
    address,
    async (page) => {
      await page.locator('main :is(.data, .node)').first().waitFor();
      await expectSound(page);
      const name = address.replace(/\?.*/, '').slice(1);
      await page.screenshot({ path: screenshotPath(`${name}-${size}-${colorScheme}`), fullPage: size === 'narrow' });
    },
    { colorScheme, width },
  );
});

test.each(['/topology', '/regions', '/status'])('%s without targets', (address) => {
  dashboard.fake.scenario = 'no targets';
  return dashboard.look(address, async (page) => {
    await page.locator('main :is(.notice, .panel)').first().waitFor();
    await expectSound(page);
    await page.screenshot({ path: screenshotPath(`${address.slice(1)}-empty`) });
  });
});
