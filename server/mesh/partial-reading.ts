import { LayoutPool } from '../envoy/layout-pool.ts';
import type { StatsLayout, StatsReading } from '../envoy/stats.ts';

/** The names of what was taken out, and whether they are all names of the answer. */
interface PartLayout extends StatsLayout {
  readonly unread: Uint8Array | undefined;
  /** What it is told apart by. */
  readonly bytes: Uint8Array;
}

interface Part {
  readonly layout: PartLayout;
  readonly isWhole: boolean;
  readonly scalarSlots: readonly number[];
  readonly histogramSlots: readonly number[];
}

const POOL = new LayoutPool<PartLayout>();

/**
 * Takes some stats out of readings, so that no more than those are kept and stored. To be shared by all targets. What is
 * left of two answers has one layout when its names are the same, whatever else was listed.
 */
export class PartialReadings {
  private readonly wantedIn: (layout: StatsLayout) => (name: string) => boolean;
  private readonly parts = new WeakMap<StatsLayout, Part>();
  private values = new Float64Array(0);
  private starts = new Uint32Array(0);
  private keys = new Uint32Array(0);
  private counts = new Float64Array(0);

  /** `wantedIn`: tells of each name of a layout whether it is wanted. */
  constructor(wantedIn: (layout: StatsLayout) => (name: string) => boolean) {
    this.wantedIn = wantedIn;
  }

  /** The layout of what is taken out of answers with `layout`. */
  layoutOf(layout: StatsLayout): StatsLayout {
    return this.partOf(layout).layout;
  }

  /** Holds until the next one is taken out, or as long as the reading itself. */
  of(reading: StatsReading): StatsReading {
    const part = this.partOf(reading.layout);
    const { layout, scalarSlots } = part;
    const unread = reading.unread && layout.unread;
    if (part.isWhole) return { ...reading, layout, unread };
    this.takeBins(reading, part);
    if (this.values.length < scalarSlots.length) this.values = new Float64Array(scalarSlots.length * 2);
    const { values, starts, keys, counts } = this;
    for (let i = 0; i < scalarSlots.length; i++) values[i] = reading.values[scalarSlots[i] ?? 0] ?? 0;
    return { layout, values, binStarts: starts, binKeys: keys, binCounts: counts, unread };
  }

  private takeBins({ binStarts, binKeys, binCounts }: StatsReading, { histogramSlots }: Part): void {
    let bins = 0;
    for (const slot of histogramSlots) bins += (binStarts[slot + 1] ?? 0) - (binStarts[slot] ?? 0);
    if (this.starts.length <= histogramSlots.length) this.starts = new Uint32Array(histogramSlots.length * 2 + 1);
    if (this.keys.length < bins || this.keys.length > bins + MOST_SPARE) {
      this.keys = new Uint32Array(bins * 2);
      this.counts = new Float64Array(bins * 2);
    }
    let used = 0;
    histogramSlots.forEach((slot, index) => {
      this.starts[index] = used;
      const end = binStarts[slot + 1] ?? 0;
      for (let i = binStarts[slot] ?? 0; i < end; i++) {
        this.keys[used] = binKeys[i] ?? 0;
        this.counts[used++] = binCounts[i] ?? 0;
      }
    });
    this.starts[histogramSlots.length] = used;
  }

  private partOf(layout: StatsLayout & { readonly unread?: Uint8Array }): Part {
    const known = this.parts.get(layout);
    if (known) return known;
    const isWanted = this.wantedIn(layout);
    const scalarSlots = slotsIn(layout.scalars, isWanted);
    const histogramSlots = slotsIn(layout.histograms, isWanted);
    const isWhole = scalarSlots.length + histogramSlots.length === layout.scalars.length + layout.histograms.length;
    const unread = layout.unread && Uint8Array.from(histogramSlots, (slot) => layout.unread?.[slot] ?? 0);
    const scalars = isWhole ? layout.scalars : scalarSlots.map((slot) => layout.scalars[slot] ?? '');
    const histograms = isWhole ? layout.histograms : histogramSlots.map((slot) => layout.histograms[slot] ?? '');
    const bytes = Buffer.from([scalars.join('\n'), histograms.join('\n'), unread?.join('')].join('\n\n'));
    const shared = POOL.share({ scalars, histograms, unread, bytes }, [bytes]);
    const part = { layout: shared, isWhole, scalarSlots, histogramSlots };
    this.parts.set(layout, part);
    return part;
  }
}

/** Room for a larger answer, in bins, is not kept for the next one. */
const MOST_SPARE = 65_536;

function slotsIn(names: readonly string[], isWanted: (name: string) => boolean): number[] {
  return names.flatMap((name, slot) => (isWanted(name) ? [slot] : []));
}
