/**
 * What the totals of a target grew by from one scrape to the next, as `model/growth.ts` reads it: a small part of what all
 * of them take. Bins
 * and counters are written as the store's records have them, so that both packed together take little more than one.
 */

import type { StatsReading } from '../envoy/stats.ts';
import type { FlowIncrement } from '../model/flow.ts';
import { codedOf, END, MOST } from '../model/growth.ts';
import { VarintWriter } from '../model/varint.ts';

/** Used again for every target. */
const WRITER = new VarintWriter(4096);

export interface Growing {
  readonly before: StatsReading;
  readonly reading: StatsReading;
  /** What was counted from `before` to `reading`. */
  readonly flows: readonly FlowIncrement[];
  /** Where each of them is among the totals. */
  readonly places: readonly number[];
}

/**
 * Undefined where growth does not tell all: other stats, a histogram that began anew, another flow. Valid until the
 * next call.
 */
export function growthOf({ before, reading, flows, places }: Growing): Uint8Array | undefined {
  if (before.layout !== reading.layout || before.unread !== reading.unread) return undefined;
  WRITER.clear();
  return writeValues(before, reading) && writeHistograms(before, reading) && writeFlows(flows, places)
    ? WRITER.view()
    : undefined;
}

function writeValues({ values: before }: StatsReading, { layout, values }: StatsReading): boolean {
  let last = -1;
  for (let slot = 0; slot < layout.scalars.length; slot++) {
    const grown = (values[slot] ?? 0) - (before[slot] ?? 0);
    if (grown === 0) continue;
    if (!(Math.abs(grown) < MOST)) return false;
    WRITER.write(slot - last);
    WRITER.write(codedOf(grown));
    last = slot;
  }
  WRITER.write(END);
  return true;
}

/** What {@link growthOf} told last, and what hosts' counts have grown by besides; undefined where that can't be told. */
export function withHosts(before: Float64Array, now: Float64Array): Uint8Array | undefined {
  let last = -1;
  for (let i = 0; i < now.length; i++) {
    const grown = (now[i] ?? 0) - (before[i] ?? 0);
    if (grown === 0) continue;
    if (!(Math.abs(grown) < MOST)) return undefined;
    WRITER.write(i - last);
    WRITER.write(codedOf(grown));
    last = i;
  }
  WRITER.write(END);
  return WRITER.view();
}

/** Keys and counts in turn; grows to the largest and is used again. */
const PAIRS: number[] = [];

function writeHistograms(before: StatsReading, reading: StatsReading): boolean {
  let last = -1;
  for (let slot = 0; slot < reading.layout.histograms.length; slot++) {
    const used = grownBins(before, reading, slot);
    if (used < 0) return false;
    if (used === 0) continue;
    WRITER.write(slot - last);
    writePairs(used);
    last = slot;
  }
  WRITER.write(END);
  return true;
}

/** How many of {@link PAIRS} were filled; -1 where a bin has less than before. */
function grownBins(before: StatsReading, reading: StatsReading, slot: number): number {
  const { binKeys, binCounts } = reading;
  const end = reading.binStarts[slot + 1] ?? 0;
  let at = before.binStarts[slot] ?? 0;
  const atEnd = before.binStarts[slot + 1] ?? 0;
  let used = 0;
  for (let i = reading.binStarts[slot] ?? 0; i < end; i++) {
    const key = binKeys[i] ?? 0;
    let count = binCounts[i] ?? 0;
    if (at < atEnd && (before.binKeys[at] ?? 0) < key) return -1;
    if (at < atEnd && before.binKeys[at] === key) count -= before.binCounts[at++] ?? 0;
    if (count < 0) return -1;
    if (count === 0) continue;
    PAIRS[used++] = key;
    PAIRS[used++] = count;
  }
  return at < atEnd ? -1 : used;
}

function writePairs(used: number): void {
  WRITER.write(used / 2);
  let previous = 0;
  for (let i = 0; i < used; i += 2) {
    const key = PAIRS[i] ?? 0;
    WRITER.write(key - previous);
    WRITER.write(PAIRS[i + 1] ?? 0);
    previous = key;
  }
}

function writeFlows(flows: readonly FlowIncrement[], places: readonly number[]): boolean {
  for (const [index, { counters, bins }] of flows.entries()) {
    let used = 0;
    for (let i = 0; i < counters.length; i++) {
      const count = counters[i] ?? 0;
      if (count === 0) continue;
      if (!Number.isSafeInteger(count) || count < 0) return false;
      PAIRS[used++] = i;
      PAIRS[used++] = count;
    }
    if (used === 0 && bins.keys.length === 0) continue;
    WRITER.write((places[index] ?? 0) + 1);
    WRITER.write(used / 2);
    for (let i = 0; i < used; i++) WRITER.write(PAIRS[i] ?? 0);
    for (let i = 0; i < bins.keys.length; i++) {
      PAIRS[2 * i] = bins.keys[i] ?? 0;
      PAIRS[2 * i + 1] = bins.counts[i] ?? 0;
    }
    writePairs(2 * bins.keys.length);
  }
  WRITER.write(END);
  return true;
}
