/**
 * The last totals of a target: what Envoy's counters stood at, from which the next scrape's increments are
 * counted, and what Sidelight has counted of each flow so far, which is what /metrics shows. They are stored
 * with the points of the same scrape, so that no restart of the collector loses or repeats a request.
 */

import type { StatsReading } from '../envoy/stats.ts';
import { BinTotal } from '../model/bin-total.ts';
import { COUNTERS, type FlowKey, GAUGES } from '../model/flow.ts';
import { type FlowTotal, FlowTotals } from '../model/flow-totals.ts';
import { addGrowth, type Growable } from '../model/growth.ts';
import { MemoryPool } from '../model/memory-pool.ts';
import type { KeptTotals, StoredTotals } from '../model/scrape-record.ts';
import { VarintReader, VarintWriter } from '../model/varint.ts';
import type { HeldCluster } from './held-clusters.ts';
import { COUNTS_PER_HOST, type HostCounts } from './host-counters.ts';

export interface Totals {
  readonly reading: StatsReading;
  readonly flows: FlowTotals;
  /** What was counted of clusters and has not been shared out among services yet. */
  readonly held: readonly HeldCluster[];
  /** Of the last reading of /clusters; undefined where there was none. */
  readonly hosts: HostCounts | undefined;
}

interface Shape {
  readonly version: 1;
  readonly scalars: readonly string[];
  readonly histograms: readonly string[];
  /** Histograms that were left unread, by their place; absent in what was stored before there were any. */
  readonly unread?: readonly number[];
  readonly flows: readonly FlowKey[];
  readonly counters: readonly string[];
  readonly held?: readonly HeldName[];
  readonly hosts?: readonly HostName[];
}

type HeldName = readonly [cluster: string, flow: FlowKey];
type HostName = readonly [cluster: string, address: string, hostname: string];

/** A flow's total that growth is added to. */
interface DecodedFlow extends FlowTotal {
  readonly bins: BinTotal;
}

const AT_REST = new Float64Array(GAUGES.length);

export function shapeOf(totals: Totals): string {
  const shape: Shape = {
    version: 1,
    scalars: totals.reading.layout.scalars,
    histograms: totals.reading.layout.histograms,
    unread: [...(totals.reading.unread ?? [])].flatMap((unread, slot) => (unread === 1 ? [slot] : [])),
    flows: totals.flows.keys,
    counters: COUNTERS,
    held: totals.held.map(({ cluster, flow }) => [cluster, flow]),
    ...(totals.hosts && {
      hosts: totals.hosts.names.map(({ cluster, address, hostname }) => [cluster, address, hostname]),
    }),
  };
  return JSON.stringify(shape);
}

/** Used again for every target. */
const WRITER = new VarintWriter(16_384);
const VALUES = new MemoryPool({ smallestBytes: 1024, mostKeptBytes: 4 * 1024 * 1024 });

/** To be given back once they are stored: garbage of this size at every scrape would be most of all memory. */
export class EncodedTotals implements StoredTotals {
  readonly shape: string;
  readonly values: Uint8Array;
  readonly sequence: number;
  readonly isGrowth: boolean;
  private memory: Buffer | undefined;

  private constructor(
    shape: string,
    written: Uint8Array,
    { sequence, isGrowth }: Pick<EncodedTotals, 'sequence' | 'isGrowth'>,
  ) {
    this.shape = shape;
    this.memory = VALUES.take(written.length);
    this.memory.set(written);
    this.values = this.memory.subarray(0, written.length);
    this.sequence = sequence;
    this.isGrowth = isGrowth;
  }

  static ofWhole(shape: string, totals: Totals, sequence: number): EncodedTotals {
    return new EncodedTotals(shape, writtenValues(totals), { sequence, isGrowth: false });
  }

  /** What the totals of the number before have grown by. */
  static ofGrowth(shape: string, growth: Uint8Array, sequence: number): EncodedTotals {
    return new EncodedTotals(shape, growth, { sequence, isGrowth: true });
  }

  release(): void {
    if (this.memory) VALUES.release(this.memory);
    this.memory = undefined;
  }
}

/** The numbers of totals, in memory of their own. */
export function packedValues(totals: Totals): Uint8Array {
  return new Uint8Array(writtenValues(totals));
}

function writtenValues({ reading, flows, held, hosts }: Totals): Uint8Array {
  const { layout, values, binStarts, binKeys, binCounts } = reading;
  WRITER.clear();
  for (let i = 0; i < layout.scalars.length; i++) WRITER.write(values[i] ?? 0);
  for (let i = 0; i < layout.histograms.length; i++) {
    const start = binStarts[i] ?? 0;
    const end = binStarts[i + 1] ?? 0;
    WRITER.write(end - start);
    for (let j = start; j < end; j++) {
      WRITER.write(binKeys[j] ?? 0);
      WRITER.write(binCounts[j] ?? 0);
    }
  }
  for (const flow of flows) encodeFlow(WRITER, flow);
  for (const cluster of held) {
    WRITER.write(cluster.since);
    encodeFlow(WRITER, cluster);
  }
  for (const count of hosts?.counts ?? []) WRITER.write(count);
  return WRITER.view();
}

function encodeFlow(writer: VarintWriter, { counters, bins }: Pick<FlowTotal, 'counters' | 'bins'>): void {
  for (let i = 0; i < counters.length; i++) writer.write(counters[i] ?? 0);
  writer.write(bins.keys.length);
  for (let i = 0; i < bins.keys.length; i++) {
    writer.write(bins.keys[i] ?? 0);
    writer.write(bins.counts[i] ?? 0);
  }
}

/** Undefined when the stored form is not one that this version understands: the target then starts from a baseline. */
export function decodeTotals({ shape, values, growth = [] }: KeptTotals): Totals | undefined {
  try {
    const names = JSON.parse(shape) as Shape;
    if (names.version !== 1) return undefined;
    const reader = new VarintReader(values);
    const growable = decodeReading(names, reader);
    const flows = names.flows.map((flow) => decodeFlow(flow, names.counters, reader));
    const held = (names.held ?? []).map(([cluster, flow]): HeldCluster => {
      const since = reader.read();
      return { cluster, since, ...decodeFlow(flow, names.counters, reader) };
    });
    const hosts = names.hosts && decodeHosts(names.hosts, reader);
    if (!reader.done) return undefined;
    for (const one of growth) addGrowth({ ...growable, flows, hosts: hosts?.counts ?? NO_COUNTS }, one);
    return { reading: readingOf(names, growable), flows: FlowTotals.of(flows), held, hosts };
  } catch {
    return undefined;
  }
}

const NO_COUNTS = new Float64Array(0);

function decodeHosts(hosts: readonly HostName[], reader: VarintReader): HostCounts {
  const names = hosts.map(([cluster, address, hostname]) => ({ cluster, address, hostname }));
  const counts = Float64Array.from({ length: hosts.length * COUNTS_PER_HOST }, () => reader.read());
  return { names, counts };
}

type DecodedReading = Omit<Growable, 'flows' | 'hosts'>;

function decodeReading(names: Shape, reader: VarintReader): DecodedReading {
  const values = Float64Array.from(names.scalars, () => reader.read());
  const histograms = names.histograms.map(() => {
    const bins = new BinTotal();
    decodeBinPairs(reader, bins.keys, bins.counts);
    return bins;
  });
  return { values, histograms };
}

function readingOf(names: Shape, { values, histograms }: DecodedReading): StatsReading {
  const binStarts = [0];
  for (const { keys } of histograms) binStarts.push((binStarts.at(-1) ?? 0) + keys.length);
  return {
    layout: { scalars: names.scalars, histograms: names.histograms },
    values,
    binStarts: Uint32Array.from(binStarts),
    binKeys: Uint32Array.from(histograms.flatMap(({ keys }) => keys)),
    binCounts: Float64Array.from(histograms.flatMap(({ counts }) => counts)),
    unread: unreadOf(names),
  };
}

function unreadOf({ histograms, unread = [] }: Shape): Uint8Array | undefined {
  const left = new Set(unread);
  return left.size > 0 ? Uint8Array.from(histograms, (_, slot) => (left.has(slot) ? 1 : 0)) : undefined;
}

function decodeFlow(flow: FlowKey, counters: readonly string[], reader: VarintReader): DecodedFlow {
  const total = { flow, counters: new Float64Array(COUNTERS.length), gauges: AT_REST, bins: new BinTotal() };
  for (const name of counters) {
    const index = (COUNTERS as readonly string[]).indexOf(name);
    const value = reader.read();
    if (index >= 0) total.counters[index] = value;
  }
  const keys: number[] = [];
  const counts: number[] = [];
  decodeBinPairs(reader, keys, counts);
  total.bins.add({ keys, counts });
  return total;
}

function decodeBinPairs(reader: VarintReader, keys: number[], counts: number[]): void {
  for (let left = reader.read(); left > 0; left--) {
    keys.push(reader.read());
    counts.push(reader.read());
  }
}
