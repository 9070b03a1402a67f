import { COUNTERS, type FlowIncrement, GAUGES } from '../model/flow.ts';
import { NO_BINS } from '../model/histogram.ts';
import type { ScrapeFindings, ScrapeRecord } from '../model/scrape-record.ts';
import { PackedObservation } from './packed-observation.ts';

const NO_COUNTS = new Float64Array(COUNTERS.length);
const NO_VALUES = new Uint8Array();
const NO_GAUGES = new Float64Array(GAUGES.length);

/**
 * Scrapes whose increments all cover the scrape's own time: an increment that was held back since an earlier time
 * ({@link FlowIncrement.from}) becomes part of a scrape of that time, which ends a millisecond before the one it came with.
 */
export function withoutHeld(round: readonly ScrapeRecord[]): readonly ScrapeRecord[] {
  return round.some(({ findings }) => findings && startsOf(findings).length > 0) ? round.flatMap(split) : round;
}

/** When increments began that were held back, apart from those of the scrape's own time. */
export function startsOf({ observation }: ScrapeFindings): number[] {
  const starts: number[] = [];
  if (observation instanceof PackedObservation) return starts;
  const { flows, from } = observation;
  for (const flow of flows)
    if (flow.from !== undefined && flow.from < from && !starts.includes(flow.from)) starts.push(flow.from);
  return starts;
}

/** The scrape itself comes last, so that what it tells of its target stays. */
function split(record: ScrapeRecord): ScrapeRecord[] {
  const { findings } = record;
  const starts = findings ? startsOf(findings) : [];
  if (!findings || starts.length === 0) return [record];
  const { observation } = findings;
  const totals = { shape: findings.totals.shape, values: NO_VALUES, isGrowth: true };
  const held = starts.map((from, index): ScrapeRecord => {
    const flows = observation.flows.map((flow) => (flow.from === from ? { ...flow, gauges: NO_GAUGES } : atRest(flow)));
    return {
      ...record,
      findings: { ...findings, observation: { ...observation, from, to: observation.to - 1 - index, flows }, totals },
    };
  });
  const flows = observation.flows.map((flow) => {
    return flow.from !== undefined && starts.includes(flow.from) ? { ...atRest(flow), gauges: flow.gauges } : flow;
  });
  return [...held, { ...record, findings: { ...findings, observation: { ...observation, flows } } }];
}

function atRest({ flow }: FlowIncrement): FlowIncrement {
  return { flow, counters: NO_COUNTS, gauges: NO_GAUGES, bins: NO_BINS };
}
