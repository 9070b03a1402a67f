/** axe-core over every page, in both themes, wide and narrow. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type OpenedDashboard, openDashboard } from './opened-dashboard.ts';

let dashboard: OpenedDashboard;
let axe: string;

beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  dashboard = await openDashboard('dashboard-accessibility');
});
afterAll(() => dashboard?.close());
beforeEach(async () => {
  await dashboard.reset();
  dashboard.fake.alerting = 3;
});

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe complains about, one line for each place. The library comes as text, since the page loads no foreign script. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const library: unknown = Reflect.get(window, 'axe');
    const run: unknown = Reflect.get(Object(library), 'run');
    if (typeof run !== 'function') throw new Error('axe is not there');
    const { violations: found } = (await run.call(library)) as { violations: Finding[] };
    return found.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })),
    }));
  });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`),
  );
}

const PAGES: readonly (readonly [address: string, shown: string])[] = [
  ['/', '.fleet-table .sparkline'],
  ['/services/checkout?namespace=shop', 'canvas'],
  ['/services/checkout?namespace=shop&table=rate,latency', '.chart-table'],
  ['/targets', '.targets-table'],
  ['/topology', '.node'],
  ['/topology?focus=shop%2Fcheckout', '.focus-panel'],
  ['/topology?table=calls', '.edge-table'],
  ['/topology?nodes=namespace', '.node'],
  ['/regions', '.matrix'],
  ['/regions?focus=shop%2Fcheckout&by=zone', '.region-cards'],
  ['/alerts', '.alerts-table'],
  ['/rules', '.rules-table'],
  ['/status', '.tiers-table'],
  ['/nowhere', '.missing-page'],
];

const CASES = PAGES.flatMap(([address, shown]) => [
  [address, 'light', 1440, shown] as const,
  [address, 'dark', 1440, shown] as const,
  [address, 'light', 390, shown] as const,
]);

test.each(CASES)('%s, %s, %i px: axe finds nothing', (address, colorScheme, width, shown) =>
  dashboard.look(
    address,
    async (page) => {
      await page.locator(shown).first().waitFor();
      expect(await findings(page)).toEqual([]);
    },
    { colorScheme, width },
  ),
);

test.each(['light', 'dark'] as const)('help and notices, %s: axe finds nothing', (colorScheme) => {
  dashboard.fake.scenario = 'failing';
  return dashboard.look(
    '/status',
    async (page) => {
      await page.getByRole('heading', { name: 'Figures can not be stored' }).waitFor();
      expect(await findings(page)).toEqual([]);
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).waitFor();
      expect(await findings(page)).toEqual([]);
    },
    { colorScheme },
  );
});
