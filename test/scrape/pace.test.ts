import { describe, expect, test } from 'vitest';
import { OwnDelay } from '../../server/scrape/own-delay.ts';
import { type Asked, Pace } from '../../server/scrape/pace.ts';

const SETTINGS = { intervalMs: 15_000, timeoutMs: 10_000, slowDown: true };
const took = (busyMs: number): Asked => ({ busyMs, timedOut: false });
const cost = (ownMs: number): Asked => ({ busyMs: 10, timedOut: false, ownMs });
const TIMEOUT: Asked = { busyMs: 10_000, timedOut: true };
const costs = (text: string) => `reading its answers takes us ${text} s, as when it lists other names each time`;
/** A minute, jitter included. */
const LONGEST = 54_545;
const TIMED_OUT = 'it did not answer within 10s';
const took5 = 'it took 5.0 s to answer, more than a fifth of the interval';

describe('the interval in force after scrapes', () => {
  test.each<[string, Asked[], number, string]>([
    ['that are quick', [took(5), took(2999)], 15_000, ''],
    ['of which one takes just a fifth', [took(3000)], 15_000, ''],
    ['of which one is slow', [took(5000)], 25_000, took5],
    ['that stay slow', [took(5000), took(5000), took(5000)], 25_000, took5],
    ['that are quick again', [took(5000), took(10)], 15_000, ''],
    ['of which one is very slow', [took(9999)], 49_995, 'it took 10 s to answer, more than a fifth of the interval'],
    ['as slow as can be', [took(30_000)], LONGEST, 'it took 30 s to answer, more than a fifth of the interval'],
    ['that time out', [TIMEOUT], 30_000, TIMED_OUT],
    ['that time out again', [TIMEOUT, TIMEOUT], LONGEST, TIMED_OUT],
    ['that time out for long', Array<Asked>(20).fill(TIMEOUT), LONGEST, TIMED_OUT],
    ['that recover step by step', [TIMEOUT, TIMEOUT, took(5)], 27_273, TIMED_OUT],
    ['that have recovered', [TIMEOUT, TIMEOUT, took(5), took(5)], 15_000, ''],
    ['that are quick, but cost us much once', [cost(900), cost(10)], 15_000, ''],
    ['that cost us much again', [cost(5000), cost(900)], 18_000, costs('0.90')],
    ['that cost us much, then little', [cost(900), cost(900), cost(1)], 15_000, ''],
    ['that cost us little each time', [cost(199), cost(199)], 15_000, ''],
    ['that fail at once after a timeout', [TIMEOUT, took(1)], 15_000, ''],
  ])('%s', (_, scrapes, intervalMs, slowedDown) => {
    const pace = new Pace(SETTINGS, () => 0);
    for (const scrape of scrapes) pace.asked(scrape);
    expect(pace.inForce).toEqual({ intervalMs, slowedDown });
  });
});

test('an interval of more than a minute stays what it is', () => {
  const pace = new Pace({ ...SETTINGS, intervalMs: 120_000 }, () => 0);
  pace.asked(TIMEOUT);
  expect(pace.inForce).toEqual({ intervalMs: 120_000, slowedDown: '' });
});

test('slow_down: false leaves every target at its interval', () => {
  const pace = new Pace({ ...SETTINGS, slowDown: false }, () => 0);
  pace.asked(TIMEOUT);
  expect(pace.inForce).toEqual({ intervalMs: 15_000, slowedDown: '' });
});

test('another configuration begins anew', () => {
  const pace = new Pace(SETTINGS, () => 0);
  pace.asked(TIMEOUT);
  pace.configure({ ...SETTINGS, intervalMs: 5000 });
  expect(pace.inForce).toEqual({ intervalMs: 5000, slowedDown: '' });
});

test.each([
  [0, 54_545],
  [0.5, 57_272],
  [0.999, 60_000],
])('with %f drawn the longest interval becomes %i ms, a minute at most', (drawn, delayMs) => {
  const pace = new Pace(SETTINGS, () => drawn);
  pace.asked(took(30_000));
  expect(pace.delayMs()).toBeGreaterThanOrEqual(delayMs - 10);
  expect(pace.delayMs()).toBeLessThanOrEqual(60_000);
});

test('what the event loop did besides counts as the own delay, before it is looked at too', () => {
  let now = 0;
  const delay = new OwnDelay(() => now);
  delay.start();
  now = 49;
  expect(delay.lateMs).toBe(0);
  now = 450;
  expect(delay.lateMs).toBe(400);
  delay.stop();
});
