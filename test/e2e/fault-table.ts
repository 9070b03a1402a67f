/** Faults of a real Envoy, how each is caused, and what is to be counted of it. */

import { type Json, OVER_HTTP2 } from './envoy-config.ts';

/** How often each fault is caused. */
export const TIMES = 5;

export interface Fault {
  readonly fault: string;
  /** What the server is asked for: the last part of a path over HTTP/1, or a gRPC method. */
  readonly ask: string;
  /** Default: the server of failing-servers.ts over HTTP/1. */
  readonly server?: 'grpc' | 'mute' | 'closed' | 'none';
  /** Laid over the route's action; `action` replaces it. */
  readonly route?: Json;
  readonly action?: Json;
  readonly filters?: Json;
  readonly cluster?: Json;
  /** Whether all load is to be dropped. */
  readonly drops?: boolean;
  /** What the client sees, all {@link TIMES} times; a gRPC status for calls; `cut` for an answer without an end. */
  readonly seen: string;
  /** What is counted by the flow to its cluster, and by what came in; empty for nothing. */
  readonly outbound: string;
  readonly inbound: string;
}

const OK = '2xx 5; 5 samples';
const ERRORS = '5xx 5; 5 samples';
const GRPC_FAILED = '2xx 5, grpc_failed 5; 5 samples';
const NEVER = { numerator: 100 };

const LIMIT: Json = {
  local_ratelimit: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
    stat_prefix: 'limiter',
    token_bucket: { max_tokens: 2, tokens_per_fill: 2, fill_interval: '3600s' },
    filter_enabled: { default_value: NEVER },
    filter_enforced: { default_value: NEVER },
  },
};
const injected = (fault: Json): Json => ({
  fault: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
    ...fault,
  },
});
const limits = (threshold: Json): Json => ({ circuit_breakers: { thresholds: [threshold] } });
const NO_HOSTS: Json = { load_assignment: { cluster_name: 'empty', endpoints: [] } };
const SILENT_TLS: Json = {
  connect_timeout: '0.1s',
  transport_socket: {
    name: 'tls',
    typed_config: { '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext' },
  },
};

/** Switched on by the runtime. */
export const MAINTENANCE = 'maintenance mode';

export const FAULTS: readonly Fault[] = [
  { fault: 'none', ask: '200', seen: '200', outbound: OK, inbound: OK },
  { fault: 'an error of the server', ask: '503', seen: '503', outbound: ERRORS, inbound: ERRORS },
  {
    fault: 'timeout',
    ask: 'silent',
    route: { timeout: '0.05s' },
    seen: '504',
    outbound: '5xx 5, timed_out 5, timeout 5',
    inbound: ERRORS,
  },
  {
    fault: 'timeout of each try, with a retry',
    ask: 'silent',
    route: { retry_policy: { retry_on: '5xx', num_retries: 1, per_try_timeout: '0.05s' } },
    seen: '504',
    outbound: '5xx 5, timed_out 5, try_timeout 10, retries 5',
    inbound: ERRORS,
  },
  {
    fault: 'retry that succeeds',
    ask: 'second-try',
    route: { retry_policy: { retry_on: '5xx', num_retries: 1 } },
    seen: '200',
    outbound: '2xx 5, retries 5; 5 samples',
    inbound: OK,
  },
  {
    fault: 'connection refused',
    ask: '200',
    server: 'closed',
    seen: '503',
    outbound: '5xx 5, connect 5',
    inbound: ERRORS,
  },
  {
    fault: 'connection not made in time',
    ask: '200',
    server: 'mute',
    cluster: SILENT_TLS,
    seen: '503',
    outbound: '5xx 5, connect 5',
    inbound: ERRORS,
  },
  { fault: 'reset before the answer', ask: 'reset', seen: '503', outbound: '5xx 5, reset 5', inbound: ERRORS },
  { fault: 'reset midway', ask: 'partial', seen: 'cut', outbound: '2xx 5, reset 5', inbound: '2xx 5, cut_off 5' },
  { fault: 'an answer that is no HTTP', ask: 'garbage', seen: '502', outbound: '5xx 5, reset 5', inbound: ERRORS },
  {
    fault: 'circuit breaker: no request may wait',
    ask: '200',
    cluster: limits({ max_pending_requests: 0 }),
    seen: '503',
    outbound: '5xx 5, overflow 5',
    inbound: ERRORS,
  },
  {
    fault: 'circuit breaker: too many requests',
    ask: 'Ok',
    server: 'grpc',
    cluster: limits({ max_requests: 0 }),
    seen: '14',
    outbound: '5xx 5, overflow 5',
    inbound: GRPC_FAILED,
  },
  {
    fault: 'no healthy upstream',
    ask: '200',
    server: 'none',
    cluster: NO_HOSTS,
    seen: '503',
    outbound: '5xx 5, no_healthy_upstream 5',
    inbound: ERRORS,
  },
  {
    fault: MAINTENANCE,
    ask: '200',
    seen: '503',
    outbound: '5xx 5, maintenance 5',
    inbound: ERRORS,
  },
  // Envoy counts what it drops in its report to the control plane only.
  {
    fault: 'load that the control plane tells to drop',
    ask: '200',
    drops: true,
    seen: '503',
    outbound: '5xx 5',
    inbound: ERRORS,
  },
  {
    fault: 'local rate limit',
    ask: '200',
    filters: LIMIT,
    seen: '200 200 429 429 429',
    outbound: '2xx 2; 2 samples',
    inbound: '2xx 2, 4xx 3, rate_limited 3; 5 samples',
  },
  {
    fault: 'global rate limit',
    ask: '200',
    route: { rate_limits: [{ actions: [{ generic_key: { descriptor_value: 'all' } }] }] },
    seen: '429',
    outbound: '4xx 5, rate_limited 5',
    inbound: '4xx 5; 5 samples',
  },
  {
    fault: 'abort by the fault filter',
    ask: '200',
    filters: injected({ abort: { http_status: 503, percentage: NEVER } }),
    seen: '503',
    outbound: '',
    inbound: '5xx 5, fault 5; 5 samples',
  },
  {
    fault: 'delay by the fault filter',
    ask: '200',
    filters: injected({ delay: { fixed_delay: '0.03s', percentage: NEVER } }),
    seen: '200',
    outbound: OK,
    inbound: OK,
  },
  {
    fault: 'direct response',
    ask: '200',
    action: { direct_response: { status: 503 } },
    seen: '503',
    outbound: '',
    inbound: ERRORS,
  },
  {
    fault: 'redirect',
    ask: '200',
    action: { redirect: { path_redirect: '/elsewhere' } },
    seen: '301',
    outbound: '',
    inbound: '3xx 5; 5 samples',
  },
  {
    fault: 'idle stream',
    ask: 'silent',
    route: { idle_timeout: '0.05s', timeout: '0s' },
    seen: '504',
    outbound: '',
    inbound: '5xx 5, idle_timeout 5; 5 samples',
  },
  {
    fault: 'stream that lasts too long',
    ask: 'silent',
    route: { timeout: '0s', max_stream_duration: { max_stream_duration: '0.05s' } },
    seen: '504',
    outbound: '',
    inbound: '5xx 5, max_duration 5; 5 samples',
  },
  { fault: 'client that goes away', ask: 'silent', route: { timeout: '0s' }, seen: 'gone', outbound: '', inbound: '' },
  {
    fault: 'gRPC status in the trailers',
    ask: 'Trailers',
    server: 'grpc',
    seen: '5',
    outbound: GRPC_FAILED,
    inbound: GRPC_FAILED,
  },
  {
    fault: 'gRPC status, trailers only',
    ask: 'TrailersOnly',
    server: 'grpc',
    seen: '13',
    outbound: GRPC_FAILED,
    inbound: GRPC_FAILED,
  },
  {
    fault: 'gRPC timeout',
    ask: 'Silent',
    server: 'grpc',
    route: { timeout: '0.05s' },
    seen: '14',
    outbound: '5xx 5, timed_out 5, timeout 5',
    inbound: GRPC_FAILED,
  },
  {
    fault: 'gRPC connection refused',
    ask: 'Ok',
    server: 'closed',
    cluster: OVER_HTTP2,
    seen: '14',
    outbound: '5xx 5, connect 5',
    inbound: GRPC_FAILED,
  },
  {
    fault: 'HTTP/2 stream reset',
    ask: 'Broken',
    server: 'grpc',
    seen: '14',
    outbound: '5xx 5, reset 5',
    inbound: GRPC_FAILED,
  },
  // Envoy counts a refused stream as a frame received only, as it does streams that end well: there is no reason to tell.
  {
    fault: 'HTTP/2 stream refused',
    ask: 'Refused',
    server: 'grpc',
    seen: '14',
    outbound: '5xx 5',
    inbound: GRPC_FAILED,
  },
];

/** Mirrored requests are requests to the cluster of the mirror: nothing in Envoy's stats tells them from others. */
export const MIRRORED: Fault = {
  fault: 'mirrored',
  ask: '200',
  route: { request_mirror_policies: [{ cluster: 'mirror' }] },
  seen: '200',
  outbound: OK,
  inbound: OK,
};
