/** The samples of one moment, as they go from the thread that takes them to the one that keeps and sends them. */

/** Series that differ only in their label sets: `__name__`, and one more label where there is one. */
export interface Column {
  readonly name: string;
  /** Name and value; none: empty. */
  readonly extra: readonly [name: string, value: string] | readonly [];
  /** Its values are histograms by bins. */
  readonly isHistogram: boolean;
}

/** Label names and values, sorted by name. */
export type LabelPairs = readonly (readonly [name: string, value: string])[];

export interface Round {
  /** Unix milliseconds; of all samples. */
  readonly at: number;
  /** Numbers of earlier rounds mean nothing any more, and their series are gone unless this round has them. */
  readonly isFresh: boolean;
  /** Whether all targets have been asked, so that what is still missing after a restart is gone. */
  readonly isSettled: boolean;
  /** New ones, by number. */
  readonly columns: readonly (readonly [number: number, column: Column])[];
  /** Numbers of new label sets. */
  readonly sets: Uint32Array;
  /** Their `LabelPairs` in JSON, in the same order, a line each. */
  readonly setTexts: string;
  /** New series: number, column, label set, and so on. */
  readonly series: Uint32Array;
  /** Numbers of series that were in the round before and are not in this one. */
  readonly gone: Uint32Array;
  /** By number of series; what series that are gone have there means nothing. */
  readonly values: Float64Array;
  /** Histograms one after the other: series, how many bins, their keys, their counts. */
  readonly histograms: Float64Array;
  /** Series that are there. */
  readonly samples: number;
}
