/** What Envoy's totals grew by between two answers of one target (contract, section 7). */

import type { StatsReading } from '../envoy/stats.ts';
import { COUNTER_INDEX, COUNTERS, type FlowIncrement, GAUGES } from '../model/flow.ts';
import { BinSum, NO_BINS, type SparseBins } from '../model/histogram.ts';
import type { Plan } from './plan.ts';

/**
 * Increments of every flow of `plan` from `previous` to `current`. Without `previous` everything counts from
 * zero. A counter that became smaller counts from zero; a histogram is checked for itself, because Envoy
 * restarts histograms when a cluster is updated while counters live on. A stat that `previous` did not list
 * counts from zero too: Envoy lists a stat from its first use.
 */
export function increments(plan: Plan, current: StatsReading, previous: StatsReading | undefined): FlowIncrement[] {
  const before = previous && alignTo(current, previous);
  const sums = plan.flows.map(() => ({
    counters: new Float64Array(COUNTERS.length),
    gauges: new Float64Array(GAUGES.length),
  }));
  for (const { slot, flow, field } of plan.counters) {
    const now = current.values[slot] ?? 0;
    const then = before ? (before.values[slot] ?? 0) : 0;
    const counters = sums[flow]?.counters;
    if (counters) counters[field] = (counters[field] ?? 0) + (now >= then ? now - then : now);
  }
  for (const { slot, flow, field } of plan.gauges) {
    const gauges = sums[flow]?.gauges;
    if (gauges) gauges[field] = (gauges[field] ?? 0) + (current.values[slot] ?? 0);
  }
  const bins = flowBins(plan, current, before);
  return plan.flows.map((flow, index) => {
    const { counters, gauges } = sums[index] ?? {
      counters: new Float64Array(COUNTERS.length),
      gauges: new Float64Array(GAUGES.length),
    };
    if (flow.source === 'upstream') leaveOutServerErrors(counters);
    return { flow, counters, gauges, bins: bins[index] ?? NO_BINS };
  });
}

/**
 * A cluster counts a gRPC call that Envoy itself had to fail (timeout, no host, overflow) twice: as 5xx and as
 * a gRPC failure. A connection manager shows the same call as 200, so only the cluster's figures need this.
 */
function leaveOutServerErrors(counters: Float64Array): void {
  const grpcFailed = counters[COUNTER_INDEX.grpc_failed] ?? 0;
  counters[COUNTER_INDEX.grpc_failed] = Math.max(0, grpcFailed - (counters[COUNTER_INDEX['5xx']] ?? 0));
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
