/** What Envoy's totals grew by between two answers of one target (contract, section 7). */

import type { StatsReading } from '../envoy/stats.ts';
import { COUNTER_INDEX, COUNTERS, type FlowIncrement, GAUGES } from '../model/flow.ts';
import { BinSum, NO_BINS, type SparseBins } from '../model/histogram.ts';
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
  const { sums: counters, explainedErrors } = countedUp(plan, current, before);
  const gauges = plan.flows.map(() => new Float64Array(GAUGES.length));
  for (const { slot, flow, field, sign = 1 } of plan.gauges)
    add(gauges[flow], field, sign * (current.values[slot] ?? 0));
  for (const values of gauges) for (let i = 0; i < values.length; i++) values[i] = Math.max(0, values[i] ?? 0);
  const bins = flowBins(plan, current, before);
  const flows = plan.flows.map((flow, index) => ({
    flow,
    counters: counters[index] ?? new Float64Array(COUNTERS.length),
    gauges: gauges[index] ?? new Float64Array(GAUGES.length),
    bins: bins[index] ?? NO_BINS,
  }));
  return { flows, explainedErrors };
}

interface CountedUp {
  /** By flow. */
  readonly sums: Float64Array[];
  readonly explainedErrors: Float64Array;
}

/** What the counters grew by. */
function countedUp(plan: Plan, current: StatsReading, before: Aligned | undefined): CountedUp {
  const sums = plan.flows.map(() => new Float64Array(COUNTERS.length));
  const restarted = restartedOwners(plan, current, before);
  const grpcFailed = new Float64Array(plan.owners.length);
  const serverErrors = new Float64Array(plan.owners.length);
  const otherErrors = new Float64Array(plan.owners.length);
  const grownBy = (slot: number, owner: number): number => {
    const now = current.values[slot] ?? 0;
    const then = restarted.has(owner) ? 0 : (before?.values[slot] ?? 0);
    return now >= then ? now - then : now;
  };
  for (const { slot, flow, field, owner } of plan.counters) {
    const grown = grownBy(slot, owner);
    if (field === COUNTER_INDEX.grpc_failed) add(grpcFailed, owner, grown);
    else add(sums[flow], field, grown);
    if (field === COUNTER_INDEX['5xx']) add(serverErrors, owner, grown);
    if (field === COUNTER_INDEX.retries) add(otherErrors, owner, grown);
  }
  for (const { slot, owner } of plan.uncountedErrors) add(otherErrors, owner, grownBy(slot, owner));
  plan.owners.forEach((flow, owner) => {
    add(sums[flow], COUNTER_INDEX.grpc_failed, grpcOnlyFailures(grpcFailed[owner] ?? 0, serverErrors[owner] ?? 0));
  });
  for (const counters of sums) {
    leaveOutExplainedCuts(counters);
    counters[COUNTER_INDEX.timed_out] = timedOut(counters);
  }
  return { sums, explainedErrors: serverErrors.map((errors, owner) => errors + (otherErrors[owner] ?? 0)) };
}

/** Clusters and connection managers whose counters began anew since `before`. */
function restartedOwners(plan: Plan, current: StatsReading, before: Aligned | undefined): Set<number> {
  const restarted = new Set<number>();
  for (const { slot, owner } of plan.resetMarks)
    if ((current.values[slot] ?? 0) < (before?.values[slot] ?? 0)) restarted.add(owner);
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
  const sums: (BinSum | undefined)[] = [];
  for (const { slot, flow } of plan.histograms) {
    const grown = histogramIncrement(current, slot, before?.histogram(slot));
    if (grown.keys.length === 0) continue;
    const known = result[flow];
    if (!known) result[flow] = grown;
    else {
      const sum = sums[flow] ?? new BinSum();
      if (!sums[flow]) sum.addBins(known);
      sum.addBins(grown);
      sums[flow] = sum;
    }
  }
  sums.forEach((sum, flow) => {
    if (sum) result[flow] = sum.toSparse();
  });
  return result;
}

interface HistogramSlot {
  readonly reading: StatsReading;
  readonly slot: number;
}

function histogramIncrement(current: StatsReading, slot: number, before: HistogramSlot | undefined): SparseBins {
  const start = current.binStarts[slot] ?? 0;
  const end = current.binStarts[slot + 1] ?? 0;
  const keys: number[] = [];
  const counts: number[] = [];
  let at = before ? (before.reading.binStarts[before.slot] ?? 0) : 0;
  const atEnd = before ? (before.reading.binStarts[before.slot + 1] ?? 0) : 0;
  for (let i = start; i < end; i++) {
    const key = current.binKeys[i] ?? 0;
    let count = current.binCounts[i] ?? 0;
    if (before && at < atEnd) {
      const beforeKey = before.reading.binKeys[at] ?? 0;
      if (beforeKey < key) return histogramIncrement(current, slot, undefined);
      if (beforeKey === key) count -= before.reading.binCounts[at++] ?? 0;
    }
    if (count < 0) return histogramIncrement(current, slot, undefined);
    if (count === 0) continue;
    keys.push(key);
    counts.push(count);
  }
  if (at < atEnd) return histogramIncrement(current, slot, undefined);
  return { keys, counts };
}

interface Aligned {
  readonly values: ArrayLike<number>;
  histogram(slot: number): HistogramSlot | undefined;
}

/** `previous` by the slots of `current`. */
function alignTo(current: StatsReading, previous: StatsReading): Aligned {
  if (previous.layout === current.layout)
    return { values: previous.values, histogram: (slot) => ({ reading: previous, slot }) };
  const scalarSlots = slotByName(previous.layout.scalars);
  const histogramSlots = slotByName(previous.layout.histograms);
  return {
    values: current.layout.scalars.map((name) => previous.values[scalarSlots.get(name) ?? -1] ?? 0),
    histogram(slot) {
      const before = histogramSlots.get(current.layout.histograms[slot] ?? '');
      return before === undefined ? undefined : { reading: previous, slot: before };
    },
  };
}

function slotByName(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, slot) => [name, slot]));
}
