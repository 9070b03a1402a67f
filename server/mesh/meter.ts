import type { StatsReading } from '../envoy/stats.ts';
import { type FlowIncrement, GAUGES } from '../model/flow.ts';
import type { FlowTotal, StoredTarget, StoredTotals } from '../model/scrape-record.ts';
import type { Interval } from '../model/spread.ts';
import { increments } from './increments.ts';
import { KeptReading } from './kept-reading.ts';
import { flowText, type Plan } from './plan.ts';
import {
  addToTotal,
  type CountedFlow,
  decodeTotals,
  encodeValues,
  newFlowTotal,
  shapeOf,
  type Totals,
} from './totals.ts';

/** When an answer came, and what is known of time around it; all in Unix milliseconds. */
export interface Moment {
  readonly at: number;
  /** When the Envoy started, up to 1 s late; null where it doesn't tell. */
  readonly startedAt: number | null;
  /** When the collector, in this life or the one before, last scraped a round; null when it never did. */
  readonly previousRound: number | null;
}

/** Where a meter goes on from. */
export type MeterStart = Pick<StoredTarget, 'totals' | 'lastScrape' | 'startedAt'>;

/** What an answer grew by over `[from, to)`. */
export interface Metered extends Interval {
  readonly flows: readonly FlowIncrement[];
}

/** Two starts told by whole seconds are different ones only if they are further apart than this. */
const START_TOLERANCE_MS = 1500;

const AT_REST = new Float64Array(GAUGES.length);

/** Shapes of totals of nothing but a plan's own flows: the same for all targets that share the plan. */
const shapes = new WeakMap<Plan, string>();

/** Totals of all flows ever seen, those of a plan first and in its order. */
interface PlanTotals {
  readonly totals: readonly CountedFlow[];
  readonly shape: string;
}

/** Counts what the answers to one request grew by, from one to the next, and keeps the totals. */
export class Meter {
  private readonly flows = new Map<string, CountedFlow>();
  /** Good for as long as there is no new flow. */
  private ofPlans = new WeakMap<Plan, PlanTotals>();
  private previous: KeptReading | undefined;
  private lastScrape: number | null = null;
  private started: number | null = null;

  constructor(start: MeterStart | undefined) {
    const totals = start && decodeTotals(start.totals);
    if (!start || !totals) return;
    this.goOnFrom(totals.reading, start);
    for (const total of totals.flows) this.flows.set(flowText(total.flow), total);
  }

  /** When the Envoy started, as last told. */
  get startedAt(): number | null {
    return this.started;
  }

  /** Everything counted so far, by the plan that was counted last. */
  flowTotals(plan: Plan): readonly FlowTotal[] {
    return this.ofPlans.get(plan)?.totals ?? [];
  }

  /** Takes a copy of a reading for the one before the next, without counting it. */
  goOnFrom(reading: StatsReading, { lastScrape, startedAt }: Omit<MeterStart, 'totals'>): void {
    if (this.previous) this.previous.copy(reading);
    else this.previous = new KeptReading(reading);
    this.lastScrape = lastScrape;
    this.started = startedAt;
  }

  count(plan: Plan, reading: StatsReading, moment: Moment): Metered {
    const since = this.countedSince(moment);
    const flows = increments(plan, reading, since ? (since.fresh ? undefined : this.previous) : reading);
    const { totals } = this.totalsOf(plan, reading);
    totals.forEach((total, index) => {
      const increment = flows[index];
      if (increment) addToTotal(total, increment);
      else total.gauges = AT_REST;
    });
    this.goOnFrom(reading, { lastScrape: moment.at, startedAt: moment.startedAt ?? this.started });
    return { from: since?.from ?? moment.at, to: moment.at, flows };
  }

  /** What is to be stored after `reading` was counted by `plan`. */
  stored(plan: Plan, reading: StatsReading): StoredTotals {
    const { totals, shape } = this.totalsOf(plan, reading);
    return { shape, values: encodeValues({ reading, flows: totals }) };
  }

  private totalsOf(plan: Plan, reading: StatsReading): PlanTotals {
    const known = this.ofPlans.get(plan);
    if (known) return known;
    const gone = new Map(this.flows);
    const own = plan.flows.map((flow) => this.totalOf(flow, gone));
    const totals = [...own, ...gone.values()];
    const ofPlan = { totals, shape: shapeUnder(plan, { reading, flows: totals }) };
    this.ofPlans.set(plan, ofPlan);
    return ofPlan;
  }

  private totalOf(flow: FlowTotal['flow'], gone: Map<string, CountedFlow>): CountedFlow {
    const key = flowText(flow);
    gone.delete(key);
    const known = this.flows.get(key);
    if (known) return known;
    const created = newFlowTotal(flow);
    this.flows.set(key, created);
    this.ofPlans = new WeakMap();
    return created;
  }

  /**
   * The time that this answer's increments cover, and whether they count from zero; undefined when the answer
   * is only a baseline (contract, 7.1 and 7.2).
   */
  private countedSince({
    at,
    startedAt,
    previousRound,
  }: Moment): (Pick<Interval, 'from'> & { fresh: boolean }) | undefined {
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
    if (this.started !== null && Math.abs(startedAt - this.started) <= START_TOLERANCE_MS) return false;
    return this.lastScrape !== null && startedAt > this.lastScrape;
  }
}

function shapeUnder(plan: Plan, totals: Totals): string {
  const isShared = totals.flows.length === plan.flows.length;
  const known = isShared ? shapes.get(plan) : undefined;
  if (known !== undefined) return known;
  const shape = shapeOf(totals);
  if (isShared) shapes.set(plan, shape);
  return shape;
}
