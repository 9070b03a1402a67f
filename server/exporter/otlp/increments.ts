/** What totals grew by since a receiver accepted them last. */

import { COUNTERS } from '../../model/flow.ts';
import type { FlowTotal } from '../../model/flow-totals.ts';
import { NO_BINS, type SparseBins } from '../../model/histogram.ts';

/** What is kept of a flow's total. */
export type CountedFlow = Pick<FlowTotal, 'flow' | 'counters' | 'bins'>;

/** The total less what was accepted of it; undefined where it fell, as totals do that are counted anew. */
export function incrementOf(total: FlowTotal, accepted: CountedFlow | undefined): FlowTotal | undefined {
  if (!accepted) return total;
  const counters = new Float64Array(COUNTERS.length);
  for (let i = 0; i < counters.length; i++) {
    counters[i] = (total.counters[i] ?? 0) - (accepted.counters[i] ?? 0);
    if ((counters[i] ?? 0) < 0) return undefined;
  }
  const bins = binsLess(total.bins, accepted.bins);
  return bins && { flow: total.flow, gauges: total.gauges, counters, bins };
}

/** Undefined where one fell. */
function binsLess(bins: SparseBins, accepted: SparseBins): SparseBins | undefined {
  if (accepted.keys.length === 0) return bins;
  const before = new Map(accepted.keys.map((key, i) => [key, accepted.counts[i] ?? 0]));
  const keys: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < bins.keys.length; i++) {
    const key = bins.keys[i] ?? 0;
    const grown = (bins.counts[i] ?? 0) - (before.get(key) ?? 0);
    before.delete(key);
    if (grown < 0) return undefined;
    if (grown === 0) continue;
    keys.push(key);
    counts.push(grown);
  }
  const isFallen = [...before.values()].some((count) => count > 0);
  return isFallen ? undefined : keys.length === 0 ? NO_BINS : { keys, counts };
}
