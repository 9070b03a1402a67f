/** In which steps the past is kept, and which of them a question is answered from. */

import type { Interval } from '../model/spread.ts';
import { TIERS, type TierName } from './store.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export interface Tier {
  readonly name: TierName;
  /** 0 where it follows from the scrape interval. */
  readonly stepMs: number;
  /** Time that is gathered into one block. */
  readonly chunkMs: number;
  /** Longest time that a block may span: a reader looks that far back for its beginning. */
  readonly longestMs: number;
  /** Whether instances are told apart. */
  readonly instances: boolean;
}

/** Finest first. */
export const TIER_LIST: readonly Tier[] = [
  { name: 'raw', stepMs: 0, chunkMs: 10 * MINUTE_MS, longestMs: 3 * HOUR_MS, instances: true },
  { name: '1m', stepMs: MINUTE_MS, chunkMs: 10 * MINUTE_MS, longestMs: 3 * HOUR_MS, instances: true },
  { name: '10m', stepMs: 10 * MINUTE_MS, chunkMs: 2 * HOUR_MS, longestMs: 30 * HOUR_MS, instances: false },
  { name: '1h', stepMs: HOUR_MS, chunkMs: DAY_MS, longestMs: 3 * DAY_MS, instances: false },
];

export const RAW = 0;
export const MINUTE = 1;

/** Steps of the raw tier: divisors of a minute, so that minutes are whole numbers of slots. */
const SLOT_SECONDS = [60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1];

/** Length of a raw slot: the largest that is no longer than the scrape interval. */
export function slotMsOf(intervalMs: number): number {
  return (SLOT_SECONDS.find((seconds) => seconds * SECOND_MS <= intervalMs) ?? 1) * SECOND_MS;
}

/** Time that is gathered into one raw block: sixty slots, as far as that is a sensible time. */
export function sealedMsOf(slotMs: number): number {
  return Math.max(60 * slotMs, 5 * MINUTE_MS);
}

export function stepOf(tier: number, slotMs: number): number {
  return TIER_LIST[tier]?.stepMs || slotMs;
}

/** A part of a query's time, and the tier that it is answered from. */
export interface Segment extends Interval {
  readonly tier: number;
}

export interface Kept {
  readonly slotMs: number;
  /** By tier: what is older was forgotten. */
  readonly keptFrom: readonly number[];
}

export interface PlanOptions extends Interval, Kept {
  /** Absent: one cell. */
  readonly stepMs: number | undefined;
}

/**
 * Cuts a query's time into segments: each is answered from the coarsest tier that tells its cells apart, as long as
 * that saves reading; what a tier has forgotten comes from the next coarser one, cut evenly where its steps are
 * longer than the cells.
 */
export function planSegments(options: PlanOptions): Segment[] {
  const segments: Segment[] = [];
  const coarsest = TIER_LIST.length - 1;
  let to = options.to;
  for (let tier = RAW; tier <= coarsest && to > options.from; tier++) {
    const from = Math.max(options.from, firstOf(tier, options));
    if (from >= to) continue;
    segments.push(...withCoarser({ from, to }, tier, options));
    to = from;
  }
  return segments.sort((a, b) => a.from - b.from);
}

/**
 * From when on a tier is asked: whole steps of the tier that tells of the time before, which is a coarser one yet where
 * the next one reaches back no farther.
 */
function firstOf(tier: number, kept: Kept): number {
  let first = kept.keptFrom[tier] ?? 0;
  for (let before = tier + 1; before < TIER_LIST.length; before++) {
    const step = stepOf(before, kept.slotMs);
    first = Math.ceil((kept.keptFrom[tier] ?? 0) / step) * step;
    if (firstOf(before, kept) < first) return first;
  }
  const coarsest = stepOf(TIER_LIST.length - 1, kept.slotMs);
  return Math.ceil(first / coarsest) * coarsest;
}

/** The finest tier that tells of a time. */
export function finestTierAt(time: number, kept: Kept): number {
  const tier = TIER_LIST.findIndex((_, index) => firstOf(index, kept) <= time);
  return tier < 0 ? TIER_LIST.length - 1 : tier;
}

/** One tier's part, its inside handed to coarser tiers where they fit. */
function withCoarser({ from, to }: Interval, tier: number, options: PlanOptions): Segment[] {
  for (let coarser = TIER_LIST.length - 1; coarser > tier; coarser--) {
    const { stepMs, chunkMs } = TIER_LIST[coarser] ?? { stepMs: 1, chunkMs: 1 };
    if (options.stepMs !== undefined && (options.stepMs % stepMs !== 0 || options.from % stepMs !== 0)) continue;
    const kept = options.keptFrom[coarser] ?? 0;
    const first = Math.ceil(Math.max(from, kept) / stepMs) * stepMs;
    const last = Math.floor(to / stepMs) * stepMs;
    if (last - first < MIN_CHUNKS * chunkMs) continue;
    return [
      ...(first > from ? withCoarser({ from, to: first }, tier, options) : []),
      { from: first, to: last, tier: coarser },
      ...(to > last ? withCoarser({ from: last, to }, tier, options) : []),
    ];
  }
  return [{ from, to, tier }];
}

/** A coarser tier is worth its extra look-ups from this many of its chunks on. */
const MIN_CHUNKS = 2;

export function tierNames(segments: readonly Segment[]): TierName[] {
  return TIERS.filter((_, tier) => segments.some((segment) => segment.tier === tier));
}
