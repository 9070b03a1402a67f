/** Scrape records made by hand. */

import {
  COUNTER_INDEX,
  COUNTERS,
  type Counter,
  type FlowIncrement,
  type FlowKey,
  GAUGE_INDEX,
  GAUGES,
  type Gauge,
  type Identity,
} from '../../server/model/flow.ts';
import { FlowTotals } from '../../server/model/flow-totals.ts';
import { binKey, type SparseBins } from '../../server/model/histogram.ts';
import type { ScrapeFindings, ScrapeRecord } from '../../server/model/scrape-record.ts';

/** One flow over one interval; everything that is left out is empty or 0. */
export interface FlowSpec extends Partial<FlowKey> {
  readonly counters?: Partial<Record<Counter, number>>;
  readonly gauges?: Partial<Record<Gauge, number>>;
  /** Samples by the whole millisecond that Envoy recorded. */
  readonly latency?: Readonly<Record<number, number>>;
}

export interface RecordSpec {
  readonly target: string;
  readonly from: number;
  readonly to: number;
  readonly identity?: Partial<Identity>;
  readonly flows?: readonly FlowSpec[];
  readonly findings?: Partial<ScrapeFindings>;
}

export function counters(values: FlowSpec['counters'] = {}): Float64Array {
  const array = new Float64Array(COUNTERS.length);
  for (const [name, value] of Object.entries(values)) array[COUNTER_INDEX[name as Counter]] = value;
  return array;
}

export function gauges(values: FlowSpec['gauges'] = {}): Float64Array {
  const array = new Float64Array(GAUGES.length);
  for (const [name, value] of Object.entries(values)) array[GAUGE_INDEX[name as Gauge]] = value;
  return array;
}

export function binsOf(latency: Readonly<Record<number, number>> = {}): SparseBins {
  const entries = Object.entries(latency).map(([ms, count]) => ({ key: binKey(Number(ms)), count }));
  entries.sort((a, b) => a.key - b.key);
  return { keys: entries.map(({ key }) => key), counts: entries.map(({ count }) => count) };
}

export function flowKey({ direction = 'inbound', peer = '', peerNamespace = '', source, peerZone }: FlowSpec): FlowKey {
  const zone = peerZone === undefined ? {} : { peerZone };
  return {
    direction,
    peer,
    peerNamespace,
    source: source ?? (direction === 'inbound' ? 'downstream' : 'upstream'),
    ...zone,
  };
}

function increment(spec: FlowSpec): FlowIncrement {
  return {
    flow: flowKey(spec),
    counters: counters(spec.counters),
    gauges: gauges(spec.gauges),
    bins: binsOf(spec.latency),
  };
}

export function identity(of: Partial<Identity> = {}): Identity {
  return { service: 'shop', namespace: '', instance: 'shop-1', region: '', zone: '', role: 'sidecar', ...of };
}

export function goodScrape(spec: RecordSpec): ScrapeRecord & { findings: ScrapeFindings } {
  const { target, from, to, flows = [{}] } = spec;
  const increments = flows.map(increment);
  const findings: ScrapeFindings = {
    observation: { identity: identity(spec.identity), from, to, flows: increments },
    totals: { shape: '{}', values: new Uint8Array() },
    flowTotals: FlowTotals.of(increments),
    countedSince: from,
    startedAt: null,
    inbound: flows.some(({ direction = 'inbound' }) => direction === 'inbound'),
    samples: 10,
    envoyVersion: '1.40.0',
    precision: 'bins',
    certificateExpiry: null,
    failureSource: 'status',
    ...spec.findings,
  };
  return { target, at: to, durationMs: 3.25, bodyBytes: 2048, error: '', findings };
}

export function failedScrape(target: string, at: number, error: string): ScrapeRecord {
  return { target, at, durationMs: 250, bodyBytes: 0, error, findings: undefined };
}
