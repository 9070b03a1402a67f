/**
 * What the rest of Sidelight needs of a store. An engine (SQLite; later one that is asked by PromQL) keeps what
 * happened in intervals, and answers with plain sums of it: everything else is worked out from sums.
 */

import type { AlertEvent, AlertFiring, KeptAlert, NewAlertEvent } from '../model/alert.ts';
import type { Direction } from '../model/flow.ts';
import type { Quantile, SparseBins } from '../model/histogram.ts';
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
  /** Series that are left out. */
  readonly without?: readonly Combinations[];
  readonly by: readonly SeriesLabel[];
  /**
   * Also tells the sums of the groups by fewer of their labels: for each of these lists those that are kept apart by.
   * Not to be had with `top`.
   */
  readonly subtotals?: readonly (readonly SeriesLabel[])[];
  /** Whether latency is wanted; without it a query is cheaper. */
  readonly bins: boolean;
  /**
   * With `bins`: quantiles (0 to 1) that the store works out of each cell's merged histogram; the histograms then
   * stay behind. Absent: histograms come back, for whoever adds them up further.
   */
  readonly quantiles?: readonly number[];
  /** Only the groups with the most requests by themselves; the others are added up into one without labels. */
  readonly top?: number;
  readonly limits?: QueryLimits;
}

/** Combinations of values of some labels. */
export interface Combinations {
  readonly labels: readonly SeriesLabel[];
  /** `keyOf` the values, in the order of the labels. */
  readonly keys: readonly string[];
}

/** When to give up a query. */
export interface QueryLimits {
  /** Unix milliseconds. */
  readonly deadline: number;
  /** Over a SharedArrayBuffer: 1 in its first place cancels the query. */
  readonly cancelled: Int32Array;
}

/** Steps in which the past is kept, finest first. */
export const TIERS = ['raw', '1m', '10m', '1h'] as const;
export type TierName = (typeof TIERS)[number];

export interface SumAnswer {
  readonly groups: readonly Group[];
  /** The group of all others where `top` left some out. */
  readonly other: Group | null;
  /** One list of groups for each that was asked for. */
  readonly subtotals: readonly (readonly Group[])[];
  /** Tiers that the answer is from, finest first. */
  readonly tiers: readonly TierName[];
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
  /** Empty where quantiles were asked for. */
  readonly bins: SparseBins;
  /** One for each that was asked for. */
  readonly quantiles: readonly Quantile[];
  /** Mean latency in milliseconds, samples taken at the middle of their bins; null without a sample. */
  readonly meanMs: number | null;
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
  /** The same one after the other, each valid in the call only: where there is this, it costs less than `cells`. */
  eachCell?(found: EachCell): void;
}

export type EachCell = (cell: Cell | null, index: number) => void;

export interface TierStatus {
  readonly name: TierName;
  readonly stepMs: number;
  /** How long it is to be kept, and how long it can be kept within the largest size; milliseconds. */
  readonly retentionMs: number;
  readonly keptMs: number;
  /** Unix milliseconds; null while the tier is empty. */
  readonly oldest: number | null;
  readonly newest: number | null;
  readonly bytes: number;
}

export interface StoreStatus {
  /** `:memory:` where nothing is written. */
  readonly path: string;
  /** Size of the file, of what is in use in it, and the largest that may be. */
  readonly bytes: number;
  readonly usedBytes: number;
  readonly maxBytes: number;
  readonly schemaVersion: number;
  /** Start of the oldest stored interval, Unix milliseconds. */
  readonly oldest: number | null;
  readonly tiers: readonly TierStatus[];
  /** Scrapes that are not in blocks yet. */
  readonly logRows: number;
  /** What keeps the store from keeping everything as long as asked, in words; empty when nothing does. */
  readonly notice: string;
}

/** How much is kept; it may change while the store is open. */
export interface StoreLimits {
  readonly retentionMs: Readonly<Record<TierName, number>>;
  readonly maxBytes: number;
}

export interface StoreOptions extends StoreLimits {
  readonly path: string;
  readonly intervalMs: number;
}

/** What an evaluation of alert rules changed. */
export interface AlertChange {
  /** Replaces the alert of the same rule and labels. */
  readonly kept: readonly KeptAlert[];
  readonly forgotten: readonly Pick<KeptAlert, 'rule' | 'labels'>[];
  readonly events: readonly NewAlertEvent[];
}

export interface FiringQuery {
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Values of these labels, '' for alerts without; absent: any. */
  readonly service?: readonly string[] | undefined;
  readonly namespace?: readonly string[] | undefined;
  readonly most: number;
}

/** Alerts, what happened to them, and how far receivers have been told. */
export interface AlertStore {
  loadAlerts(): Promise<KeptAlert[]>;
  /** As one transaction. */
  saveAlerts(change: AlertChange): Promise<void>;
  /** Events after the one of this number, oldest first. */
  alertEvents(query: { readonly after: number; readonly most: number }): Promise<AlertEvent[]>;
  /** Events of a time, `[from, to)` in Unix milliseconds, newest first. */
  alertHistory(query: { readonly from: number; readonly to: number; readonly most: number }): Promise<AlertEvent[]>;
  /** Times that alerts fired and that reach into `[from, to)`, those that fired last first. */
  alertFirings(query: FiringQuery): Promise<AlertFiring[]>;
  /** Number of the newest event; 0 where there is none. */
  newestAlertEvent(): Promise<number>;
  /** Number of the event that a receiver was told of last; undefined for one that is new. */
  loadCursor(receiver: string): Promise<number | undefined>;
  saveCursor(receiver: string, event: number): Promise<void>;
}

/** How long events of alerts are kept, in milliseconds, and how many. */
export const ALERT_EVENTS_MS = 30 * 86_400_000;
export const MAX_ALERT_EVENTS = 100_000;
/** The same of the times that alerts fired, reckoned from when they ended. */
export const ALERT_FIRINGS_MS = 366 * 86_400_000;
export const MAX_ALERT_FIRINGS = 100_000;

export interface Store extends AlertStore {
  /** Every target that has been scraped, with its last totals. */
  loadTargets(): Promise<StoredTarget[]>;
  /**
   * Keeps a round of scrapes as one transaction: all of it is there after a crash, or none. A round of the same
   * `id` as the one that was kept last changes nothing, whatever is in it.
   * @throws UnsureError when the round may have been kept: it may be given again under the same id only.
   */
  append(round: readonly ScrapeRecord[], id?: number): Promise<void>;
  /**
   * One slice of sealing, rolling up and forgetting, at most 50 ms of the writer; resolves to whether there is more
   * to do at `now`, Unix milliseconds.
   */
  upkeep(now: number): Promise<boolean>;
  /** Other limits from now on: what is beyond them goes with the next upkeep. */
  limit(limits: StoreLimits): void;
  /** @throws QueryTooLargeError, QueryStoppedError */
  sums(query: SumQuery): Promise<SumAnswer>;
  status(): Promise<StoreStatus>;
  close(): Promise<void>;
}

/** Something about the store that the user has to know; the message says what to do. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/** The thread that was to do something ended by itself; another one takes its place, so that it can be asked again. */
export class StoreThreadError extends StoreError {
  override name = 'StoreThreadError';
}

/** The answer of whoever writes got lost: what was to be written may have been, or not. */
export class UnsureError extends StoreError {
  override name = 'UnsureError';
}

/** A query asks for more than may be held in memory; the message says what would do. */
export class QueryTooLargeError extends StoreError {
  override name = 'QueryTooLargeError';
}

/** A query was cancelled, or took longer than it may; the message says which. */
export class QueryStoppedError extends StoreError {
  override name = 'QueryStoppedError';
}
