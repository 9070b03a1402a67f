/** From sums to the figures of the API: the only place where rates, shares and percentiles are worked out. */

import {
  CODE_CLASSES,
  COUNTER_INDEX,
  failureCount,
  REASON_COUNTERS,
  requestCount,
  STORED_GAUGES,
} from '../model/flow.ts';
import { binBounds, binKey, mean, mergeBins, type Quantile, quantile } from '../model/histogram.ts';
import { lengthOf, unionOf } from '../store/coverage.ts';
import type { Cell } from '../store/store.ts';
import type { CodeClass, Failures, FigureState, Figures, LatencyMs, Precision } from './contract.ts';

/** Fewer latency samples than this make percentiles a matter of luck. */
export const FEW_SAMPLES = 20;

export const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;
const PERCENTILE_NAMES = Object.keys(PERCENTILES) as (keyof typeof PERCENTILES)[];
/** Those quantiles in their order, for a query that figures are made of. */
export const ALL_PERCENTILES: readonly number[] = Object.values(PERCENTILES);

/** Requests per second, from the rates of a cell. */
export const requestRate = (cell: Cell): number => requestCount(cell.rates);

/** Share of completed requests that failed; null without any. */
export function errorRate(cell: Cell): number | null {
  const requests = requestCount(cell.counters);
  return requests > 0 ? Math.min(1, failureCount(cell.counters) / requests) : null;
}

export function successRate(cell: Cell): number | null {
  const errors = errorRate(cell);
  return errors === null ? null : 1 - errors;
}

/** Null where nothing was measured at the end of the cell. */
export function gauge(cell: Cell, name: (typeof STORED_GAUGES)[number]): number | null {
  return cell.gauges?.[STORED_GAUGES.indexOf(name)] ?? null;
}

/** Quantiles from 0 to 1: as the store worked them out, or of the cell's histogram where several were added up. */
function quantilesOf(cell: Cell, asked: readonly number[]): readonly Quantile[] {
  if (cell.quantiles.length > 0) return cell.quantiles;
  return asked.map((q) => quantile(cell.bins, q, cell.timeoutsWithoutSample));
}

/** Latency at the one quantile that was asked for, timeouts without a sample counted as slower than every sample. */
export function latencyAt(cell: Cell, q: number): number | null {
  return quantilesOf(cell, [q])[0]?.valueMs ?? null;
}

export const latencySamples = (cell: Cell): number => cell.downstreamSamples + cell.upstreamSamples;

/** `source` tells where latency would be from when there is no sample to tell it. */
export function figures(cell: Cell | null, source: Precision['source'] = 'downstream'): Figures {
  if (!cell) return { ...NOTHING, precision: { ...NOTHING.precision, source } };
  const requests = requestCount(cell.counters);
  return {
    requests,
    requestRate: requestRate(cell),
    successRate: successRate(cell),
    errorRate: errorRate(cell),
    codeClasses: codeClasses(cell),
    ...latency(cell, source),
    latencySamples: latencySamples(cell),
    timeouts: cell.counters[COUNTER_INDEX.timed_out] ?? 0,
    retries: cell.counters[COUNTER_INDEX.retries] ?? 0,
    activeRequests: gauge(cell, 'active_requests'),
    state: stateOf(requests, latencySamples(cell)),
  };
}

const NO_LATENCY: LatencyMs = { p50: null, p90: null, p95: null, p99: null, p999: null, mean: null };

const NOTHING: Figures = {
  requests: null,
  requestRate: null,
  successRate: null,
  errorRate: null,
  codeClasses: null,
  latencyMs: NO_LATENCY,
  latencySamples: 0,
  precision: { method: 'bins', source: 'downstream', maxRelativeError: null, capped: false },
  timeouts: 0,
  retries: 0,
  activeRequests: null,
  state: 'no_data',
};

function stateOf(requests: number, samples: number): FigureState {
  if (requests === 0) return 'no_traffic';
  return samples < FEW_SAMPLES ? 'too_little_data' : 'ok';
}

export function codeClasses(cell: Cell): Record<CodeClass, number> {
  return Object.fromEntries(CODE_CLASSES.map((name) => [name, cell.counters[COUNTER_INDEX[name]] ?? 0])) as Record<
    CodeClass,
    number
  >;
}

/** Events by reason, those that did not happen left out. */
export function failures(cell: Cell | null): Failures {
  const events: Failures = {};
  for (const [reason, counter] of REASON_COUNTERS) {
    const count = cell?.counters[COUNTER_INDEX[counter]] ?? 0;
    if (count > 0) events[reason] = count;
  }
  return events;
}

/** All failure events of a cell. */
export function failureEvents(cell: Cell): number {
  return Object.values(failures(cell)).reduce((sum, count) => sum + count, 0);
}

function latency(cell: Cell, fallback: Precision['source']): { latencyMs: LatencyMs; precision: Precision } {
  const latencyMs: LatencyMs = { ...NO_LATENCY, mean: cell.meanMs };
  const found = quantilesOf(cell, ALL_PERCENTILES);
  PERCENTILE_NAMES.forEach((name, index) => {
    latencyMs[name] = found[index]?.valueMs ?? null;
  });
  const errors = found.flatMap((one) => relativeError(one) ?? []);
  const sampled = cell.upstreamSamples > cell.downstreamSamples ? 'upstream' : 'downstream';
  return {
    latencyMs,
    precision: {
      method: found.some(({ bin }) => bin !== null && isWide(bin)) ? 'buckets' : 'bins',
      source: latencySamples(cell) > 0 ? sampled : fallback,
      maxRelativeError: errors.length > 0 ? Math.max(...errors) : null,
      capped: found.some(({ capped }) => capped),
    },
  };
}

/** Distance to the farther edge of the quantile's bin, as a share of it; undefined where it is not known. */
function relativeError({ valueMs, bin, capped }: Quantile): number | undefined {
  if (valueMs === null || bin === null || capped) return undefined;
  return valueMs > 0 ? Math.max(bin[1] - valueMs, valueMs - bin[0]) / valueMs : 1;
}

/** Whether a quantile was found in a bucket of several bins. */
function isWide([lower, upper]: readonly [number, number]): boolean {
  return upper > binBounds(binKey(lower))[1];
}

/** The sum of several cells of the same time; null when there is none. */
export function mergeCells(cells: readonly (Cell | null)[]): Cell | null {
  const known = cells.filter((cell) => cell !== null);
  const [first, ...others] = known;
  if (!first || others.length === 0) return first ?? null;
  const measured = unionOf(known.flatMap((cell) => cell.measured));
  const sum = (of: (cell: Cell) => number): number => known.reduce((total, cell) => total + of(cell), 0);
  const events = sumEach(known.map((cell) => cell.rates.map((rate) => rate * lengthOf(cell.measured))));
  const gauges = known.flatMap((cell) => (cell.gauges ? [cell.gauges] : []));
  const bins = mergeBins(known.map((cell) => cell.bins));
  return {
    counters: sumEach(known.map((cell) => cell.counters)),
    rates: events.map((count) => count / lengthOf(measured)),
    gauges: gauges.length > 0 ? sumEach(gauges) : null,
    bins,
    quantiles: [],
    meanMs: mean(bins),
    timeoutsWithoutSample: sum((cell) => cell.timeoutsWithoutSample),
    downstreamSamples: sum((cell) => cell.downstreamSamples),
    upstreamSamples: sum((cell) => cell.upstreamSamples),
    measured,
  };
}

function sumEach(all: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(all[0]?.length ?? 0);
  for (const values of all) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (values[i] ?? 0);
  return sum;
}
