/** How latencies were spread over time: counts by step and by rows of whole bins. */

import { type MeasuredQuery, received, sent } from '../measure/measured.ts';
import { BIN_KEYS, binBounds, type SparseBins } from '../model/histogram.ts';
import type { Sources } from './asking.ts';
import type { HeatmapAnswer } from './contract.ts';
import { filtersOf, oneOf, type RawParams, RequestError, shifted } from './params.ts';
import { alignedRange, type Clock, DIRECTIONS } from './query.ts';

export const HEATMAP_PARAMS = [
  'service',
  'namespace',
  'region',
  'zone',
  'instance',
  'direction',
  'step',
  'window',
  'from',
  'to',
  'offset',
];

/** Most rows; more can't be told apart by eye. */
export const MAX_ROWS = 60;
/** Most steps of a heatmap. */
const MAX_COLUMNS = 1000;

export async function heatmap(sources: Sources, params: RawParams, clock: Clock): Promise<HeatmapAnswer> {
  const filters = filtersOf(params);
  if (!filters.service?.some((name) => name !== ''))
    throw new RequestError('service is missing: a heatmap is that of service=NAME');
  const range = alignedRange(params, clock);
  const { from, to, step, offsetMs } = range;
  if ((to - from) / step > MAX_COLUMNS)
    throw new RequestError(`a heatmap has at most ${MAX_COLUMNS} steps: use a longer step`);
  const query: MeasuredQuery = { ...shifted(range), stepMs: step, filters, by: [], bins: true };
  const outbound = oneOf(params, 'direction', DIRECTIONS) === 'outbound';
  const [group] = await (outbound ? sent(sources, query) : received(sources, query));
  const times = Array.from({ length: (to - from) / step }, (_, index) => from + index * step);
  const cells = times.map((_, index) => group?.cells[index] ?? null);
  const bins = cells.map((cell) => cell?.bins ?? null);
  const boundsMs = rowsOf(bins.filter((one) => one !== null));
  const rows = new RowsOfKeys(boundsMs);
  return {
    step,
    from,
    to,
    offsetMs,
    tiers: sources.tiers(),
    times,
    boundsMs: boundsMs.map(([lower, upper]) => [lower, Number.isFinite(upper) ? upper : null]),
    counts: bins.map((one) => one && rows.countsOf(one)),
    timeouts: cells.map((cell) => cell?.timeoutsWithoutSample ?? null),
  };
}

type Bounds = readonly [lower: number, upper: number];

/**
 * Rows from the lowest to the highest sample, about as high as each other on a logarithmic axis. None cuts a bin or a
 * bucket that has samples, so that every count is exact.
 */
export function rowsOf(all: readonly SparseBins[]): Bounds[] {
  const keys = new Set(all.flatMap((bins) => bins.keys));
  const parts = apart([...keys].map((key) => binBounds(key)));
  const [lowest, highest] = [parts[0]?.[0], parts.at(-1)];
  if (lowest === undefined || !highest) return [];
  const end = Number.isFinite(highest[1]) ? highest[1] : highest[0];
  const ratio = (end / Math.max(1, lowest)) ** (1 / (MAX_ROWS - 1));
  const rows: [number, number][] = [];
  for (const [lower, upper] of withBetween(parts)) {
    const row = rows.at(-1);
    if (row && row[0] > 0 && upper <= row[0] * ratio * (1 + 1e-9)) row[1] = upper;
    else rows.push([lower, upper]);
  }
  return rows.length <= MAX_ROWS ? rows : halved(rows);
}

function halved(rows: readonly Bounds[]): Bounds[] {
  const [first, ...rest] = rows;
  const pairs = rest.flatMap((row, index) => (index % 2 === 0 ? [[row, rest[index + 1] ?? row] as const] : []));
  return [...(first ? [first] : []), ...pairs.map(([low, high]): Bounds => [low[0], high[1]])];
}

/** Overlapping intervals become one. */
function apart(intervals: readonly Bounds[]): Bounds[] {
  const parts: [number, number][] = [];
  for (const [lower, upper] of intervals.toSorted((a, b) => a[0] - b[0])) {
    const last = parts.at(-1);
    if (last && lower < last[1]) last[1] = Math.max(last[1], upper);
    else parts.push([lower, upper]);
  }
  return parts;
}

/** Every bin that a sample of whole milliseconds can fall into. */
const BINS: readonly Bounds[] = Array.from({ length: BIN_KEYS }, (_, key): Bounds => binBounds(key)).filter(([lower]) =>
  Number.isInteger(lower),
);

/** The parts, and the empty bins between them. */
function withBetween(parts: readonly Bounds[]): Bounds[] {
  return parts.flatMap((part, index) => {
    const before = parts[index - 1];
    return before ? [...between(before[1], part[0]), part] : [part];
  });
}

function between(from: number, to: number): Bounds[] {
  if (from === to) return [];
  const inside = BINS.filter(([lower, upper]) => lower >= from && upper <= to);
  const [first, last] = [inside[0], inside.at(-1)];
  if (!first || !last) return [[from, to]];
  return [
    ...(from < first[0] ? [[from, first[0]] as const] : []),
    ...inside,
    ...(last[1] < to ? [[last[1], to] as const] : []),
  ];
}

/** Each bin or bucket is in the row in which it begins. */
class RowsOfKeys {
  private readonly rows: readonly Bounds[];
  private readonly known = new Map<number, number>();

  constructor(rows: readonly Bounds[]) {
    this.rows = rows;
  }

  countsOf({ keys, counts }: SparseBins): number[] {
    const sums = this.rows.map(() => 0);
    for (let i = 0; i < keys.length; i++) {
      const row = this.rowOf(keys[i] ?? 0);
      sums[row] = (sums[row] ?? 0) + (counts[i] ?? 0);
    }
    return sums;
  }

  private rowOf(key: number): number {
    let row = this.known.get(key);
    if (row === undefined) {
      const [lower] = binBounds(key);
      row = this.rows.findLastIndex(([from]) => from <= lower);
      this.known.set(key, row);
    }
    return row;
  }
}
