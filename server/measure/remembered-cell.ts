import type { Cell } from '../store/store.ts';

/** A cell works out what it is asked for each time; many ask this one for the same, and for few of its parts. */
export class RememberedCell implements Cell {
  private readonly cell: Cell;
  private readonly known: { -readonly [Name in keyof Cell]?: Cell[Name] } = {};

  constructor(cell: Cell) {
    this.cell = cell;
  }

  get counters() {
    this.known.counters ??= this.cell.counters;
    return this.known.counters;
  }

  get rates() {
    this.known.rates ??= this.cell.rates;
    return this.known.rates;
  }

  get gauges() {
    if (this.known.gauges === undefined) this.known.gauges = this.cell.gauges;
    return this.known.gauges;
  }

  get bins() {
    this.known.bins ??= this.cell.bins;
    return this.known.bins;
  }

  get quantiles() {
    this.known.quantiles ??= this.cell.quantiles;
    return this.known.quantiles;
  }

  get meanMs() {
    return this.cell.meanMs;
  }

  get timeoutsWithoutSample() {
    return this.cell.timeoutsWithoutSample;
  }

  get downstreamSamples() {
    return this.cell.downstreamSamples;
  }

  get upstreamSamples() {
    return this.cell.upstreamSamples;
  }

  get measured() {
    return this.cell.measured;
  }
}
