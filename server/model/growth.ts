/**
 * What totals grew by, as bytes: of counters, of histograms, of flows' counters and bins, and where they changed of hosts'
 * counts, each by its place among the totals. Whoever does not know what the places stand for can still add growth up.
 */

import { BinTotal } from './bin-total.ts';
import type { SparseBins } from './histogram.ts';
import { VarintReader, VarintWriter } from './varint.ts';

/** Lists end with it; places are written one higher, as distances, those of flows as they are. */
export const END = 0;
/** Differences beyond it can't be told from one another once they are doubled. */
export const MOST = 2 ** 51;

/** What growth is added to. */
interface Growing {
  value(slot: number, grown: number): void;
  histogram(slot: number, bins: SparseBins): void;
  counter(flow: number, counter: number, count: number): void;
  bins(flow: number, bins: SparseBins): void;
  host(count: number, grown: number): void;
}

/** @throws RangeError where the bytes end too early. */
function readGrowth(growth: Uint8Array, into: Growing): void {
  const reader = new VarintReader(growth);
  let slot = -1;
  for (let step = reader.read(); step !== END; step = reader.read()) {
    slot += step;
    const coded = reader.read();
    into.value(slot, signed(coded));
  }
  slot = -1;
  for (let step = reader.read(); step !== END; step = reader.read()) {
    slot += step;
    into.histogram(slot, readPairs(reader));
  }
  for (let next = reader.read(); next !== END; next = reader.read()) {
    for (let left = reader.read(); left > 0; left--) into.counter(next - 1, reader.read(), reader.read());
    into.bins(next - 1, readPairs(reader));
  }
  if (reader.done) return;
  let count = -1;
  for (let step = reader.read(); step !== END; step = reader.read()) {
    count += step;
    into.host(count, signed(reader.read()));
  }
}

function signed(coded: number): number {
  return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
}

/** What {@link MOST} is the limit of, of either sign. */
export function codedOf(grown: number): number {
  return grown < 0 ? -2 * grown - 1 : 2 * grown;
}

function readPairs(reader: VarintReader): SparseBins {
  const keys: number[] = [];
  const counts: number[] = [];
  let key = 0;
  for (let left = reader.read(); left > 0; left--) {
    key += reader.read();
    keys.push(key);
    counts.push(reader.read());
  }
  return { keys, counts };
}

/** Totals that growth is added to. */
export interface Growable {
  readonly values: Float64Array;
  readonly histograms: readonly BinTotal[];
  readonly flows: readonly { readonly counters: Float64Array; readonly bins: BinTotal }[];
  /** Some numbers per host; none where there are no hosts. */
  readonly hosts: Float64Array;
}

/** @throws RangeError where the bytes tell of something that is not there. */
export function addGrowth({ values, histograms, flows, hosts }: Growable, growth: Uint8Array): void {
  readGrowth(growth, {
    value(slot, grown) {
      values[slot] = there(values[slot]) + grown;
    },
    histogram: (slot, bins) => there(histograms[slot]).add(bins),
    counter(flow, counter, count) {
      const { counters } = there(flows[flow]);
      counters[counter] = there(counters[counter]) + count;
    },
    bins: (flow, bins) => there(flows[flow]).bins.add(bins),
    host(count, grown) {
      hosts[count] = there(hosts[count]) + grown;
    },
  });
}

function there<T>(thing: T | undefined): T {
  if (thing === undefined) throw new RangeError('growth of nothing');
  return thing;
}

/** Growth of one scrape after the other as one: the same is added by it as by all of them. */
export class GrowthSum implements Growing {
  private readonly values = new Map<number, number>();
  private readonly histograms = new Map<number, BinTotal>();
  private readonly hosts = new Map<number, number>();
  private readonly flows = new Map<number, { readonly counters: Map<number, number>; readonly bins: BinTotal }>();

  /** @throws RangeError where the bytes end too early; the sum is of no use then. */
  add(growth: Uint8Array): void {
    readGrowth(growth, this);
  }

  value(slot: number, grown: number): void {
    this.values.set(slot, (this.values.get(slot) ?? 0) + grown);
  }

  histogram(slot: number, bins: SparseBins): void {
    const sum = this.histograms.get(slot) ?? new BinTotal();
    this.histograms.set(slot, sum);
    sum.add(bins);
  }

  counter(flow: number, counter: number, count: number): void {
    const { counters } = this.flow(flow);
    counters.set(counter, (counters.get(counter) ?? 0) + count);
  }

  bins(flow: number, bins: SparseBins): void {
    this.flow(flow).bins.add(bins);
  }

  host(count: number, grown: number): void {
    this.hosts.set(count, (this.hosts.get(count) ?? 0) + grown);
  }

  private flow(flow: number) {
    const sum = this.flows.get(flow) ?? { counters: new Map<number, number>(), bins: new BinTotal() };
    this.flows.set(flow, sum);
    return sum;
  }

  /** @throws RangeError where it is more than can be written. */
  finish(): Uint8Array {
    const out = new VarintWriter(4096);
    writeSigned(out, this.values);
    let last = -1;
    for (const [slot, bins] of inOrder(this.histograms)) {
      out.write(slot - last);
      writeBins(out, bins);
      last = slot;
    }
    out.write(END);
    this.writeFlows(out);
    if (this.hosts.size > 0) writeSigned(out, this.hosts);
    return out.finish();
  }

  private writeFlows(out: VarintWriter): void {
    for (const [flow, { counters, bins }] of inOrder(this.flows)) {
      out.write(flow + 1);
      out.write(counters.size);
      for (const [counter, count] of inOrder(counters)) {
        out.write(counter);
        out.write(countable(count));
      }
      writeBins(out, bins);
    }
    out.write(END);
  }
}

function writeSigned(out: VarintWriter, numbers: ReadonlyMap<number, number>): void {
  let last = -1;
  for (const [place, grown] of inOrder(numbers)) {
    if (!(Math.abs(grown) < MOST)) throw new RangeError('more growth than can be told');
    if (grown === 0) continue;
    out.write(place - last);
    out.write(codedOf(grown));
    last = place;
  }
  out.write(END);
}

function writeBins(out: VarintWriter, { keys, counts }: SparseBins): void {
  out.write(keys.length);
  out.writePairs(keys, counts.map(countable));
}

function countable(count: number): number {
  if (!Number.isSafeInteger(count)) throw new RangeError('more growth than can be told');
  return count;
}

const inOrder = <Value>(map: ReadonlyMap<number, Value>) => [...map].sort(([a], [b]) => a - b);

/** One growth instead of several; all of them, as they are, where they can't be added up. */
export function foldGrowth(growth: readonly Uint8Array[]): readonly Uint8Array[] {
  if (growth.length < 2) return growth;
  try {
    const sum = new GrowthSum();
    for (const one of growth) sum.add(one);
    return [sum.finish()];
  } catch (error) {
    if (error instanceof RangeError) return growth;
    throw error;
  }
}
