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

export function codeClasses(cell: Cell): Record<CodeClass, number> {
  return Object.fromEntries(CODE_CLASSES.map((name) => [name, cell.counters[COUNTER_INDEX[name]] ?? 0])) as Record<
    CodeClass,
    number
  >;
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
