/** What every answer is made of: figures of a group of requests, and what they are of. */

export type FigureState = 'ok' | 'no_traffic' | 'no_data' | 'too_little_data';

/** Whose Envoy measured a service: its own sidecars, or those of its callers. */
export type Vantage = 'server' | 'client';

export type Role = 'sidecar' | 'gateway';

/**
 * What tells failed gRPC calls, which are HTTP 200: the filter grpc_stats, `rq_error` of the hosts in /clusters, or
 * Istio's labels; `status`: only the status of HTTP tells failures; `mixed`: not the same at all who measured.
 */
export type FailureSource = 'grpc_stats' | 'clusters' | 'istio' | 'status' | 'mixed' | 'unknown';

export interface ErrorBody {
  error: { code: string; message: string };
}

export interface LatencyMs {
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
  p999: number | null;
  mean: number | null;
}

export interface Precision {
  method: 'bins' | 'buckets';
  /** Which of Envoy's histograms the latency is from: the connection manager's or the cluster's. */
  source: 'downstream' | 'upstream';
  /** Largest distance from a reported percentile to an edge of its bin, as a share of the percentile. */
  maxRelativeError: number | null;
  /** True when a percentile falls among timed-out requests, which have no sample: it is then a lower bound. */
  capped: boolean;
}

/**
 * What is told of one group of requests over one window, of those from one place to another too. Envoy tells neither retries
 * nor gRPC failures by zone: where a call from place to place had gRPC failures, the shares of success and failure are null.
 */
export interface PlaceFigures {
  /** Completed requests (2xx to 5xx) in the window; null when nothing was measured. */
  requests: number | null;
  requestRate: number | null;
  successRate: number | null;
  errorRate: number | null;
  /**
   * Requests in the window by class: `2xx`, `3xx`, `4xx`, `5xx`. Where only /clusters tells to whom requests went, the class
   * of some may be unknown: they are in none, so that the classes sum up to less than `requests`.
   */
  codeClasses: Record<CodeClass, number> | null;
  latencyMs: LatencyMs;
  latencySamples: number;
  precision: Precision;
  state: FigureState;
}

/** The golden signals of one group of requests over one window. */
export interface Figures extends PlaceFigures {
  timeouts: number;
  retries: number;
  activeRequests: number | null;
}

/** What `fields` takes of figures: whole fields, or single ones of those that have fields of their own. */
export type FigureField = keyof Figures | `latencyMs.${keyof LatencyMs}` | `precision.${keyof Precision}`;

/** The figures that were asked for. */
export type FigureParts = Partial<Omit<Figures, 'latencyMs' | 'precision'>> & {
  latencyMs?: Partial<LatencyMs>;
  precision?: Partial<Precision>;
};

export type CodeClass = '2xx' | '3xx' | '4xx' | '5xx';

/** Events by reason. Reasons are disjoint, and may exceed failed requests, since tries fail too. */
export type Failures = Record<string, number>;

/** When and over what an answer's figures are. */
export interface AnswerRange {
  /** End of the window. */
  at: number;
  /** Length of the window in milliseconds. */
  windowMs: number;
  /** The window as asked for, such as `5m`. */
  window: string;
  /** How much earlier than the window the figures are from. */
  offsetMs: number;
}

/** Steps in which the past is kept: `raw`, `1m`, `10m`, `1h`. */
export type TierName = 'raw' | '1m' | '10m' | '1h';

/** `[start of the step, value]`; null where nothing was measured. */
export type Point = [number, number | null];
