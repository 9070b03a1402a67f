import type { StatsLayout, StatsReading } from '../envoy/stats.ts';

/** Room for as many more bins as histograms usually grow by before there is none left. */
const SLACK = 1.25;

/** A reading that outlives the next one: a copy in memory of its own, which is used again for the next. */
export class KeptReading implements StatsReading {
  layout: StatsLayout;
  values = new Float64Array(0);
  binStarts = new Uint32Array(0);
  binKeys = new Uint32Array(0);
  binCounts = new Float64Array(0);
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
    const bins = reading.binStarts[histograms.length] ?? 0;
    if (this.binKeys.length < bins || this.binKeys.length > bins * 2 + 64) {
      this.binKeys = new Uint32Array(Math.ceil(bins * SLACK));
      this.binCounts = new Float64Array(Math.ceil(bins * SLACK));
    }
    copyStart(this.values, reading.values, scalars.length);
    copyStart(this.binStarts, reading.binStarts, histograms.length + 1);
    copyStart(this.binKeys, reading.binKeys, bins);
    copyStart(this.binCounts, reading.binCounts, bins);
    this.layout = layout;
    this.unread = reading.unread;
  }
}

function copyStart<T extends Float64Array | Uint32Array>(into: T, from: T, length: number): void {
  into.set(from.length === length ? from : from.subarray(0, length));
}
