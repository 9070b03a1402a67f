/** Scrapes of one target, one after the other, as one: for what has to wait. */

import { type FlowIncrement, flowText, type Identity, isCount, type Observation } from './flow.ts';
import { mergeBins } from './histogram.ts';
import type { ScrapeRecord } from './scrape-record.ts';

/**
 * Makes scrapes fewer by adding up every two neighbours of a target: nothing is lost but when exactly it happened.
 * Scrapes with a gap between them, of different identities, or of more than can be counted together, stay apart.
 * `records` are in the order they came in.
 */
export function mergeNeighbours(records: readonly ScrapeRecord[]): ScrapeRecord[] {
  const open = new Map<string, number>();
  const merged: ScrapeRecord[] = [];
  for (const record of records) {
    const index = open.get(record.target);
    const both = index === undefined ? undefined : mergeTwo(merged[index], record);
    if (index !== undefined && both) {
      merged[index] = both;
      open.delete(record.target);
      continue;
    }
    open.set(record.target, merged.length);
    merged.push(record);
  }
  return merged;
}

/** Undefined where two scrapes can not be told as one. */
function mergeTwo(older: ScrapeRecord | undefined, newer: ScrapeRecord): ScrapeRecord | undefined {
  if (!older?.findings || !newer.findings) return undefined;
  const [before, after] = [older.findings.observation, newer.findings.observation];
  const isNext = after.from <= before.to && after.from >= before.from && after.to >= before.to;
  const isMeasured = before.to > before.from && after.to > after.from;
  if (!isNext || !isMeasured || !isSame(before.identity, after.identity)) return undefined;
  const observation = addUp(before, after);
  if (!observation.flows.every(isCountable)) return undefined;
  return { ...newer, findings: { ...newer.findings, observation } };
}

/** Whether its counts can be stored: one that can't would keep the scrapes of all other targets from being stored, too. */
function isCountable({ counters, bins }: FlowIncrement): boolean {
  return counters.every(isCount) && bins.counts.every(isCount);
}

function isSame(a: Identity, b: Identity): boolean {
  return (Object.keys(a) as (keyof Identity)[]).every((name) => a[name] === b[name]);
}

function addUp(before: Observation, after: Observation): Observation {
  const flows = new Map(before.flows.map((flow) => [flowText(flow.flow), flow]));
  for (const flow of after.flows) {
    const key = flowText(flow.flow);
    const known = flows.get(key);
    flows.set(key, known ? addFlows(known, flow) : flow);
  }
  return { identity: after.identity, from: before.from, to: after.to, flows: [...flows.values()] };
}

function addFlows(before: FlowIncrement, after: FlowIncrement): FlowIncrement {
  const counters = before.counters.map((count, index) => count + (after.counters[index] ?? 0));
  return { flow: after.flow, counters, gauges: after.gauges, bins: mergeBins([before.bins, after.bins]) };
}
