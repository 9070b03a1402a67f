/** The signals of services: how each is worked out from one cell. */

import { COUNTER_INDEX, type CodeClass, type Counter, requestCount } from '../model/flow.ts';
import type { QuerySignalName } from '../model/signals.ts';
import type { Cell } from '../store/store.ts';
import { errorRate, failureEvents, gauge, latencyOf, PERCENTILES, requestRate, successRate } from './cells.ts';

interface Signal {
  /** Null where the cell can't tell it. `asked`: the quantiles that it was asked for with, where not just the one. */
  value(cell: Cell, asked?: readonly number[]): number | null;
  readonly needsBins?: boolean;
  /** Whether its cells are of bare connections that ended; see `MeasuredQuery`. */
  readonly connections?: boolean;
  /** The one quantile that it shows. */
  readonly quantile?: number;
  /** For signals that exist by code class. */
  ofClass?(cell: Cell, codeClass: CodeClass | 'unclassed'): number;
}

const countOf = (name: Counter) => (cell: Cell) => cell.counters[COUNTER_INDEX[name]] ?? 0;
const rateOf = (name: Counter) => (cell: Cell) => cell.rates[COUNTER_INDEX[name]] ?? 0;

export const SIGNALS = {
  requests: { value: (cell) => requestCount(cell.counters), ofClass: (cell, name) => countOf(name)(cell) },
  request_rate: { value: requestRate, ofClass: (cell, name) => rateOf(name)(cell) },
  success_rate: { value: successRate },
  error_rate: { value: errorRate },
  latency_p50: latencySignal(PERCENTILES.p50),
  latency_p90: latencySignal(PERCENTILES.p90),
  latency_p95: latencySignal(PERCENTILES.p95),
  latency_p99: latencySignal(PERCENTILES.p99),
  latency_p999: latencySignal(PERCENTILES.p999),
  latency_mean: { value: ({ meanMs }) => meanMs, needsBins: true },
  active_requests: { value: (cell) => gauge(cell, 'active_requests') },
  active_connections: { value: (cell) => gauge(cell, 'active_connections') },
  retries: { value: countOf('retries') },
  failures: { value: failureEvents },
  connections: { value: countOf('connections') },
  bytes_rx: { value: rateOf('bytes_rx') },
  bytes_tx: { value: rateOf('bytes_tx') },
  connection_duration_p50: { ...latencySignal(PERCENTILES.p50), connections: true },
  connection_duration_p95: { ...latencySignal(PERCENTILES.p95), connections: true },
  connection_duration_p99: { ...latencySignal(PERCENTILES.p99), connections: true },
} as const satisfies Record<QuerySignalName, Signal>;

export const signal = (name: QuerySignalName): Signal => SIGNALS[name];

function latencySignal(q: number): Signal {
  const alone = [q];
  return { value: (cell, asked = alone) => latencyOf(cell, q, asked), needsBins: true, quantile: q };
}
