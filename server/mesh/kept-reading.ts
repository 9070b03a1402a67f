import type { StatsLayout, StatsReading } from '../envoy/stats.ts';

/** Room for as many more bins as histograms usually grow by before there is none left. */
const SLACK = 1.125;
const MOST_BEYOND = 2;
const LARGEST_16_BIT = 0xff_ff;
const LARGEST_32_BIT = 0xff_ff_ff_ff;

/**
 * A reading that outlives the next one: a copy in memory of its own, which is used again for the next. It is most of
 * what is in memory per target, so numbers are as narrow as they can be.
 */
export class KeptReading implements StatsReading {
  layout: StatsLayout;
  values = new Float64Array(0);
  binStarts = new Uint32Array(0);
  binKeys: StatsReading['binKeys'] = new Uint16Array(0);
  binCounts: StatsReading['binCounts'] = new Uint32Array(0);
  unread: Uint8Array | undefined;

  constructor(reading: StatsReading) {
    this.layout = reading.layout;
    this.copy(reading);
  }

  copy(reading: StatsReading): void {
    const { layout } = reading;
    const { scalars, histograms } = layout;
    if (this.values.length !== scalars.length) this.values = new Float64Array(scalars.length);
    if (this.binStarts.length !== histograms.length + 1) this.binStarts = new Uint32Array(histograms.length + 1);
    copyStart(this.values, reading.values, scalars.length);
    copyStart(this.binStarts, reading.binStarts, histograms.length + 1);
    this.copyBins(reading, reading.binStarts[histograms.length] ?? 0);
    this.layout = layout;
    this.unread = reading.unread;
  }

  private copyBins({ binKeys, binCounts }: StatsReading, bins: number): void {
    const Keys = isWithin(binKeys, bins, LARGEST_16_BIT) ? Uint16Array : Uint32Array;
    const Counts = isWithin(binCounts, bins, LARGEST_32_BIT) ? Uint32Array : Float64Array;
    const room = Math.ceil(bins * SLACK);
    const fits = this.binKeys.length >= bins && this.binKeys.length <= bins * MOST_BEYOND + 64;
    if (!fits || !(this.binKeys instanceof Keys)) this.binKeys = new Keys(fits ? this.binKeys.length : room);
    if (!fits || !(this.binCounts instanceof Counts)) this.binCounts = new Counts(this.binKeys.length);
    copyStart(this.binKeys, binKeys, bins);
    copyStart(this.binCounts, binCounts, bins);
  }
}

type Numbers = Float64Array | Uint32Array | Uint16Array;

function isWithin(numbers: Numbers, length: number, largest: number): boolean {
  for (let i = 0; i < length; i++) if ((numbers[i] ?? 0) > largest) return false;
  return true;
}

function copyStart(into: Numbers, from: Numbers, length: number): void {
  into.set(from.length === length ? from : from.subarray(0, length));
}
