import type { Identity, Observation } from './flow.ts';
import type { FlowTotals } from './flow-totals.ts';

/**
 * Last totals of a target in two parts: the names, which hardly ever change, and the numbers.
 * Only the mesh layer knows what they mean; the store keeps them beside the points of the same scrape.
 */
export interface StoredTotals {
  readonly shape: string;
  readonly values: Uint8Array;
  /**
   * Which of its target's totals these are, from 1 on, counted in one life of the collector; absent where growth never
   * refers to them.
   */
  readonly sequence?: number;
  /** Whether `values` tell what totals of the same shape, those of the number before, grew by; empty: nothing that is to be kept. */
  readonly isGrowth?: boolean;
  /** Gives the memory of `values` back: whoever calls it, and everybody else, reads them no more. Not a duty. */
  release?(): void;
}

/**
 * What tells failed gRPC calls, which are HTTP 200: the filter grpc_stats, hosts' `rq_error` of /clusters, Istio's labels;
 * `status` where only HTTP's status tells failures.
 */
export type FailureSource = 'grpc_stats' | 'clusters' | 'istio' | 'status';

/** What asking for /clusters cost, apart from the scrape, and what came of it. */
export interface ClustersAsked {
  readonly at: number;
  readonly durationMs: number;
  readonly bodyBytes: number;
  /** `refused` where the target forbids it or has no such path; it is left in peace then. */
  readonly result: 'ok' | 'refused' | 'failed';
  /** Why it failed, in plain words; empty when it did not. */
  readonly error: string;
}

/** What a good scrape found out about a target. */
export interface ScrapeFindings {
  readonly observation: Observation;
  readonly totals: StoredTotals;
  /** The same totals, live: they change with the next scrape. */
  readonly flowTotals: FlowTotals;
  /** Since when `flowTotals` count, Unix milliseconds; null where an earlier life of the collector knew it. */
  readonly countedSince: number | null;
  /** Unix milliseconds, up to 1 s late, since /server_info tells whole seconds; null when it was refused. */
  readonly startedAt: number | null;
  /** Whether requests to the service are seen here: the service's vantage is then `server`. */
  readonly inbound: boolean;
  /** Stats that were used. */
  readonly samples: number;
  readonly envoyVersion: string;
  /** How well latencies are known; `none` where Envoy tells its own quantiles only. */
  readonly precision: 'bins' | 'buckets' | 'none';
  /** Clusters that stand for no service: their traffic goes to whatever host a request names. */
  readonly carriers?: readonly string[];
  readonly failureSource: FailureSource;
  /** Earliest expiry of a certificate in Unix seconds; null without certificates. */
  readonly certificateExpiry: number | null;
}

/** How often a target is asked from a scrape on. */
export interface PaceInForce {
  readonly intervalMs: number;
  /** Why it is another interval than the configured one, in plain words; empty where it is that. */
  readonly slowedDown: string;
}

/** One scrape of one target, good or failed: a failed one has a reason and no findings. */
export interface ScrapeRecord {
  /** Address of the target, its identity over restarts of the collector. */
  readonly target: string;
  /** When the answer came or the scrape failed, Unix milliseconds. */
  readonly at: number;
  readonly durationMs: number;
  readonly bodyBytes: number;
  /** Why it failed, in plain words, and what to do; empty when it did not. */
  readonly error: string;
  /** Undefined where /clusters was not asked for after the scrape. */
  readonly clusters?: ClustersAsked | undefined;
  readonly pace?: PaceInForce | undefined;
  readonly findings: ScrapeFindings | undefined;
}

/** Totals as they were kept: once whole, and what they grew by since, in order. */
export interface KeptTotals extends Pick<StoredTotals, 'shape' | 'values'> {
  readonly growth?: readonly Uint8Array[];
}

/** What the store remembers of a target. */
export interface StoredTarget {
  readonly target: string;
  readonly lastScrape: number;
  readonly startedAt: number | null;
  readonly identity: Identity;
  readonly inbound: boolean;
  readonly totals: KeptTotals;
}
