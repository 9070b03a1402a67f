/** Sums of groups over one time, kept in little memory: times that follow one another are added, and taken off again. */

import type { Interval } from '../model/spread.ts';
import { partsIn, unionOf } from './coverage.ts';
import { type PackedList, packNumbers } from './packed.ts';
import type { SeriesLabels } from './store.ts';

/** Sums of one group. */
export interface KeptGroup {
  readonly labels: SeriesLabels;
  /** When it was measured, sorted and apart. */
  readonly runs: readonly Interval[];
  /** Pairs of a counter and its count, counters ascending. */
  readonly counters: Float64Array;
  readonly timeouts: number;
  /** By the histogram that they are from: pairs of a key and its count, keys ascending. */
  readonly bins: readonly PackedList[];
}

/** By the group's key. */
export type KeptSums = ReadonlyMap<string, KeptGroup>;

/** Sums of two times that follow one another. */
export function joinedSums(before: KeptSums, after: KeptSums): KeptSums {
  const sums = new Map(before);
  for (const [key, group] of after) {
    const known = sums.get(key);
    const both = known && combined(known, group, 1);
    sums.set(key, both ? { ...both, runs: unionOf([...known.runs, ...group.runs]) } : group);
  }
  return sums;
}

/**
 * Sums of what is left of a time when its beginning is taken off, from then on; groups that were not measured in the rest
 * are left out. Undefined where the part holds what the whole does not: one of them is not what it is taken for.
 */
export function remainingSums(whole: KeptSums, part: KeptSums, rest: Interval): KeptSums | undefined {
  const sums = new Map<string, KeptGroup>();
  for (const [key, group] of whole) {
    const gone = part.get(key);
    const left = gone ? combined(group, gone, -1) : group;
    if (left === undefined) return undefined;
    const runs = partsIn(left.runs, rest);
    if (runs.length > 0) sums.set(key, { ...left, runs });
    else if (left.counters.length > 0) return undefined;
  }
  for (const key of part.keys()) if (!whole.has(key)) return undefined;
  return sums;
}

/** Undefined where anything would be less than 0. */
function combined(a: KeptGroup, b: KeptGroup, sign: 1 | -1): KeptGroup | undefined {
  const counts = pairsOf(a.counters, b.counters, sign);
  const counters = counts?.values.slice(0, counts.length);
  const timeouts = a.timeouts + sign * b.timeouts;
  if (!counters || timeouts < 0) return undefined;
  const bins: PackedList[] = [];
  for (const [index, own] of a.bins.entries()) {
    const pairs = pairsOf(own, b.bins[index] ?? NOTHING, sign);
    if (!pairs) return undefined;
    bins.push(packNumbers(pairs));
  }
  return { ...a, counters, timeouts, bins };
}

const NOTHING = new Uint16Array();

/** Used again and again. */
let scratch = new Float64Array(1024);

/** `a` and `sign` times `b`, valid until the next call; what is 0 left out. Undefined where anything would be less than 0. */
function pairsOf(a: PackedList, b: PackedList, sign: 1 | -1) {
  if (scratch.length < a.length + b.length) scratch = new Float64Array(2 * (a.length + b.length));
  const values = scratch;
  let [length, largest] = [0, 0];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const ofA = a[i] ?? Number.POSITIVE_INFINITY;
    const ofB = b[j] ?? Number.POSITIVE_INFINITY;
    const key = Math.min(ofA, ofB);
    let count = 0;
    if (ofA === key) {
      count += a[i + 1] ?? 0;
      i += 2;
    }
    if (ofB === key) {
      count += sign * (b[j + 1] ?? 0);
      j += 2;
    }
    if (count < 0) return undefined;
    if (count === 0) continue;
    values[length++] = key;
    values[length++] = count;
    largest = Math.max(largest, key, count);
  }
  return { values, length, largest };
}

/** Bytes that they take, about. */
export function sizeOfSums(sums: KeptSums): number {
  let bytes = 0;
  for (const { counters, bins } of sums.values()) {
    bytes += 600 + counters.byteLength;
    for (const list of bins) bytes += list.byteLength;
  }
  return bytes;
}
