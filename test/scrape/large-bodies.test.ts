import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BODIES } from '../../server/scrape/body-pool.ts';
import { LARGE_BYTES, LargeAnswers, LargeBodies } from '../../server/scrape/large-bodies.ts';
import { startFakeAdmin } from './fake-admin.ts';
import { clientOf } from './scraping.ts';

test('two go on at once, the others in their order', () => {
  const bodies = new LargeBodies<{ name: string }>(2);
  const went: string[] = [];
  const owners = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name }));
  const [a, b, c, d] = owners;
  const ask = (owner: { name: string }) => bodies.mayGoOn(owner, () => went.push(owner.name));
  expect(owners.map(ask)).toEqual([true, true, false, false, false]);
  expect(owners.map(ask)).toEqual([true, true, false, false, false]);
  if (!a || !b || !c || !d) throw new Error('there are five');
  bodies.ended(c);
  expect(went).toEqual([]);
  bodies.ended(a);
  bodies.ended(a);
  expect([went, ask(d)]).toEqual([['d'], true]);
  bodies.ended(b);
  expect(went).toEqual(['d', 'e']);
});

test('one at a time goes on beyond 8 MiB, and holds up no smaller one', () => {
  const answers = new LargeAnswers<{ name: string }>();
  const went: string[] = [];
  const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
  const ask = (owner: { name: string }, megabytes: number) =>
    answers.mayGoOn(owner, megabytes * LARGE_BYTES, () => went.push(owner.name));
  expect([ask(a, 2), ask(b, 2), ask(a, 9), ask(b, 8), ask(b, 9), ask(c, 1), ask(c, 2)]).toEqual([
    true,
    true,
    true,
    true,
    false,
    true,
    false,
  ]);
  answers.ended(a);
  expect([went.sort(), ask(b, 20), ask(c, 2)]).toEqual([['b', 'c'], true, true]);
});

test('large answers of many targets at once are all received', async () => {
  const text = 'x'.repeat(3 * LARGE_BYTES);
  const fakes = await Promise.all(Array.from({ length: 6 }, () => startFakeAdmin((_, response) => response.end(text))));
  const clients = fakes.map(({ address }) => clientOf(address, { bodyLimitBytes: 4 * LARGE_BYTES }));
  const answers = await Promise.all(clients.map((client) => client.get('/stats')));
  expect(answers.map(({ body }) => body.length)).toEqual(fakes.map(() => text.length));
  await Promise.all([...clients.map((client) => client.close()), ...fakes.map((fake) => fake.stop())]);
});

test('one that waits behind others that send nothing more has its own time', async () => {
  const beginning = 'x'.repeat(2 * LARGE_BYTES);
  const stuck = await startFakeAdmin((_, response) => void response.write(beginning));
  const good = await startFakeAdmin((_, response) => response.end(beginning));
  const options = { bodyLimitBytes: 4 * LARGE_BYTES, timeoutMs: 300 };
  const clients = [stuck, stuck].map(({ address }) => clientOf(address, options));
  const failed = Promise.allSettled(clients.map((client) => client.get('/stats')));
  const patient = clientOf(good.address, { ...options, timeoutMs: 10_000 });
  expect((await patient.get('/stats')).body.length).toBe(beginning.length);
  expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await Promise.all([...clients, patient].map((client) => client.close()));
  await Promise.all([stuck.stop(), good.stop()]);
});

test('a target whose answer was too large takes no memory until its answers are smaller', async () => {
  const piece = 'x'.repeat(64 * 1024);
  let isLarge = true;
  let asked = 0;
  const fake = await startFakeAdmin(async (_, response) => {
    asked++;
    for (let left = isLarge ? 48 : 0; left > 0; left--) {
      response.write(piece);
      await setImmediate(); // what is written together would be one chunk
    }
    response.end(isLarge ? '' : 'small');
  });
  const options = { bodyLimitBytes: 2 * LARGE_BYTES, timeoutMs: 10_000 };
  const client = clientOf(fake.address, options);
  const taken = vi.spyOn(BODIES, 'take');
  onTestFinished(() => taken.mockRestore());
  const askTaking = async () => {
    taken.mockClear();
    const answer = await client.get('/stats').catch((error: unknown) => String(error));
    return [typeof answer === 'string' ? answer : answer.body.toString(), taken.mock.calls.length > 0];
  };
  const tooLarge = expect.stringMatching(/larger than scrape\.body_limit \(2097152 bytes\)/);
  expect(await askTaking()).toEqual([tooLarge, true]);
  expect(await askTaking()).toEqual([tooLarge, false]);
  isLarge = false;
  expect([await askTaking(), asked]).toEqual([['small', true], 4]);
  expect([await askTaking(), asked]).toEqual([['small', true], 5]);
  isLarge = true;
  expect(await askTaking()).toEqual([tooLarge, true]);
  client.limit({ ...options, bodyLimitBytes: 4 * LARGE_BYTES });
  expect(await askTaking()).toEqual([piece.repeat(48), true]);
  await client.close();
  await fake.stop();
});
