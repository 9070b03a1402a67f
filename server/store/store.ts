/**
 * What the rest of Sidelight needs of a store. An engine (SQLite; later one that is asked by PromQL) keeps what
 * happened in intervals, and answers with plain sums of it: everything else is worked out from sums.
 */

import type { Direction } from '../model/flow.ts';
import type { SparseBins } from '../model/histogram.ts';
import type { ScrapeRecord, StoredTarget } from '../model/scrape-record.ts';
import type { Interval } from '../model/spread.ts';

/**
 * Labels that series are told apart by. On outbound series and those by zone `service` is the caller and `peer` the
 * called; `peer_zone` is of those by zone.
 */
export const SERIES_LABELS = [
  'service',
  'namespace',
  'instance',
  'region',
  'zone',
  'peer',
  'peer_namespace',
  'peer_zone',
] as const;
export type SeriesLabel = (typeof SERIES_LABELS)[number];
export type SeriesLabels = Readonly<Partial<Record<SeriesLabel, string>>>;

export interface SumQuery {
  /** Unix milliseconds, `[from, to)`. */
  readonly from: number;
  readonly to: number;
  /** Length of a cell in milliseconds, cells starting at `from`; absent: one cell for the whole time. */
  readonly stepMs?: number;
  readonly direction: Direction;
  /** Values that a label may have; absent: any. */
  readonly match: Readonly<Partial<Record<SeriesLabel, readonly string[]>>>;
  readonly by: readonly SeriesLabel[];
  /** Whether histograms are wanted; without them a query is cheaper. */
  readonly bins: boolean;
}

/** Sums of one group over one cell. */
export interface Cell {
  /** One number per entry of `COUNTERS`: whole events. */
  readonly counters: Float64Array;
  /**
   * The same per second of the time that was measured. Where one target was scraped a moment before another, its
   * last rate is taken to go on until the other's scrape, so that the newest cell does not sag.
   */
  readonly rates: Float64Array;
  /** One number per entry of `STORED_GAUGES`, at the end of the cell; null where no target was measured then. */
  readonly gauges: Float64Array | null;
  readonly bins: SparseBins;
  /** Requests that timed out and have no sample in `bins`. */
  readonly timeoutsWithoutSample: number;
  /** Samples by the histogram they are from. */
  readonly downstreamSamples: number;
  readonly upstreamSamples: number;
  /** The time of the cell that `rates` are over: when at least one of the group's targets was measured. Never empty. */
  readonly measured: readonly Interval[];
}

export interface Group {
  readonly labels: SeriesLabels;
  /** Null where nothing was measured. */
  readonly cells: readonly (Cell | null)[];
}

export interface StoreStatus {
  readonly path: string;
  readonly bytes: number;
  readonly schemaVersion: number;
  /** Start of the oldest stored interval, Unix milliseconds. */
  readonly oldest: number | null;
}

export interface Store {
  /** Every target that has been scraped, with its last totals. */
  loadTargets(): Promise<StoredTarget[]>;
  /** Keeps a round of scrapes as one transaction: all of it is there after a crash, or none. */
  append(round: readonly ScrapeRecord[]): Promise<void>;
  /** Forgets intervals that ended before `before`, Unix milliseconds. */
  expire(before: number): Promise<void>;
  sums(query: SumQuery): Promise<Group[]>;
  status(): Promise<StoreStatus>;
  close(): Promise<void>;
}

/** Something about the store that the user has to know; the message says what to do. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/** A query asks for more than may be held in memory; the message says what would do. */
export class QueryTooLargeError extends StoreError {
  override name = 'QueryTooLargeError';
}
