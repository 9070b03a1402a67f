/** Three hundred services drawn at once: moved, zoomed and searched, in a real browser on the fake API. */

import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenedDashboard, openDashboard, screenshotPath } from './opened-dashboard.ts';

const MOVES = 30;
/** Of CPU, a move. What is painted, is painted elsewhere. */
const MOST = { scriptMs: 4, mainThreadMs: 25 };

let dashboard: OpenedDashboard;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-large-topology');
  dashboard.fake.scenario = 'wide';
});
afterAll(() => dashboard?.close());

async function drawAll(page: Page): Promise<void> {
  await page.getByText('8 namespaces').waitFor();
  await page.getByRole('button', { name: 'Services', exact: true }).click();
  await expect.poll(() => page.locator('.node').count(), { timeout: 20_000 }).toBe(300);
  await expect.poll(() => page.locator('.graph-drawing .edge').count(), { timeout: 20_000 }).toBe(726);
}

/** Milliseconds of CPU of the page's main thread since the session began, by what they went to. */
async function spent(session: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await session.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value * 1000]));
}

/** Where the drawing stands, as its group is moved and scaled. */
async function sight(page: Page): Promise<{ x: number; y: number; scale: number }> {
  const transform = (await page.locator('.graph-drawing > g').getAttribute('transform')) ?? '';
  const [x = Number.NaN, y = Number.NaN, scale = Number.NaN] = (transform.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(
    Number,
  );
  return { x, y, scale };
}

const frame = (page: Page) => page.evaluate(() => new Promise(requestAnimationFrame));

async function placeOf(page: Page) {
  const box = await page.locator('.graph-drawing').boundingBox();
  if (!box) throw new Error('the graph has no place');
  return box;
}

test('a drag moves all as one: no node or line is drawn anew', () =>
  dashboard.look('/topology', async (page) => {
    await drawAll(page);
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    const box = await placeOf(page);
    const [x, y] = [box.x + box.width / 2, box.y + box.height - 30];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 20, y);
    await frame(page);
    const changes = await page.evaluateHandle(() => {
      const seen: string[] = [];
      const drawing = document.querySelector('.graph-drawing');
      const observer = new MutationObserver((list) => {
        for (const { type, target } of list)
          if (target !== drawing?.querySelector(':scope > g') || type !== 'attributes') seen.push(target.nodeName);
      });
      if (drawing) observer.observe(drawing, { subtree: true, childList: true, attributes: true, characterData: true });
      return seen;
    });
    const [from, before] = [await sight(page), await spent(session)];
    for (let move = 1; move <= MOVES; move += 1) {
      await page.mouse.move(x + 20 + move * 8, y - move * 4);
      await frame(page);
    }
    const after = await spent(session);
    await page.mouse.up();
    const per = (name: string) => ((after[name] ?? Number.NaN) - (before[name] ?? Number.NaN)) / MOVES;
    console.log(
      `300 services: ${per('TaskDuration').toFixed(1)} ms of main thread a move, ${per('ScriptDuration').toFixed(1)} ms of them script`,
    );
    await expect
      .poll(async () => {
        const { x: left, y: top, scale } = await sight(page);
        return [left - from.x, top - from.y, scale];
      })
      .toEqual([expect.closeTo(8 * MOVES, 0), expect.closeTo(-4 * MOVES, 0), from.scale]);
    expect(await changes.jsonValue()).toEqual([]);
    expect(per('ScriptDuration')).toBeLessThan(MOST.scriptMs);
    expect(per('TaskDuration')).toBeLessThan(MOST.mainThreadMs);
    expect(new URL(page.url()).search).not.toContain('focus');
    await page.screenshot({ path: screenshotPath('topology-300-dragged') });
  }));

test('the wheel with Ctrl zooms about the pointer, until names can be read; without, it scrolls the page', () =>
  dashboard.look('/topology', async (page) => {
    await drawAll(page);
    const box = await placeOf(page);
    const pointer = [Math.round(box.x + box.width / 3), Math.round(box.y + box.height / 2)] as const;
    const [x, y] = [pointer[0] - box.x, pointer[1] - box.y];
    const from = await sight(page);
    await page.mouse.move(...pointer);
    await page.mouse.wheel(0, -200);
    await frame(page);
    expect(await sight(page)).toEqual(from);
    const names = page.locator('.node .node-name');
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -600);
    await expect.poll(async () => (await sight(page)).scale).toBeGreaterThan(2 * from.scale);
    await page.keyboard.up('Control');
    const to = await sight(page);
    const under = ({ x: left, y: top, scale }: typeof to) => [(x - left) / scale, (y - top) / scale];
    const [[wasX = 0, wasY = 0], [isX, isY]] = [under(from), under(to)];
    expect([isX, isY]).toEqual([expect.closeTo(wasX, 0), expect.closeTo(wasY, 0)]);
    await expect
      .poll(() => names.evaluateAll((all) => all.some((each) => each.getClientRects().length > 0)))
      .toBe(true);
    expect(await page.evaluate(() => window.visualViewport?.scale)).toBe(1);
    await page.screenshot({ path: screenshotPath('topology-300-zoomed') });
  }));

const LEGIBLE_SCALE = 0.8;

async function isInSight(page: Page, id: string): Promise<boolean> {
  const [graph, node] = [await placeOf(page), await page.locator(`[data-node="${id}"]`).boundingBox()];
  if (!node) return false;
  return node.x >= graph.x && node.y >= graph.y && node.x + node.width <= graph.x + graph.width;
}

test('one that is pressed comes near enough to read, and Fit leads back', () =>
  dashboard.look('/topology', async (page) => {
    await drawAll(page);
    const from = await sight(page);
    const wanted = page.locator('.node').nth(120);
    const id = (await wanted.getAttribute('data-node')) ?? '';
    await wanted.click();
    await expect.poll(async () => (await sight(page)).scale).toBeGreaterThanOrEqual(LEGIBLE_SCALE);
    await expect.poll(() => isInSight(page, id)).toBe(true);
    await page.getByRole('button', { name: 'Fit' }).click();
    await expect.poll(async () => (await sight(page)).scale).toBeLessThanOrEqual(from.scale);
    expect(await page.locator('.graph.glides').count()).toBe(0);
  }));

test('a search finds one of them, and Enter on it leads to its page', () =>
  dashboard.look('/topology', async (page) => {
    await drawAll(page);
    const wanted = page.locator('.node').nth(217);
    const id = (await wanted.getAttribute('data-node')) ?? '';
    const name = id.replace(/.*\//, '');
    await page.keyboard.press('/');
    await page.keyboard.type(name);
    await expect.poll(() => page.locator('.node:not(.away)').count()).toBe(1);
    expect(await page.locator('.node:not(.away)').getAttribute('data-node')).toBe(id);
    await expect
      .poll(() =>
        page
          .locator('.node.away')
          .first()
          .evaluate((node) => getComputedStyle(node).opacity),
      )
      .toBe('0.16');
    await expect.poll(async () => (await sight(page)).scale).toBeGreaterThanOrEqual(LEGIBLE_SCALE);
    expect(await page.locator('.graph.glides').count()).toBe(1);
    await expect.poll(() => isInSight(page, id)).toBe(true);
    await page.screenshot({ path: screenshotPath('topology-300-found') });
    await page.locator('.node:not(.away)').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name }).waitFor();
  }));
