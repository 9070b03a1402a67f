import type { Interval } from '../../model/spread.ts';
import type { EncodedAnswer } from '../answer.ts';
import { joinedSums, type KeptSums, remainingSums, sizeOfSums } from '../kept-sums.ts';
import type { SumQuery } from '../store.ts';
import { finestTierAt, type Segment, stepOf, TIER_LIST } from '../tiers.ts';
import type { ReadAnswer } from './known-answers.ts';

/** Windows of fewer steps of storage are read anew each time. */
const LEAST_STEPS = 12;
/** What is known is brought up to date when this share of the window was settled since. */
const STALE_SHARE = 1 / 16;
/** Less than this share of a window is not worth knowing. */
const LEAST_SHARE = 1 / 2;
const MOST_QUESTIONS = 100;
/** What is settled is not always equally far behind. */
const MARGIN_MS = 1000;

/** Sums of a part of a query's time. */
export interface ReadSums {
  readonly sums: KeptSums;
  /** They only change when something older than that is stored. */
  readonly settledTo: number;
  /** Whether a stored step was cut at the edges of the time. */
  readonly isCut: boolean;
}

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
  /** Reads sums to be kept. */
  keep(time: Interval): ReadSums;
  read(): ReadAnswer;
  /** Answers from parts of the query's time and what is known of the rest; undefined where that may differ. */
  complete(parts: readonly Interval[], known: KeptSums): ReadAnswer | undefined;
}

interface Known extends Interval {
  readonly sums: KeptSums;
  /** The finest tier that told of its beginning when that was cut. */
  readonly tier: number;
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
    for (const [key, { to }] of this.known) if (to > time) this.take(key);
  }

  answer(request: SumsRequest): EncodedAnswer {
    const { query, newest } = request;
    if (!isKept(request)) return request.read().answer;
    const key = keyOf(query);
    const lag = this.lags.get(key);
    const known = lag === undefined ? undefined : this.upToDate(request, this.take(key), lag);
    const completed = known && request.complete(around(query, known), known.sums);
    const { answer, settledTo } = completed ?? request.read();
    this.setLag(key, newest - settledTo);
    if (completed) this.keep(key, known);
    return answer;
  }

  /** What is known of the query's time; undefined where it has to be read as a whole. */
  private upToDate(request: SumsRequest, old: Known | undefined, lag: number): Known | undefined {
    const { query, newest, slotMs } = request;
    const settled = Math.min(newest - lag - MARGIN_MS, query.to - slotMs);
    const end = Math.floor(settled / slotMs) * slotMs;
    const left = old && withoutOlder(request, old);
    return (left && extended(request, left, end)) ?? begun(request, end);
  }

  private setLag(key: string, lag: number): void {
    this.lags.delete(key);
    this.lags.set(key, lag);
    const [oldest] = this.lags.keys();
    if (this.lags.size > MOST_QUESTIONS && oldest !== undefined) this.lags.delete(oldest);
  }

  private keep(key: string, known: Known): void {
    this.known.set(key, known);
    this.bytes += sizeOfSums(known.sums);
    for (const oldest of this.known.keys()) {
      if (this.bytes <= this.most) return;
      this.take(oldest);
    }
  }

  /** What fails while it is brought up to date is gone. */
  private take(key: string): Known | undefined {
    const known = this.known.get(key);
    if (known) this.bytes -= sizeOfSums(known.sums);
    this.known.delete(key);
    return known;
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
function begun(request: SumsRequest, end: number): Known | undefined {
  const { query } = request;
  const { tier, edge: from } = firstEdge(request);
  if (end - from < LEAST_SHARE * (query.to - query.from) || !isFineAt(request, end)) return undefined;
  const { sums, settledTo, isCut } = request.keep({ from, to: end });
  return isCut || settledTo < end ? undefined : { from, to: end, tier, sums };
}

/** Without what is older than the query's time; undefined where that can't be told. */
function withoutOlder(request: SumsRequest, known: Known): Known | undefined {
  const { query, slotMs, keptFrom } = request;
  const { tier, edge } = firstEdge(request);
  const wasTier = finestTierAt(known.from, { slotMs, keptFrom });
  if (known.tier !== tier || wasTier !== tier || edge < known.from || known.to >= query.to) return undefined;
  if (!isFineAt(request, known.to)) return undefined;
  if (known.to - edge < LEAST_SHARE * (query.to - query.from)) return undefined;
  if (edge === known.from) return known;
  const gone = request.keep({ from: known.from, to: edge });
  const rest = { from: edge, to: known.to };
  const sums = gone.isCut ? undefined : remainingSums(known.sums, gone.sums, rest);
  return sums && { ...known, ...rest, sums };
}

/** With what came since, as far as it is settled. */
function extended(request: SumsRequest, known: Known, end: number): Known | undefined {
  const { query } = request;
  if (end - known.to < STALE_SHARE * (query.to - query.from)) return known;
  if (!isFineAt(request, end)) return undefined;
  const { sums, settledTo, isCut } = request.keep({ from: known.to, to: end });
  if (settledTo < end) return known;
  return isCut ? undefined : { ...known, to: end, sums: joinedSums(known.sums, sums) };
}

/** Whether steps of the length of a scrape's tell of a time: others would be cut at the end of what is known. */
function isFineAt({ slotMs, keptFrom }: SumsRequest, time: number): boolean {
  return finestTierAt(time, { slotMs, keptFrom }) === 0;
}
