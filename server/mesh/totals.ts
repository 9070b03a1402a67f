/**
 * The last totals of a target: what Envoy's counters stood at, from which the next scrape's increments are
 * counted, and what Sidelight has counted of each flow so far, which is what /metrics shows. They are stored
 * with the points of the same scrape, so that no restart of the collector loses or repeats a request.
 */

import type { StatsReading } from '../envoy/stats.ts';
import { COUNTERS, type FlowIncrement, type FlowKey, GAUGES } from '../model/flow.ts';
import type { SparseBins } from '../model/histogram.ts';
import type { FlowTotal, StoredTotals } from '../model/scrape-record.ts';
import { VarintReader, VarintWriter } from '../model/varint.ts';
import type { HeldCluster } from './held-clusters.ts';
import type { HostCount } from './host-counters.ts';

export interface Totals {
  readonly reading: StatsReading;
  readonly flows: readonly FlowTotal[];
  /** What was counted of clusters and has not been shared out among services yet. */
  readonly held: readonly HeldCluster[];
  /** Of the last reading of /clusters; undefined where there was none. */
  readonly hosts: readonly HostCount[] | undefined;
}

interface Shape {
  readonly version: 1;
  readonly scalars: readonly string[];
  readonly histograms: readonly string[];
  readonly flows: readonly FlowKey[];
  readonly counters: readonly string[];
  readonly held?: readonly HeldName[];
  readonly hosts?: readonly HostName[];
}

type HeldName = readonly [cluster: string, flow: FlowKey];
type HostName = readonly [cluster: string, address: string, hostname: string];

export function newFlowTotal(flow: FlowKey): FlowTotal {
  return {
    flow,
    counters: new Float64Array(COUNTERS.length),
    gauges: new Float64Array(GAUGES.length),
    bins: { keys: [], counts: [] },
  };
}

/** Adds increments to a flow's total. */
export function addToTotal(total: FlowTotal, { counters, gauges, bins }: FlowIncrement): void {
  for (let i = 0; i < counters.length; i++) total.counters[i] = (total.counters[i] ?? 0) + (counters[i] ?? 0);
  total.gauges = gauges;
  if (bins.keys.length > 0) total.bins = mergeSorted(total.bins, bins);
}

/** The sum of two histograms: one walk over both, since their keys ascend. */
function mergeSorted(a: SparseBins, b: SparseBins): SparseBins {
  const keys: number[] = [];
  const counts: number[] = [];
  let [i, j] = [0, 0];
  while (i < a.keys.length || j < b.keys.length) {
    const keyA = a.keys[i] ?? Number.POSITIVE_INFINITY;
    const keyB = b.keys[j] ?? Number.POSITIVE_INFINITY;
    keys.push(Math.min(keyA, keyB));
    counts.push((keyA <= keyB ? (a.counts[i++] ?? 0) : 0) + (keyB <= keyA ? (b.counts[j++] ?? 0) : 0));
  }
  return { keys, counts };
}

export function shapeOf(totals: Totals): string {
  const shape: Shape = {
    version: 1,
    scalars: totals.reading.layout.scalars,
    histograms: totals.reading.layout.histograms,
    flows: totals.flows.map((total) => total.flow),
    counters: COUNTERS,
    held: totals.held.map(({ cluster, flow }) => [cluster, flow]),
    ...(totals.hosts && { hosts: totals.hosts.map(({ cluster, address, hostname }) => [cluster, address, hostname]) }),
  };
  return JSON.stringify(shape);
}

export function encodeValues({ reading, flows, held, hosts = [] }: Totals): Uint8Array {
  const flowSize = [...flows, ...held].reduce(
    (sum, { counters, bins }) => sum + counters.length * 2 + bins.keys.length * 4,
    0,
  );
  const writer = new VarintWriter(reading.values.length * 3 + reading.binKeys.length * 4 + flowSize + 256);
  for (const value of reading.values) writer.write(value);
  for (let i = 0; i + 1 < reading.binStarts.length; i++) {
    const start = reading.binStarts[i] ?? 0;
    const end = reading.binStarts[i + 1] ?? 0;
    writer.write(end - start);
    for (let j = start; j < end; j++) {
      writer.write(reading.binKeys[j] ?? 0);
      writer.write(reading.binCounts[j] ?? 0);
    }
  }
  for (const flow of flows) encodeFlow(writer, flow);
  for (const cluster of held) {
    writer.write(cluster.since);
    encodeFlow(writer, cluster);
  }
  for (const { total, success, error } of hosts) for (const value of [total, success, error]) writer.write(value);
  return writer.finish();
}

function encodeFlow(writer: VarintWriter, { counters, bins }: Pick<FlowTotal, 'counters' | 'bins'>): void {
  for (const value of counters) writer.write(value);
  writer.write(bins.keys.length);
  for (let i = 0; i < bins.keys.length; i++) {
    writer.write(bins.keys[i] ?? 0);
    writer.write(bins.counts[i] ?? 0);
  }
}

/** Undefined when the stored form is not one that this version understands: the target then starts from a baseline. */
export function decodeTotals({ shape, values }: StoredTotals): Totals | undefined {
  try {
    const names = JSON.parse(shape) as Shape;
    if (names.version !== 1) return undefined;
    const reader = new VarintReader(values);
    const reading = decodeReading(names, reader);
    const flows = names.flows.map((flow) => decodeFlow(flow, names.counters, reader));
    const held = (names.held ?? []).map(([cluster, flow]): HeldCluster => {
      const since = reader.read();
      return { cluster, since, ...decodeFlow(flow, names.counters, reader) };
    });
    const hosts = names.hosts?.map(([cluster, address, hostname]): HostCount => {
      return { cluster, address, hostname, total: reader.read(), success: reader.read(), error: reader.read() };
    });
    return reader.done ? { reading, flows, held, hosts } : undefined;
  } catch {
    return undefined;
  }
}

function decodeReading(names: Shape, reader: VarintReader): StatsReading {
  const values = Float64Array.from(names.scalars, () => reader.read());
  const binStarts = [0];
  const keys: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < names.histograms.length; i++) {
    decodeBinPairs(reader, keys, counts);
    binStarts.push(keys.length);
  }
  return {
    layout: { scalars: names.scalars, histograms: names.histograms },
    values,
    binStarts: Uint32Array.from(binStarts),
    binKeys: Uint32Array.from(keys),
    binCounts: Float64Array.from(counts),
  };
}

function decodeFlow(flow: FlowKey, counters: readonly string[], reader: VarintReader): FlowTotal {
  const total = newFlowTotal(flow);
  for (const name of counters) {
    const index = (COUNTERS as readonly string[]).indexOf(name);
    const value = reader.read();
    if (index >= 0) total.counters[index] = value;
  }
  const keys: number[] = [];
  const counts: number[] = [];
  decodeBinPairs(reader, keys, counts);
  total.bins = { keys, counts };
  return total;
}

function decodeBinPairs(reader: VarintReader, keys: number[], counts: number[]): void {
  for (let left = reader.read(); left > 0; left--) {
    keys.push(reader.read());
    counts.push(reader.read());
  }
}
