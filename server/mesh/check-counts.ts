import { COUNTERS, type FlowIncrement, GAUGES, isCount } from '../model/flow.ts';
import { CountError } from './increments.ts';

const LONGEST_SHOWN = 120;

/**
 * Each stat was checked for itself, but several add up to one count: one that can't be stored would keep the scrapes of
 * all other targets from being stored, too.
 * @throws CountError
 */
export function checkCounts(flows: readonly FlowIncrement[]): void {
  for (const { flow, counters, gauges, bins } of flows) {
    for (let i = 0; i < counters.length; i++) if (!isCount(counters[i])) throw noCount(flow, COUNTERS[i]);
    for (let i = 0; i < gauges.length; i++) if (!isCount(gauges[i])) throw noCount(flow, GAUGES[i]);
    for (let i = 0; i < bins.counts.length; i++) if (!isCount(bins.counts[i])) throw noCount(flow, 'latency samples');
  }
}

function noCount({ direction, peer }: FlowIncrement['flow'], what = ''): CountError {
  const name = peer === '' ? direction : `${direction} to ${peer.slice(0, LONGEST_SHOWN)}`;
  return new CountError(`${what}, ${name}: the stats of one scrape add up to 2^53 or more, which is no count`);
}
