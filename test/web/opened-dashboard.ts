/** A built dashboard on the fake API, in a real browser. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { expect } from 'vitest';
import { launchBrowser, type OpenPage, openPage, type PageOptions } from '../browser.ts';
import { FakeApi, type FakeApiOptions } from './fake-api/fake-api.ts';

const OUTPUT = join(import.meta.dirname, '../output');

export interface OpenedDashboard {
  readonly fake: FakeApi;
  /** Opens a page, looks at it, and closes it: which fails if the page complained of anything. */
  look(
    address: string,
    see: (page: Page, opened: OpenPage) => Promise<void>,
    options?: Partial<PageOptions>,
  ): Promise<void>;
  /** Puts the fake back into its usual state. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** `name` is that of a folder of its own for what is built; `options` are the fake's. */
export async function openDashboard(name: string, options: Partial<FakeApiOptions> = {}): Promise<OpenedDashboard> {
  const webFolder = join(OUTPUT, name);
  await mkdir(OUTPUT, { recursive: true });
  process.env.NODE_ENV = 'production';
  await build({
    configFile: join(import.meta.dirname, '../../web/vite.config.ts'),
    logLevel: 'error',
    build: { outDir: webFolder, emptyOutDir: true },
  });
  const fake = new FakeApi({ ...options, webFolder });
  await fake.start();
  const browser = await launchBrowser();
  return {
    fake,
    look: (address, see, options) => lookAt(browser, fake.url + address, see, options),
    async reset() {
      await expect.poll(() => fake.listeners, { timeout: 10_000 }).toBe(0);
      fake.reset();
    },
    async close() {
      await browser.close();
      await fake.stop();
    },
  };
}

async function lookAt(
  browser: Browser,
  url: string,
  see: (page: Page, opened: OpenPage) => Promise<void>,
  options: Partial<PageOptions> = {},
): Promise<void> {
  const opened = await openPage(browser, { url, ...options });
  try {
    await see(opened.page, opened);
  } catch (error) {
    await opened.page.context().close();
    throw error;
  }
  await opened.close();
}

/** Words that only a mistake puts on a page. */
export async function expectNoNonsense(page: Page): Promise<void> {
  expect(await page.locator('body').innerText()).not.toMatch(/NaN|Infinity|undefined|null|\[object/);
}

export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const beyond = () =>
    page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth));
  await expect.poll(beyond, { timeout: 5000 }).toBe(0);
}

/** Where a screenshot of this name goes. */
export function screenshotPath(name: string): string {
  return join(OUTPUT, `${name}.png`);
}
