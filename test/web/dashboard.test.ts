/** The dashboard in a real browser, on the fake API: nothing here depends on time but conditions that are waited for. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FakeApi } from './fake-api/fake-api.ts';
import {
  expectNoNonsense,
  expectNoSidewaysScroll,
  type OpenedDashboard,
  openDashboard,
  screenshotPath,
} from './opened-dashboard.ts';

let dashboard: OpenedDashboard;
let fake: FakeApi;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard');
  ({ fake } = dashboard);
});
afterAll(() => dashboard?.close());
beforeEach(() => dashboard.reset());

const look: OpenedDashboard['look'] = (...asked) => dashboard.look(...asked);
const rows = (page: Page) => page.locator('.fleet-table tbody tr');
const names = (page: Page) => page.locator('.fleet-table tbody th a').allTextContents();
const path = (page: Page) => page.url().replace(fake.url, '');
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? '');

const spaced = (words: string) => words.replaceAll('\u00a0', ' ');

describe('the fleet', () => {
  test('lists every service, worst first, and names the page', () =>
    look('/', async (page) => {
      await rows(page).nth(15).waitFor();
      expect((await names(page)).slice(0, 3)).toEqual(['recommendations', 'legacy-batch', 'checkout']);
      await expect.poll(() => page.title()).toBe('4 failing · Fleet · Sidelight');
      await page.locator('.fleet-table .sparkline').nth(31).waitFor();
      await expectNoNonsense(page);
      await page.screenshot({ path: screenshotPath('fleet-wide-light') });
    }));

  test('every state looks and reads differently', () =>
    look('/', async (page) => {
      const row = (name: string) => rows(page).filter({ has: page.getByRole('link', { name, exact: true }) });
      await row('email').waitFor();
      expect(await row('email').innerText()).toMatch(/0\s+— no traffic/);
      expect(await row('feature-flags').innerText()).toContain('— no data');
      expect(await row('legacy-batch').innerText()).toContain('none of 2 sidecars answers');
      expect(await row('reports').innerText()).toContain('7 samples only');
      expect(await row('reports').locator('.figure.weak').count()).toBe(3);
      expect(await row('payments').locator('.figure.capped').innerText()).toBe('> 10,000');
      await row('catalog').locator('.sparkline .gap').first().waitFor();
      const shapes = ['checkout', 'catalog', 'email', 'feature-flags'].map((name) =>
        row(name).locator('.shape').getAttribute('aria-label'),
      );
      expect(await Promise.all(shapes)).toEqual(['failing', 'good', 'no traffic', 'no data']);
    }));

  test('figures explain themselves to the pointer and on focus', () =>
    look('/', async (page) => {
      await page.locator('.fleet-table tbody td.col-p99 .figure').first().hover();
      const hint = page.getByRole('tooltip');
      await hint.waitFor();
      expect(spaced(await hint.innerText())).toMatch(
        /^p99 .* ± 2\.1 %, .* latency samples, 5 minutes, measured at the server$/,
      );
      await page.keyboard.press('Escape');
      await hint.waitFor({ state: 'hidden' });
      await page.keyboard.press('j');
      await hint.waitFor();
      expect(await hint.innerText()).toContain('recommendations: mostly failing');
    }));

  test('sorts by a column, the other way, and back; the address follows and is followed', () =>
    look('/', async (page) => {
      const head = page.locator('th.col-rate');
      await head.getByRole('button').click();
      expect(path(page)).toBe('/?sort=-rate');
      expect(await head.getAttribute('aria-sort')).toBe('descending');
      expect((await names(page))[0]).toBe('auth');
      await head.getByRole('button').click();
      expect(await head.getAttribute('aria-sort')).toBe('ascending');
      await page.goBack();
      await page.locator('th.col-rate[aria-sort=descending]').waitFor();
      await page.goBack();
      await page.locator('th.col-rate[aria-sort=none]').waitFor();
      expect(path(page)).toBe('/');
    }));

  test('searches from the keyboard, keeps the words in the address, and says when nothing matches', () =>
    look('/', async (page) => {
      await rows(page).first().waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('inventory');
      await expect.poll(() => names(page)).toEqual(['inventory', 'inventory']);
      expect(path(page)).toBe('/?q=inventory');
      expect(await page.locator('.count').innerText()).toBe('2 of 16 services');
      await page.keyboard.type('zzz');
      await page.getByText('No service matches “inventoryzzz”.').waitFor();
      await page.keyboard.press('Escape');
      await expect.poll(() => rows(page).count()).toBe(16);
      expect(path(page)).toBe('/');
    }));

  test('is walked with the keyboard; back returns to the row', () =>
    look('/?q=shop', async (page) => {
      await rows(page).first().waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('k');
      expect(await focused(page)).toBe('checkout');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'checkout' }).waitFor();
      expect(path(page)).toBe('/services/checkout?namespace=shop');
      await page.goBack();
      await rows(page).first().waitFor();
      expect(path(page)).toBe('/?q=shop');
      await expect.poll(() => focused(page)).toBe('checkout');
    }));

  test('the skip link leads past the bar', () =>
    look('/', async (page) => {
      await rows(page).first().waitFor();
      await page.keyboard.press('Tab');
      expect(await focused(page)).toContain('Skip to the figures');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');
      await page.keyboard.press('j');
      expect(await focused(page)).toBe('recommendations');
    }));
});

describe('a thousand services', () => {
  const drawn = (page: Page) => page.locator('.fleet-table tr[data-row]');
  const least = 'service-0000';
  const lookAtLarge = (address: string, see: (page: Page) => Promise<void>) => {
    fake.scenario = 'large';
    return look(address, async (page) => {
      await page.getByText('1000 services').waitFor();
      await see(page);
    });
  };

  test('are drawn where they are looked at, and those that are passed are let go of', () =>
    lookAtLarge('/?sort=rate', async (page) => {
      const places = () => drawn(page).evaluateAll((each) => each.map((row) => Number(row.ariaRowIndex)));
      await expect.poll(async () => (await places()).slice(0, 3)).toEqual([2, 3, 4]);
      await expect.poll(async () => (await places()).length).toBeLessThan(100);
      expect(await page.locator('.fleet-table').getAttribute('aria-rowcount')).toBe('1001');
      await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
      await expect.poll(async () => (await places()).at(-1)).toBe(1001);
      await expect.poll(async () => (await places())[0]).toBeGreaterThan(900);
      await expect.poll(async () => (await places()).length).toBeLessThan(100);
      await page.getByRole('searchbox').fill('service-0999');
      await expect.poll(() => names(page), { timeout: 10_000 }).toEqual(['service-0999']);
    }));

  test('nothing jumps when one goes down and up again', () =>
    lookAtLarge('/?sort=rate', async (page) => {
      const place = () =>
        page.locator('.fleet-table').evaluate((table) => [table.scrollHeight, document.documentElement.scrollHeight]);
      await page.locator('.fleet-table .sparkline .line').first().waitFor();
      const before = await place();
      await page.evaluate(() => window.scrollTo(0, 9000));
      await expect.poll(async () => (await drawn(page).first().boundingBox())?.y).toBeLessThan(-200);
      await expect.poll(async () => (await drawn(page).last().boundingBox())?.y).toBeGreaterThan(1000);
      const rowInSight = () =>
        page.evaluate(() => document.elementFromPoint(200, 400)?.closest('tr')?.dataset.row ?? 'not drawn');
      await expect.poll(rowInSight).toContain('service-');
      const row = await rowInSight();
      for (const y of [20_000, 9000]) {
        await page.evaluate((to) => window.scrollTo(0, to), y);
        await expect.poll(rowInSight).toContain('service-');
      }
      await expect.poll(rowInSight).toBe(row);
      await expect.poll(place).toEqual(before);
    }));

  test('what one goes away from and straight back to is not blank meanwhile', () =>
    lookAtLarge('/?sort=rate', async (page) => {
      await page.evaluate(() => window.scrollTo(0, 9000));
      await expect.poll(async () => (await drawn(page).first().boundingBox())?.y).toBeLessThan(-200);
      await expect.poll(async () => (await drawn(page).last().boundingBox())?.y).toBeGreaterThan(1000);
      const blankFrames = await page.evaluate(async () => {
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        let blank = 0;
        for (let away = 0; away < 40; away += 1) {
          window.scrollTo(0, 20_000);
          for (let frames = 0; frames <= away % 4; frames += 1) await frame();
          window.scrollTo(0, 9000);
          const wasDrawn = document.elementFromPoint(200, 400)?.closest('tr[data-row]');
          for (let frames = 0; wasDrawn && frames < 4; frames += 1) {
            await frame();
            if (!document.elementFromPoint(200, 400)?.closest('tr[data-row]')) blank += 1;
          }
          while (!document.elementFromPoint(200, 400)?.closest('tr[data-row]')) await frame();
        }
        return blank;
      });
      expect(blankFrames).toBe(0);
    }));

  test('what has the focus stays, wherever one scrolls to, and the keys go on from there', () =>
    lookAtLarge('/?sort=rate', async (page) => {
      for (let press = 0; press < 3; press += 1) await page.keyboard.press('j');
      const third = await focused(page);
      await page.evaluate(() => window.scrollTo(0, 20_000));
      await expect
        .poll(async () => Number(await drawn(page).last().getAttribute('aria-rowindex')))
        .toBeGreaterThan(500);
      expect(await focused(page)).toBe(third);
      await page.keyboard.press('k');
      await page.keyboard.press('j');
      expect(await focused(page)).toBe(third);
    }));

  test('the browser’s own search finds the names of those that are not drawn', () =>
    lookAtLarge('/?sort=-rate', async (page) => {
      expect(await page.getByRole('link', { name: least }).count()).toBe(0);
      await page.locator('.fleet-table').getByText(least).scrollIntoViewIfNeeded();
      await page.getByRole('link', { name: least }).waitFor();
      const isInSight = async () => {
        const { y = Number.NaN } = (await page.getByRole('link', { name: least }).boundingBox()) ?? {};
        return y > 0 && y < 900;
      };
      await expect.poll(isInSight).toBe(true);
    }));

  test('one comes back to the row that was left', () =>
    lookAtLarge('/?sort=-rate', async (page) => {
      await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
      await page.getByRole('link', { name: least }).click();
      await page.getByRole('heading', { name: least }).waitFor();
      await page.goBack();
      await expect.poll(() => focused(page)).toBe(least);
      await expect
        .poll(async () => (await page.getByRole('link', { name: least }).boundingBox())?.y)
        .toBeGreaterThan(0);
    }));

  test('on paper all are drawn', () =>
    lookAtLarge('/', async (page) => {
      await page.evaluate(() => {
        window.addEventListener('beforeprint', () =>
          performance.mark(String(document.querySelectorAll('.fleet-table tr[data-row]').length)),
        );
      });
      await page.pdf({ format: 'A4' });
      await expect
        .poll(() => page.evaluate(() => performance.getEntriesByType('mark').map(({ name }) => name)))
        .toContain('1000');
      await expect.poll(() => drawn(page).count()).toBeLessThan(100);
    }));
});

describe('following the collector', () => {
  const questions = () => fake.asked.filter((asked) => asked.startsWith('/api/v1/services')).length;

  test('a tick brings new figures in place, and keeps focus and scroll', () =>
    look(
      '/',
      async (page) => {
        await rows(page).first().waitFor();
        await expect.poll(() => fake.listeners).toBe(1);
        for (let row = 0; row < 9; row += 1) await page.keyboard.press('j');
        const before = {
          focused: await focused(page),
          scroll: await page.evaluate(() => window.scrollY),
          asked: questions(),
        };
        fake.tick();
        await expect.poll(questions).toBe(before.asked + 1);
        await page.getByRole('button', { name: /^Live \d\d:\d\d:\d\d$/ }).waitFor();
        expect({ focused: await focused(page), scroll: await page.evaluate(() => window.scrollY) }).toMatchObject({
          focused: before.focused,
          scroll: before.scroll,
        });
      },
      { height: 400 },
    ));

  test('paused, it asks for nothing, and the moment is in the address', () =>
    look('/', async (page) => {
      await rows(page).first().waitFor();
      await expect.poll(() => fake.listeners).toBe(1);
      await page.keyboard.press('p');
      await page.getByRole('button', { name: /^Paused/ }).waitFor();
      expect(path(page)).toMatch(/^\/\?paused=\d{13}$/);
      await expect.poll(() => fake.listeners).toBe(0);
      await expect.poll(() => fake.asked.some((asked) => /services\?from=\d+&to=\d+/.test(asked))).toBe(true);
      await page.getByRole('link', { name: 'checkout', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'checkout' }).waitFor();
      expect(path(page)).toMatch(/paused=\d{13}$/);
      await page.getByRole('button', { name: /^Paused/ }).click();
      await expect.poll(() => fake.listeners).toBe(1);
      expect(path(page)).toBe('/services/checkout?namespace=shop');
    }));

  test('hidden, it asks for nothing; shown again, it asks at once', () =>
    look('/', async (page) => {
      await rows(page).first().waitFor();
      await expect.poll(() => fake.listeners).toBe(1);
      const hide = (hidden: boolean) =>
        page.evaluate((is) => {
          Object.defineProperty(document, 'hidden', { value: is, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }, hidden);
      await hide(true);
      await expect.poll(() => fake.listeners).toBe(0);
      const before = questions();
      await hide(false);
      await expect.poll(() => fake.listeners).toBe(1);
      await expect.poll(questions).toBe(before + 1);
    }));

  test('a lost connection is told, the figures stay, and it heals', () =>
    look('/', async (page, opened) => {
      opened.expectComplaint(/Failed to load resource/);
      await rows(page).first().waitFor();
      await expect.poll(() => fake.listeners).toBe(1);
      fake.fallSilent();
      const banner = page.getByText(
        /^No data for \d+\s(s|min): the collector does not answer\. Trying again every 5\ss\.$/,
      );
      await banner.waitFor({ timeout: 15_000 });
      await expect.poll(() => page.locator('.live').innerText()).toBe('No answer');
      expect(await rows(page).count()).toBe(16);
      await page.screenshot({ path: screenshotPath('fleet-lost') });
      fake.answerAgain();
      await banner.waitFor({ state: 'detached', timeout: 15_000 });
      await page.getByRole('button', { name: /^Live/ }).waitFor();
    }));

  test('the collector’s own words are shown when it refuses', () =>
    look('/', async (page, opened) => {
      opened.expectComplaint(/500/);
      fake.refuse('the disk is full');
      await page.reload();
      await page.getByText('the disk is full').waitFor();
      fake.refuse(null);
      await expect
        .poll(() => {
          fake.tick();
          return rows(page).count();
        })
        .toBe(16);
      await page.getByText('the disk is full').waitFor({ state: 'detached' });
    }));
});

test('a paused page says that it does not try again by itself', () =>
  look('/?paused=1763721600000', async (page, opened) => {
    opened.expectComplaint(/Failed to load resource/);
    await rows(page).first().waitFor();
    fake.fallSilent();
    await page.locator('.time-menu summary').click();
    await page.getByRole('button', { name: 'last 1 hour' }).click();
    await page.getByText('Press p to follow again.').waitFor();
    expect(await rows(page).count()).toBe(16);
  }));

describe('before there is anything to show', () => {
  test.each([
    ['no targets', 'No targets yet'],
    ['waiting', 'Waiting for the first two scrapes'],
    ['just started', 'Waiting for the first two scrapes'],
    ['no target answers', 'None of the 36 targets answers'],
  ] as const)('%s: %s', (scenario, words) => {
    fake.scenario = scenario;
    return look('/', async (page) => {
      await page.getByRole('heading', { name: words }).waitFor();
      await expectNoNonsense(page);
    });
  });
});

describe('a service', () => {
  test('charts, tables and their reasons', () =>
    look('/services/checkout?namespace=shop&window=1h', async (page) => {
      await page.locator('canvas').nth(1).waitFor();
      await expect.poll(() => page.title()).toBe('failing: checkout · Sidelight');
      for (const words of [
        'measured at the server, by its own sidecars',
        'Connection failed',
        'p95 3',
        '× the others',
        'Last 1 hour',
        '± 2.1 %',
        'namespace shop',
        'Cosmic rays',
      ]) {
        await expect.poll(async () => spaced(await page.locator('main').innerText())).toContain(words);
      }
      await expectNoNonsense(page);
      await page.screenshot({ path: screenshotPath('service-wide-light'), fullPage: true });
    }));

  test('a chart is read with the arrow keys, in all charts at once, and has a table behind it', () =>
    look('/services/catalog?namespace=shop', async (page) => {
      const slider = page.getByRole('slider', { name: 'Requests by class: moment' });
      await slider.focus();
      await page.keyboard.press('Home');
      await expect.poll(() => slider.getAttribute('aria-valuetext')).toMatch(/2xx [\d.]+.k\/s, 4xx/);
      const first = await slider.getAttribute('aria-valuetext');
      await expect
        .poll(() => page.getByRole('slider', { name: 'Latency: moment' }).getAttribute('aria-valuenow'))
        .toBe('0');
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => slider.getAttribute('aria-valuetext')).not.toBe(first);
      await page.getByRole('button', { name: 'Requests by class as a table' }).click();
      expect(path(page)).toContain('table=rate');
      const table = page.getByRole('table', { name: 'Requests by class' });
      await expect.poll(() => table.locator('tbody tr').count()).toBeGreaterThan(15);
      await expect.poll(() => table.innerText()).toContain('no data');
      await page.getByRole('button', { name: 'Log scale' }).click();
      expect(path(page)).toContain('scale=log');
      await expectNoNonsense(page);
    }));

  test.each([
    ['/services/email', 'No request in the last 5 minutes'],
    ['/services/feature-flags', 'Nothing was measured in the last 5 minutes'],
    ['/services/reports', 'Too little data: 7 latency samples'],
    ['/services/payments?namespace=shop', 'Where requests time out, the line is a lower bound'],
    ['/services/search?namespace=shop', 'measured at the client, by its callers'],
  ])('%s says: %s', (address, words) =>
    look(address, async (page) => {
      await page.getByText(words).first().waitFor();
      await page.locator('canvas').nth(1).waitFor();
      await expectNoNonsense(page);
    }),
  );

  test('one that nobody knows', () =>
    look('/services/nobody', async (page, opened) => {
      opened.expectComplaint(/404/);
      await page.getByRole('heading', { name: 'No service is called nobody' }).waitFor();
    }));
});

describe('targets', () => {
  test('those that are down come first, with the reason and what to do', () =>
    look('/targets', async (page) => {
      const first = page.locator('.targets-table tbody tr').first();
      await first.waitFor();
      expect(await first.innerText()).toContain('connection refused: no Envoy listens there');
      expect(await first.locator('.shape').getAttribute('aria-label')).toBe('down');
      await page.getByRole('searchbox').fill('buckets region=eu-west-1');
      await page.getByRole('searchbox').fill('catalog');
      await expect.poll(() => page.locator('.targets-table tbody tr').count()).toBe(3);
      await expectNoNonsense(page);
    }));

  test('how often a target is asked, why less often than others, and what that costs it', () =>
    look('/targets', async (page) => {
      await page.getByRole('searchbox').fill('recommendations');
      const slowed = page.locator('.targets-table tbody tr').filter({ hasText: 'slowed down' }).first();
      const reason = 'slowed down: it took 8.4 s to answer, more than a fifth of the interval';
      expect((await slowed.innerText()).replaceAll(/\s+/g, ' ')).toContain(`42 seconds ${reason}`);
      const cost = slowed.locator('[data-hint^="Busy with answering"]');
      expect(await cost.getAttribute('data-hint')).toBe('Busy with answering for 0.049 % of the time');
    }));

  test('filters by health and service stay in the address, and a row shows its labels as discovered', () =>
    look('/targets', async (page) => {
      const rows = page.locator('.targets-table tbody tr');
      await rows.first().waitFor();
      const all = await rows.count();
      await page.getByRole('button', { name: 'down' }).click();
      await expect.poll(() => rows.count()).toBeLessThan(all);
      await page.getByRole('button', { name: 'down' }).click();
      await page.getByLabel('Service').selectOption('catalog');
      await expect.poll(() => rows.count()).toBe(3);
      expect(page.url()).toContain('catalog');
      await rows.first().getByText('as discovered').click();
      expect(await rows.first().locator('.found-labels .labels').innerText()).toContain('__address__=10.0.');
    }));
});

test('an address that leads nowhere', () =>
  look('/nowhere', async (page) => {
    await page.getByRole('heading', { name: 'There is no page at /nowhere' }).waitFor();
    await page.getByRole('link', { name: 'fleet', exact: true }).click();
    await rows(page).first().waitFor();
  }));

describe('colours and narrow pages', () => {
  const background = (page: Page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const LIGHT = 'rgb(251, 251, 250)';
  const DARK = 'rgb(15, 18, 22)';

  test('dark as the system says, or as chosen, which is kept', () =>
    look(
      '/',
      async (page) => {
        await rows(page).first().waitFor();
        expect(await background(page)).toBe(DARK);
        await page.getByRole('button', { name: 'Colours: as the system' }).click();
        expect(await background(page)).toBe(LIGHT);
        await page.reload();
        expect(await background(page)).toBe(LIGHT);
      },
      { colorScheme: 'dark' },
    ));

  const PAGES = [
    '/',
    '/services/checkout?namespace=shop',
    '/targets',
    '/services/payments?namespace=shop&table=rate,latency',
  ];
  const LOOKS = PAGES.flatMap((address) => [[address, 'light'] as const, [address, 'dark'] as const]);
  test.each(LOOKS)('%s, %s, at 390 px', (address, colorScheme) =>
    look(
      address,
      async (page) => {
        await page.locator('main .data, main canvas').first().waitFor();
        await expectNoSidewaysScroll(page);
        await expectNoNonsense(page);
        const name = address.replace(/\?.*/, '').replaceAll('/', '-');
        await page.screenshot({ path: screenshotPath(`narrow${name}-${colorScheme}`), fullPage: true });
      },
      { colorScheme, width: 390, height: 844 },
    ),
  );
});
