/** What one answer of Envoy's `/stats` said, whatever form it came in. The arrays may be longer than what they hold. */
export interface StatsReading {
  readonly layout: StatsLayout;
  /** Counters and gauges, one per name of `layout.scalars`. */
  readonly values: Float64Array;
  /** Cumulative bins of histogram `i`: entries `binStarts[i]` to `binStarts[i + 1]` of `binKeys` and `binCounts`. */
  readonly binStarts: Uint32Array;
  readonly binKeys: Uint32Array | Uint16Array;
  readonly binCounts: Float64Array | Uint32Array;
  /** 1 for every histogram that was left unread and has no bins here, whatever it held; absent where all were read. */
  readonly unread?: Uint8Array | undefined;
  /** Whether the arrays still hold this reading: those of a lent one are written anew by the next. Absent where they are its own. */
  readonly holds?: () => boolean;
}

/**
 * The names in an answer, in its order. A reader gives the same object again for as long as Envoy lists the
 * same lines, so whoever works out something from the names can keep it beside the layout.
 */
export interface StatsLayout {
  readonly scalars: readonly string[];
  readonly histograms: readonly string[];
}

/** An answer without a single stat. */
export const NO_STATS: StatsReading = {
  layout: { scalars: [], histograms: [] },
  values: new Float64Array(0),
  binStarts: new Uint32Array(1),
  binKeys: new Uint32Array(0),
  binCounts: new Float64Array(0),
};

export type Precision = 'bins' | 'buckets' | 'none';

/** Reads the answers of one target, one after the other; remembers the last one's layout. */
export interface StatsReader {
  /** How well the last answer tells latencies; `none` where it gave Envoy's own quantiles, which can't be merged. */
  readonly precision: Precision;
  /** @throws StatsError when the body is not what Envoy answers. */
  read(body: Buffer): StatsReading;
  /**
   * The same in memory that all readers share, so that nothing is allocated: it holds until any reader reads again.
   * Histograms whose names hold no figure may be left unread.
   */
  lend(body: Buffer): StatsReading;
  /** The part of a long body that is worth reading, found in short turns with a `pause` between them. */
  shorten?(body: Buffer, pause: () => Promise<void>): Promise<Buffer>;
}

/** The body is not an Envoy's `/stats`; the message says where and what was found, in plain words. */
export class StatsError extends Error {
  override name = 'StatsError';
}

/** Longer ones than Envoy's longest; a line without an end is no reason to hang. */
export const LONGEST_NAME = 4096;

const SCOPE = /^(?:cluster|http|listener|server)\./;

/** @throws StatsError when no name is one of Envoy's: another program may list numbers in the same form. */
export function checkNames({ scalars }: StatsLayout): void {
  if (scalars.some((name) => SCOPE.test(name))) return;
  const found = scalars[0] === undefined ? 'it lists none' : `the first one is "${scalars[0].slice(0, 60)}"`;
  throw new StatsError(`none of the stats is one of Envoy's: ${found}`);
}

/** A reading with arrays of its own, just as long as what they hold. */
export function owned(reading: StatsReading): StatsReading {
  const { layout, values, binStarts, binKeys, binCounts, unread } = reading;
  const bins = binStarts[layout.histograms.length] ?? 0;
  return {
    layout,
    values: values.slice(0, layout.scalars.length),
    binStarts: binStarts.slice(0, layout.histograms.length + 1),
    binKeys: binKeys.slice(0, bins),
    binCounts: binCounts.slice(0, bins),
    unread,
  };
}

/** Room for a larger answer, in entries, is not kept for the next one. */
const MOST_KEPT = 65_536;

/** Collects the figures of one answer after the other in memory that is used again, growing as needed. */
export class ReadingDraft {
  private values = new Float64Array(1024);
  private starts = new Uint32Array(64);
  private keys = new Uint32Array(1024);
  private counts = new Float64Array(1024);
  private histograms = 0;
  private used = 0;
  private readings = 0;

  /** Begins a reading; the figures of the one before are gone. Its counters and gauges belong into the array. */
  begin(scalars: number): Float64Array {
    this.readings++;
    this.histograms = 0;
    this.used = 0;
    if (this.keys.length > MOST_KEPT) {
      this.keys = new Uint32Array(MOST_KEPT);
      this.counts = new Float64Array(MOST_KEPT);
    }
    if (scalars > this.values.length || this.values.length > MOST_KEPT)
      this.values = new Float64Array(Math.max(scalars, Math.min(scalars * 2, MOST_KEPT)));
    return this.values;
  }

  /** Begins the next histogram. */
  beginHistogram(): void {
    if (this.histograms + 2 > this.starts.length)
      this.starts = grown(this.starts, new Uint32Array(this.starts.length * 2));
    this.starts[this.histograms++] = this.used;
  }

  /**
   * Adds a bin; those beyond the slowest key become one.
   * @throws StatsError when the bins of a histogram do not come in ascending order.
   */
  push(key: number, count: number): void {
    const last = this.used - 1;
    if (last >= (this.starts[this.histograms - 1] ?? 0)) {
      const lastKey = this.keys[last] ?? 0;
      if (key < lastKey) throw new StatsError("a histogram's bins are out of order");
      if (key === lastKey) {
        this.counts[last] = Math.min(Number.MAX_SAFE_INTEGER, (this.counts[last] ?? 0) + count);
        return;
      }
    }
    if (this.used === this.keys.length) {
      this.keys = grown(this.keys, new Uint32Array(this.keys.length * 2));
      this.counts = grown(this.counts, new Float64Array(this.counts.length * 2));
    }
    this.keys[this.used] = key;
    this.counts[this.used++] = count;
  }

  /** The reading, which holds until the next one is begun. */
  finish(layout: StatsLayout, unread?: Uint8Array): StatsReading {
    this.starts[this.histograms] = this.used;
    const reading = this.readings;
    return {
      layout,
      values: this.values,
      binStarts: this.starts,
      binKeys: this.keys,
      binCounts: this.counts,
      unread,
      holds: () => this.readings === reading,
    };
  }
}

/** One for all readers: an answer is read from start to end before the next one is. */
export const SHARED_DRAFT = new ReadingDraft();

function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}
