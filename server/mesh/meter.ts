import type { StatsReading } from '../envoy/stats.ts';
import { type FlowIncrement, flowText } from '../model/flow.ts';
import { FlowTotals } from '../model/flow-totals.ts';
import type { StoredTarget, StoredTotals } from '../model/scrape-record.ts';
import type { Interval } from '../model/spread.ts';
import { checkCounts } from './check-counts.ts';
import { type CountedIncrements, countedIncrements } from './increments.ts';
import { KeptReading } from './kept-reading.ts';
import type { Plan } from './plan.ts';
import { decodeTotals, EncodedTotals, packedValues, shapeOf, type Totals } from './totals.ts';
import { type Growing, growthOf, withHosts } from './totals-growth.ts';

/** When an answer came, and what is known of time around it; all in Unix milliseconds. */
export interface Moment {
  readonly at: number;
  /** When the Envoy started, up to 1 s late; null where it doesn't tell. */
  readonly startedAt: number | null;
  /** When the collector, in this life or the one before, last scraped a round; null when it never did. */
  readonly previousRound: number | null;
  /**
   * Totals may be told as growth since others that were told under the same number; another number whenever those may
   * not have been kept. Absent: they are always told as a whole.
   */
  readonly keptSince?: number | undefined;
}

/** Where a meter goes on from. */
export type MeterStart = Pick<StoredTarget, 'totals' | 'lastScrape' | 'startedAt'> & {
  /** Number of the totals that were told last, where that was in this life of the collector. */
  readonly sequence?: number;
  /** Since when its flows count, where that is known. */
  readonly flowsSince?: number | null;
};

/** What an answer grew by over `[from, to)`. */
export interface Metered extends Interval {
  readonly flows: readonly FlowIncrement[];
}

/** The time that increments are over, and whether they count from zero. */
export interface CountedTime extends Interval {
  readonly fresh: boolean;
}

/** Gives increments to those that they are of; see `HostMesh`. */
export type Share = (counted: CountedIncrements, time: CountedTime) => readonly FlowIncrement[];

/** What else is stored with the totals; `shape` is another text when its names may have changed. */
export type StoredBesides = Pick<Totals, 'held' | 'hosts'> & { readonly shape: string };

const NOTHING_BESIDES: StoredBesides = { held: [], hosts: undefined, shape: '' };

/** Two starts told by whole seconds are different ones only if they are further apart than this. */
const START_TOLERANCE_MS = 1500;

/** Growth is told so often, about, and for so long, before totals are told as a whole again. */
const GROWTHS = 48;
const GROWTHS_SPREAD = 24;
const GROWING_MS = 600_000;
/** Meters that begin together do not tell all their totals as a whole together. */
let metersMade = 0;

/** The totals that were told last. */
interface Told {
  readonly sequence: number;
  readonly text: string;
  readonly besides: StoredBesides;
  /** Of the last whole ones. */
  readonly whole: Pick<Moment, 'at' | 'startedAt' | 'keptSince'> & { readonly sequence: number };
}

/** What was added to the totals, and where. */
type Added = Pick<Growing, 'flows' | 'places'>;

interface KnownShape {
  readonly flows: FlowTotals['keys'];
  readonly besides: string;
  readonly text: string;
}

/** Shapes of totals of nothing but a plan's own flows: the same for all targets that share the plan. */
const shapes = new WeakMap<Plan, string>();

/** Newest other shapes of totals under a plan: targets with the same hosts share the text. */
const otherShapes = new WeakMap<Plan, Set<string>>();
const OTHER_SHAPES_KEPT = 3;

/** Of all meters that keep none: nothing is ever added to it. */
const NO_FLOWS = new FlowTotals();

/** Counts what the answers to one request grew by, from one to the next, and keeps the totals. */
export class Meter {
  private flows: FlowTotals;
  /** See {@link flowsSince}; undefined until something is counted. */
  private began: number | null | undefined;
  private readonly keepsFlows: boolean;
  private shape: (KnownShape & { readonly plan: Plan }) | undefined;
  private previous: KeptReading | undefined;
  private lastScrape: number | null = null;
  /** How long a time the scrape before was over; 0 where that is not known. */
  private lengthMs = 0;
  private started: number | null = null;
  private told: Told | undefined;
  private sequence = 0;
  private readonly growths = GROWTHS + (metersMade++ % GROWTHS_SPREAD);
  /** What the answer that was counted last grew by since the totals that were told last; undefined where that is unknown. */
  private growth: Uint8Array | undefined;
  private counted: Moment | undefined;
  private restored: Totals | undefined;

  /** `keepsFlows`: whether somebody wants to know everything counted so far. */
  constructor(start: MeterStart | undefined, { keepsFlows }: { readonly keepsFlows: boolean }) {
    this.keepsFlows = keepsFlows;
    this.flows = keepsFlows ? new FlowTotals() : NO_FLOWS;
    const totals = start && decodeTotals(start.totals);
    this.restored = totals;
    if (!start || !totals) return;
    this.sequence = start.sequence ?? 0;
    this.goOnFrom(totals.reading, start);
    if (!keepsFlows) return;
    this.flows = totals.flows;
    this.began = start.flowsSince ?? null;
  }

  /** What it went on from, for the first who asks: all of its names would be in memory for good. */
  takeRestored(): Totals | undefined {
    const { restored } = this;
    this.restored = undefined;
    return restored;
  }

  /** All that another meter needs to go on from here, in little memory; undefined before there is anything to go on from. */
  packed(): MeterStart | undefined {
    const { previous: reading, lastScrape, started: startedAt, sequence, shape: known } = this;
    if (!reading || lastScrape === null) return undefined;
    const totals = { reading, flows: this.flows, ...NOTHING_BESIDES };
    const shape = known ? shapeUnder(known.plan, totals) : shapeOf(totals);
    const { flowsSince } = this;
    return { lastScrape, startedAt, sequence, flowsSince, totals: { shape, values: packedValues(totals) } };
  }

  /** When the Envoy started, as last told. */
  get startedAt(): number | null {
    return this.started;
  }

  /** Everything counted so far. */
  get flowTotals(): FlowTotals {
    return this.flows;
  }

  /** Since when they count, Unix milliseconds; null where that was before this life of the collector. */
  get flowsSince(): number | null {
    return this.began ?? null;
  }

  /** Takes a copy of a reading for the one before the next, without counting it. */
  goOnFrom(reading: StatsReading, { lastScrape, startedAt }: Pick<MeterStart, 'lastScrape' | 'startedAt'>): void {
    this.told = undefined;
    this.shape = undefined;
    this.keep(reading, { lastScrape, startedAt });
  }

  private keep(reading: StatsReading, { lastScrape, startedAt }: Pick<MeterStart, 'lastScrape' | 'startedAt'>): void {
    if (this.previous) this.previous.copy(reading);
    else this.previous = new KeptReading(reading);
    this.lastScrape = lastScrape;
    this.started = startedAt;
  }

  /** How many flows there would be once answers with this plan were counted. */
  flowsWith({ flows }: Plan): number {
    return new Set([...this.flows.keys, ...flows].map(flowText)).size;
  }

  /** What comes next is of another process, of which nothing has been counted. `isSame`: its flows go by the same names. */
  beginAnew({ isSame }: { readonly isSame: boolean }): void {
    if (!isSame) {
      if (this.keepsFlows) this.flows = new FlowTotals();
      this.began = undefined;
    }
    this.previous = undefined;
    this.started = null;
    this.told = undefined;
  }

  count(plan: Plan, reading: StatsReading, moment: Moment, share: Share = ({ flows }) => flows): Metered {
    const since = this.countedSince(moment);
    const counted = countedIncrements(plan, reading, since ? (since.fresh ? undefined : this.previous) : reading);
    const { from = moment.at, fresh = false } = since ?? {};
    const flows = share(counted, { from, to: moment.at, fresh });
    checkCounts(flows);
    const added = this.add(this.keepsFlows ? flows : []);
    const interval = { from, to: moment.at };
    if (this.began === undefined) this.began = from;
    this.lengthMs = moment.at - from;
    this.growth = this.growthTo(reading, { ...interval, ...added }, moment);
    this.counted = moment;
    this.keep(reading, { lastScrape: moment.at, startedAt: moment.startedAt ?? this.started });
    return { ...interval, flows };
  }

  private add(flows: readonly FlowIncrement[]): Added {
    const places = this.flows.placesOf(flows);
    this.flows.rest();
    this.flows.add(places, flows);
    return { flows, places };
  }

  /** To be called while `previous` is still what it was. */
  private growthTo(
    reading: StatsReading,
    { from, to, ...added }: Interval & Added,
    moment: Moment,
  ): Uint8Array | undefined {
    const { told, previous } = this;
    // What is not told after this was counted is missing from what is told next.
    this.told = undefined;
    if (!told || !previous || to <= from || !this.mayGrow(told, moment)) return undefined;
    const growth = growthOf({ before: previous, reading, ...added });
    if (growth) this.told = told;
    return growth;
  }

  private mayGrow({ sequence, whole }: Told, { at, startedAt, keptSince }: Moment): boolean {
    return (
      keptSince !== undefined &&
      keptSince === whole.keptSince &&
      (startedAt ?? this.started) === whole.startedAt &&
      sequence - whole.sequence < this.growths &&
      at >= whole.at &&
      at - whole.at < GROWING_MS
    );
  }

  /** What is to be stored after `reading` was counted by `plan`. */
  stored(plan: Plan, reading: StatsReading, besides: StoredBesides = NOTHING_BESIDES): StoredTotals {
    const totals = { reading, flows: this.flows, held: besides.held, hosts: besides.hosts };
    const { shape: known } = this;
    const flows = this.flows.keys;
    const isKnown = known?.plan === plan && known.flows === flows && known.besides === besides.shape;
    const text = isKnown ? known.text : shapeUnder(plan, totals);
    if (!isKnown) this.shape = { plan, flows, besides: besides.shape, text };
    return this.tell(text, totals, besides);
  }

  private tell(text: string, totals: Totals, besides: StoredBesides): StoredTotals {
    const { told, counted } = this;
    this.sequence++;
    const { sequence } = this;
    const growth = told?.text === text ? this.growthWith(told.besides, besides) : undefined;
    if (told && growth) {
      this.told = { ...told, sequence, besides };
      return EncodedTotals.ofGrowth(text, growth, sequence);
    }
    const { at = 0, keptSince } = counted ?? {};
    this.told = { sequence, text, besides, whole: { sequence, at, keptSince, startedAt: this.started } };
    return EncodedTotals.ofWhole(text, totals, sequence);
  }

  /** Undefined where it does not tell all. */
  private growthWith(before: StoredBesides, { held, hosts }: StoredBesides): Uint8Array | undefined {
    const { growth } = this;
    if (!growth || before.held.length > 0 || held.length > 0) return undefined;
    if (before.hosts === hosts) return growth;
    if (before.hosts?.counts.length !== hosts?.counts.length || !before.hosts || !hosts) return undefined;
    return withHosts(before.hosts.counts, hosts.counts);
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
    if (!this.previous) return undefined;
    return {
      from: this.lastScrape < at ? this.lastScrape : at - this.usualLength({ at, previousRound }),
      fresh: false,
    };
  }

  /** What is taken for the time since the last scrape where a clock that was put back does not tell it. */
  private usualLength({ at, previousRound }: Pick<Moment, 'at' | 'previousRound'>): number {
    return Math.max(1, this.lengthMs || at - (previousRound ?? at));
  }

  private isRestart(startedAt: number): boolean {
    if (this.started !== null && Math.abs(startedAt - this.started) <= START_TOLERANCE_MS) return false;
    return this.lastScrape !== null && startedAt > this.lastScrape;
  }
}

function shapeUnder(plan: Plan, totals: Totals): string {
  const isShared =
    totals.held.length === 0 &&
    totals.hosts === undefined &&
    totals.flows.size === plan.flows.length &&
    totals.flows.keys.every((flow, index) => flow === plan.flows[index]);
  const known = isShared ? shapes.get(plan) : undefined;
  if (known !== undefined) return known;
  const shape = shapeOf(totals);
  if (!isShared) return shared(plan, shape);
  shapes.set(plan, shape);
  return shape;
}

/** The same text as one that is known already, if there is one: a long one is then in memory once. */
function shared(plan: Plan, shape: string): string {
  const known = otherShapes.get(plan) ?? new Set();
  otherShapes.set(plan, known);
  for (const other of known) if (other === shape) return other;
  if (known.size >= OTHER_SHAPES_KEPT) for (const oldest of [...known].slice(0, 1)) known.delete(oldest);
  known.add(shape);
  return shape;
}
