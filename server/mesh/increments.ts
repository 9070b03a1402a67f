/** What Envoy's totals grew by between two answers of one target (contract, section 7). */

import type { StatsLayout, StatsReading } from '../envoy/stats.ts';
import { BinTotal } from '../model/bin-total.ts';
import { COUNTER_INDEX, COUNTERS, type FlowIncrement, GAUGES } from '../model/flow.ts';
import { NO_BINS, type SparseBins } from '../model/histogram.ts';
import type { Plan } from './plan.ts';

/**
 * Increments of every flow of `plan` from `previous` to `current`. Without `previous` everything counts from
 * zero. A counter that became smaller counts from zero, and with it all of its cluster or connection manager
 * ({@link Plan.resetMarks}); a histogram is checked for itself, because Envoy restarts histograms when a cluster is
 * updated while counters live on. A stat that `previous` did not list
 * counts from zero too: Envoy lists a stat from its first use.
 */
export function increments(plan: Plan, current: StatsReading, previous: StatsReading | undefined): FlowIncrement[] {
  return countedIncrements(plan, current, previous).flows;
}

const LONGEST_SHOWN = 120;

/** The answer holds a number that can't be one; the message says which. */
export class CountError extends Error {
  override name = 'CountError';
}

/** Of flows without any gauge. */
const AT_REST = new Float64Array(GAUGES.length);

export interface CountedIncrements {
  readonly flows: FlowIncrement[];
  /** 5xx and retries by owner: what else than failed gRPC calls its hosts count as errors. */
  readonly explainedErrors: Float64Array;
}

/** {@link increments}, with what they tell of hosts' errors. */
export function countedIncrements(
  plan: Plan,
  current: StatsReading,
  previous: StatsReading | undefined,
): CountedIncrements {
  const before = previous && alignTo(current, previous);
  const counters = partsOf(new Float64Array(plan.flows.length * COUNTERS.length), COUNTERS.length);
  const gauges =
    plan.gauges.length > 0 ? partsOf(new Float64Array(plan.flows.length * GAUGES.length), GAUGES.length) : [];
  const explainedErrors = countUp({ plan, current, before, sums: counters });
  for (const { slot, flow, field, sign = 1 } of plan.gauges)
    add(gauges[flow], field, sign * levelOf(current.values[slot] ?? 0));
  for (const values of gauges) for (let i = 0; i < values.length; i++) values[i] = Math.max(0, values[i] ?? 0);
  const bins = flowBins(plan, current, before);
  const flows = plan.flows.map((flow, index) => ({
    flow,
    counters: counters[index] ?? new Float64Array(COUNTERS.length),
    gauges: gauges[index] ?? AT_REST,
    bins: bins[index] ?? NO_BINS,
  }));
  return { flows, explainedErrors };
}

/** An array cut into parts that share its memory: one allocation in place of one per flow. */
function partsOf(all: Float64Array, length: number): Float64Array[] {
  const parts: Float64Array[] = [];
  for (let start = 0; start < all.length; start += length)
    parts.push(new Float64Array(all.buffer, start * Float64Array.BYTES_PER_ELEMENT, length));
  return parts;
}

interface Counting {
  readonly plan: Plan;
  readonly current: StatsReading;
  readonly before: Aligned | undefined;
  /** One array per flow, to which is added. */
  readonly sums: readonly Float64Array[];
}

/** Adds what the counters grew by; returns 5xx and retries by owner. */
function countUp({ plan, current, before, sums }: Counting): Float64Array {
  const restarted = before && restartedOwners(plan, current, before);
  const grpcFailed = new Float64Array(plan.owners.length);
  const serverErrors = new Float64Array(plan.owners.length);
  const otherErrors = new Float64Array(plan.owners.length);
  const grownBy = (slot: number, owner: number): number => {
    const now = countOf(current.layout.scalars, slot, current.values[slot] ?? 0);
    const then = before && restarted?.[owner] !== 1 ? valueBefore(before, slot) : 0;
    return now >= then ? now - then : now;
  };
  for (const { slot, flow, field, owner } of plan.counters) {
    const grown = grownBy(slot, owner);
    if (grown === 0) continue;
    if (field === COUNTER_INDEX.grpc_failed) add(grpcFailed, owner, grown);
    else add(sums[flow], field, grown);
    if (field === COUNTER_INDEX['5xx']) add(serverErrors, owner, grown);
    if (field === COUNTER_INDEX.retries) add(otherErrors, owner, grown);
  }
  for (const { slot, owner } of plan.uncountedErrors) add(otherErrors, owner, grownBy(slot, owner));
  for (let owner = 0; owner < plan.owners.length; owner++) {
    const failures = grpcOnlyFailures(grpcFailed[owner] ?? 0, serverErrors[owner] ?? 0);
    add(sums[plan.owners[owner] ?? 0], COUNTER_INDEX.grpc_failed, failures);
  }
  for (const { slots, flow, field, owner } of plan.sameEvents)
    add(sums[flow], field, -Math.min(grownBy(slots[0], owner), grownBy(slots[1], owner)));
  for (const counters of sums) {
    leaveOutExplainedCuts(counters);
    counters[COUNTER_INDEX.timed_out] = timedOut(counters);
  }
  for (let owner = 0; owner < otherErrors.length; owner++) add(otherErrors, owner, serverErrors[owner] ?? 0);
  return otherErrors;
}

/** @throws CountError for what the readers cut to 2^53: no process has counted so far. */
function countOf(names: readonly string[], slot: number, value: number): number {
  if (value < Number.MAX_SAFE_INTEGER) return value;
  throw new CountError(`${(names[slot] ?? '').slice(0, LONGEST_SHOWN)} stands at 2^53 or more, which is no count`);
}

/** A gauge that Envoy decreased once too often has wrapped around from 0. */
function levelOf(value: number): number {
  return value < Number.MAX_SAFE_INTEGER ? value : 0;
}

/** 1 for each cluster and connection manager whose counters began anew since `before`; undefined when none did. */
function restartedOwners(plan: Plan, current: StatsReading, before: Aligned): Uint8Array | undefined {
  let restarted: Uint8Array | undefined;
  for (const { slot, owner } of plan.resetMarks) {
    if ((current.values[slot] ?? 0) >= valueBefore(before, slot)) continue;
    restarted ??= new Uint8Array(plan.owners.length);
    restarted[owner] = 1;
  }
  return restarted;
}

/**
 * A cluster counts a gRPC call that Envoy itself had to fail (timeout, no host, overflow) twice: as 5xx and as
 * a gRPC failure. A connection manager shows the same call as 200 and has no 5xx of its own for it.
 */
function grpcOnlyFailures(grpcFailed: number, serverErrors: number): number {
  return Math.max(0, grpcFailed - serverErrors);
}

/**
 * A try that timed out was retried, or ended its request: Envoy tells tries and retries, not which request ended so.
 * Retries for other reasons make the figure smaller than the truth, never larger.
 */
function timedOut(counters: Float64Array): number {
  const lastTries = (counters[COUNTER_INDEX.try_timeout] ?? 0) - (counters[COUNTER_INDEX.retries] ?? 0);
  return (counters[COUNTER_INDEX.timeout] ?? 0) + Math.max(0, lastTries);
}

/**
 * A connection manager counts an answer that broke off midway, whatever the reason; where the reason is known in the
 * same flow (its local cluster was reset or timed out), the event is that and not a second one.
 */
function leaveOutExplainedCuts(counters: Float64Array): void {
  let explained = 0;
  for (const reason of CUTTING_REASONS) explained += counters[COUNTER_INDEX[reason]] ?? 0;
  counters[COUNTER_INDEX.cut_off] = Math.max(0, (counters[COUNTER_INDEX.cut_off] ?? 0) - explained);
}

const CUTTING_REASONS = ['reset', 'timeout', 'idle_timeout', 'max_duration'] as const;

function add(sums: Float64Array | undefined, index: number, value: number): void {
  if (sums) sums[index] = (sums[index] ?? 0) + value;
}

function flowBins(plan: Plan, current: StatsReading, before: Aligned | undefined): (SparseBins | undefined)[] {
  const result: (SparseBins | undefined)[] = [];
  for (const { slot, flow } of plan.histograms) {
    const grown = histogramIncrement(current, slot, before && slotBefore(before, slot));
    if (grown.keys.length === 0) continue;
    const known = result[flow];
    if (known instanceof BinTotal) known.add(grown);
    else result[flow] = known ? sumOf(known, grown) : grown;
  }
  return result;
}

function sumOf(a: SparseBins, b: SparseBins): BinTotal {
  const sum = new BinTotal();
  sum.add(a);
  sum.add(b);
  return sum;
}

interface HistogramSlot {
  readonly reading: StatsReading;
  readonly slot: number;
}

/** Of one histogram while it is being worked out; grows to the largest and is used again. */
const KEYS: number[] = [];
const COUNTS: number[] = [];

function histogramIncrement(current: StatsReading, slot: number, before: HistogramSlot | undefined): SparseBins {
  if (before?.reading.unread?.[before.slot] === 1) return NO_BINS;
  const { binKeys, binCounts } = current;
  const end = current.binStarts[slot + 1] ?? 0;
  const keysBefore = before?.reading.binKeys ?? binKeys;
  const countsBefore = before?.reading.binCounts ?? binCounts;
  let at = before ? (before.reading.binStarts[before.slot] ?? 0) : 0;
  const atEnd = before ? (before.reading.binStarts[before.slot + 1] ?? 0) : 0;
  let used = 0;
  for (let i = current.binStarts[slot] ?? 0; i < end; i++) {
    const key = binKeys[i] ?? 0;
    let count = countOf(current.layout.histograms, slot, binCounts[i] ?? 0);
    if (at < atEnd) {
      const keyBefore = keysBefore[at] ?? 0;
      if (keyBefore < key) return histogramIncrement(current, slot, undefined);
      if (keyBefore === key) count -= countsBefore[at++] ?? 0;
    }
    if (count < 0) return histogramIncrement(current, slot, undefined);
    if (count === 0) continue;
    KEYS[used] = key;
    COUNTS[used++] = count;
  }
  if (at < atEnd) return histogramIncrement(current, slot, undefined);
  return used === 0 ? NO_BINS : { keys: KEYS.slice(0, used), counts: COUNTS.slice(0, used) };
}

/** A reading before, by the slots of another layout where the names differ; -1 for what it did not list. */
interface Aligned {
  readonly reading: StatsReading;
  readonly scalars?: Int32Array;
  readonly histograms?: Int32Array;
}

function valueBefore({ reading, scalars }: Aligned, slot: number): number {
  return reading.values[scalars ? (scalars[slot] ?? -1) : slot] ?? 0;
}

function slotBefore({ reading, histograms }: Aligned, slot: number): HistogramSlot | undefined {
  const before = histograms ? (histograms[slot] ?? -1) : slot;
  return before < 0 ? undefined : { reading, slot: before };
}

/** `previous` by the slots of `current`. */
function alignTo(current: StatsReading, previous: StatsReading): Aligned {
  if (previous.layout === current.layout) return { reading: previous };
  return { reading: previous, ...slotsBetween(current.layout, previous.layout) };
}

type Slots = Required<Pick<Aligned, 'scalars' | 'histograms'>>;

/** Slots of the second layout by those of the first: answers with everything by zone, and those without, take turns. */
const slotsKnown = new WeakMap<StatsLayout, WeakMap<StatsLayout, Slots>>();

function slotsBetween(layout: StatsLayout, before: StatsLayout): Slots {
  const known = slotsKnown.get(layout)?.get(before);
  if (known) return known;
  const slots = {
    scalars: slotsBefore(layout.scalars, before.scalars),
    histograms: slotsBefore(layout.histograms, before.histograms),
  };
  const ofLayout = slotsKnown.get(layout) ?? new WeakMap<StatsLayout, Slots>();
  slotsKnown.set(layout, ofLayout.set(before, slots));
  return slots;
}

function slotsBefore(names: readonly string[], before: readonly string[]): Int32Array {
  const slots = new Map(before.map((name, slot) => [name, slot]));
  return Int32Array.from(names, (name) => slots.get(name) ?? -1);
}
