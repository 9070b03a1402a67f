/** What the tab's icon tells, and where the keyboard is: both are seen, in a real browser on the fake API. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type OpenedDashboard, openDashboard, screenshotPath } from './opened-dashboard.ts';

let dashboard: OpenedDashboard;

beforeAll(async () => {
  dashboard = await openDashboard('dashboard-favicon');
});
afterAll(() => dashboard?.close());
beforeEach(() => dashboard.reset());

interface Icon {
  /** What was written on the picture; null where the icon is none that was drawn. */
  readonly text: string | null;
  readonly size: number;
  /** Parts of its pixels that are white, as the number is, and red, as what is behind it. */
  readonly white: number;
  readonly red: number;
}

/** Notes what is written on each canvas, so that the picture on the tab can be told from its data. */
function noteTexts(): void {
  const written = new Map<HTMLCanvasElement, string>();
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    written.set(this.canvas, (written.get(this.canvas) ?? '') + text);
    fillText.call(this, text, ...place);
  };
  Reflect.set(window, 'written', written);
}

/** Decodes the icon on the tab. */
async function readIcon(): Promise<Icon> {
  const href = document.querySelector('link[rel=icon]')?.getAttribute('href') ?? '';
  const written = Reflect.get(window, 'written') as Map<HTMLCanvasElement, string>;
  const [, text = null] = [...written].find(([canvas]) => canvas.toDataURL('image/png') === href) ?? [];
  const image = new Image();
  image.src = href;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [32, 32];
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('nothing can be drawn');
  pen.drawImage(image, 0, 0, 32, 32);
  const { data } = pen.getImageData(0, 0, 32, 32);
  const [white, red] = [0, 0].map((_, kind) => {
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [r = 0, g = 0, b = 0, a = 0] = data.subarray(at, at + 4);
      if (a > 200 && (kind === 0 ? Math.min(r, g, b) > 200 : r > 150 && Math.max(g, b) < 90)) count += 1;
    }
    return count / 1024;
  });
  return { text, size: image.naturalWidth, white: white ?? 0, red: red ?? 0 };
}

describe('the icon on the tab', () => {
  test.each([
    [1, '1'],
    [3, '3'],
    [42, '42'],
    [99, '99'],
    [100, '99+'],
    [1200, '99+'],
  ])('with %i alerts firing it is a red square that says %s', (firing, words) =>
    dashboard.look('/', async (page) => {
      await page.addInitScript(noteTexts);
      await page.reload();
      await expect.poll(() => dashboard.fake.listeners).toBe(1);
      expect((await page.evaluate(readIcon)).text).toBe(null);
      dashboard.fake.alerting = firing;
      dashboard.fake.tick();
      await expect.poll(async () => (await page.evaluate(readIcon)).text).toBe(words);
      const icon = await page.evaluate(readIcon);
      expect(icon.size).toBe(32);
      expect(icon.red).toBeGreaterThan(0.4);
      expect(icon.white).toBeGreaterThan(0.03);
      dashboard.fake.alerting = 0;
      dashboard.fake.tick();
      await expect.poll(() => page.locator('link[rel=icon]').getAttribute('href')).toBe('/favicon.svg');
      expect(await page.evaluate(readIcon)).toMatchObject({ text: null, red: 0 });
    }),
  );
});

interface Ring {
  readonly kind: string;
  readonly name: string;
  /** Its line on focus, and without: width, style and colour. */
  readonly focused: string;
  readonly unfocused: string;
  readonly widthPx: number;
  /** Of the line against what is behind it. */
  readonly contrast: number;
}

/** The ring of what has the focus, and of the same thing after the focus left it; the focus is given back. */
function readRing(): Ring | null {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement || element instanceof SVGElement) || element === document.body) return null;
  const box = element.matches('.node') ? element.querySelector('.node-box') : null;
  const lineOf = () => {
    const style = getComputedStyle(box ?? element);
    if (box) return { width: style.strokeWidth, style: 'solid', color: style.stroke };
    return { width: style.outlineWidth, style: style.outlineStyle, color: style.outlineColor };
  };
  const colourOf = (text: string) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r = 0, g = 0, b = 0]: number[]) => {
    const [red = 0, green = 0, blue = 0] = [r, g, b].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = () => {
    for (let at = element.parentElement; at; at = at.parentElement) {
      const colour = colourOf(getComputedStyle(at).backgroundColor);
      if (colour.length === 3) return colour;
    }
    return [255, 255, 255];
  };
  const line = lineOf();
  const [darker = 0, lighter = 0] = [luminance(colourOf(line.color)), luminance(behind())].sort((a, b) => a - b);
  element.blur();
  const unfocused = JSON.stringify(lineOf());
  element.focus({ preventScroll: true });
  return {
    kind: box ? 'node' : element.closest('tbody') ? 'row' : element.localName,
    name: element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 40) ?? '',
    focused: JSON.stringify(line),
    unfocused,
    widthPx: line.style === 'none' ? 0 : Number.parseFloat(line.width),
    contrast: (lighter + 0.05) / (darker + 0.05),
  };
}

const MOST_STOPS = 80;
/** What a mark that is no text needs at least, by WCAG 1.4.11. */
const LEAST_CONTRAST = 3;

/** Walks through a page by Tab, until the focus leaves it. */
async function walk(page: Page): Promise<Ring[]> {
  const rings: Ring[] = [];
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press('Tab');
    const ring = await page.evaluate(readRing);
    if (!ring) break;
    rings.push(ring);
  }
  return rings;
}

const WALKED: readonly (readonly [address: string, shown: string, kinds: readonly string[]])[] = [
  ['/', '.fleet-table tbody tr', ['a', 'button', 'input', 'select', 'summary', 'row']],
  ['/services/checkout?namespace=shop', 'canvas', ['a', 'button', 'row']],
  ['/topology', '.node', ['a', 'button', 'input', 'node']],
  ['/targets', '.targets-table', ['a', 'button', 'select', 'row']],
  ['/rules', '.rule-test-form', ['a', 'button', 'input', 'select']],
];

describe.each(['light', 'dark'] as const)('the keyboard, %s', (colorScheme) => {
  test.each(WALKED)('%s: each stop of Tab has a ring that it has not without', (address, shown, kinds) => {
    dashboard.fake.alerting = 3;
    return dashboard.look(
      address,
      async (page) => {
        await page.locator(shown).first().waitFor();
        const rings = await walk(page);
        expect([...new Set(rings.map(({ kind }) => kind))]).toEqual(expect.arrayContaining([...kinds]));
        expect(rings.filter(({ kind }) => kind === 'svg')).toEqual([]);
        for (const ring of rings) {
          expect.soft(ring.focused, `${ring.kind} ${ring.name}`).not.toBe(ring.unfocused);
          expect.soft(ring.widthPx, `${ring.kind} ${ring.name}`).toBeGreaterThanOrEqual(2);
          expect.soft(ring.contrast, `${ring.kind} ${ring.name}`).toBeGreaterThanOrEqual(LEAST_CONTRAST);
        }
      },
      { colorScheme },
    );
  });

  test('a row that the keyboard walked to', () =>
    dashboard.look(
      '/',
      async (page) => {
        await page.locator('.fleet-table tbody tr').first().waitFor();
        for (let press = 0; press < 3; press += 1) await page.keyboard.press('j');
        const ring = await page.evaluate(readRing);
        expect(ring).toMatchObject({ kind: 'row' });
        expect(ring?.focused).not.toBe(ring?.unfocused);
        expect(ring?.contrast).toBeGreaterThanOrEqual(LEAST_CONTRAST);
        const backgrounds = await page
          .locator('.fleet-table tbody tr')
          .evaluateAll((rows) => rows.map((row) => getComputedStyle(row).backgroundColor));
        expect(backgrounds[2]).not.toBe(backgrounds[3]);
        await page.screenshot({ path: screenshotPath(`focus-row-${colorScheme}`) });
      },
      { colorScheme },
    ));
});
