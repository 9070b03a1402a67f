/** Keeps the series of a time that ends now up to date by their newest steps alone. Pure. */

import type { Point, QueryAnswer } from '../../server/api/contract.ts';
import type { Span } from '../api.ts';

/** The newest one is not over yet; those before it may still wait for late scrapes. */
const NEWEST_STEPS = 4;
/** Of shorter times all is asked for. */
const WORTHWHILE_STEPS = 3 * NEWEST_STEPS;

/** The end of a time to ask for; null where it is fixed, or so short that all of it is as well asked for. */
export function newestSteps({ windowMs, until }: Span, stepMs: number): Span | null {
  if (until !== null || windowMs < WORTHWHILE_STEPS * stepMs) return null;
  const newestMs = NEWEST_STEPS * stepMs;
  return { window: `${newestMs / 1000}s`, windowMs: newestMs, until: null };
}

/**
 * The known steps up to where the newest begin, and those. Null where there are others between, or where the oldest of
 * the newest differs from what was known: what a sidecar counted while it did not answer is told later, and reaches
 * back.
 */
export function joinSteps(known: QueryAnswer, newest: QueryAnswer): QueryAnswer | null {
  if (newest.step !== known.step || newest.from > known.to - 2 * known.step || newest.to < known.to) return null;
  const from = known.from + newest.to - known.to;
  const times = { from, newestFrom: newest.from };
  const former = new Former(known.series);
  const series: Series[] = [];
  for (const { labels, points } of newest.series) {
    const joined = join(former.take(labels), points, times);
    if (!joined) return null;
    series.push({ labels, points: joined });
  }
  for (const { labels, points } of former.left()) {
    const joined = join(points, [], times);
    if (!joined) return null;
    if (joined.some((point) => point[1] !== null)) series.push({ labels, points: joined });
  }
  return { ...newest, from, tiers: [...new Set([...known.tiers, ...newest.tiers])], series };
}

type Series = QueryAnswer['series'][number];

/** Series as they were, to be found by their labels; nearly always they come in the same order again. */
class Former {
  private readonly series: readonly Series[];
  private readonly taken = new Set<number>();
  private byLabels: Map<string, number> | null = null;

  constructor(series: readonly Series[]) {
    this.series = series;
  }

  /** Points of a series; none where there was no such. */
  take(labels: Series['labels']): readonly Point[] {
    const next = this.taken.size;
    const index = hasLabels(this.series[next], labels) ? next : this.find(labels);
    if (index === undefined) return [];
    this.taken.add(index);
    return this.series[index]?.points ?? [];
  }

  left(): Series[] {
    return this.series.filter((_, index) => !this.taken.has(index));
  }

  private find(labels: Series['labels']): number | undefined {
    this.byLabels ??= new Map(this.series.map((series, index) => [JSON.stringify(series.labels), index]));
    return this.byLabels.get(JSON.stringify(labels));
  }
}

function hasLabels(series: Series | undefined, labels: Series['labels']): boolean {
  if (!series) return false;
  const names = Object.keys(labels);
  return (
    names.length === Object.keys(series.labels).length && names.every((name) => labels[name] === series.labels[name])
  );
}

interface Times {
  readonly from: number;
  readonly newestFrom: number;
}

/** Null where both tell something else of the oldest of the newest steps. Points are in order of time. */
function join(known: readonly Point[], newest: readonly Point[], { from, newestFrom }: Times): Point[] | null {
  let end = known.length;
  while (end > 0 && (known[end - 1]?.[0] ?? 0) >= newestFrom) end -= 1;
  let start = 0;
  while (start < end && (known[start]?.[0] ?? from) < from) start += 1;
  if (!agree(valueAt(known[end], newestFrom), valueAt(newest[0], newestFrom))) return null;
  return known.slice(start, end).concat(newest);
}

function valueAt(point: Point | undefined, time: number): number | null {
  return point?.[0] === time ? point[1] : null;
}

/** The same parts may have been added up in another order. */
const ROUNDING = 1e-9;

function agree(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  return Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b));
}
