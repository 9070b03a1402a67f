/** Ranges, comparison, groups, columns, zoom, saving and the instance page, in a real browser on the fake API. */

import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ServicesAnswer } from '../../server/api/contract.ts';
import type { FakeApi } from './fake-api/fake-api.ts';
import {
  expectNoNonsense,
  expectNoSidewaysScroll,
  type OpenedDashboard,
  openDashboard,
  screenshotPath,
} from './opened-dashboard.ts';

const CHECKOUT = '/services/checkout?namespace=shop';

const FIRST = 'checkout-7d9f6c5b4-x0k2p';
const LAST = 'checkout-7d9f6c5b4-x9k2p';

let dashboard: OpenedDashboard;
let fake: FakeApi;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-time');
  ({ fake } = dashboard);
});
afterAll(() => dashboard?.close());
beforeEach(() => dashboard.reset());

const look: OpenedDashboard['look'] = (...asked) => dashboard.look(...asked);
const path = (page: Page) => page.url().replace(fake.url, '');
const row = (page: Page, name: string) =>
  page.locator('.fleet-table tbody tr').filter({ has: page.getByRole('link', { name, exact: true }) });
const asked = (pattern: RegExp) => fake.asked.some((question) => pattern.test(question));

/** Which services stand under which head. */
async function groupsShown(page: Page): Promise<Record<string, string[]>> {
  const lines = await page
    .locator('.fleet-table tbody tr')
    .evaluateAll((rows) =>
      rows.map((each) => [
        each.className === 'group-head',
        (each.querySelector(each.className === 'group-head' ? 'th' : 'th a')?.firstChild?.textContent ?? '').trim(),
      ]),
    );
  const groups: Record<string, string[]> = {};
  let head = '';
  for (const [isHead, text] of lines as [boolean, string][]) {
    if (isHead) head = text;
    else groups[head] = [...(groups[head] ?? []), text];
  }
  for (const services of Object.values(groups)) services.sort();
  return groups;
}

function groupsOf(services: ServicesAnswer['services']): Record<string, string[]> {
  const nameOf = ({ regions }: (typeof services)[number]) => [...regions].sort().join(' and ') || 'no region known';
  const groups: Record<string, string[]> = {};
  for (const each of services) groups[nameOf(each)] = [...(groups[nameOf(each)] ?? []), each.service];
  for (const group of Object.values(groups)) group.sort();
  return groups;
}

describe('time', () => {
  test('a time with fixed ends is chosen, kept in the address, and left again', () =>
    look('/', async (page) => {
      await row(page, 'checkout').waitFor();
      await page.locator('.time-menu summary').click();
      await page.getByRole('button', { name: 'UTC' }).click();
      await page.getByLabel('From', { exact: true }).fill('2026-11-20T10:00:00');
      await page.getByLabel('To', { exact: true }).fill('2026-11-20T09:00:00');
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await page.getByText('The second moment must be later than the first.').waitFor();
      await page.getByLabel('To', { exact: true }).fill('2026-11-20T12:00:00');
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      const from = Date.UTC(2026, 10, 20, 10);
      expect(path(page)).toBe(`/?from=${from}&to=${from + 7_200_000}&tz=utc`);
      await expect.poll(() => page.locator('.time-menu summary').innerText()).toMatch(/20 Nov 10:00:00 to 20 Nov 12/);
      await expect.poll(() => asked(new RegExp(`services\\?from=${from}&to=${from + 7_200_000}&`))).toBe(true);
      await expect.poll(() => fake.listeners).toBe(0);
      await expect
        .poll(() => page.getByRole('table').locator('caption').innerText())
        .toContain('2 hours before 20 Nov 12:00:00');
      await page.getByRole('button', { name: 'Fixed time' }).click();
      expect(path(page)).toBe('/?tz=utc');
      await expect.poll(() => fake.listeners).toBe(1);
    }));

  test('times are told in the zone that is chosen', () =>
    look(`${CHECKOUT}&from=1763721600000&to=1763725200000&table=rate`, async (page) => {
      const first = page.locator('.chart.rate tbody th').last();
      await first.waitFor();
      const local = await first.innerText();
      await page.locator('.time-menu summary').click();
      await page.getByRole('button', { name: 'UTC' }).click();
      await expect.poll(() => first.innerText()).toBe('21 Nov 10:00:00');
      expect(path(page)).toContain('tz=utc');
      expect(local).toMatch(/^21 Nov \d\d:00:00$/);
    }));

  test('a drag over a chart looks at that time in every chart; back undoes it', () =>
    look(`${CHECKOUT}&window=1h`, async (page) => {
      const canvas = page.locator('.chart.rate canvas');
      await canvas.waitFor();
      const box = await canvas.boundingBox();
      if (!box) throw new Error('the chart has no place');
      await page.mouse.move(box.x + box.width * 0.4, box.y + 80);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 90, { steps: 4 });
      await page.mouse.up();
      await expect.poll(() => path(page)).toMatch(/from=\d{13}&to=\d{13}/);
      const [, from, to] = /from=(\d+)&to=(\d+)/.exec(path(page)) ?? [];
      const length = Number(to) - Number(from);
      expect(length).toBeGreaterThan(8 * 60_000);
      expect(length).toBeLessThan(20 * 60_000);
      await page.goBack();
      await expect.poll(() => path(page)).toBe(`${CHECKOUT}&window=1h`);
    }));

  test('the keyboard marks a time too', () =>
    look(`${CHECKOUT}&window=1h`, async (page) => {
      const slider = page.getByRole('slider', { name: 'Success: moment' });
      await slider.focus();
      await page.keyboard.press('Home');
      for (let step = 0; step < 20; step += 1) await page.keyboard.press('Shift+ArrowRight');
      await page.keyboard.press('Enter');
      await expect.poll(() => path(page)).toMatch(/from=\d{13}&to=\d{13}/);
    }));

  test('in what steps the past is kept stands beside the figures', () =>
    look(CHECKOUT, async (page) => {
      await page.getByText('kept scrape by scrape').first().waitFor();
    }));
});

describe('comparison', () => {
  test('the fleet tells changes with a sign and a shape, and a dash with its reason where none is known', () =>
    look('/?compare=1d', async (page) => {
      const cell = (name: string, column: string) => row(page, name).locator(`.col-change${column} .figure`);
      await expect.poll(() => cell('checkout', 'rate').innerText()).toMatch(/^[▲▼]\s[+−]\d+\s%$/);
      expect(await cell('checkout', 'rate').getAttribute('data-hint')).toMatch(/now, .* 1 day ago$/);
      expect(await cell('payments', 'p99').innerText()).toContain('—');
      expect(await cell('payments', 'p99').getAttribute('data-hint')).toContain('only a lower bound');
      expect(await cell('reports', 'p99').getAttribute('data-hint')).toBe('There are too few samples now.');
      expect(await cell('email', 'rate').getAttribute('data-hint')).toBe('It had no traffic 1 day ago.');
      expect(asked(/services\?window=5m&offset=1d/)).toBe(true);
      await page.getByRole('button', { name: 'p99 Δ' }).click();
      expect(path(page)).toBe('/?compare=1d&sort=-changep99');
      await expectNoNonsense(page);
      await page.screenshot({ path: screenshotPath('fleet-compared-wide-light') });
    }));

  test.each([
    ['1h', '1 hour ago'],
    ['1w', '1 week ago'],
  ])('with %s before: each change is that of the two answers, in groups by region too', (offset, ago) =>
    look('/status', async (page) => {
      const answers = new Map<string | null, ServicesAnswer>();
      page.on('response', async (response) => {
        const url = new URL(response.url());
        if (url.pathname !== '/api/v1/services') return;
        answers.set(url.searchParams.get('offset'), (await response.json()) as ServicesAnswer);
      });
      await page.goto(`${fake.url}/?compare=${offset}&group=region`);
      const changeOf = (...key: string[]) =>
        page.locator(`tr[data-row='${JSON.stringify(key)}'] .col-changerate .figure`);
      await expect.poll(() => changeOf('shop', 'checkout').innerText()).toMatch(/^[▲▼=]/);
      await expect.poll(() => [...answers.keys()].sort()).toEqual([offset, null].sort());
      const [now, before] = [answers.get(null)?.services ?? [], answers.get(offset)?.services ?? []];
      let compared = 0;
      for (const { service, namespace, requestRate } of now) {
        const then = before.find((each) => each.service === service && each.namespace === namespace)?.requestRate;
        const change = changeOf(namespace, service);
        if (!requestRate || !then) continue;
        compared += 1;
        const percent = Math.round((requestRate / then - 1) * 100);
        const told = (await change.innerText()).replaceAll('\u00a0', ' ');
        expect(told, service).toBe(percent === 0 ? '= 0 %' : percent > 0 ? `▲ +${percent} %` : `▼ −${-percent} %`);
        expect(await change.getAttribute('data-hint')).toContain(ago);
      }
      expect(compared).toBeGreaterThan(5);
      expect(await groupsShown(page)).toEqual(groupsOf(now));
    }),
  );

  test('is chosen beside the time, goes along to a service, and stands in its charts and tables', () =>
    look('/', async (page) => {
      await page.getByLabel('Compare').selectOption('1w');
      expect(path(page)).toBe('/?compare=1w');
      await row(page, 'checkout').getByRole('link').click();
      await page.locator('.chart.rate .readout').getByText('1 week ago').waitFor();
      await page.locator('.chart.latency .readout').getByText('p99 1 week ago').waitFor();
      await page.getByRole('button', { name: 'Success as a table' }).click();
      const head = page.getByRole('table', { name: 'Success' }).locator('thead');
      await expect.poll(() => head.innerText()).toContain('1 week ago');
      await expectNoNonsense(page);
    }));

  test.each(['topology', 'regions'])('is not offered on the page of the %s, which shows none', (name) =>
    look(`/${name}?compare=1w`, async (page) => {
      await page.getByText('Last 5 minutes').first().waitFor();
      expect(await page.getByLabel('Compare').count()).toBe(0);
    }),
  );
});

describe('the fleet', () => {
  test('in groups, walked with the keyboard past their heads', () =>
    look('/?group=namespace', async (page) => {
      await row(page, 'checkout').waitFor();
      const heads = page.locator('.group-head th');
      expect(await heads.allInnerTexts()).toContain('warehouse 1 service');
      const order = await page
        .locator('.fleet-table tbody tr')
        .evaluateAll((rows) => rows.map((each) => each.className));
      expect(order[0]).toBe('group-head');
      for (let press = 0; press < 20; press += 1) await page.keyboard.press('j');
      expect(await page.evaluate(() => document.activeElement?.closest('tr')?.nextElementSibling)).toBe(null);
      await page.getByLabel('Group').selectOption('region');
      expect(path(page)).toBe('/?group=region');
      await expect.poll(() => heads.allInnerTexts()).toContain('eu-west-1 and us-east-1 4 services, 1 failing');
      await page.screenshot({ path: screenshotPath('fleet-grouped-wide-light') });
    }));

  test('columns are chosen, and what has no figures still stands in the right ones', () =>
    look('/', async (page) => {
      await page.getByText('Columns', { exact: true }).click();
      await page.getByRole('checkbox', { name: 'p50' }).click();
      await page.getByRole('checkbox', { name: 'Regions' }).click();
      expect(path(page)).toBe('/?hide=p50,regions');
      expect(await page.locator('thead .col-p50, thead .col-regions').count()).toBe(0);
      expect(await row(page, 'feature-flags').locator('td.col-rate').getAttribute('colspan')).toBe('4');
      const widths = await page
        .locator('.fleet-table tr')
        .evaluateAll((rows) =>
          rows.map((each) =>
            [...each.children].reduce((sum, cell) => sum + ((cell as HTMLTableCellElement).colSpan || 1), 0),
          ),
        );
      expect(new Set(widths).size).toBe(1);
      await page.keyboard.press('Escape');
      await expect.poll(() => page.locator('.column-menu').getAttribute('open')).toBe(null);
    }));

  test('is saved as shown, without asking again', () =>
    look('/?q=shop&compare=1d', async (page) => {
      await expect.poll(() => row(page, 'cart').locator('.col-changerate').innerText()).toContain('%');
      const questions = () => fake.asked.filter((question) => question.startsWith('/api/v1/services'));
      const before = questions();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save fleet as CSV' }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/^sidelight-fleet-\d{8}T\d{6}Z\.csv$/);
      const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
      expect(lines[0]).toMatch(/^service,namespace,.*p99Ms.*requestRateChange,p99Change$/);
      expect(lines.length).toBe(1 + (await page.locator('.fleet-table tbody tr').count()));
      expect(questions()).toEqual(before);
    }));
});

test('a chart is saved with its gaps, its ghost and its spread', () =>
  look('/services/catalog?namespace=shop&compare=1d', async (page) => {
    await page.locator('.chart.latency .readout').getByText('p99 1 day ago').waitFor();
    await page.locator('.chart.latency .readout').getByText('spread of all answers').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save catalog Latency as JSON' }).click(),
    ]);
    const records = JSON.parse(await readFile(await download.path(), 'utf8')) as Record<string, unknown>[];
    expect(Object.keys(records[0] ?? {})).toEqual(expect.arrayContaining(['time', 'state', 'p99Ms', 'beforeMs']));
    expect(records.filter(({ state }) => state === 'no_data').every(({ p99Ms }) => p99Ms === null)).toBe(true);
    expect(records.some(({ state }) => state === 'no_data')).toBe(true);
  }));

describe('a service', () => {
  test('has the spread of latencies, saturation, traces, and a table behind each', () =>
    look(`${CHECKOUT}&table=rate,latency,success,saturation`, async (page) => {
      await page.getByRole('table', { name: 'Under way' }).waitFor();
      await expect
        .poll(() => page.getByRole('table', { name: 'Latency' }).locator('thead').innerText())
        .toMatch(/ms to .*\sms/);
      await page.getByText('Turned away by an open circuit breaker (overflow)').waitFor();
      const traces = page.getByRole('link', { name: 'Traces of this time' });
      expect(await traces.getAttribute('href')).toMatch(
        /^https:\/\/traces\.example\.com\/search\?service=checkout&start=\d{16}&end=\d{16}$/,
      );
      await expectNoNonsense(page);
    }));

  test('has alerts and starts of sidecars marked, in words and in the table too', () => {
    fake.alerting = 2;
    return look(`${CHECKOUT}&window=1h`, async (page) => {
      await page.locator('.chart.latency .readout').getByText('4 alerts fired').waitFor();
      await page.locator('.chart.latency .readout').getByText('sidecars started').waitFor();
      await page.getByRole('link', { name: '2 alerts firing' }).waitFor();
      expect(await page.locator('.chart.latency p.unseen').textContent()).toContain(
        'SlowService fired (812 ms against',
      );
      await page.screenshot({ path: screenshotPath('service-marks') });
      await page.getByRole('button', { name: 'Success as a table' }).click();
      await page.locator('.chart.success td').getByText('SlowService fired').first().waitFor();
    });
  });

  test.each([
    [1280, 2],
    [1920, 2],
    [2560, 4],
  ])('has its four charts in full rows on a page %i wide', (width, columns) =>
    look(
      '/services/checkout?namespace=shop',
      async (page) => {
        await page.locator('.charts > :nth-child(4)').waitFor();
        const lefts = await page
          .locator('.charts > *')
          .evaluateAll((panels) => panels.map((panel) => panel.getBoundingClientRect().left));
        expect(new Set(lefts).size).toBe(columns);
      },
      { width },
    ),
  );

  test('leads to each of its instances', () =>
    look(CHECKOUT, async (page) => {
      await page.getByRole('link', { name: FIRST, exact: true }).click();
      await page.getByRole('heading', { level: 1, name: FIRST }).waitFor();
      expect(path(page)).toBe(`/services/checkout/instances/${FIRST}?namespace=shop`);
      await page.locator('canvas').nth(2).waitFor();
      for (const words of ['instance of checkout', 'Envoy 1.38.3', 'Admin address', 'Latency from', 'Stats used'])
        await expect.poll(() => page.locator('main').innerText()).toContain(words);
      expect(asked(new RegExp(`query\\?.*instance=${FIRST}`))).toBe(true);
      await expectNoNonsense(page);
    }));

  test('an instance that is down tells why and what to do; one that nobody knows is told', () =>
    look(`/services/checkout/instances/${LAST}?namespace=shop`, async (page) => {
      await page.getByText('connection refused: no Envoy listens there').waitFor();
      await page.goto(`${fake.url}/services/checkout/instances/nobody?namespace=shop`);
      await page.getByRole('heading', { name: 'No instance of checkout is called nobody' }).waitFor();
    }));
});

const PAGES: readonly (readonly [name: string, address: string])[] = [
  ['fleet', '/?compare=1d'],
  ['service', `${CHECKOUT}&window=1h&compare=1d`],
  ['instance', `/services/checkout/instances/${FIRST}?namespace=shop&window=1h&compare=1d`],
];
const WIDTHS = [
  ['wide', 1440],
  ['narrow', 390],
] as const;

describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
  test.each(PAGES.flatMap(([name, address]) => WIDTHS.map(([size, width]) => [name, size, width, address] as const)))(
    '%s, %s',
    (name, size, width, address) =>
      look(
        address,
        async (page) => {
          await page.locator('.fleet-table tbody tr, canvas').nth(3).waitFor();
          await page.locator('.col-changerate .change, .line-ghost').first().waitFor();
          await expectNoSidewaysScroll(page);
          await expectNoNonsense(page);
          await page.screenshot({ path: screenshotPath(`${name}-compared-${size}-${colorScheme}`), fullPage: true });
        },
        { colorScheme, width, height: 900 },
      ),
  );
});
