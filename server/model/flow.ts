/**
 * A flow is the traffic of one target in one direction: what its service received (inbound),
 * or what it sent to one peer (outbound). Every figure of Sidelight is a sum over flows. What it sent to one zone of a
 * peer (zone) is a part of the outbound flow that is told once more: never added to it. How long bare connections (TCP)
 * lasted is told in flows of their own, whose samples are connections that ended: never mixed with requests' latencies.
 */

import type { SparseBins } from './histogram.ts';
import { keyOf } from './labels.ts';

export type Direction = 'inbound' | 'outbound' | 'zone' | 'inbound_connections' | 'outbound_connections';

/** Which histogram a flow's latency is from: the connection manager's or the cluster's. */
export type LatencySource = 'downstream' | 'upstream';

export interface FlowKey {
  readonly direction: Direction;
  /** Name of the called service; empty for inbound. */
  readonly peer: string;
  /** Namespace of the called service where the cluster's name tells it; else empty. */
  readonly peerNamespace: string;
  readonly source: LatencySource;
  /** Zone of the hosts that answered, of flows by zone only; empty for hosts without a zone. */
  readonly peerZone?: string;
}

/** One text per flow of a target. */
export function flowText(flow: FlowKey): string {
  const zone = flow.peerZone === undefined ? [] : [flow.peerZone];
  return keyOf([flow.direction, flow.peer, flow.peerNamespace, flow.source, ...zone]);
}

/** Classes of HTTP status that count as completed requests. */
export const CODE_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const;

/**
 * Why requests or tries failed, disjoint. `timeout` counts requests that ran into the route's timeout,
 * `try_timeout` tries; `connect` holds connect timeouts; `reset` leaves out what timeouts reset.
 */
export const FAILURE_REASONS = [
  'timeout',
  'try_timeout',
  'connect',
  'reset',
  'overflow',
  'no_healthy_upstream',
  'maintenance',
  'idle_timeout',
  'max_duration',
  'no_route',
  'no_cluster',
  'rate_limited',
  'fault',
  'cut_off',
] as const;

/**
 * Counters of a flow. `unclassed`: completed requests of which only /clusters tells to whom they went, and which of
 * several classes they were of is unknown; `unclassed_failed`: those of them that failed. `grpc_failed`: gRPC status not
 * 0 under an HTTP status below 500. `timed_out`: requests that ended by a timeout, the route's or that of their last
 * try; none of them has a sample in a cluster's histogram. `connections`: those that were begun, attempts that failed
 * included. Databases hold them by their positions here: new ones come last.
 */
export const COUNTERS = [
  ...CODE_CLASSES,
  'unclassed',
  'unclassed_failed',
  'grpc_failed',
  'timed_out',
  ...FAILURE_REASONS,
  'retries',
  'bytes_rx',
  'bytes_tx',
  'connections',
] as const;

/** Which counter tells each reason of `failures` and `mesh_request_failures_total`; `grpc` counts calls by their own status. */
export const REASON_COUNTERS: readonly (readonly [reason: string, counter: Counter])[] = [
  ...FAILURE_REASONS.map((reason) => [reason, reason] as const),
  ['grpc', 'grpc_failed'],
];

/** Gauges of a flow, as they stood at the scrape. */
export const GAUGES = [
  'active_requests',
  'active_connections',
  'endpoints_total',
  'endpoints_healthy',
  'endpoints_ejected',
] as const;

/** The gauges with a history; the others are told as they are now. They come first in {@link GAUGES}. */
export const STORED_GAUGES = ['active_requests', 'active_connections'] as const;

export type CodeClass = (typeof CODE_CLASSES)[number];
export type Counter = (typeof COUNTERS)[number];
export type Gauge = (typeof GAUGES)[number];

/** Position of a counter in the arrays that hold one number per counter. */
export const COUNTER_INDEX = indexOf(COUNTERS);
/** Position of a gauge in the arrays that hold one number per gauge. */
export const GAUGE_INDEX = indexOf(GAUGES);

function indexOf<T extends string>(names: readonly T[]): Readonly<Record<T, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<T, number>;
}

const REQUESTS = [COUNTER_INDEX.unclassed, ...CODE_CLASSES.map((name) => COUNTER_INDEX[name])];
const FAILED = (['5xx', 'grpc_failed', 'unclassed_failed'] as const).map((name) => COUNTER_INDEX[name]);

/** Completed requests: the sum of the code classes, and those of unknown class. */
export function requestCount(counters: ArrayLike<number>): number {
  return sumAt(counters, REQUESTS);
}

/** Failed requests: 5xx, and gRPC failures under another HTTP status. */
export function failureCount(counters: ArrayLike<number>): number {
  return sumAt(counters, FAILED);
}

function sumAt(counters: ArrayLike<number>, places: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < places.length; i++) sum += counters[places[i] ?? 0] ?? 0;
  return sum;
}

/** What happened in a flow between two scrapes. */
export interface FlowIncrement {
  readonly flow: FlowKey;
  /** Start of the time that it is over, where that is before the observation's. */
  readonly from?: number;
  /** One number per entry of {@link COUNTERS}. */
  readonly counters: Float64Array;
  /** One number per entry of {@link GAUGES}. */
  readonly gauges: Float64Array;
  readonly bins: SparseBins;
}

/** Who a target is. All but service and instance may be empty. */
export interface Identity {
  readonly service: string;
  readonly namespace: string;
  readonly instance: string;
  readonly region: string;
  readonly zone: string;
  readonly role: 'sidecar' | 'gateway';
}

/** What one scrape of one target found out: its increments over `[from, to)`, Unix milliseconds. */
export interface Observation {
  readonly identity: Identity;
  readonly from: number;
  readonly to: number;
  /** Every flow of the target, those without traffic included. */
  readonly flows: readonly FlowIncrement[];
}

/** Whether a number is one that can be stored as a count: from 0 up to where whole numbers are exact. */
export function isCount(value = 0): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}
