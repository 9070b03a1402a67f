/**
 * Burn rates of an error budget over several windows, as in the Site Reliability Workbook, chapter 5
 * (https://sre.google/workbook/alerting-on-slos/): fast burning pages soon, slow burning later, and the short window
 * ends the alert soon after the burning ended.
 */

import { failureCount, requestCount } from '../model/flow.ts';
import { binBounds, isBucket, sampleCount } from '../model/histogram.ts';
import { lengthOf } from '../store/coverage.ts';
import type { Cell } from '../store/store.ts';
import type { Evaluation } from './state.ts';

/** A pair of windows, and how many times faster than allowed the budget must burn in both. */
export interface BurnWindows {
  readonly longMs: number;
  readonly shortMs: number;
  readonly factor: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const BURN_WINDOWS: readonly BurnWindows[] = [
  { longMs: HOUR, shortMs: 5 * MINUTE, factor: 14.4 },
  { longMs: 6 * HOUR, shortMs: 30 * MINUTE, factor: 6 },
  { longMs: 3 * DAY, shortMs: 6 * HOUR, factor: 1 },
];

/** Which requests are good: those that did not fail, or those that took less than a bound in milliseconds. */
export type GoodRequests = 'success' | { readonly belowMs: number };

export interface Objective {
  /** Share of good requests, above 0 and below 1. */
  readonly share: number;
  readonly good: GoodRequests;
}

/** Requests of a cell, how many of them were not good, and over what time that was measured. */
export interface Budgeted {
  readonly requests: number;
  readonly bad: number;
  readonly measuredMs: number;
}

/** Null where the cell can't tell: buckets that hold the bound have no exact count. */
export function budgeted(cell: Cell | null, good: GoodRequests): Budgeted | null {
  if (!cell) return null;
  const measuredMs = lengthOf(cell.measured);
  if (good === 'success') {
    const requests = requestCount(cell.counters);
    return { requests, bad: Math.min(requests, failureCount(cell.counters)), measuredMs };
  }
  let below = 0;
  for (const [index, key] of cell.bins.keys.entries()) {
    const [lower, upper] = binBounds(key);
    if (upper <= good.belowMs) below += cell.bins.counts[index] ?? 0;
    else if (lower < good.belowMs && isBucket(key)) return null;
  }
  const requests = sampleCount(cell.bins) + cell.timeoutsWithoutSample;
  return { requests, bad: requests - below, measuredMs };
}

/** How many times faster than the objective allows requests are bad; null without requests. */
export function burnRate({ requests, bad }: Pick<Budgeted, 'requests' | 'bad'>, { share }: Objective): number | null {
  return requests > 0 ? bad / requests / (1 - share) : null;
}

/** Share of the budget that is left; below 0 when more is spent than there was. Null without requests. */
export function budgetLeft(period: Budgeted | null, objective: Objective): number | null {
  const burnt = period ? burnRate(period, objective) : null;
  return burnt === null ? null : 1 - burnt;
}

/**
 * Judges the pairs of {@link BURN_WINDOWS}: `value` is the burn rate of the long window of the pair that is worst in
 * proportion to its factor. Pairs with fewer than `minRequests` in the long window have no say. Nor have those of
 * which no more is known yet than the short window: in the first minutes of a service a single failure is a large part of
 * what there is of three days.
 */
export function judgeBurn(
  pairs: readonly { readonly windows: BurnWindows; readonly long: Budgeted | null; readonly short: Budgeted | null }[],
  objective: Objective,
  minRequests: number,
): Evaluation {
  let worst: { value: number; threshold: number; requests: number; excess: number } | undefined;
  let most = -1;
  for (const { windows, long, short } of pairs) {
    if (!long) continue;
    most = Math.max(most, long.requests);
    const isEnough = long.requests >= Math.max(1, minRequests) && long.measuredMs >= windows.shortMs;
    const value = isEnough ? burnRate(long, objective) : null;
    if (value === null) continue;
    const recent = short ? burnRate(short, objective) : null;
    const excess = Math.min(value, recent ?? 0) / windows.factor;
    if (!worst || excess > worst.excess) worst = { value, threshold: windows.factor, requests: long.requests, excess };
  }
  if (worst) {
    const isMet = worst.excess > 1;
    return { data: 'ok', ...worst, isMet, isCleared: !isMet };
  }
  return most < 0 ? { data: 'no_data' } : { data: 'too_little_data', requests: most };
}
