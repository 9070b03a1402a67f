import { afterEach, expect, test } from 'vitest';
import { AlertmanagerReceiver } from '../../../server/alerts/notify/alertmanager.ts';
import { DeliveryLoop } from '../../../server/alerts/notify/delivery-loop.ts';
import type { KeptAlert } from '../../../server/model/alert.ts';
import { Alertmanager } from './alertmanager-process.ts';
import { firing, resolved } from './alerts.ts';
import { answering, eventually, Listener } from './listener.ts';

const MINUTE = 60_000;
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

interface Running {
  readonly receiver: DeliveryLoop;
  readonly failures: string[];
  successes: number;
}

/** `state` is what the receiver is told whenever it is woken. */
function receiverOf(url: string, state: { alerts: KeptAlert[]; now?: number }): Running {
  const running: { failures: string[]; successes: number } = { failures: [], successes: 0 };
  const receiver = new DeliveryLoop({
    receiver: new AlertmanagerReceiver({
      config: { url, headers: { 'x-tenant': 'mesh' } },
      source: { alerts: () => state.alerts, link: ({ service }) => `https://mesh.example/services/${service}` },
      now: () => state.now ?? Date.now(),
    }),
    backOff: () => 20,
    onFailure: (error) => running.failures.push(String(error)),
    onSuccess: () => void running.successes++,
  });
  receiver.start();
  cleanUp.push(() => receiver.stop());
  return Object.assign(running, { receiver });
}

async function listener(): Promise<Listener> {
  const listening = await new Listener().listen();
  cleanUp.push(() => listening.close());
  return listening;
}

interface Notice {
  status: string;
  alerts: { status: string; labels: { service: string } }[];
}
const noticesOf = (hook: Listener) =>
  hook.received.map(({ text }) => {
    const { status, alerts } = JSON.parse(text) as Notice;
    return `${status}: ${alerts.map((alert) => `${alert.labels.service} ${alert.status}`).sort()}`;
  });

/** An Alertmanager may tell of a group once it knows the first of the alerts that it was sent together. */
test('a real Alertmanager groups, tells once, and tells the end, over deaths of either side', {
  timeout: 180_000,
}, async () => {
  const hook = await listener();
  const manager = await new Alertmanager().start(hook.url);
  cleanUp.push(() => manager.remove());
  const firedAt = Date.now() - MINUTE;
  const state = { alerts: [firing('cart', firedAt), firing('checkout', firedAt)] };
  const first = receiverOf(manager.url, state);
  await hook.until(() => noticesOf(hook).includes('firing: cart firing,checkout firing'));
  expect(await manager.alerts()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        startsAt: new Date(firedAt).toISOString(),
        annotations: { summary: 'cart is slow' },
        generatorURL: 'https://mesh.example/services/cart',
      }),
    ]),
  );

  // This side is restarted in the middle: the same alerts again, nothing new.
  await first.receiver.stop();
  const second = receiverOf(manager.url, state);
  await eventually(() => expect(second.successes).toBe(1));

  // The other side is restarted, and one alert ends meanwhile.
  await manager.stop('SIGTERM');
  state.alerts = [resolved('cart', firedAt, Date.now()), firing('checkout', firedAt)];
  second.receiver.wake();
  await eventually(() => expect(second.failures.length).toBeGreaterThan(0));
  const before = hook.received.length;
  await manager.start(hook.url);
  for (const part of ['cart resolved', 'checkout firing'])
    await hook.until(() => noticesOf(hook).slice(before).join().includes(part));

  state.alerts = [state.alerts[0] ?? firing('cart', firedAt), resolved('checkout', firedAt, Date.now())];
  second.receiver.wake();
  const ends = () => noticesOf(hook).filter((notice) => notice.includes('checkout resolved'));
  await hook.until(() => ends().length > 0);
  expect(ends()).toEqual([expect.stringMatching(/^resolved: /)]);
  expect(noticesOf(hook).filter((notice) => notice === 'firing: cart firing,checkout firing')).toHaveLength(1);
  expect(noticesOf(hook).slice(before).join()).not.toContain('cart firing');
});

test('an Alertmanager that loses its memory is told again what is firing', { timeout: 120_000 }, async () => {
  const hook = await listener();
  const manager = await new Alertmanager().start(hook.url);
  cleanUp.push(() => manager.remove());
  const { receiver } = receiverOf(manager.url, { alerts: [firing('cart', Date.now())] });
  await eventually(async () => expect(await manager.alerts()).toHaveLength(1));
  await manager.stop('SIGKILL');
  receiver.wake();
  await manager.start(hook.url);
  await eventually(async () => expect(await manager.alerts()).toHaveLength(1));
});

interface Told {
  labels: { service: string };
  startsAt: string;
  endsAt: string;
}
const toldIn = (text = '[]') =>
  (JSON.parse(text) as Told[]).map(({ labels, startsAt, endsAt }) => [
    labels.service,
    Date.parse(startsAt),
    Date.parse(endsAt),
  ]);

test('what fires ends four minutes later unless it is told again; what ended is repeated for five minutes', async () => {
  const manager = await listener();
  const state = { now: 10 * MINUTE, alerts: [firing('a', MINUTE), resolved('b', MINUTE, 4 * MINUTE)] };
  const { receiver } = receiverOf(manager.url, state);
  await manager.until(() => manager.received.length === 1);
  expect(manager.received[0]).toMatchObject({ path: '/api/v2/alerts', headers: { 'x-tenant': 'mesh' } });
  // Nobody knows what an earlier life told: everything that ended is told once more.
  expect(toldIn(manager.received[0]?.text)).toEqual([
    ['a', MINUTE, 14 * MINUTE],
    ['b', MINUTE, 4 * MINUTE],
  ]);
  state.now = 11 * MINUTE;
  state.alerts = [firing('a', MINUTE), resolved('b', MINUTE, 4 * MINUTE), resolved('c', MINUTE, 6 * MINUTE)];
  receiver.wake();
  await manager.until(() => manager.received.length === 2);
  expect(toldIn(manager.received[1]?.text).map(([service]) => service)).toEqual(['a', 'c']);
});

test('what ended while nobody listened is told when somebody does', async () => {
  const manager = await listener();
  const state = { now: 10 * MINUTE, alerts: [firing('a', MINUTE)] };
  const running = receiverOf(manager.url, state);
  await eventually(() => expect(running.successes).toBe(1));
  manager.answer = answering(500);
  state.alerts = [resolved('a', MINUTE, 11 * MINUTE)];
  state.now = 60 * MINUTE;
  running.receiver.wake();
  await eventually(() => expect(running.failures.length).toBeGreaterThan(1));
  expect(running.failures[0]).toBe('DeliveryError: answered 500');
  manager.answer = answering(200);
  await eventually(() => expect(running.successes).toBe(2));
  expect(toldIn(manager.received.at(-1)?.text)).toEqual([['a', MINUTE, 11 * MINUTE]]);
});

test('an alert that a real Alertmanager refuses keeps no other from it', { timeout: 120_000 }, async () => {
  const manager = await new Alertmanager().start('http://127.0.0.1:9');
  cleanUp.push(() => manager.remove());
  const others = Array.from({ length: 600 }, (_, index) => firing(`s${index}`, Date.now()));
  const refused = { ...firing('refused', Date.now()), annotations: { 'no-name': 'of an annotation' } };
  const running = receiverOf(manager.url, { alerts: [refused, ...others] });
  await eventually(async () => expect(await manager.alerts()).toHaveLength(600));
  expect(running.failures[0]).toContain('answered 400: "invalid annotations: invalid name');
  expect(running.successes).toBe(0);
});

test('ten thousand alerts go in batches of 500', async () => {
  const manager = await listener();
  receiverOf(manager.url, { alerts: Array.from({ length: 10_000 }, (_, index) => firing(`s${index}`, 0)) });
  await manager.until(() => manager.received.length === 20);
  expect(new Set(manager.received.flatMap(({ text }) => toldIn(text).map(([service]) => service))).size).toBe(10_000);
});
