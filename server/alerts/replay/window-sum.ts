import { COUNTERS } from '../../model/flow.ts';
import { mean, NO_BINS, quantile, type SparseBins } from '../../model/histogram.ts';
import type { Interval } from '../../model/spread.ts';
import { lengthOf } from '../../store/coverage.ts';
import type { Cell } from '../../store/store.ts';

/** The sum of a window's cells: the next one comes in at its end, the first one leaves. */
export class WindowSum {
  private readonly counters = new Float64Array(COUNTERS.length);
  /** Ascending; counts of samples beside them, 0 for bins that have left. */
  private keys: number[] = [];
  private counts: number[] = [];
  private timeouts = 0;
  private downstream = 0;
  private upstream = 0;
  private measured: Interval[] = [];
  private gauges: Float64Array | null = null;

  /** The cell at the window's end; null where nothing was measured. */
  add(cell: Cell | null): void {
    this.gauges = cell?.gauges ?? null;
    if (!cell) return;
    this.addSums(cell, 1);
    for (const { from, to } of cell.measured) {
      const last = this.measured.at(-1);
      if (last && from <= last.to) this.measured[this.measured.length - 1] = { from: last.from, to };
      else this.measured.push({ from, to });
    }
  }

  /** The cell at the window's beginning, which now begins at `from`. */
  leave(cell: Cell | null, from: number): void {
    if (cell) this.addSums(cell, -1);
    const kept = this.measured.filter(({ to }) => to > from);
    this.measured = kept.map((run) => (run.from < from ? { from, to: run.to } : run));
  }

  get isEmpty(): boolean {
    return this.measured.length === 0;
  }

  private addSums(cell: Cell, sign: 1 | -1): void {
    const { counters } = cell;
    for (let i = 0; i < this.counters.length; i++)
      this.counters[i] = (this.counters[i] ?? 0) + sign * (counters[i] ?? 0);
    this.timeouts += sign * cell.timeoutsWithoutSample;
    this.downstream += sign * cell.downstreamSamples;
    this.upstream += sign * cell.upstreamSamples;
    this.addBins(cell.bins, sign);
  }

  private addBins({ keys, counts }: SparseBins, sign: 1 | -1): void {
    let at = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      while (at < this.keys.length && (this.keys[at] ?? 0) < key) at++;
      if (this.keys[at] !== key) {
        this.keys.splice(at, 0, key);
        this.counts.splice(at, 0, 0);
      }
      this.counts[at] = (this.counts[at] ?? 0) + sign * (counts[i] ?? 0);
    }
  }

  /** As the store would answer for the whole window; null where nothing was measured in it. */
  cell(quantiles: readonly number[] | undefined): Cell | null {
    if (this.isEmpty) return null;
    const { counters, measured, gauges, timeouts } = this;
    const seconds = lengthOf(measured) / 1000;
    const bins = this.bins();
    return {
      counters: counters.slice(),
      rates: counters.map((count) => count / seconds),
      gauges,
      bins: quantiles ? NO_BINS : bins,
      quantiles: quantiles?.map((q) => quantile(bins, q, timeouts)) ?? [],
      meanMs: mean(bins),
      timeoutsWithoutSample: timeouts,
      downstreamSamples: this.downstream,
      upstreamSamples: this.upstream,
      measured,
    };
  }

  private bins(): SparseBins {
    const keys: number[] = [];
    const counts: number[] = [];
    for (let i = 0; i < this.keys.length; i++) {
      const count = this.counts[i] ?? 0;
      if (count <= 0) continue;
      keys.push(this.keys[i] ?? 0);
      counts.push(count);
    }
    if (keys.length < this.keys.length / 2) [this.keys, this.counts] = [keys.slice(), counts.slice()];
    return { keys, counts };
  }
}
