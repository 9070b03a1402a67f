import { describe, expect, test } from 'vitest';
import {
  CHART_POINTS,
  chooseStep,
  keptStepMs,
  offeredWindows,
  TREND_POINTS,
  WINDOW_CHOICES,
  windowMs,
} from '../../../web/state/window.ts';

const HOUR = 3_600_000;

describe('chooseStep', () => {
  test.each([
    ['5m', 1000, CHART_POINTS, '5s'],
    ['5m', 5000, CHART_POINTS, '5s'],
    ['5m', 15_000, CHART_POINTS, '15s'],
    ['15m', 1000, CHART_POINTS, '10s'],
    ['1h', 15_000, CHART_POINTS, '30s'],
    ['2h', 15_000, CHART_POINTS, '1m'],
    ['6h', 15_000, CHART_POINTS, '5m'],
    ['1d', 15_000, CHART_POINTS, '15m'],
    ['7d', 15_000, CHART_POINTS, '2h'],
    ['5m', 60_000, CHART_POINTS, '1m'],
    ['5m', 7000, CHART_POINTS, '10s'],
    ['1h', 5000, TREND_POINTS, '1m'],
  ])('%s scraped every %d ms, %d points at most: %s', (window, scrapeIntervalMs, mostPoints, step) => {
    expect(chooseStep({ windowMs: windowMs(window), scrapeIntervalMs, mostPoints }).step).toBe(step);
  });

  test.each(WINDOW_CHOICES)('$window has 60 to 240 points, or as many as were scraped', ({ ms }) => {
    const points = ms / chooseStep({ windowMs: ms, scrapeIntervalMs: 1000, mostPoints: CHART_POINTS }).ms;
    expect(points).toBeGreaterThanOrEqual(60);
    expect(points).toBeLessThanOrEqual(240);
  });
});

describe('keptStepMs', () => {
  const tiers = [
    { stepMs: 15_000, keptMs: 2 * HOUR },
    { stepMs: 60_000, keptMs: 48 * HOUR },
    { stepMs: 600_000, keptMs: 720 * HOUR },
  ];
  test.each([
    [0, 15_000],
    [2 * HOUR, 15_000],
    [2 * HOUR + 1, 60_000],
    [168 * HOUR, 600_000],
    [9999 * HOUR, 600_000],
  ])('%d ms ago is kept in steps of %d ms', (ageMs, stepMs) => expect(keptStepMs(tiers, ageMs)).toBe(stepMs));

  test('nothing is said before the tiers are known', () => expect(keptStepMs([], HOUR)).toBe(0));
});

describe('offeredWindows', () => {
  test.each([
    [null, '5m', ['5m', '15m', '1h', '2h']],
    [0.1 * HOUR, '5m', ['5m', '15m', '1h', '2h']],
    [5 * HOUR, '5m', ['5m', '15m', '1h', '2h', '6h']],
    [30 * HOUR, '5m', ['5m', '15m', '1h', '2h', '6h', '1d', '7d']],
    [0, '7d', ['5m', '15m', '1h', '2h', '7d']],
    [0, '10m', ['5m', '10m', '15m', '1h', '2h']],
  ])('%s ms of history, looking at %s', (history, current, expected) => {
    expect(offeredWindows(history, current).map(({ window }) => window)).toEqual(expected);
  });
});
