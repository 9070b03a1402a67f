/** Every table and chart can be taken along, and put on paper. */

import { readFile } from 'node:fs/promises';
import { inflateSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type OpenedDashboard, openDashboard, screenshotPath } from './opened-dashboard.ts';

let dashboard: OpenedDashboard;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-saving');
});
afterAll(() => dashboard?.close());
beforeEach(async () => {
  await dashboard.reset();
  dashboard.fake.alerting = 3;
});

const SERVICE = '/services/checkout?namespace=shop';

async function saved(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button, exact: true }).click(),
  ]);
  return readFile(await download.path(), 'utf8');
}

/** What is saved by a page, and a field that its rows have. */
const SAVED: readonly (readonly [address: string, name: string, field: string])[] = [
  ['/', 'fleet', 'p99Ms'],
  [SERVICE, 'checkout instances', 'requests5xx'],
  [SERVICE, 'checkout regions', 'p99Ms'],
  [SERVICE, 'checkout upstreams', 'errorShare'],
  [SERVICE, 'checkout downstreams', 'errorShare'],
  [SERVICE, 'checkout failures', 'reason'],
  [SERVICE, 'checkout Requests by class', '2xxPerSecond'],
  [SERVICE, 'checkout Latency', 'p99Ms'],
  [SERVICE, 'checkout Success', 'successShare'],
  [SERVICE, 'checkout Under way', 'requests'],
  ['/topology', 'calls', 'latencyMs.p95'],
  ['/regions', 'regions', 'latencyMs.p95'],
  ['/regions?by=zone', 'zones', 'fromZone'],
  ['/targets', 'targets', 'lastError'],
  ['/alerts', 'alerts', 'labels.service'],
  ['/alerts', 'ended alerts', 'firedAt'],
  ['/rules', 'rules', 'condition'],
  ['/status', 'tiers', 'retentionMs'],
  ['/status', 'discovery', 'answered'],
  ['/rules', 'SlowService firings', 'labels.service'],
];

/** Some tables are there only after something was asked for. */
async function uncover(page: Page, name: string): Promise<void> {
  if (!name.endsWith('firings')) return;
  await page.getByRole('button', { name: 'Try', exact: true }).click();
  await page.locator('.tried-table summary').first().click();
}

test.each(SAVED)('%s: %s as CSV and as JSON, the same rows', (address, name, field) =>
  dashboard.look(address, async (page) => {
    await uncover(page, name);
    const rows: unknown = JSON.parse(await saved(page, `Save ${name} as JSON`));
    const [head = '', ...lines] = (await saved(page, `Save ${name} as CSV`)).trimEnd().split('\r\n');
    expect(Array.isArray(rows) && rows.length).toBeGreaterThan(0);
    expect(lines).toHaveLength((rows as unknown[]).length);
    expect(head.split(',')).toContain(field);
    expect(JSON.stringify(rows)).not.toMatch(/NaN|Infinity|undefined|\[object/);
    for (const row of rows as object[])
      for (const value of Object.values(row)) expect(value === null || typeof value !== 'object').toBe(true);
  }),
);

const PRINTED = [
  ['/', '.fleet-table .sparkline'],
  [SERVICE, 'canvas'],
  ['/topology', '.node'],
  ['/regions', '.matrix'],
  ['/targets', '.targets-table'],
  ['/alerts', '.alerts-table'],
  ['/status', '.tiers-table'],
] as const;

test.each(PRINTED)('%s on paper, from a dark page: dark on white, without what only a screen needs', (address, shown) =>
  dashboard.look(
    address,
    async (page) => {
      await page.locator(shown).first().waitFor();
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      await page.setViewportSize({ width: 718, height: 1000 });
      const [paper, ink] = await page.evaluate(() => {
        const { color } = getComputedStyle(document.body);
        return [getComputedStyle(document.documentElement).backgroundColor, color];
      });
      expect([paper, ink]).toEqual(['rgb(255, 255, 255)', 'rgb(27, 31, 36)']);
      expect(await page.locator('nav:visible, .tools:visible, .download:visible, .theme-switch:visible').count()).toBe(
        0,
      );
      await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(718);
      await page.screenshot({
        path: screenshotPath(`print${address.replaceAll(/\W/g, '-').slice(0, 20)}`),
        fullPage: true,
      });
    },
    { colorScheme: 'dark' },
  ),
);

test('paper tells of when its figures are, before the first tick as well, and while they load', () =>
  dashboard.look('/', async (page) => {
    await page.locator('.fleet-table tbody tr').first().waitFor();
    await page.getByRole('button', { name: /^Live \d/ }).waitFor();
    dashboard.fake.hold();
    await page.goto(page.url().replace(/\/$/, '/regions'));
    await page.locator('.skeleton').waitFor();
    await page.emulateMedia({ media: 'print' });
    const words = await page.evaluate(
      () => getComputedStyle(document.querySelector('.skeleton') as Element, '::before').content,
    );
    expect(words).toBe('"Loading regions"');
    dashboard.fake.release();
    await page.locator('.skeleton').waitFor({ state: 'detached' });
  }));

test('the whole topology is on paper, wherever one had moved to', () =>
  dashboard.look('/topology', async (page) => {
    await page.locator('.node').first().waitFor();
    for (let press = 0; press < 4; press += 1) await page.getByRole('button', { name: 'Zoom in' }).click();
    const drawing = page.locator('.graph-drawing');
    const moved = await drawing.locator('> g').getAttribute('transform');
    const printed = await page.evaluateHandle(() => {
      const seen: (string | null)[] = [];
      window.addEventListener('beforeprint', () => {
        const graph = document.querySelector('.graph-drawing');
        seen.push(
          graph?.getAttribute('viewBox') ?? null,
          graph?.querySelector(':scope > g')?.getAttribute('transform') ?? null,
        );
      });
      return seen;
    });
    await page.pdf({ format: 'A4' });
    const [box, transform] = await printed.jsonValue();
    expect(box).toMatch(/^0 0 [\d.]+ [\d.]+$/);
    expect(transform).toBe('');
    await expect.poll(() => drawing.getAttribute('viewBox')).toBe(null);
    await expect.poll(() => drawing.locator('> g').getAttribute('transform')).toBe(moved);
  }));

/** What a PDF draws, and the dots of its pictures, unpacked. */
function unpacked(pdf: Buffer): Buffer[] {
  const text = pdf.toString('latin1');
  return [...text.matchAll(/\/Filter\s*\/FlateDecode[^>]*>>\s*stream\r?\n/g)].map(({ 0: head, index }) =>
    inflateSync(pdf.subarray(index + head.length, text.indexOf('endstream', index))),
  );
}

test('charts of a dark page are printed as lines, in the colours of paper', () =>
  dashboard.look(
    SERVICE,
    async (page) => {
      await expect.poll(() => page.locator('canvas').count()).toBe(4);
      const parts = unpacked(await page.pdf({ format: 'A4' }));
      const strokes = new Set(parts.flatMap((part) => part.toString('latin1').match(/[\d.]+ [\d.]+ [\d.]+ RG/g) ?? []));
      const inBytes = [...strokes].map((stroke) =>
        stroke.match(/[\d.]+/g)?.map((share) => Math.round(255 * Number(share))),
      );
      expect(inBytes).toContainEqual([0xb3, 0x43, 0x1e]);
      expect(inBytes).not.toContainEqual([0xff, 0x9f, 0x6b]);
      const darkGrid = Buffer.from([0x2a, 0x30, 0x38, 0x2a, 0x30, 0x38]);
      expect(parts.some((part) => part.includes(darkGrid))).toBe(false);
    },
    { colorScheme: 'dark' },
  ));
