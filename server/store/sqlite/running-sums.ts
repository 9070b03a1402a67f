import type { Interval } from '../../model/spread.ts';
import type { EncodedAnswer } from '../answer.ts';
import type { KeptSums } from '../kept-sums.ts';
import type { SumQuery } from '../store.ts';
import { finestTierAt, type Segment, stepOf, TIER_LIST } from '../tiers.ts';
import type { ReadAnswer } from './known-answers.ts';
import type { Move, Moved, Unmoved } from './moving-query.ts';

/** Windows of fewer steps of storage are read anew each time. */
const LEAST_STEPS = 12;
/** Less than this share of a window is not worth knowing. */
const LEAST_SHARE = 1 / 2;
const MOST_QUESTIONS = 100;
/** What is settled is not always equally far behind. */
const MARGIN_MS = 1000;
/** It is taken to come nearer by this share of the way with each answer, as it may be farther again with the next. */
const NEARER_SHARE = 1 / 4;

/** A query of one cell. */
export interface SumsRequest {
  readonly query: SumQuery;
  /** What the whole time is answered from. */
  readonly segments: readonly Segment[];
  readonly slotMs: number;
  /** End of the newest scrape. */
  readonly newest: number;
  /** By tier: what is older was forgotten. */
  readonly keptFrom: readonly number[];
  read(): ReadAnswer;
  /** Answers from what is known, and moves that on. */
  move(move: Move): Moved | Unmoved;
}

interface Known extends Interval {
  readonly sums: KeptSums;
  /** The finest tier that told of its beginning when that was cut. */
  readonly tier: number;
}

/** What was known, and how it goes on. */
interface Moving {
  readonly tier: number;
  readonly move: Move;
}

/**
 * Sums over windows that move on with time: whoever asks again for the last five minutes has what came since added, and
 * what is older taken off, in place of five minutes read anew. Sums are of whole steps of storage, wherever those are
 * stored, so that what is taken off is exactly what was added; where a step would have to be cut, all is read anew.
 */
export class RunningSums {
  private readonly most: number;
  /** Those that were used last come last. */
  private readonly known = new Map<string, Known>();
  /** How far behind the newest scrape what is settled ended, by question. */
  private readonly lags = new Map<string, number>();
  private bytes = 0;

  /** `most`: bytes, about. */
  constructor(most: number) {
    this.most = most;
  }

  forget(): void {
    this.known.clear();
    this.bytes = 0;
  }

  /** Something was stored that began at `time`. */
  changedFrom(time: number): void {
    for (const [key, { to }] of this.known) if (to > time) this.drop(key);
  }

  answer(request: SumsRequest): EncodedAnswer {
    if (!isKept(request)) return request.read().answer;
    const key = keyOf(request.query);
    const lag = this.lags.get(key);
    const moved = lag === undefined ? undefined : this.moved(request, key, lag);
    const { answer, settledTo } = moved ?? request.read();
    this.setLag(key, request.newest - settledTo);
    return answer;
  }

  /** From what is known, which is then moved on, or begun anew; undefined where the time has to be read as a whole. */
  private moved(request: SumsRequest, key: string, lag: number): ReadAnswer | undefined {
    const { query, newest, slotMs } = request;
    const settled = Math.min(newest - lag - MARGIN_MS, query.to - slotMs);
    const end = Math.floor(settled / slotMs) * slotMs;
    const known = this.known.get(key);
    if (known) {
      const moved = this.tryMove(request, key, movedOn(request, known, end));
      if (typeof moved === 'object') return moved;
      const stayed = moved === 'unsettled' ? this.tryMove(request, key, movedOn(request, known, known.to)) : moved;
      if (typeof stayed === 'object') return stayed;
    }
    this.drop(key);
    const begins = this.tryMove(request, key, begun(request, end));
    return typeof begins === 'object' ? begins : undefined;
  }

  private tryMove(request: SumsRequest, key: string, moving: Moving | undefined): ReadAnswer | Unmoved | undefined {
    if (!moving) return undefined;
    const moved = request.move(moving.move);
    if (typeof moved !== 'object') return moved;
    this.drop(key);
    this.keep(key, { ...moving.move.rest, tier: moving.tier, sums: moved.sums });
    return moved;
  }

  private setLag(key: string, lag: number): void {
    const before = this.lags.get(key) ?? lag;
    this.lags.delete(key);
    this.lags.set(key, Math.max(lag, before - NEARER_SHARE * (before - lag)));
    const [oldest] = this.lags.keys();
    if (this.lags.size > MOST_QUESTIONS && oldest !== undefined) this.lags.delete(oldest);
  }

  private keep(key: string, known: Known): void {
    this.known.set(key, known);
    this.bytes += known.sums.size;
    for (const oldest of this.known.keys()) {
      if (this.bytes <= this.most) return;
      this.drop(oldest);
    }
  }

  private drop(key: string): void {
    const known = this.known.get(key);
    if (known) this.bytes -= known.sums.size;
    this.known.delete(key);
  }
}

/** Answers about a time that reaches up to the present, and is long enough. */
function isKept({ query, slotMs, newest, segments }: SumsRequest): boolean {
  const { from, to, top } = query;
  if (top !== undefined || to - from < LEAST_STEPS * slotMs || to % slotMs !== 0 || to < newest) return false;
  return !asksForInstances(query) || segments.every(({ tier }) => TIER_LIST[tier]?.instances);
}

/** Instances are not told apart in every tier: a shorter time, from finer ones, tells of other groups. */
function asksForInstances({ by, match, without = [] }: SumQuery): boolean {
  return by.includes('instance') || 'instance' in match || without.some(({ labels }) => labels.includes('instance'));
}

function keyOf({ direction, match, without, by, bins, from, to }: SumQuery): string {
  return JSON.stringify([direction, match, without, by, bins, to - from]);
}

/** The query's time but for what is known. */
function around({ from, to }: Interval, known: Interval): Interval[] {
  return [...(known.from > from ? [{ from, to: known.from }] : []), ...(known.to < to ? [{ from: known.to, to }] : [])];
}

/** The first edge from `from` on of the steps that tell of that time. */
function firstEdge({ query: { from }, slotMs, keptFrom }: SumsRequest): { tier: number; edge: number } {
  const tier = finestTierAt(from, { slotMs, keptFrom });
  const stepMs = stepOf(tier, slotMs);
  return { tier, edge: Math.ceil(from / stepMs) * stepMs };
}

/** Begins anew, up to `end`. */
function begun(request: SumsRequest, end: number): Moving | undefined {
  const { query } = request;
  const { tier, edge: from } = firstEdge(request);
  if (end - from < LEAST_SHARE * (query.to - query.from) || !isFineAt(request, end)) return undefined;
  const rest = { from, to: end };
  return { tier, move: { known: undefined, gone: undefined, came: rest, rest, present: around(query, rest) } };
}

/** What is known without what is older than the query's time, and up to `end`; undefined where that can't be told. */
function movedOn(request: SumsRequest, known: Known, end: number): Moving | undefined {
  const { query, slotMs, keptFrom } = request;
  const { tier, edge: from } = firstEdge(request);
  const wasTier = finestTierAt(known.from, { slotMs, keptFrom });
  if (known.tier !== tier || wasTier !== tier || from < known.from || known.to >= query.to) return undefined;
  const to = Math.max(known.to, end);
  if (!isFineAt(request, known.to) || !isFineAt(request, to)) return undefined;
  if (known.to - from < LEAST_SHARE * (query.to - query.from)) return undefined;
  const rest = { from, to };
  const gone = from > known.from ? { from: known.from, to: from } : undefined;
  const came = to > known.to ? { from: known.to, to } : undefined;
  return { tier, move: { known: known.sums, gone, came, rest, present: around(query, rest) } };
}

/** Whether steps of the length of a scrape's tell of a time: others would be cut at the end of what is known. */
function isFineAt({ slotMs, keptFrom }: SumsRequest, time: number): boolean {
  return finestTierAt(time, { slotMs, keptFrom }) === 0;
}
