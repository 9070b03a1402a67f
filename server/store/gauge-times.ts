import { COUNTERS, type FlowIncrement, GAUGES } from '../model/flow.ts';
import { NO_BINS } from '../model/histogram.ts';
import type { ScrapeFindings, ScrapeRecord } from '../model/scrape-record.ts';
import { type Interval, spreadCount } from '../model/spread.ts';
import { partsIn, unionOf } from './coverage.ts';
import { binsIn } from './memory-rows.ts';

/** Runs of scrapes without a gap that are remembered of a target; a clock is not put back farther than these reach. */
const RUNS = 16;
const NO_COUNTS = new Float64Array(COUNTERS.length);
const NO_GAUGES = new Float64Array(GAUGES.length);
const NO_VALUES = new Uint8Array();

/** A part of the time of a scrape, and whether its gauges stand in it. */
interface Part extends Interval {
  readonly isNew: boolean;
}

/**
 * Sees to it that a target's gauges stand once at each moment: where a clock was put back, the same moments come again.
 * Counts of both times add up; gauges that were told of a moment stay, and those that are told of it again are left out.
 */
export class GaugeTimes {
  /** Of each target the runs of scrapes that told gauges: sorted, apart. */
  private readonly told = new Map<string, Interval[]>();

  /** The scrape as it is, or in parts of its time where its gauges stand in some of it only. */
  once(record: ScrapeRecord): readonly ScrapeRecord[] {
    const { findings, target } = record;
    if (!findings || findings.observation.to <= findings.observation.from) return [record];
    const { from, to } = findings.observation;
    const runs = this.told.get(target) ?? [];
    const last = runs.at(-1);
    if (!last || from >= last.to) {
      this.told.set(
        target,
        last?.to === from ? [...runs.slice(0, -1), { from: last.from, to }] : [...runs, { from, to }].slice(-RUNS),
      );
      return [record];
    }
    this.told.set(target, unionOf([...runs, { from, to }]).slice(-RUNS));
    if (!findings.observation.flows.some(hasGauges)) return [record];
    return partsOf({ from, to }, partsIn(runs, { from, to })).map((part) => partOf(record, findings, part));
  }

  forget(target: string): void {
    this.told.delete(target);
  }

  forgetAll(): void {
    this.told.clear();
  }
}

function hasGauges({ gauges }: FlowIncrement): boolean {
  return gauges.some((value) => value !== 0);
}

function partsOf({ from, to }: Interval, known: readonly Interval[]): Part[] {
  const parts: Part[] = [];
  let at = from;
  for (const run of known) {
    if (run.from > at) parts.push({ from: at, to: run.from, isNew: true });
    parts.push({ ...run, isNew: false });
    at = run.to;
  }
  if (at < to) parts.push({ from: at, to, isNew: true });
  return parts;
}

/** The last part has the totals, and what was held back since an earlier time. */
function partOf(record: ScrapeRecord, findings: ScrapeFindings, part: Part): ScrapeRecord {
  const { observation } = findings;
  const isLast = part.to === observation.to;
  const flows = observation.flows.map((increment): FlowIncrement => {
    const { flow, counters, bins } = increment;
    const gauges = part.isNew ? increment.gauges : NO_GAUGES;
    const isHeld = increment.from !== undefined && increment.from < observation.from;
    if (isHeld) return isLast ? { ...increment, gauges } : { flow, counters: NO_COUNTS, gauges, bins: NO_BINS };
    return {
      flow,
      counters: counters.map((count) => spreadCount(count, observation, part.from, part.to)),
      gauges,
      bins: binsIn({ bins, interval: observation }, part),
    };
  });
  const totals = isLast ? findings.totals : { shape: findings.totals.shape, values: NO_VALUES, isGrowth: true };
  return {
    ...record,
    findings: { ...findings, totals, observation: { ...observation, from: part.from, to: part.to, flows } },
  };
}
