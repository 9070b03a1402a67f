import type { StatsLayout, StatsReading } from '../envoy/stats.ts';

interface Part {
  readonly layout: StatsLayout;
  readonly scalarSlots: readonly number[];
  readonly histogramSlots: readonly number[];
}

/** Takes some stats out of readings, so that no more than those are kept and stored. */
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
    const binKeys: number[] = [];
    const binCounts: number[] = [];
    histogramSlots.forEach((slot, index) => {
      const [start, end] = [reading.binStarts[slot], reading.binStarts[slot + 1]];
      binKeys.push(...reading.binKeys.subarray(start, end));
      binCounts.push(...reading.binCounts.subarray(start, end));
      binStarts[index + 1] = binKeys.length;
    });
    return {
      layout,
      values: Float64Array.from(scalarSlots, (slot) => reading.values[slot] ?? 0),
      binStarts,
      binKeys: Uint32Array.from(binKeys),
      binCounts: Float64Array.from(binCounts),
    };
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
