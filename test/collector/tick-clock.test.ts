import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TickClock } from '../../server/tick-clock.ts';

beforeEach(() => vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => vi.useRealTimers());

/** Times at which ticks come by a wall clock that is so far from the one of timers, over 10 s of timers. */
function ticks(clockAt: (timerMs: number) => number): number[] {
  const times: number[] = [];
  const now = () => clockAt(Date.now());
  const clock = new TickClock({ intervalMs: 1000, spreadMs: 400, now, onTick: () => times.push(now()) });
  clock.start();
  vi.advanceTimersByTime(10_000);
  clock.stop();
  vi.advanceTimersByTime(10_000);
  return times;
}

const EVERY_SECOND = Array.from({ length: 10 }, (_, index) => 750 + index * 1000);

test('one tick per interval, a moment after its scrapes', () => {
  expect(ticks((ms) => ms)).toEqual(EVERY_SECOND);
});

test('a timer that ends a little before its time by the wall clock makes no second tick', () => {
  const seconds = ticks((ms) => ms * 0.999).map((at) => Math.round(at / 1000));
  expect(seconds).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('a clock that is put back an hour is followed at once', () => {
  expect(ticks((ms) => (ms < 5000 ? ms : ms - 3_600_000))).toHaveLength(10);
});

test.each([
  [1749, 0],
  [1750, 1000],
  [2700, 1000],
  [2750, 2000],
])('at %i ms all is told of that was scraped until %i ms', (at, until) => {
  const clock = new TickClock({ intervalMs: 1000, spreadMs: 400, now: () => at - 20, onTick() {} });
  expect(clock.toldUntil).toBe(until);
});
