import type { ServerInfo } from '../envoy/server-info.ts';
import type { Precision, StatsReading } from '../envoy/stats.ts';
import { GAUGES, type Identity, type Observation } from '../model/flow.ts';
import type { FlowTotal, ScrapeFindings, StoredTarget, StoredTotals } from '../model/scrape-record.ts';
import type { Interval } from '../model/spread.ts';
import { type IdentitySources, identify, type NamedIdentity } from './identity.ts';
import { increments } from './increments.ts';
import type { NamingRules } from './naming-rules.ts';
import { compilePlan, flowText, type Plan } from './plan.ts';
import { addToTotal, decodeTotals, encodeValues, newFlowTotal, shapeOf } from './totals.ts';

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
}

/** Two starts told by whole seconds are different ones only if they are further apart than this. */
const START_TOLERANCE_MS = 1500;

/** Turns the answers of one target, one after the other, into observations: names to flows, totals to increments. */
export class TargetMesh {
  private readonly options: TargetMeshOptions;
  private readonly flowTotals = new Map<string, FlowTotal>();
  private previous: StatsReading | undefined;
  private lastScrape: number | null = null;
  private startedAt: number | null = null;
  private plan: Plan | undefined;
  private planFor: { reading: StatsReading['layout']; identity: string; managers: string } | undefined;
  private shape: { layout: StatsReading['layout']; flows: number; text: string } | undefined;

  constructor(options: TargetMeshOptions) {
    this.options = options;
    const totals = options.stored && decodeTotals(options.stored.totals);
    if (!options.stored || !totals) return;
    this.previous = totals.reading;
    this.lastScrape = options.stored.lastScrape;
    this.startedAt = options.stored.startedAt;
    for (const total of totals.flows) this.flowTotals.set(flowText(total.flow), total);
  }

  /** @throws Error with a reason for the user when the target has more stats than `seriesLimit`. */
  observe(scraped: Scraped): ScrapeFindings {
    const named = identify({ ...this.options, info: scraped.info });
    const plan = this.planOf(scraped, named);
    const samples = plan.counters.length + plan.gauges.length + plan.histograms.length;
    if (samples > this.options.seriesLimit) {
      throw new Error(
        `${samples} stats to use, more than scrape.series_limit (${this.options.seriesLimit}): raise it, or let Envoy show less (stats_matcher)`,
      );
    }
    const startedAt = scraped.info ? scraped.infoAt - scraped.info.uptimeSeconds * 1000 : null;
    const since = this.countedSince(scraped, startedAt);
    const flows = since
      ? increments(plan, scraped.reading, since.fresh ? undefined : this.previous)
      : baseline(plan, scraped.reading);
    for (const total of this.flowTotals.values()) total.gauges = new Float64Array(GAUGES.length);
    for (const increment of flows) addToTotal(this.totalOf(increment.flow), increment);
    this.previous = scraped.reading;
    this.lastScrape = scraped.at;
    this.startedAt = startedAt ?? this.startedAt;
    const { labelledRole: _, namedRole: __, ...names } = named;
    const identity: Identity = { ...names, role: plan.role };
    const observation: Observation = { identity, from: since?.from ?? scraped.at, to: scraped.at, flows };
    return {
      observation,
      totals: this.storedTotals(scraped.reading),
      flowTotals: [...this.flowTotals.values()],
      startedAt: this.startedAt,
      inbound: plan.inbound,
      samples,
      envoyVersion: scraped.info?.version ?? '',
      precision: scraped.precision,
      certificateExpiry: earliest(plan.certificateExpiry.map((slot) => scraped.reading.values[slot] ?? 0)),
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

  private planOf({ reading, managers }: Scraped, named: NamedIdentity): Plan {
    const key = { reading: reading.layout, identity: JSON.stringify(named), managers: [...managers].join('\n') };
    const known = this.planFor;
    if (
      this.plan &&
      known?.reading === key.reading &&
      known.identity === key.identity &&
      known.managers === key.managers
    )
      return this.plan;
    this.planFor = key;
    this.plan = compilePlan({ ...named, layout: reading.layout, managers, rules: this.options.rules });
    return this.plan;
  }

  private totalOf(flow: FlowTotal['flow']): FlowTotal {
    const key = flowText(flow);
    const known = this.flowTotals.get(key);
    if (known) return known;
    const created = newFlowTotal(flow);
    this.flowTotals.set(key, created);
    return created;
  }

  private storedTotals(reading: StatsReading): StoredTotals {
    const totals = { reading, flows: [...this.flowTotals.values()] };
    if (this.shape?.layout !== reading.layout || this.shape.flows !== totals.flows.length) {
      this.shape = { layout: reading.layout, flows: totals.flows.length, text: shapeOf(totals) };
    }
    return { shape: this.shape.text, values: encodeValues(totals) };
  }
}

/** Flows without increments, with their gauges. */
function baseline(plan: Plan, reading: StatsReading): Observation['flows'] {
  return increments(plan, reading, reading);
}

function earliest(times: readonly number[]): number | null {
  const known = times.filter((time) => time > 0);
  return known.length > 0 ? Math.min(...known) : null;
}
