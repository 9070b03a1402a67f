/** A mesh for the exporter, and prom-client holding the same series. */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { FLOW_FAMILIES, SIDECAR_FAMILIES } from '../../server/exporter/mesh-families.ts';
import { takeSnapshot } from '../../server/exporter/mesh-snapshot.ts';
import { Live } from '../../server/live/live.ts';
import { COUNTER_INDEX, COUNTERS, type FlowKey, GAUGES } from '../../server/model/flow.ts';
import { type FlowTotal, FlowTotals } from '../../server/model/flow-totals.ts';
import { binOf, type SparseBins } from '../../server/model/histogram.ts';
import type { ScrapeRecord } from '../../server/model/scrape-record.ts';

export interface MeshSize {
  readonly sidecars: number;
  readonly peers: number;
}

const INSTANCES_PER_SERVICE = 10;
const ROUND_AT = 1_700_000_000_000;

/** Sidecars of services with ten instances each, after one scrape. */
export function withRounds({ sidecars, peers }: MeshSize): Live {
  const live = new Live();
  const records = Array.from({ length: sidecars }, (_, index) => recordOf(index, peers));
  live.setTargets(
    records.map(({ target }) => {
      const [host = '', port = ''] = target.split(':');
      const address = { scheme: 'http', host, port: Number(port), path: '' } as const;
      return { key: target, address, labels: {}, discoveredLabels: {} };
    }),
  );
  live.apply(records);
  return live;
}

function recordOf(index: number, peers: number): ScrapeRecord {
  const service = Math.floor(index / INSTANCES_PER_SERVICE);
  const own: FlowKey = { direction: 'inbound', peer: '', peerNamespace: '', source: 'downstream' };
  const calls = Array.from({ length: peers }, (_, i): FlowKey => {
    return {
      direction: 'outbound',
      peer: `service-${service + i + 1}`,
      peerNamespace: 'production',
      source: 'upstream',
    };
  });
  const flows = [own, ...calls].map((flow, i) => totalOf(flow, index * 31 + i));
  const zone = `eu-west-1${'abc'[index % 3]}`;
  const identity = {
    service: `service-${service}`,
    namespace: 'production',
    region: 'eu-west-1',
    zone,
    instance: `service-${service}-7d4b9c5f6d-${index.toString(36).padStart(5, '0')}`,
    role: 'sidecar',
  } as const;
  const findings = {
    observation: { identity, from: ROUND_AT - 15_000, to: ROUND_AT, flows },
    totals: { shape: '', values: new Uint8Array() },
    flowTotals: FlowTotals.of(flows),
    countedSince: null,
    startedAt: ROUND_AT - 3_600_000,
    inbound: true,
    samples: 500,
    envoyVersion: '1.40.0',
    precision: 'bins',
    failureSource: 'status',
    certificateExpiry: 1_800_000_000,
  } as const;
  const target = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:9901`;
  return { target, at: ROUND_AT, durationMs: 4, bodyBytes: 90_000, error: '', findings };
}

function totalOf(flow: FlowKey, seed: number): FlowTotal {
  const counters = new Float64Array(COUNTERS.length);
  const gauges = new Float64Array(GAUGES.length).fill(3);
  const bins = binsOf(seed);
  counters[COUNTER_INDEX['2xx']] = bins.counts.reduce((sum, count) => sum + count, 0);
  counters[COUNTER_INDEX['5xx']] = seed % 17;
  counters[COUNTER_INDEX.timeout] = seed % 5;
  return { flow, counters, gauges, bins };
}

/** As many bins as a sidecar has after some hours: some thirty. */
function binsOf(seed: number): SparseBins {
  const keys = new Set<number>([0]);
  for (let i = 0; i < 32; i++) keys.add(binOf(Math.round(1.3 ** i * (1 + (seed % 7) / 10))));
  const sorted = [...keys].sort((a, b) => a - b);
  return { keys: sorted, counts: sorted.map((_, i) => 1 + ((seed * (i + 3)) % 1000)) };
}

/** prom-client with the series of /metrics, filled once. */
export class PromClientMesh {
  private readonly registry = new Registry();
  /** Heap that it takes while nobody asks. */
  readonly heldBytes: number;

  constructor(live: Live, buckets: readonly number[]) {
    const before = held();
    const snapshot = takeSnapshot(live.all(), 'instance');
    let next = snapshot.next();
    while (!next.done) next = snapshot.next();
    const { groups, sidecars } = next.value;
    const options = { buckets, now: ROUND_AT };
    for (const family of FLOW_FAMILIES) {
      const metric = this.metricOf(family, buckets);
      for (const group of groups)
        family.ofFlows(
          group,
          {
            sample: (labels, value, extra) =>
              metric.set(extra ? { ...labels.labels, [extra[0]]: extra[1] } : labels.labels, value),
            histogram: (labels) => metric.set(labels.labels, 0.02),
          },
          options,
        );
    }
    for (const family of SIDECAR_FAMILIES) {
      const metric = this.metricOf(family, buckets);
      for (const sidecar of sidecars) {
        const reading = family.ofSidecar(sidecar, options);
        if (typeof reading === 'number') metric.set(sidecar.labels.labels, reading);
        else if (reading) metric.set({ ...sidecar.labels.labels, ...reading.labels }, reading.value);
      }
    }
    this.heldBytes = held() - before;
  }

  /** Bytes of an answer. */
  async render(): Promise<number> {
    return Buffer.byteLength(await this.registry.metrics());
  }

  private metricOf({ name, type, help }: { name: string; type: string; help: string }, buckets: readonly number[]) {
    const registers = [this.registry];
    const labelNames = LABELS;
    if (type === 'histogram') {
      const histogram = new Histogram({ name, help, labelNames, registers, buckets: [...buckets] });
      return { set: (labels: Record<string, string>, value: number) => histogram.observe(labels, value) };
    }
    if (type === 'counter') {
      const counter = new Counter({ name, help, labelNames, registers });
      return { set: (labels: Record<string, string>, value: number) => counter.inc(labels, value) };
    }
    const gauge = new Gauge({ name, help, labelNames, registers });
    return { set: (labels: Record<string, string>, value: number) => gauge.set(labels, value) };
  }
}

const LABELS = [
  'service',
  'namespace',
  'region',
  'zone',
  'instance',
  'direction',
  'peer',
  'code_class',
  'reason',
  'state',
  'version',
  'role',
];

function held(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
