/** Stored figures as rows, oldest first, in as many queries as it takes. */

import { COUNTERS, requestCount } from '../model/flow.ts';
import { DIRECTIONS } from '../store/record.ts';
import {
  type Cell,
  QueryTooLargeError,
  SERIES_LABELS,
  type SeriesLabel,
  type SumAnswer,
  type SumQuery,
} from '../store/store.ts';

export interface ExportOptions {
  /** Unix milliseconds, `[from, to)`. */
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly by: readonly SeriesLabel[];
}

export type ExportRow = Readonly<Record<string, string | number | null>>;

const QUANTILES = { p50_ms: 0.5, p95_ms: 0.95, p99_ms: 0.99 } as const;
/** Steps that are asked for at once at first; fewer where that is too much. */
const STEPS_AT_ONCE = 60;

export const EXPORT_LABELS = SERIES_LABELS;
const COUNTS = COUNTERS.map((counter) => (/^\d/.test(counter) ? `requests_${counter}` : counter));

/** Columns of every row, in their order. */
export function exportColumns(by: readonly SeriesLabel[]): string[] {
  return ['from_ms', 'to_ms', 'direction', ...by, 'requests', ...COUNTS, ...Object.keys(QUANTILES), 'latency_samples'];
}

/**
 * Rows of steps in which something was measured; one without a request is left out unless something else was counted.
 * Those by zone are a part of the outbound ones, told once more; those of connections tell of nothing but how long bare
 * ones lasted that ended, in place of latencies.
 */
export function* exportRows(sums: (query: SumQuery) => SumAnswer, options: ExportOptions): Generator<ExportRow> {
  const { stepMs } = options;
  const end = Math.ceil(options.to / stepMs) * stepMs;
  let steps = STEPS_AT_ONCE;
  for (let from = Math.floor(options.from / stepMs) * stepMs; from < end; ) {
    const to = Math.min(end, from + steps * stepMs);
    try {
      yield* rowsBetween(sums, { ...options, from, to });
      from = to;
    } catch (error) {
      if (!(error instanceof QueryTooLargeError) || steps === 1) throw error;
      steps = Math.ceil(steps / 2);
    }
  }
}

function rowsBetween(sums: (query: SumQuery) => SumAnswer, { from, to, stepMs, by }: ExportOptions): ExportRow[] {
  const query = { from, to, stepMs, by, match: {}, bins: true, quantiles: Object.values(QUANTILES) };
  const rows = DIRECTIONS.flatMap((direction) =>
    sums({ ...query, direction }).groups.flatMap(({ labels, cells }) =>
      cells.flatMap((cell, index) => {
        if (!cell || (samplesOf(cell) === 0 && !cell.counters.some((count) => count > 0))) return [];
        const start = from + index * stepMs;
        return [{ from_ms: start, to_ms: start + stepMs, direction, ...labels, ...figuresOf(cell) }];
      }),
    ),
  );
  return rows.sort((a, b) => a.from_ms - b.from_ms);
}

function figuresOf(cell: Cell): Record<string, number | null> {
  const counts = Object.fromEntries(COUNTS.map((name, index) => [name, cell.counters[index] ?? 0]));
  const quantiles = Object.keys(QUANTILES).map((name, index) => [name, cell.quantiles[index]?.valueMs ?? null]);
  return {
    requests: requestCount(cell.counters),
    ...counts,
    ...Object.fromEntries(quantiles),
    latency_samples: samplesOf(cell),
  };
}

function samplesOf({ downstreamSamples, upstreamSamples }: Cell): number {
  return downstreamSamples + upstreamSamples;
}

/** A row as a line of CSV (RFC 4180); null is empty. */
export function csvLine(values: readonly (string | number | null | undefined)[]): string {
  return values
    .map((value) => {
      const text = String(value ?? '');
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(',');
}
