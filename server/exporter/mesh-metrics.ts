import type { LiveTarget } from '../live/live.ts';
import {
  CODE_CLASSES,
  COUNTER_INDEX,
  type FlowKey,
  GAUGE_INDEX,
  type Identity,
  REASON_COUNTERS,
} from '../model/flow.ts';
import { BinSum, cumulativeCounts, type SparseBins, sampleCount, sumMs } from '../model/histogram.ts';
import { keyOf } from '../model/labels.ts';
import { type Family, FamilyWriter, type SampleLabels } from './exposition.ts';

export interface ExporterOptions {
  /** `service` sums instances and zones away. */
  readonly level: 'service' | 'instance';
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[];
}

/** Sum of the flows that share their labels. */
interface FlowSum {
  readonly labels: SampleLabels;
  readonly outbound: boolean;
  /** Whether a target of it is up: gauges of others are of the past and left out. */
  current: boolean;
  readonly counters: Float64Array;
  readonly gauges: Float64Array;
  readonly bins: BinSum;
}

const FAMILIES = {
  requests: { name: 'mesh_requests_total', type: 'counter', help: 'Completed requests by class of HTTP status.' },
  failures: {
    name: 'mesh_request_failures_total',
    type: 'counter',
    help: 'Failure events by reason; tries fail too, so they may exceed failed requests.',
  },
  retries: { name: 'mesh_request_retries_total', type: 'counter', help: 'Retried requests.' },
  duration: {
    name: 'mesh_request_duration_seconds',
    type: 'histogram',
    help: 'Latency of requests, from the bins of Envoy.',
  },
  activeRequests: { name: 'mesh_active_requests', type: 'gauge', help: 'Requests in flight at the last scrape.' },
  activeConnections: { name: 'mesh_active_connections', type: 'gauge', help: 'Open connections at the last scrape.' },
  endpoints: { name: 'mesh_endpoints', type: 'gauge', help: 'Endpoints of a peer as its callers know them.' },
  up: { name: 'mesh_sidecar_up', type: 'gauge', help: 'Whether the last scrape was good.' },
  uptime: { name: 'mesh_sidecar_uptime_seconds', type: 'gauge', help: 'Time since the Envoy process started.' },
  info: { name: 'mesh_sidecar_info', type: 'gauge', help: 'Version and role of the Envoy.' },
  certificate: {
    name: 'mesh_sidecar_certificate_expiry_seconds',
    type: 'gauge',
    help: 'Unix time at which the first certificate expires.',
  },
  scrapeDuration: { name: 'mesh_sidecar_scrape_duration_seconds', type: 'gauge', help: 'Duration of the last scrape.' },
  scrapeBytes: { name: 'mesh_sidecar_scrape_body_bytes', type: 'gauge', help: 'Size of the last answer.' },
  lastScrape: {
    name: 'mesh_sidecar_last_scrape_timestamp_seconds',
    type: 'gauge',
    help: 'Unix time of the last scrape.',
  },
} as const satisfies Record<string, Family>;

type Writers = Readonly<Record<keyof typeof FAMILIES, FamilyWriter>>;

/** The mesh's metrics as they stand now, as exposition text. */
export function renderMesh(targets: readonly LiveTarget[], options: ExporterOptions, now: number): string {
  const writers = Object.fromEntries(
    Object.entries(FAMILIES).map(([key, family]) => [key, new FamilyWriter(family)]),
  ) as Writers;
  for (const sum of sumFlows(targets, options.level)) writeFlow(writers, sum, options.buckets);
  for (const [target, labels] of sidecarLabels(targets)) writeTarget(writers, { target, labels, now });
  return Object.values(writers)
    .map((writer) => writer.text())
    .join('');
}

/** Sums with a target that an earlier life of the collector counted, but this one has not scraped yet, are left out. */
function sumFlows(targets: readonly LiveTarget[], level: ExporterOptions['level']): FlowSum[] {
  const ownKey = (identity: Identity) => keyOf(Object.values(ownLabels(identity, level)));
  const awaited = new Set(
    targets.flatMap(({ identity, health }) => (identity && health === 'unknown' ? ownKey(identity) : [])),
  );
  const sums = new Map<string, FlowSum>();
  for (const { identity, flows, health } of targets) {
    if (!identity || awaited.has(ownKey(identity))) continue;
    for (const total of flows) {
      const labels = flowLabels(identity, total.flow, level);
      const key = keyOf(Object.values(labels));
      const sum = sums.get(key) ?? newFlowSum(labels, total);
      sums.set(key, sum);
      addTo(sum.counters, total.counters);
      if (health === 'up') addTo(sum.gauges, total.gauges);
      sum.current ||= health === 'up';
      sum.bins.addBins(total.bins);
    }
  }
  return [...sums.values()];
}

function newFlowSum(labels: SampleLabels, total: LiveTarget['flows'][number]): FlowSum {
  const outbound = total.flow.direction === 'outbound';
  return {
    labels,
    outbound,
    current: false,
    counters: new Float64Array(total.counters.length),
    gauges: new Float64Array(total.gauges.length),
    bins: new BinSum(),
  };
}

function addTo(sum: Float64Array, values: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (values[i] ?? 0);
}

function flowLabels(identity: Identity, flow: FlowKey, level: ExporterOptions['level']): SampleLabels {
  return { ...ownLabels(identity, level), direction: flow.direction, peer: flow.peer };
}

function ownLabels(identity: Identity, level: ExporterOptions['level']): SampleLabels {
  const { service, namespace, region, zone, instance } = identity;
  return level === 'instance' ? { service, namespace, region, zone, instance } : { service, namespace, region };
}

function writeFlow(
  writers: Writers,
  { labels, outbound, current, counters, gauges, bins }: FlowSum,
  buckets: readonly number[],
): void {
  for (const name of CODE_CLASSES)
    writers.requests.sample({ ...labels, code_class: name }, counters[COUNTER_INDEX[name]] ?? 0);
  for (const [reason, counter] of REASON_COUNTERS) {
    const count = counters[COUNTER_INDEX[counter]] ?? 0;
    if (count > 0 || ALWAYS_SHOWN.has(reason)) writers.failures.sample({ ...labels, reason }, count);
  }
  writers.retries.sample(labels, counters[COUNTER_INDEX.retries] ?? 0);
  writeHistogram(writers.duration, labels, bins.toSparse(), buckets);
  if (!current) return;
  writers.activeRequests.sample(labels, gauges[GAUGE_INDEX.active_requests] ?? 0);
  writers.activeConnections.sample(labels, gauges[GAUGE_INDEX.active_connections] ?? 0);
  if (!outbound) return;
  for (const state of ['total', 'healthy', 'ejected'] as const) {
    writers.endpoints.sample({ ...labels, state }, gauges[GAUGE_INDEX[`endpoints_${state}`]] ?? 0);
  }
}

/** Reasons that are shown at 0, so that the first event makes a rate; the rarer ones appear when they happen. */
const ALWAYS_SHOWN: ReadonlySet<string> = new Set(['timeout', 'connect', 'reset', 'overflow']);

function writeHistogram(
  writer: FamilyWriter,
  labels: SampleLabels,
  bins: SparseBins,
  buckets: readonly number[],
): void {
  const counts = cumulativeCounts(
    bins,
    buckets.map((seconds) => seconds * 1000),
  );
  buckets.forEach((bound, index) => {
    writer.sample({ ...labels, le: String(bound) }, counts[index] ?? 0, '_bucket');
  });
  const samples = sampleCount(bins);
  writer.sample({ ...labels, le: '+Inf' }, samples, '_bucket');
  writer.sample(labels, sumMs(bins) / 1000, '_sum');
  writer.sample(labels, samples, '_count');
}

/** Labels of each target's own series: where several go by the same ones, the address is the instance. */
function sidecarLabels(targets: readonly LiveTarget[]): Map<LiveTarget, SampleLabels> {
  const wanted = targets.map((live) => {
    const { service = '', namespace = '', region = '', zone = '', instance = '' } = live.identity ?? live.target.labels;
    return { live, labels: { service, namespace, region, zone, instance: instance || live.target.key } };
  });
  const bearers = Map.groupBy(wanted, ({ labels }) => keyOf(Object.values(labels)));
  return new Map(
    [...bearers.values()].flatMap((members) =>
      members.map(({ live, labels }) => [live, members.length > 1 ? { ...labels, instance: live.target.key } : labels]),
    ),
  );
}

interface SidecarSample {
  readonly target: LiveTarget;
  readonly labels: SampleLabels;
  readonly now: number;
}

function writeTarget(writers: Writers, { target, labels, now }: SidecarSample): void {
  const { health, lastScrape, durationMs, bodyBytes, startedAt, certificateExpiry } = target;
  if (health !== 'unknown') writers.up.sample(labels, health === 'up' ? 1 : 0);
  if (lastScrape !== null) writers.lastScrape.sample(labels, lastScrape / 1000);
  if (durationMs !== null) writers.scrapeDuration.sample(labels, durationMs / 1000);
  if (bodyBytes !== null) writers.scrapeBytes.sample(labels, bodyBytes);
  if (health !== 'up') return;
  if (startedAt !== null) writers.uptime.sample(labels, Math.max(0, (now - startedAt) / 1000));
  if (certificateExpiry !== null) writers.certificate.sample(labels, certificateExpiry);
  writers.info.sample({ ...labels, version: target.envoyVersion, role: target.identity?.role ?? '' }, 1);
}
