/** The dashboard behind a name and password, on the real API, in a real browser. */

import { join } from 'node:path';
import { hashSync } from 'bcrypt';
import { build } from 'vite';
import { expect, onTestFinished, test } from 'vitest';
import { Authentication } from '../../server/api/authentication.ts';
import { hostGuard } from '../../server/api/guard.ts';
import { MIXED } from '../api/meshes.ts';
import { startApi } from '../api/running-api.ts';
import { launchBrowser } from '../browser.ts';
import { eventually } from '../scrape/eventually.ts';

test('a browser that has signed in shows the fleet and listens to events; one that has not shows nothing', async () => {
  const webFolder = join(import.meta.dirname, '../output/login');
  const configFile = join(import.meta.dirname, '../../web/vite.config.ts');
  await build({ configFile, logLevel: 'error', build: { outDir: webFolder, emptyOutDir: true } });
  const authentication = new Authentication({ now: Date.now });
  const users = [{ name: 'alice', hash: hashSync('secret', 4), role: 'read' as const }];
  authentication.configure({ users, tokens: [], openProbes: false });
  const rules = { address: '127.0.0.1', allowedHosts: [], externalUrl: '' };
  const api = await startApi(MIXED, { webFolder, entrance: [hostGuard(() => rules), authentication.handler] });
  onTestFinished(() => api.stop());
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());

  const stranger = await browser.newPage();
  const answer = await stranger.goto(api.url);
  expect(answer?.status()).toBe(401);
  expect(await stranger.content()).not.toContain('Sidelight</title>');

  const context = await browser.newContext({ httpCredentials: { username: 'alice', password: 'secret' } });
  const page = await context.newPage();
  const refused: string[] = [];
  page.on('console', (message) => message.type() === 'error' && refused.push(message.text()));
  await page.goto(api.url);
  await page.getByRole('link', { name: 'shop', exact: true }).first().waitFor();
  await eventually(() => api.events.listening).toBe(1);
  expect(refused).toEqual([]);
}, 60_000);
