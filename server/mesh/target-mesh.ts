import type { ServerInfo } from '../envoy/server-info.ts';
import type { Precision, StatsReading } from '../envoy/stats.ts';
import { GAUGES, type Identity, type Observation } from '../model/flow.ts';
import type { ScrapeFindings, StoredTarget } from '../model/scrape-record.ts';
import type { Interval } from '../model/spread.ts';
import { type IdentitySources, identify } from './identity.ts';
import { increments } from './increments.ts';
import { KeptReading } from './kept-reading.ts';
import type { NamingRules } from './naming-rules.ts';
import { flowText, type Plan } from './plan.ts';
import { PlanCache } from './plan-cache.ts';
import { addToTotal, type CountedFlow, decodeTotals, encodeValues, newFlowTotal } from './totals.ts';

/** What one good scrape brought. */
export interface Scraped {
  readonly reading: StatsReading;
  readonly precision: Precision;
  /** When it was answered, Unix milliseconds. */
  readonly at: number;
  /** Undefined where Envoy refuses /server_info. */
  readonly info: ServerInfo | undefined;
  /** When `info` was answered, Unix milliseconds. */
  readonly infoAt: number;
  /** All connection managers, idle ones included, as far as Envoy told them. */
  readonly managers: ReadonlySet<string>;
  /** When the collector, in this life or the one before, last scraped a round; null when it never did. */
  readonly previousRound: number | null;
}

export interface TargetMeshOptions extends Omit<IdentitySources, 'info'> {
  readonly rules: NamingRules;
  /** Most stats that may be used of one target. */
  readonly seriesLimit: number;
  /** What an earlier life of the collector stored of this target. */
  readonly stored: StoredTarget | undefined;
  /** Plans under these rules, where targets share them. */
  readonly plans?: PlanCache;
}

/** What follows from the names of a target and of its stats, for as long as those stay. */
interface Outline {
  readonly layout: StatsReading['layout'];
  readonly info: ServerInfo | undefined;
  readonly managers: ReadonlySet<string>;
  readonly plan: Plan;
  readonly identity: Identity;
  /** Totals of all flows ever seen, those of the plan first and in its order. */
  readonly totals: readonly CountedFlow[];
  readonly shape: string;
}

/** Two starts told by whole seconds are different ones only if they are further apart than this. */
const START_TOLERANCE_MS = 1500;

/** Turns the answers of one target, one after the other, into observations: names to flows, totals to increments. */
export class TargetMesh {
  private readonly options: TargetMeshOptions;
  private readonly plans: PlanCache;
  private readonly flowTotals = new Map<string, CountedFlow>();
  private previous: KeptReading | undefined;
  private lastScrape: number | null = null;
  private startedAt: number | null = null;
  private outline: Outline | undefined;

  constructor(options: TargetMeshOptions) {
    this.options = options;
    this.plans = options.plans ?? new PlanCache(options.rules);
    const totals = options.stored && decodeTotals(options.stored.totals);
    if (!options.stored || !totals) return;
    this.previous = new KeptReading(totals.reading);
    this.lastScrape = options.stored.lastScrape;
    this.startedAt = options.stored.startedAt;
    for (const total of totals.flows) this.flowTotals.set(flowText(total.flow), total);
  }

  /** @throws Error with a reason for the user when the target has more stats than `seriesLimit`. */
  observe(scraped: Scraped): ScrapeFindings {
    const { reading, info } = scraped;
    if (reading.holds?.() === false) throw new Error('the answer was overwritten by another before it was counted');
    const { plan, identity, totals, shape } = this.outlineOf(scraped);
    const startedAt = info ? scraped.infoAt - info.uptimeSeconds * 1000 : null;
    const since = this.countedSince(scraped, startedAt);
    const flows = since
      ? increments(plan, reading, since.fresh ? undefined : this.previous)
      : increments(plan, reading, reading);
    flows.forEach((increment, index) => {
      const total = totals[index];
      if (total) addToTotal(total, increment);
    });
    if (this.previous) this.previous.copy(reading);
    else this.previous = new KeptReading(reading);
    this.lastScrape = scraped.at;
    this.startedAt = startedAt ?? this.startedAt;
    const observation: Observation = { identity, from: since?.from ?? scraped.at, to: scraped.at, flows };
    return {
      observation,
      totals: { shape, values: encodeValues({ reading, flows: totals }) },
      flowTotals: totals,
      startedAt: this.startedAt,
      inbound: plan.inbound,
      samples: samplesOf(plan),
      envoyVersion: info?.version ?? '',
      precision: scraped.precision,
      certificateExpiry: earliest(plan.certificateExpiry, reading.values),
    };
  }

  /**
   * The time that this scrape's increments cover, and whether they count from zero; undefined when the scrape
   * is only a baseline (contract, 7.1 and 7.2).
   */
  private countedSince(
    { at, previousRound }: Scraped,
    startedAt: number | null,
  ): (Pick<Interval, 'from'> & { fresh: boolean }) | undefined {
    const earliestStart = startedAt === null ? null : startedAt - 1000;
    if (this.lastScrape === null) {
      if (startedAt === null || earliestStart === null || previousRound === null || startedAt <= previousRound)
        return undefined;
      return { from: Math.min(at - 1, Math.max(previousRound, earliestStart)), fresh: true };
    }
    if (startedAt !== null && earliestStart !== null && this.isRestart(startedAt)) {
      return { from: Math.min(at - 1, Math.max(this.lastScrape, earliestStart)), fresh: true };
    }
    return { from: Math.min(at - 1, this.lastScrape), fresh: false };
  }

  private isRestart(startedAt: number): boolean {
    if (this.startedAt !== null && Math.abs(startedAt - this.startedAt) <= START_TOLERANCE_MS) return false;
    return this.lastScrape !== null && startedAt > this.lastScrape;
  }

  /** @throws Error with a reason for the user when the target has more stats than `seriesLimit`; all stays as it was. */
  private outlineOf({ reading, info, managers }: Scraped): Outline {
    const { layout } = reading;
    const known = this.outline;
    if (known?.layout === layout && known.info === info && known.managers === managers) return known;
    const { labelledRole, namedRole, ...names } = identify({ ...this.options, info });
    const plan = this.plans.planOf({ layout, managers, service: names.service, labelledRole, namedRole });
    checkSamples(samplesOf(plan), this.options.seriesLimit);
    const totals = this.totalsFor(plan);
    const identity: Identity = { ...names, role: plan.role };
    const outline = {
      layout,
      info,
      managers,
      plan,
      identity,
      totals,
      shape: this.plans.shapeOf(plan, { reading, flows: totals }),
    };
    this.outline = outline;
    return outline;
  }

  /** The totals of a plan's flows, then those of flows that are gone, whose gauges are 0. */
  private totalsFor({ flows }: Plan): CountedFlow[] {
    const gone = new Map(this.flowTotals);
    const totals = flows.map((flow) => {
      const key = flowText(flow);
      gone.delete(key);
      const total = this.flowTotals.get(key) ?? newFlowTotal(flow);
      this.flowTotals.set(key, total);
      return total;
    });
    for (const total of gone.values()) total.gauges = new Float64Array(GAUGES.length);
    return [...totals, ...gone.values()];
  }
}

function samplesOf({ counters, gauges, histograms }: Plan): number {
  return counters.length + gauges.length + histograms.length;
}

function checkSamples(samples: number, limit: number): void {
  if (samples <= limit) return;
  throw new Error(
    `${samples} stats to use, more than scrape.series_limit (${limit}): raise it, or let Envoy show less (stats_matcher)`,
  );
}

/** The smallest of the times in these slots; null when there is none. */
function earliest(slots: readonly number[], values: Float64Array): number | null {
  let first: number | null = null;
  for (const slot of slots) {
    const time = values[slot] ?? 0;
    if (time > 0 && (first === null || time < first)) first = time;
  }
  return first;
}
