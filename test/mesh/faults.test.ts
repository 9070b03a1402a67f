/** What is counted of every fault that was provoked at real Envoys, ten requests each unless the name says otherwise. */

import { describe, expect, test } from 'vitest';
import { envoyVersions } from '../../server/demo/envoy.ts';
import { faultsOf, seenByGateway, seenBySidecar } from './faults.ts';

const OK = '2xx 10; 10 samples';
const ERRORS = '5xx 10; 10 samples';

/** The called cluster and what its caller counted of it; then what a gateway that calls it counted of its own callers. */
const FAULTS: readonly [fault: string, peer: string, outbound: string, inbound: string][] = [
  ['baseline 200', 'f_plain', OK, OK],
  ['upstream answers 404', 'f_plain', '4xx 10; 10 samples', '4xx 10; 10 samples'],
  ['upstream answers 500', 'f_plain', ERRORS, ERRORS],
  ['upstream answers 503', 'f_plain', ERRORS, ERRORS],
  ['upstream answers 302', 'f_plain', '3xx 10; 10 samples', '3xx 10; 10 samples'],
  ['HEAD 200', 'f_plain', OK, OK],
  ['route timeout, upstream silent', 'f_timeout', '5xx 10, timed_out 10, timeout 10', ERRORS],
  [
    'route timeout after response headers and part of the body',
    'f_timeout',
    '2xx 10, timed_out 10, timeout 10',
    '2xx 10, cut_off 10',
  ],
  ['per-try timeout, no retry', 'f_pertry', '5xx 10, timed_out 10, try_timeout 10', ERRORS],
  [
    'per-try timeout on all 3 tries (2 retries)',
    'f_pertry_retry',
    '5xx 10, timed_out 10, try_timeout 30, retries 20',
    ERRORS,
  ],
  ['stream idle timeout (route idle_timeout), upstream silent', '', '', '5xx 10, idle_timeout 10; 10 samples'],
  ['max_stream_duration, upstream silent', '', '', '5xx 10, max_duration 10; 10 samples'],
  ['connect refused', 'f_refused', '5xx 10, connect 10', ERRORS],
  ['connect timeout', 'f_connect_timeout', '5xx 10, connect 10', ERRORS],
  ['TLS handshake to a plaintext upstream', 'tls_to_plain', '5xx 10, connect 10', ERRORS],
  ['upstream resets (RST) before the response', 'f_reset', '5xx 10, reset 10', ERRORS],
  ['upstream closes (FIN) before the response', 'f_reset', '5xx 10, reset 10', ERRORS],
  ['upstream resets mid-body', 'f_partial', '2xx 10, reset 10', '2xx 10, cut_off 10'],
  ['upstream sends garbage', 'f_garbage', '5xx 10, reset 10', ERRORS],
  [
    'circuit breaker: max_connections 1, max_pending 1, 6 at once, 100 ms each',
    'f_overflow',
    '2xx 3, 5xx 3, overflow 3; 3 samples',
    '2xx 3, 5xx 3; 6 samples',
  ],
  [
    'circuit breaker: max_requests 2, HTTP/1, 6 at once, 100 ms each',
    'f_overflow_rq_h1',
    '2xx 2, 5xx 4, overflow 4; 2 samples',
    '2xx 2, 5xx 4; 6 samples',
  ],
  [
    'circuit breaker: max_requests 2, HTTP/2 gRPC, 6 at once, 600 ms each',
    'f_overflow_h2',
    '2xx 2, 5xx 4, overflow 4; 2 samples',
    '2xx 6, grpc_failed 4; 6 samples',
  ],
  ['retry circuit breaker max_retries 0, upstream 503, 2 retries allowed', 'f_retry_overflow', ERRORS, ERRORS],
  ['no endpoints (empty cluster)', 'f_empty', '5xx 10, no_healthy_upstream 10', ERRORS],
  ['all hosts fail health check, panic threshold 0', 'all_unhealthy', '5xx 10, no_healthy_upstream 10', ERRORS],
  ['all hosts fail health check, panic mode: answers 200', 'panic_unhealthy', OK, OK],
  ['maintenance mode', 'f_maint', '5xx 10, maintenance 10', ERRORS],
  ['retry: 503 once then 200', 'f_retry', '2xx 10, retries 10; 10 samples', OK],
  ['retry: reset once then 200', 'f_retry', '2xx 10, reset 10, retries 10; 10 samples', OK],
  ['retry exhausted: 503 on all 3 tries', 'f_retry', '5xx 10, retries 20; 10 samples', ERRORS],
  ['retry exhausted: reset on all 3 tries', 'f_retry', '5xx 10, reset 30, retries 20', ERRORS],
  ['client disconnects before the response', '', '', ''],
  ['client disconnects mid-body', 'f_client', '2xx 10', '2xx 10'],
  ['direct_response 200', '', '', OK],
  ['direct_response 404', '', '', '4xx 10; 10 samples'],
  ['direct_response 503', '', '', ERRORS],
  ['redirect route 301', '', '', '3xx 10; 10 samples'],
  ['no route: unknown path of a virtual host', '', '', '4xx 10, no_route 10; 10 samples'],
  ['no route: unknown host', '', '', '4xx 10, no_route 10; 10 samples'],
  ['route to an unknown cluster', '', '', '5xx 10, no_cluster 10; 10 samples'],
  ['local rate limit (2 tokens, none left)', 'f_ratelimit', '2xx 2; 2 samples', '2xx 2; 2 samples'],
  ['local rate limit, all over the limit', '', '', '4xx 10, rate_limited 10; 10 samples'],
  ['fault filter abort 503', '', '', '5xx 10, fault 10; 10 samples'],
  ['fault filter delay 50 ms, then 200', 'f_fault', OK, OK],
  ['103 Early Hints then 200', 'f_interim', OK, OK],
  ['upstream answers before the request body is complete', 'f_early', '2xx 10', OK],
  ['request body never completes: request_timeout 408', '', '', '4xx 3; 3 samples'],
  ['malformed request', '', '', '4xx 10; 10 samples'],
  ['websocket upgrade 101, closed by upstream', '', '', ''],
  ['gRPC OK', 'grpc_backend', OK, OK],
  ['gRPC server stream, 5 messages', 'grpc_backend', OK, OK],
  ['gRPC NOT_FOUND', 'grpc_backend', '2xx 10, grpc_failed 10; 10 samples', '2xx 10, grpc_failed 10; 10 samples'],
  [
    'gRPC INTERNAL, headers and trailers in one frame or apart as the server sends',
    'grpc_backend',
    '2xx 10, grpc_failed 10; 10 samples',
    '2xx 10, grpc_failed 10; 10 samples',
  ],
  [
    'gRPC DATA_LOSS after response headers',
    'grpc_backend',
    '2xx 10, grpc_failed 10; 10 samples',
    '2xx 10, grpc_failed 10; 10 samples',
  ],
  [
    'gRPC UNAVAILABLE from the server',
    'grpc_backend',
    '2xx 10, grpc_failed 10; 10 samples',
    '2xx 10, grpc_failed 10; 10 samples',
  ],
  ['gRPC UNAVAILABLE once, retried to OK', 'grpc_retry', '2xx 10, retries 10; 10 samples', OK],
  ['gRPC route timeout', 'grpc_timeout', '5xx 10, timed_out 10, timeout 10', '2xx 10, grpc_failed 10; 10 samples'],
  [
    'gRPC client deadline 100 ms (Envoy route has no shorter timeout)',
    'grpc_backend',
    '2xx 3, grpc_failed 3; 3 samples',
    '2xx 3, grpc_failed 3; 3 samples',
  ],
  ['gRPC no endpoints', 'grpc_empty', '5xx 10, no_healthy_upstream 10', '2xx 10, grpc_failed 10'],
  ['gRPC connect refused', 'grpc_refused', '5xx 10, connect 10', '2xx 10, grpc_failed 10; 10 samples'],
  ['TCP proxy, echoed', '', '', ''],
  ['TCP proxy, upstream refused', 'tcp_refused', 'connect 10', ''],
  ['plaintext to the TLS listener', '', '', ''],
  ['zone-aware cluster with canary, 30 requests', 'zonal', '2xx 30; 30 samples', '2xx 30; 30 samples'],
  ['tracked cluster (timeout budgets, sizes, per-endpoint)', 'tracked', OK, OK],
  [
    'outlier: half the hosts answer 500 until ejected, 20 requests',
    'ejecting',
    '2xx 17, 5xx 3; 20 samples',
    '2xx 17, 5xx 3; 20 samples',
  ],
  ['original_dst by header', 'original_dst', OK, OK],
  ['dynamic forward proxy', 'dynamic_forward_proxy_cluster', OK, OK],
];

const CONNECTIONS_FULL = 'circuit breaker: max_connections 1, max_pending 1, 6 at once, 100 ms each';
const REQUESTS_FULL = 'circuit breaker: max_requests 2, HTTP/2 gRPC, 6 at once, 600 ms each';
const DEADLINE = 'gRPC client deadline 100 ms (Envoy route has no shorter timeout)';
const ONE_FEWER: Seen = ['2xx 2, 5xx 4, overflow 4; 2 samples', '2xx 2, 5xx 4; 6 samples'];
const answeredInTime = (calls: number): Seen => {
  const seen = `2xx ${calls}, grpc_failed ${calls}; ${calls} samples`;
  return [seen, seen];
};

type Seen = readonly [outbound: string, inbound: string];

/** Faults whose counts depended on who came first, which was another one on other versions. */
const RACES: Readonly<Record<string, Readonly<Record<string, Seen>>>> = {
  '1.36.4': { [CONNECTIONS_FULL]: ONE_FEWER, [DEADLINE]: answeredInTime(1) },
  '1.37.0': { [CONNECTIONS_FULL]: ONE_FEWER, [DEADLINE]: answeredInTime(1) },
  '1.38.3': { [CONNECTIONS_FULL]: ONE_FEWER, [DEADLINE]: answeredInTime(4) },
  '1.39.3': {
    [DEADLINE]: answeredInTime(1),
    [REQUESTS_FULL]: ['2xx 2, 5xx 4, overflow 4; 2 samples', '2xx 6, grpc_failed 4; 3 samples'],
  },
};

/** What the application's own sidecar counts, and what of a mirrored request. */
const OTHERS: readonly [fault: string, seen: Record<string, string>][] = [
  ['ingress 200 to local_app', { inbound: OK }],
  ['TLS ingress 200', { inbound: OK }],
  ['health_check filter hit (/healthz, no pass-through)', { inbound: '; 10 samples' }],
  ['mirrored request (shadow)', { f_mirror_primary: OK, f_mirror_shadow: OK }],
];

describe.each(envoyVersions)('Envoy %s', (version) => {
  const faults = new Map(faultsOf(`${version}/faults.json`).map((fault) => [fault.fault, fault]));

  function faultOf(name: string) {
    const fault = faults.get(name);
    if (!fault) throw new Error(`no fault "${name}"`);
    return fault;
  }

  test.each(FAULTS)('%s', (name, peer, outbound, inbound) => {
    const [expectedOutbound, expectedInbound] = RACES[version]?.[name] ?? [outbound, inbound];
    expect(seenBySidecar(faultOf(name))).toEqual(peer === '' ? {} : { [peer]: expectedOutbound });
    expect(seenByGateway(faultOf(name))).toBe(expectedInbound);
  });

  test.each(OTHERS)('%s', (name, seen) => {
    expect(seenBySidecar(faultOf(name))).toEqual(seen);
  });

  test('all of them are looked at', () => {
    expect([...FAULTS, ...OTHERS].map(([name]) => name).sort()).toEqual([...faults.keys()].sort());
    expect(faults.size).toBe(72);
  });
});

describe('an HTTP/2 upstream of Envoy 1.40.0', () => {
  test.each([
    ['HTTP/2 upstream: 200', OK, OK],
    ['HTTP/2 upstream: RST_STREAM INTERNAL_ERROR before the response', '5xx 10, reset 10', ERRORS],
    ['HTTP/2 upstream: RST_STREAM REFUSED_STREAM', '5xx 10', ERRORS],
    ['HTTP/2 upstream: RST_STREAM mid-body', '2xx 10, reset 10', '2xx 10, cut_off 10'],
    ['HTTP/2 upstream: GOAWAY and close', '5xx 10, reset 10', ERRORS],
  ])('%s', (name, outbound, inbound) => {
    const fault = faultsOf('1.40.0/faults_http2_upstream.json').find((one) => one.fault === name);
    if (!fault) throw new Error(`no fault "${name}"`);
    expect(seenBySidecar(fault)).toEqual({ inbound, service_a: outbound });
    expect(seenByGateway(fault)).toBe(inbound);
  });
});
