import { createHmac } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { DeliveryLoop } from '../../../server/alerts/notify/delivery-loop.ts';
import { WebhookReceiver } from '../../../server/alerts/notify/webhook.ts';
import type { AlertEvent } from '../../../server/model/alert.ts';
import { event } from './alerts.ts';
import { type Answering, accepting, answering, eventually, Listener } from './listener.ts';

/** A fake of the store's events: a list, and cursors that outlive a receiver. */
class FakeEvents {
  readonly events: AlertEvent[] = [];
  readonly cursors = new Map<string, number>();

  async alertEvents({ after, most }: { after: number; most: number }): Promise<AlertEvent[]> {
    return this.events.filter(({ id }) => id > after).slice(0, most);
  }
  async loadCursor(receiver: string): Promise<number | undefined> {
    return this.cursors.get(receiver);
  }
  async saveCursor(receiver: string, id: number): Promise<void> {
    this.cursors.set(receiver, id);
  }
  async newestAlertEvent(): Promise<number> {
    return this.events.at(-1)?.id ?? 0;
  }
}

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

async function listener(): Promise<Listener> {
  const hook = await new Listener().listen();
  cleanUp.push(() => hook.close());
  return hook;
}

interface Running {
  readonly receiver: DeliveryLoop;
  readonly failures: string[];
  readonly refused: string[];
}

function receiverOf(hook: Listener, events: FakeEvents, secret?: string): Running {
  const [failures, refused]: [string[], string[]] = [[], []];
  const receiver = new DeliveryLoop({
    receiver: new WebhookReceiver({
      config: { url: hook.url, headers: { authorization: 'Bearer abc' } },
      readSecret: secret === undefined ? undefined : async () => secret,
      events,
      link: (labels, at) => `https://mesh.example/services/${labels.service}?at=${at}`,
      onRefused: (error, count) => refused.push(`${count}: ${error.message}`),
    }),
    backOff: () => 5,
    onFailure: (error) => failures.push(String(error)),
    onSuccess: () => {},
  });
  receiver.start();
  cleanUp.push(() => receiver.stop());
  return { receiver, failures, refused };
}

interface Told {
  events: { id: number; status: string }[];
}
const idsOf = (hook: Listener): number[] =>
  hook.received.flatMap(({ text }) => (JSON.parse(text) as Told).events.map(({ id }) => id));

/** A receiver that has taken its place at the end of the list. */
async function started(secret?: string): Promise<Running & { hook: Listener; events: FakeEvents }> {
  const hook = await listener();
  const events = new FakeEvents();
  events.events.push(event(1));
  const running = receiverOf(hook, events, secret);
  await eventually(() => expect(events.cursors.size).toBe(1));
  return { hook, events, ...running };
}

test('what fired and ended is posted in order, signed; what was before the receiver, and what is pending, is not', async () => {
  const { hook, events, receiver } = await started('key');
  events.events.push(event(2), event(3, 'pending'), event(4, 'resolved'));
  receiver.wake();
  await hook.until(() => idsOf(hook).length === 2);
  const [{ text, headers } = { text: '', headers: {} }] = hook.received;
  expect(JSON.parse(text)).toEqual({
    version: 1,
    events: [
      {
        id: 2,
        status: 'firing',
        labels: { alertname: 'SlowService', service: 's2', severity: 'page' },
        annotations: { summary: 's2 is slow' },
        startsAt: 2000,
        endsAt: null,
        value: 612,
        threshold: 500,
        requests: 1000,
        link: 'https://mesh.example/services/s2?at=2000',
      },
      expect.objectContaining({ id: 4, status: 'resolved', startsAt: 4000, endsAt: 4000 }),
    ],
  });
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    authorization: 'Bearer abc',
    'x-sidelight-signature': `sha256=${createHmac('sha256', 'key').update(text).digest('hex')}`,
  });
});

test('without a key nothing is signed', async () => {
  const { hook, events, receiver } = await started();
  events.events.push(event(2));
  receiver.wake();
  await hook.until(() => hook.received.length === 1);
  expect(hook.received[0]?.headers).not.toHaveProperty('x-sidelight-signature');
});

test('a receiver that dies and comes back gets everything once, over a restart of this side too', async () => {
  const { hook, events, receiver, failures } = await started();
  await hook.close();
  events.events.push(event(2), event(3));
  receiver.wake();
  await eventually(() => expect(failures.length).toBeGreaterThan(2));
  await receiver.stop();
  events.events.push(event(4));
  receiverOf(hook, events);
  await hook.listen();
  await hook.until(() => idsOf(hook).length === 3);
  expect(idsOf(hook)).toEqual([2, 3, 4]);
  await eventually(() => expect([...events.cursors.values()]).toEqual([4]));
});

const troubles: [name: string, answer: Answering, failure: RegExp][] = [
  ['fails', answering(503, {}, 'come back later\nsecond line'), /^DeliveryError: answered 503: come back later$/],
  ['is gone', answering(404), /^DeliveryError: answered 404$/],
  [
    'redirects',
    answering(302, { location: 'http://127.0.0.1:1/' }),
    /^DeliveryError: answered 302 \(redirects are not followed/,
  ],
];

test.for(troubles)('one that %s is asked again until it takes them', async ([, answer, failure]) => {
  const { hook, events, receiver, failures, refused } = await started();
  hook.answer = answer;
  events.events.push(event(2));
  receiver.wake();
  await eventually(() => expect(failures.length).toBeGreaterThan(2));
  hook.answer = accepting;
  await eventually(() => expect([...events.cursors.values()]).toEqual([2]));
  expect(failures[0]).toMatch(failure);
  expect(new Set(idsOf(hook))).toEqual(new Set([2]));
  expect(refused).toEqual([]);
});

test('what a receiver refuses for good is told and holds up nothing', async () => {
  const { hook, events, receiver, refused } = await started();
  hook.answer = answering(413, {}, 'too large');
  events.events.push(event(2));
  receiver.wake();
  await eventually(() => expect(refused).toEqual(['1: answered 413: too large']));
  hook.answer = accepting;
  events.events.push(event(3));
  receiver.wake();
  await hook.until(() => idsOf(hook).includes(3));
});

test('ten thousand events go in batches, and a hanging receiver holds up no other', async () => {
  const { hook, events, receiver } = await started();
  const hanging = await started();
  hanging.hook.answer = null;
  hanging.events.events.push(event(2));
  hanging.receiver.wake();
  await hanging.hook.until(() => hanging.hook.received.length === 1);
  events.events.push(...Array.from({ length: 10_000 }, (_, index) => event(index + 2)));
  receiver.wake();
  await hook.until(() => idsOf(hook).length === 10_000);
  expect(idsOf(hook)).toEqual(events.events.slice(1).map(({ id }) => id));
  expect(hook.received).toHaveLength(100);
});
