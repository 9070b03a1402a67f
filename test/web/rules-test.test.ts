/** Rules tried on the past from the Rules page, in a real browser on the fake API. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { firedTimes, lengthInWords, nameOfLabels, percent } from '../../web/pages/alerts/rule-test-words.ts';
import { expectNoSidewaysScroll, type OpenedDashboard, openDashboard, screenshotPath } from './opened-dashboard.ts';

let dashboard: OpenedDashboard;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-rules-test');
});
afterAll(() => dashboard?.close());
beforeEach(async () => {
  await dashboard.reset();
  dashboard.fake.alerting = 3;
});

const tries = () => dashboard.fake.asked.filter((path) => path.includes('/rules/test'));

async function tryAll(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try' }).click();
  await page.getByRole('heading', { name: /SlowService would have fired 4 times/ }).waitFor();
}

test('nothing is tried before it is asked for; then each rule tells when it would have fired', () =>
  dashboard.look('/rules', async (page) => {
    await page.getByRole('heading', { name: 'Try on the past' }).waitFor();
    expect(tries()).toEqual([]);
    await page.locator('select[name=rule]').selectOption('SlowService');
    await page.locator('input[name=most]').fill('3');
    await tryAll(page);
    expect(tries()).toEqual(['/api/v1/rules/test?rule=SlowService&window=7d&max_alerts=3']);
    const slow = page.locator('.tried-rule').first();
    await expect.poll(() => slow.getByRole('img').count()).toBe(2);
    await slow.getByRole('img', { name: /^checkout \(shop\): fired 3 times/ }).waitFor();
    await expect.poll(() => slow.innerText()).toContain('above: 430ms');
    await slow.locator('summary').click();
    await expect.poll(() => slow.locator('.tried-firings tbody tr').count()).toBe(4);
    await page.getByText('The past can not tell: whether scrapes failed is not kept.').waitFor();
  }));

test('it can be stopped, and tells why it was refused', () =>
  dashboard.look('/rules', async (page, opened) => {
    opened.expectComplaint(/500/);
    await page.getByRole('button', { name: 'Try' }).waitFor();
    dashboard.fake.hold();
    await page.getByRole('button', { name: 'Try' }).click();
    await page.getByText('which may take up to a minute').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Try' }).waitFor();
    dashboard.fake.release();
    dashboard.fake.refuse('rules are being tried on the past already: ask again later');
    await page.getByRole('button', { name: 'Try' }).click();
    await page.getByRole('heading', { name: 'They could not be tried' }).waitFor();
    await page.getByText('are being tried on the past already').waitFor();
  }));

test.each([
  ['light', 'wide', 1440],
  ['dark', 'wide', 1440],
  ['light', 'narrow', 390],
  ['dark', 'narrow', 390],
] as const)('%s, %s: in place, and axe finds nothing', (colorScheme, size, width) =>
  dashboard.look(
    '/rules',
    async (page) => {
      await tryAll(page);
      await page.locator('.tried-table summary').first().click();
      await expectNoSidewaysScroll(page);
      const seen = page.locator('.tried-firings .col-labels:visible');
      await seen.first().waitFor();
      const cut = () =>
        seen.evaluateAll(
          (cells) => cells.filter((cell) => cell.getBoundingClientRect().right > window.innerWidth).length,
        );
      await expect.poll(cut).toBe(0);
      expect(await page.locator('body').innerText()).not.toMatch(/NaN|Infinity|undefined|\[object/);
      await page.screenshot({ path: screenshotPath(`rules-test-${size}-${colorScheme}`), fullPage: true });
      const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const run: unknown = Reflect.get(Object(Reflect.get(window, 'axe')), 'run');
        if (typeof run !== 'function') throw new Error('axe is not there');
        const { violations } = (await run.call(undefined)) as {
          violations: { id: string; nodes: { html: string }[] }[];
        };
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      });
      expect(found).toEqual([]);
    },
    { colorScheme, width },
  ),
);

test.each([
  [0, '0\u00a0s'],
  [40_000, '40\u00a0s'],
  [80 * 60_000, '1\u00a0h\u00a020\u00a0min'],
  [26 * 3_600_000 + 61_000, '1\u00a0d\u00a02\u00a0h'],
])('%i ms are %s', (ms, words) => expect(lengthInWords(ms)).toBe(words));

test('shares, counts and labels in words', () => {
  expect([percent(0, 0), percent(0, 9), percent(1, 9999), percent(1, 8)]).toEqual([
    '—',
    '0\u00a0%',
    '< 0.1\u00a0%',
    '12.5\u00a0%',
  ]);
  expect([0, 1, 7].map(firedTimes)).toEqual(['never', 'once', '7 times']);
  expect([{}, { service: 'a', namespace: 'b', zone: 'z' }].map(nameOfLabels)).toEqual(['all', 'a (b), zone=z']);
});
