/** The signals of services: what each is a number of. How they are worked out is known where cells are measured. */

/** `share` is from 0 to 1, `duration` in milliseconds, `rate` and `byte_rate` per second, `count` in the window. */
export type SignalUnit = 'count' | 'rate' | 'share' | 'duration' | 'byte_rate';

export const SIGNAL_UNITS = {
  requests: 'count',
  request_rate: 'rate',
  success_rate: 'share',
  error_rate: 'share',
  latency_p50: 'duration',
  latency_p90: 'duration',
  latency_p95: 'duration',
  latency_p99: 'duration',
  latency_p999: 'duration',
  latency_mean: 'duration',
  active_requests: 'count',
  active_connections: 'count',
  retries: 'count',
  failures: 'count',
  connections: 'count',
  bytes_rx: 'byte_rate',
  bytes_tx: 'byte_rate',
} as const satisfies Record<string, SignalUnit>;

export type SignalName = keyof typeof SIGNAL_UNITS;
export const SIGNAL_NAMES = Object.keys(SIGNAL_UNITS) as SignalName[];

/** How long bare connections lasted that ended: told by queries, and of no use to alert rules, which count requests. */
export const CONNECTION_SIGNALS = [
  'connection_duration_p50',
  'connection_duration_p95',
  'connection_duration_p99',
] as const;

export type QuerySignalName = SignalName | (typeof CONNECTION_SIGNALS)[number];
export const QUERY_SIGNAL_NAMES: readonly QuerySignalName[] = [...SIGNAL_NAMES, ...CONNECTION_SIGNALS];

export function isSignalName(name: string): name is SignalName {
  return Object.hasOwn(SIGNAL_UNITS, name);
}
