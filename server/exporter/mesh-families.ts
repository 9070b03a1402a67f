/** The mesh's families of metrics, and what each tells of a group of flows or of a sidecar. */

import {
  CODE_CLASSES,
  COUNTER_INDEX,
  type Counter,
  failureCount,
  GAUGE_INDEX,
  type Gauge,
  REASON_COUNTERS,
} from '../model/flow.ts';
import { BinSum, cumulativeCounts, type SparseBins, sampleCount, sumMs } from '../model/histogram.ts';
import type { Extra, Family, FamilySink, HistogramSample } from './families.ts';
import type { FlowGroup, Sidecar } from './mesh-snapshot.ts';
import { wholeHistogramOf } from './native-histogram.ts';

/** What a family writes to. */
export type SampleWriter = Pick<FamilySink, 'sample' | 'histogram'>;

export interface MeshOptions {
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[];
  /** Unix milliseconds. */
  readonly now: number;
}

type FlowFamily = Family & { ofFlows(group: FlowGroup, to: SampleWriter, options: MeshOptions): void };
type SidecarFamily = Family & { ofSidecar(sidecar: Sidecar, options: MeshOptions): Reading | null };
/** A value, with further labels. */
type Reading = number | { readonly value: number; readonly labels: Readonly<Record<string, string>> };

/** Reasons that are shown at 0, so that the first event makes a rate; the rarer ones appear when they happen. */
const ALWAYS_SHOWN: ReadonlySet<string> = new Set(['timeout', 'connect', 'reset', 'overflow']);

export const FLOW_FAMILIES: readonly FlowFamily[] = [
  {
    name: 'mesh_requests_total',
    type: 'counter',
    help: 'Completed requests by class of HTTP status.',
    ofFlows(group, to) {
      for (const name of CODE_CLASSES) to.sample(group.labels, counter(group, name), ['code_class', name]);
      const unclassed = counter(group, 'unclassed');
      if (unclassed > 0) to.sample(group.labels, unclassed, ['code_class', 'unknown']);
    },
  },
  {
    name: 'mesh_failed_requests_total',
    type: 'counter',
    help: 'Completed requests that failed: HTTP 5xx, or a gRPC status other than 0.',
    ofFlows(group, to) {
      to.sample(group.labels, failureCount(group.counters));
    },
  },
  {
    name: 'mesh_request_failures_total',
    type: 'counter',
    help: 'Failure events by reason; tries fail too, so they may exceed failed requests.',
    ofFlows(group, to) {
      for (const [reason, name] of REASON_COUNTERS) {
        const count = counter(group, name);
        if (count > 0 || ALWAYS_SHOWN.has(reason)) to.sample(group.labels, count, ['reason', reason]);
      }
    },
  },
  {
    name: 'mesh_request_retries_total',
    type: 'counter',
    help: 'Retried requests.',
    ofFlows(group, to) {
      to.sample(group.labels, counter(group, 'retries'));
    },
  },
  {
    name: 'mesh_request_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Latency of requests, from the bins of Envoy.',
    ofFlows(group, to, { buckets }) {
      to.histogram(group.labels, () => histogramOf(binsOf(group), buckets));
    },
  },
  {
    name: 'mesh_active_requests',
    type: 'gauge',
    help: 'Requests in flight at the last scrape.',
    ofFlows(group, to) {
      writeGauge(group, to, 'active_requests');
    },
  },
  {
    name: 'mesh_active_connections',
    type: 'gauge',
    help: 'Open connections at the last scrape.',
    ofFlows(group, to) {
      writeGauge(group, to, 'active_connections');
    },
  },
  {
    name: 'mesh_endpoints',
    type: 'gauge',
    help: 'Endpoints of a peer as its callers know them.',
    ofFlows(group, to) {
      if (!group.outbound) return;
      for (const state of ['total', 'healthy', 'ejected'] as const)
        writeGauge(group, to, `endpoints_${state}`, ['state', state]);
    },
  },
];

export const SIDECAR_FAMILIES: readonly SidecarFamily[] = [
  {
    name: 'mesh_sidecar_up',
    type: 'gauge',
    help: 'Whether the last scrape was good.',
    ofSidecar: ({ target: { health } }) => (health === 'unknown' ? null : health === 'up' ? 1 : 0),
  },
  {
    name: 'mesh_sidecar_uptime_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time since the Envoy process started.',
    ofSidecar: ({ target: { startedAt, health } }, { now }) =>
      health === 'up' && startedAt !== null ? Math.max(0, (now - startedAt) / 1000) : null,
  },
  {
    name: 'mesh_sidecar_info',
    type: 'gauge',
    help: 'Version and role of the Envoy.',
    ofSidecar: ({ target: { health, envoyVersion, identity } }) =>
      health === 'up' ? { value: 1, labels: { version: envoyVersion, role: identity?.role ?? '' } } : null,
  },
  {
    name: 'mesh_sidecar_certificate_expiry_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Unix time at which the first certificate expires.',
    ofSidecar: ({ target: { health, certificateExpiry } }) => (health === 'up' ? certificateExpiry : null),
  },
  {
    name: 'mesh_sidecar_scrape_duration_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Duration of the last scrape.',
    ofSidecar: ({ target: { durationMs } }) => inSeconds(durationMs),
  },
  {
    name: 'mesh_sidecar_scrape_body_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Size of the last answer.',
    ofSidecar: ({ target: { bodyBytes } }) => bodyBytes,
  },
  {
    name: 'mesh_sidecar_last_scrape_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Unix time of the last scrape.',
    ofSidecar: ({ target: { lastScrape } }) => inSeconds(lastScrape),
  },
];

function inSeconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds / 1000;
}

function counter({ counters }: FlowGroup, name: Counter): number {
  return counters[COUNTER_INDEX[name]] ?? 0;
}

/** Gauges of targets that are down are of the past. */
function writeGauge({ labels, members }: FlowGroup, to: SampleWriter, name: Gauge, extra?: Extra): void {
  if (!members.some(({ isUp }) => isUp)) return;
  let sum = 0;
  for (const { total, isUp } of members) if (isUp) sum += total.gauges[GAUGE_INDEX[name]] ?? 0;
  to.sample(labels, sum, extra);
}

function binsOf({ members }: FlowGroup): SparseBins {
  const [only, ...others] = members;
  if (only && others.length === 0) return only.total.bins;
  SUM.clear();
  for (const { total } of members) SUM.addBins(total.bins);
  return SUM.toSparse();
}

/** Used again for every group. */
const SUM = new BinSum();

function histogramOf(bins: SparseBins, buckets: readonly number[]): HistogramSample {
  const counts = cumulativeCounts(
    bins,
    buckets.map((seconds) => seconds * 1000),
  );
  return {
    bounds: buckets,
    counts,
    count: sampleCount(bins),
    sum: sumMs(bins) / 1000,
    native: () => wholeHistogramOf(bins),
    bins,
  };
}
