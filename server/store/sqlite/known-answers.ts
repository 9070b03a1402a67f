import type { Interval } from '../../model/spread.ts';
import type { EncodedAnswer } from '../answer.ts';
import { type AnswerPart, joinParts } from '../answer-parts.ts';
import type { SumQuery } from '../store.ts';
import { MINUTE, type Segment, stepOf, tierNames } from '../tiers.ts';

/** Shorter answers are read anew each time. */
const LEAST_CELLS = 8;
/** What is remembered is renewed when it lacks this share of an answer's cells. */
const STALE_SHARE = 1 / 32;

/** What was read of a query's time. */
export interface ReadAnswer {
  readonly answer: EncodedAnswer;
  /** Cells that end by then only change when something older than that is stored. */
  readonly settledTo: number;
}

export interface AnswerRequest {
  readonly query: SumQuery;
  /** What the whole time is answered from. */
  readonly segments: readonly Segment[];
  /** Reads a part of the query's time: from the edge of a cell on, up to its end. */
  read(from: number): ReadAnswer;
}

/** The settled beginning of an answer, `[from, to)`, and what it was answered from. */
interface Known extends Interval {
  readonly to: number;
  readonly from: number;
  readonly stepMs: number;
  readonly segments: readonly Segment[];
  readonly answer: EncodedAnswer;
}

/**
 * Answers as they were given last, as far as they can't change any more: whoever asks again as time goes on reads only
 * what is new. Parts meet where whole steps of all tiers meet, so that no count is cut there in two ways: blocks and
 * scrapes are cut alike at the edges of minutes.
 */
export class KnownAnswers {
  private readonly most: number;
  /** Those that were used last come last. */
  private readonly known = new Map<string, Known>();
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
    for (const [key, known] of this.known) {
      if (known.to <= time) continue;
      this.drop(key);
      const to = edgeBefore(time, known);
      if (to > known.from) this.keep(key, { ...known, to });
    }
  }

  answer(request: AnswerRequest): EncodedAnswer {
    const { query, segments } = request;
    const { from, to, stepMs } = query;
    if (stepMs === undefined || !isRemembered(query)) return request.read(from).answer;
    const key = keyOf(query, stepMs);
    const known = this.known.get(key);
    const until = known ? Math.min(to, sharedUntil(known, request)) : from;
    const parts: AnswerPart[] = [];
    if (known && until > from)
      parts.push({ answer: known.answer, first: (from - known.from) / stepMs, count: (until - from) / stepMs });
    const read = until < to ? request.read(until) : undefined;
    if (read) parts.push({ answer: read.answer, first: 0, count: read.answer.cells });
    const answer = read && parts.length === 1 ? read.answer : joinParts(parts, tierNames(segments));
    const settledTo = read ? edgeBefore(read.settledTo, { from, stepMs, segments }) : until;
    const isStale = !known || until === from || settledTo - until > STALE_SHARE * (to - from);
    if (isStale) this.remember(key, answer, { from, to: settledTo, stepMs, segments });
    else this.use(key, known);
    return answer;
  }

  private remember(key: string, answer: EncodedAnswer, of: Omit<Known, 'answer'>): void {
    this.drop(key);
    const count = (of.to - of.from) / of.stepMs;
    if (count < LEAST_CELLS) return;
    this.keep(key, { ...of, answer: joinParts([{ answer, first: 0, count }], answer.tiers) });
  }

  private use(key: string, known: Known): void {
    this.known.delete(key);
    this.known.set(key, known);
  }

  private keep(key: string, known: Known): void {
    this.known.set(key, known);
    this.bytes += known.answer.numbers.byteLength;
    for (const oldest of this.known.keys()) {
      if (this.bytes <= this.most) return;
      this.drop(oldest);
    }
  }

  private drop(key: string): void {
    this.bytes -= this.known.get(key)?.answer.numbers.byteLength ?? 0;
    this.known.delete(key);
  }
}

/** Answers that do not depend on cells as a whole. */
function isRemembered({ from, to, stepMs = to - from, top, subtotals }: SumQuery): boolean {
  return top === undefined && !subtotals?.length && (to - from) / stepMs >= LEAST_CELLS;
}

function keyOf({ direction, match, without, by, bins, quantiles, from }: SumQuery, stepMs: number): string {
  return JSON.stringify([direction, match, without, by, bins, quantiles, stepMs, from % stepMs]);
}

/** Until when an answer is what is known of it: as long as both are from the same tiers. */
function sharedUntil(known: Known, { query, segments }: AnswerRequest): number {
  if (query.from < known.from) return query.from;
  let until = known.to;
  for (const one of segments)
    for (const other of known.segments) {
      const from = Math.max(one.from, other.from, query.from);
      if (one.tier !== other.tier && from < Math.min(one.to, other.to)) until = Math.min(until, from);
    }
  return Math.max(query.from, until === known.to ? until : edgeBefore(until, { ...known, segments }));
}

/** The last edge of a cell up to `time` that is an edge of all tiers' steps, too; not after it. */
function edgeBefore(time: number, { from, stepMs, segments }: Pick<Known, 'from' | 'stepMs' | 'segments'>): number {
  const grain = Math.max(...[MINUTE, ...segments.map(({ tier }) => tier)].map((tier) => stepOf(tier, 0)));
  let edge = from + Math.floor((time - from) / stepMs) * stepMs;
  while (edge > from && edge % grain !== 0) edge -= stepMs;
  return Math.max(from, edge);
}
