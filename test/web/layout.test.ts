/** Every page at every width: nothing sticks out, nothing is cut off, and charts stand in line. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FakeScenario } from './fake-api/fake-api.ts';
import { type OpenedDashboard, openDashboard } from './opened-dashboard.ts';

const WIDTHS = [360, 390, 600, 721, 768, 961, 1081, 1280, 1920, 3840];

let dashboard: OpenedDashboard;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-layout');
});
afterAll(() => dashboard?.close());
beforeEach(async () => {
  await dashboard.reset();
  dashboard.fake.alerting = 3;
});

/** What sticks out of the page, and texts and controls that are cut off. Runs in the page. */
function misplaced(): string[] {
  const wide = document.documentElement.clientWidth;
  const found: string[] = [];
  if (document.documentElement.scrollWidth > wide)
    found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  const named = (element: Element) =>
    `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''} “${(element.textContent ?? '').slice(0, 30)}”`;
  /** What is for screen readers alone, and what can be scrolled to. */
  const isApart = (element: Element) => {
    for (let outer: Element | null = element; outer; outer = outer.parentElement) {
      const { overflowX, clipPath } = getComputedStyle(outer);
      if (clipPath !== 'none' || (outer !== element && (overflowX === 'auto' || overflowX === 'scroll'))) return true;
    }
    return element.closest('svg, .skip') !== null;
  };
  for (const element of document.querySelectorAll(
    'button, select, input, a, summary, h1, h2, th, td, dt, dd, p, .panel',
  )) {
    const { left, right, width, height } = element.getBoundingClientRect();
    if (!element.checkVisibility() || width <= 1 || height <= 1 || isApart(element)) continue;
    if (left < -0.5 || right > wide + 0.5) found.push(`${named(element)} sticks out: ${left} to ${right}`);
    const { overflowX, textOverflow } = getComputedStyle(element);
    const cuts = overflowX === 'hidden' || overflowX === 'clip';
    if (cuts && textOverflow !== 'ellipsis' && element.scrollWidth > element.clientWidth + 1)
      found.push(`${named(element)} is cut off`);
  }
  return found.slice(0, 5);
}

/** Texts of a row that lie over one another. Runs in the page. */
function overlapping(): string[] {
  const found: string[] = [];
  const seenTexts = (cell: Element) => {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    const boxes: DOMRect[] = [];
    const range = document.createRange();
    while (walker.nextNode()) {
      if (!walker.currentNode.parentElement?.checkVisibility() || walker.currentNode.parentElement.closest('.unseen'))
        continue;
      range.selectNodeContents(walker.currentNode);
      boxes.push(...range.getClientRects());
    }
    return boxes;
  };
  for (const row of [...document.querySelectorAll('.data tbody tr')].slice(0, 40)) {
    const texts = [...row.querySelectorAll(':scope > :is(th, td)')].flatMap((cell) =>
      seenTexts(cell).map((box) => ({ cell, box })),
    );
    for (const [index, one] of texts.entries())
      for (const other of texts.slice(index + 1)) {
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (one.cell !== other.cell && across > 1 && down > 4)
          found.push(`“${one.cell.textContent}” lies over “${other.cell.textContent}”`);
      }
  }
  return found.slice(0, 5);
}

async function expectInPlace(page: Page): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: width > 2000 ? 2000 : 900 });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await expect.poll(() => page.evaluate(misplaced), { message: `at ${width} px` }).toEqual([]);
    await expect.poll(() => page.evaluate(overlapping), { message: `at ${width} px` }).toEqual([]);
  }
}

const SERVICE = '/services/checkout?namespace=shop&window=1h&compare=1d';

const PAGES: readonly (readonly [address: string, shown: string, scenario: FakeScenario])[] = [
  ['/', '.fleet-table .sparkline .line', 'mesh'],
  ['/?compare=1d&group=namespace', '.fleet-table .col-changerate', 'mesh'],
  ['/', '.fleet-table .sparkline .line', 'large'],
  ['/', '.notice', 'no targets'],
  ['/', '.notice', 'no target answers'],
  [SERVICE, 'canvas', 'mesh'],
  ['/services/email', 'canvas', 'mesh'],
  ['/services/nobody', '.notice', 'mesh'],
  ['/services/checkout/instances/checkout-7d9f6c5b4-x0k2p?namespace=shop', 'canvas', 'mesh'],
  ['/topology', '.node', 'mesh'],
  ['/topology?focus=shop%2Fcheckout&table=calls', '.edge-table', 'mesh'],
  ['/topology?nodes=service', '.node', 'wide'],
  ['/regions', '.matrix', 'mesh'],
  ['/regions?by=zone&focus=shop%2Fcheckout', '.region-cards', 'mesh'],
  ['/targets', '.targets-table', 'mesh'],
  ['/alerts', '.alerts-table', 'mesh'],
  ['/rules', '.rules-table', 'mesh'],
  ['/status', '.tiers-table', 'mesh'],
  ['/status', '.tiers-table', 'failing'],
  ['/nowhere', '.missing-page', 'mesh'],
];

test.each(PAGES)('%s, %s of %s: all in its place, from phone to 4K', (address, shown, scenario) => {
  dashboard.fake.scenario = scenario;
  return dashboard.look(address, async (page, opened) => {
    opened.expectComplaint(/404/);
    await page.locator(shown).first().waitFor();
    await expectInPlace(page);
  });
});

/** Left and right edge of what is plotted, from the edges of the canvas, as the cursor shows at the first and last step. */
async function plotEdges(page: Page, chart: number): Promise<readonly number[]> {
  return page
    .locator('canvas')
    .nth(chart)
    .evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas;
      const pixels = canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
      const marked = (x: number) => {
        let marks = 0;
        for (let y = 0; y < height; y++) {
          const at = 4 * (y * width + x);
          if (pixels[at] === 0x0b && pixels[at + 1] === 0x62 && pixels[at + 2] === 0xc4) marks++;
        }
        return marks;
      };
      return Array.from({ length: width }, (_, x) => x).filter((x) => marked(x) > height / 2);
    });
}

test.each([390, 1280])('charts of a page show a moment at the same place, at %i px', (width) =>
  dashboard.look(
    SERVICE,
    async (page, opened) => {
      opened.expectComplaint(/getImageData/);
      await page.locator('canvas').nth(3).waitFor();
      for (const key of ['Home', 'End']) {
        const slider = page.getByRole('slider', { name: 'Requests by class: moment' });
        await slider.focus();
        await page.keyboard.press(key);
        await expect
          .poll(async () => {
            const places = await Promise.all([0, 1, 2, 3].map((chart) => plotEdges(page, chart)));
            return places[0]?.length === 1 && new Set(places.map(String)).size === 1 ? 'in line' : places;
          })
          .toBe('in line');
      }
    },
    { width },
  ),
);
