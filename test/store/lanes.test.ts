import { expect, onTestFinished, test, vi } from 'vitest';
import { Lanes } from '../../server/store/sqlite/lanes.ts';

/** Ends calls when it is told to. */
class FakeLane {
  readonly begun: string[] = [];
  private readonly ends: ((error?: Error) => void)[] = [];

  run<Result>(name: string): Promise<Result> {
    this.begun.push(name);
    return new Promise((resolve, reject) => {
      this.ends.push((error) => (error ? reject(error) : resolve(name as Result)));
    });
  }

  end(error?: Error): void {
    this.ends.shift()?.(error);
  }
}

function twoLanes(patienceMs: number): { lanes: Lanes<FakeLane>; first: FakeLane; second: FakeLane } {
  const [first, second] = [new FakeLane(), new FakeLane()];
  return { lanes: new Lanes([first, second], patienceMs), first, second };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));
const FOR_EVER = 3_600_000;

test('a call goes to the lane that it prefers, and waits for it; others pass it meanwhile', async () => {
  const { lanes, first, second } = twoLanes(FOR_EVER);
  const calls = [lanes.run('a', 0, 0), lanes.run('b', 0, 0), lanes.run('c', 0, 1), lanes.run('d')];
  await turns();
  expect([first.begun, second.begun]).toEqual([['a'], ['c']]);
  second.end();
  await turns();
  expect([first.begun, second.begun]).toEqual([['a'], ['c', 'd']]);
  first.end();
  await turns();
  expect(first.begun).toEqual(['a', 'b']);
  first.end();
  second.end();
  expect(await Promise.all(calls)).toEqual(['a', 'b', 'c', 'd']);
});

test('a call that prefers none goes to whichever lane is idle', async () => {
  const { lanes, first, second } = twoLanes(FOR_EVER);
  const calls = [lanes.run('a'), lanes.run('b')];
  await turns();
  expect([first.begun, second.begun]).toEqual([['a'], ['b']]);
  first.end();
  second.end();
  await Promise.all(calls);
});

test('an idle lane takes the call that has waited its time, the oldest first', async () => {
  const { lanes, first, second } = twoLanes(1);
  const calls = ['a', 'b', 'c'].map((name) => lanes.run(name, 0, 0));
  await expect.poll(() => second.begun).toEqual(['b']);
  second.end();
  await expect.poll(() => second.begun).toEqual(['b', 'c']);
  expect(first.begun).toEqual(['a']);
  first.end();
  second.end();
  expect(await Promise.all(calls)).toEqual(['a', 'b', 'c']);
});

test('what has waited its time is not passed by calls that prefer the lane', async () => {
  const { lanes, second } = twoLanes(0);
  const calls = [lanes.run('a', 0, 0), lanes.run('b', 0, 1), lanes.run('c', 0, 0), lanes.run('d', 0, 1)];
  await turns();
  second.end();
  await turns();
  expect(second.begun).toEqual(['b', 'c']);
  for (const lane of lanes.all) lane.end();
  await expect.poll(() => lanes.all.flatMap(({ begun }) => begun).length).toBe(4);
  for (const lane of lanes.all) lane.end();
  await Promise.all(calls);
});

test('a call waits longer where its lane gets on with others, and not for ever', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const { lanes, first, second } = twoLanes(10);
  const calls = Array.from({ length: 9 }, (_, index) => lanes.run(String(index), 0, 0));
  for (let past = 0; past < 50; past += 8) {
    await vi.advanceTimersByTimeAsync(8);
    expect(second.begun).toEqual([]);
    first.end();
  }
  await vi.advanceTimersByTimeAsync(4);
  expect(second.begun).toEqual(['8']);
  first.end();
  second.end();
  expect(await Promise.all(calls)).toHaveLength(9);
});

test('a call that fails makes room, too', async () => {
  const { lanes, first } = twoLanes(FOR_EVER);
  const failed = lanes.run('a', 0, 0);
  const next = lanes.run('b', 0, 0);
  await turns();
  first.end(new Error('out of memory'));
  await expect(failed).rejects.toThrow('out of memory');
  await turns();
  expect(first.begun).toEqual(['a', 'b']);
  first.end();
  expect(await next).toBe('b');
});
