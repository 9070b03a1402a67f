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
  const all = new CellFigures(cell, source, ALL_PERCENTILES);
  return {
    requests: all.requests,
    requestRate: all.requestRate,
    successRate: all.successRate,
    errorRate: all.errorRate,
    codeClasses: all.codeClasses,
    latencyMs: all.latencyMs,
    precision: all.precision,
    latencySamples: all.latencySamples,
    timeouts: all.timeouts,
    retries: all.retries,
    activeRequests: all.activeRequests,
    state: all.state,
  };
}

/** Figures of which each is worked out when it is asked for; percentiles, and how exact they are, at `quantiles` alone. */
export class CellFigures implements Figures {
  readonly requests: number;
  private readonly cell: Cell;
  private readonly fallback: Precision['source'];
  private readonly quantiles: readonly number[];
  private known: readonly Quantile[] | undefined;

  /** `quantiles` are those that the cell was asked for with. */
  constructor(cell: Cell, fallback: Precision['source'], quantiles: readonly number[]) {
    this.requests = requestCount(cell.counters);
    this.cell = cell;
    this.fallback = fallback;
    this.quantiles = quantiles;
  }

  get requestRate(): number {
    return requestRate(this.cell);
  }

  get successRate(): number | null {
    return successRate(this.cell);
  }

  get errorRate(): number | null {
    return errorRate(this.cell);
  }

  get codeClasses(): Record<CodeClass, number> {
    return codeClasses(this.cell);
  }

  get latencyMs(): LatencyMs {
    const latencyMs: LatencyMs = { ...NO_LATENCY, mean: this.cell.meanMs };
    this.quantiles.forEach((q, index) => {
      latencyMs[PERCENTILE_NAMES[ALL_PERCENTILES.indexOf(q)] ?? 'p50'] = this.found[index]?.valueMs ?? null;
    });
    return latencyMs;
  }

  get precision(): Precision {
    const { upstreamSamples, downstreamSamples } = this.cell;
    const sampled = upstreamSamples > downstreamSamples ? 'upstream' : 'downstream';
    return precisionOf(this.found, this.latencySamples > 0 ? sampled : this.fallback);
  }

  get latencySamples(): number {
    return latencySamples(this.cell);
  }

  get timeouts(): number {
    return this.cell.counters[COUNTER_INDEX.timed_out] ?? 0;
  }

  get retries(): number {
    return this.cell.counters[COUNTER_INDEX.retries] ?? 0;
  }

  get activeRequests(): number | null {
    return gauge(this.cell, 'active_requests');
  }

  get state(): FigureState {
    return stateOf(this.requests, this.latencySamples);
  }

  private get found(): readonly Quantile[] {
    this.known ??= quantilesOf(this.cell, this.quantiles);
    return this.known;
  }
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
