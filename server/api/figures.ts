/** Figures of the API, from what cells tell. */

import {
  ALL_PERCENTILES,
  errorRate,
  gauge,
  latencySamples,
  PERCENTILES,
  quantilesOf,
  requestRate,
  successRate,
} from '../measure/cells.ts';
import { CODE_CLASSES, COUNTER_INDEX, requestCount } from '../model/flow.ts';
import { binBounds, binKey, type Quantile } from '../model/histogram.ts';
import type { Cell } from '../store/store.ts';
import type { CodeClass, FigureState, Figures, LatencyMs, Precision } from './contract.ts';

/** Fewer latency samples than this make percentiles a matter of luck. */
export const FEW_SAMPLES = 20;

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

const PERCENTILE_NAMES = Object.keys(PERCENTILES) as (keyof typeof PERCENTILES)[];

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

export function codeClasses({ counters }: Cell): Record<CodeClass, number> {
  const classes: Record<CodeClass, number> = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
  for (const name of CODE_CLASSES) classes[name] = counters[COUNTER_INDEX[name]] ?? 0;
  return classes;
}

function latency(cell: Cell, fallback: Precision['source']): { latencyMs: LatencyMs; precision: Precision } {
  const latencyMs: LatencyMs = { ...NO_LATENCY, mean: cell.meanMs };
  const found = quantilesOf(cell, ALL_PERCENTILES);
  for (let i = 0; i < PERCENTILE_NAMES.length; i++) latencyMs[PERCENTILE_NAMES[i] ?? 'p50'] = found[i]?.valueMs ?? null;
  const sampled = cell.upstreamSamples > cell.downstreamSamples ? 'upstream' : 'downstream';
  const source = latencySamples(cell) > 0 ? sampled : fallback;
  return { latencyMs, precision: precisionOf(found, source) };
}

function precisionOf(found: readonly Quantile[], source: Precision['source']): Precision {
  const precision: Precision = { method: 'bins', source, maxRelativeError: null, capped: false };
  for (const one of found) {
    const error = relativeError(one);
    if (error !== null) precision.maxRelativeError = Math.max(precision.maxRelativeError ?? error, error);
    if (one.bin !== null && isWide(one.bin)) precision.method = 'buckets';
    precision.capped ||= one.capped;
  }
  return precision;
}

/** Distance to the farther edge of the quantile's bin, as a share of it; null where it is not known. */
function relativeError({ valueMs, bin, capped }: Quantile): number | null {
  if (valueMs === null || bin === null || capped) return null;
  return valueMs > 0 ? Math.max(bin[1] - valueMs, valueMs - bin[0]) / valueMs : 1;
}

/** Whether a quantile was found in a bucket of several bins. */
function isWide([lower, upper]: readonly [number, number]): boolean {
  return upper > binBounds(binKey(lower))[1];
}
