/** A collector that is killed while an alert is pending, and again and again while it fires: it fires once, and ends once. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { AlertHistoryAnswer, AlertItem, AlertsAnswer } from '../../server/api/contract.ts';
import { Alertmanager } from '../alerts/notify/alertmanager-process.ts';
import { Listener } from '../alerts/notify/listener.ts';
import { getJson, startTestCollector } from '../e2e/collector.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { CountingAdmin } from './counting-admin.ts';

const eventually = { timeout: 60_000, interval: 50 };

async function listener(): Promise<Listener> {
  const listening = await new Listener().listen();
  onTestFinished(() => listening.close());
  return listening;
}

test('kill -9 in the middle of for, and while an alert fires', { timeout: 240_000 }, async () => {
  const [hook, managed, admin] = [await listener(), await listener(), await new CountingAdmin().start()];
  onTestFinished(() => admin.stop());
  const manager = await new Alertmanager().start(managed.url);
  onTestFinished(() => manager.remove());
  const folder = temporaryFolder();
  const configFile = join(folder, 'sidelight.yaml');
  const busy = { name: 'Busy', signal: 'request_rate', above: '1/s', window: '10s', for: '4s', by: ['service'] };
  const alerts = {
    interval: '1s',
    rules: [busy],
    alertmanagers: [{ url: manager.url }],
    webhooks: [{ url: hook.url }],
  };
  writeFileSync(configFile, JSON.stringify({ alerts }));
  const options = { configFile, targets: [`${admin.text},service=shop`], storagePath: join(folder, 'sidelight.db') };
  const start = () => startTestCollector({ ...options, intervalSeconds: 1 });
  let collector = await start();
  onTestFinished(() => collector.kill());
  const alert = async (): Promise<AlertItem | undefined> =>
    (await getJson<AlertsAnswer>(`${collector.url}/api/v1/alerts`)).alerts[0];
  const reached = (state: AlertItem['state']) =>
    vi.waitFor(async () => {
      const found = await alert();
      expect(found?.state).toBe(state);
      return found;
    }, eventually);
  const restart = async () => {
    await collector.kill();
    collector = await start();
  };

  const pending = await reached('pending');
  await restart();
  expect([(await alert())?.state, (await alert())?.since]).toEqual(['pending', pending?.since]);
  const { firedAt } = (await reached('firing')) ?? {};
  for (let kill = 0; kill < 3; kill++) {
    await restart();
    const found = await vi.waitFor(async () => {
      const after = await alert();
      expect(after?.data).toBe('ok');
      return after;
    }, eventually);
    expect([found?.state, found?.firedAt]).toEqual(['firing', firedAt]);
  }
  admin.busy = false;
  await reached('resolved');
  await restart();

  // A kill may come between the end of the alert and its being kept: it then ends again.
  const history = await vi.waitFor(async () => {
    const found = await getJson<AlertHistoryAnswer>(`${collector.url}/api/v1/alerts/history?window=1h`);
    expect(found.events.map(({ state }) => state).sort()).toEqual(['firing', 'pending', 'resolved']);
    return found;
  }, eventually);
  expect(history.firings).toHaveLength(1);
  const notices = () => managed.received.map(({ text }) => (JSON.parse(text) as { status: string }).status);
  await managed.until(() => notices().includes('resolved'));
  expect(notices()).toEqual(['firing', 'resolved']);
  // What was under way at a kill may come twice, as the same event.
  const told = () =>
    new Map(
      hook.received.flatMap(({ text }) =>
        (JSON.parse(text) as { events: { id: number; status: string }[] }).events.map(({ id, status }) => [id, status]),
      ),
    );
  await hook.until(() => told().size >= 2);
  expect([...told().values()]).toEqual(['firing', 'resolved']);
  expect(await collector.terminate()).toBe(0);
});
