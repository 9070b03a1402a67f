import type { StatsLayout, StatsReading } from '../envoy/stats.ts';

interface Part {
  readonly layout: StatsLayout;
  readonly scalarSlots: readonly number[];
  readonly histogramSlots: readonly number[];
}

/**
 * Takes some stats out of readings, so that no more than those are kept and stored. To be shared by all targets: they
 * then share the layouts of what is taken out too.
 */
export class PartialReadings {
  private readonly isWanted: (name: string) => boolean;
  private readonly parts = new WeakMap<StatsLayout, Part>();

  constructor(isWanted: (name: string) => boolean) {
    this.isWanted = isWanted;
  }

  /** A copy; the layout is the same object for readings of one layout. */
  of(reading: StatsReading): StatsReading {
    const { layout, scalarSlots, histogramSlots } = this.partOf(reading.layout);
    const binStarts = new Uint32Array(histogramSlots.length + 1);
    let bins = 0;
    histogramSlots.forEach((slot, index) => {
      bins += (reading.binStarts[slot + 1] ?? 0) - (reading.binStarts[slot] ?? 0);
      binStarts[index + 1] = bins;
    });
    const binKeys = new Uint32Array(bins);
    const binCounts = new Float64Array(bins);
    histogramSlots.forEach((slot, index) => {
      const [start, end, at] = [reading.binStarts[slot] ?? 0, reading.binStarts[slot + 1] ?? 0, binStarts[index] ?? 0];
      for (let i = start; i < end; i++) {
        binKeys[at + i - start] = reading.binKeys[i] ?? 0;
        binCounts[at + i - start] = reading.binCounts[i] ?? 0;
      }
    });
    const values = new Float64Array(scalarSlots.length);
    for (let i = 0; i < values.length; i++) values[i] = reading.values[scalarSlots[i] ?? 0] ?? 0;
    return { layout, values, binStarts, binKeys, binCounts };
  }

  private partOf(layout: StatsLayout): Part {
    const known = this.parts.get(layout);
    if (known) return known;
    const scalarSlots = this.slotsIn(layout.scalars);
    const histogramSlots = this.slotsIn(layout.histograms);
    const part = {
      layout: {
        scalars: scalarSlots.map((slot) => layout.scalars[slot] ?? ''),
        histograms: histogramSlots.map((slot) => layout.histograms[slot] ?? ''),
      },
      scalarSlots,
      histogramSlots,
    };
    this.parts.set(layout, part);
    return part;
  }

  private slotsIn(names: readonly string[]): number[] {
    return names.flatMap((name, slot) => (this.isWanted(name) ? [slot] : []));
  }
}
