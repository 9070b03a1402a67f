import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkAnswer } from './described.ts';
import { BASE, NOW } from './meshes.ts';
import { type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const SIGNALS =
  'requests, request_rate, success_rate, error_rate, latency_p50, latency_p90, latency_p95, latency_p99, latency_p999, latency_mean, active_requests, active_connections, retries, failures, connections, bytes_rx, bytes_tx, connection_duration_p50, connection_duration_p95, connection_duration_p99';
const LABELS = 'service, namespace, instance, region, zone, peer, code_class, direction';
const WINDOWED = 'window, from, to, offset, service, namespace, region, zone, instance';
const LISTED = WINDOWED.replace('offset', 'offset, fields');
const FIELDS =
  'service, namespace, vantage, role, regions, instances, failureSource, requests, requestRate, successRate, errorRate, codeClasses, latencyMs, latencyMs.p50, latencyMs.p90, latencyMs.p95, latencyMs.p99, latencyMs.p999, latencyMs.mean, latencySamples, precision, precision.method, precision.source, precision.maxRelativeError, precision.capped, timeouts, retries, activeRequests, state, alerts';
const CALLS = 'window, from, to, fields, service, namespace, region, zone, instance';
const CALL_FIELDS = FIELDS.replace(/^.*failureSource/, 'source, target').replace(', alerts', '');

test.each<[path: string, message: string]>([
  ['services?windw=5m', `unknown parameter "windw": this address takes ${LISTED}`],
  ['services?fields=latencyMs.p98', `fields=latencyMs.p98 is unknown: fields takes ${FIELDS}`],
  ['services?window=5', 'window=5 is not a duration: write for example 30s, 5m or 1h'],
  ['services?window=', 'window= is not a duration: write for example 30s, 5m or 1h'],
  ['services?window=-5m', 'window=-5m is not a duration: write for example 30s, 5m or 1h'],
  ['services?window=1.5h', 'window=1.5h is not a duration: write for example 30s, 5m or 1h'],
  ['services?window=0', 'window=0 is out of bounds: from 1s to 400d'],
  ['services?window=999ms', 'window=999ms is out of bounds: from 1s to 400d'],
  ['services?window=401d', 'window=401d is out of bounds: from 1s to 400d'],
  ['services?window=5m&window=6m', '"window" is given 2 times: give it once'],
  ['services?window=5m&from=1', 'give either window, or from and to'],
  ['services?to=5', 'to needs from'],
  [`services?from=${NOW}&to=${BASE}`, 'to must be later than from'],
  [`services?from=${NOW}&to=${NOW}`, 'to must be later than from'],
  [`services?from=${NOW + 1}`, 'to must be later than from'],
  ['services?from=yesterday', 'from=yesterday is not a time: write Unix milliseconds, or 2026-11-21T10:00:00Z'],
  ['services?from=-1', 'from=-1 is not a time: write Unix milliseconds, or 2026-11-21T10:00:00Z'],
  ['services?from=1e3', 'from=1e3 is not a time: write Unix milliseconds, or 2026-11-21T10:00:00Z'],
  [
    'services?from=2026-13-45T10:00:00Z',
    'from=2026-13-45T10:00:00Z is not a time: write Unix milliseconds, or 2026-11-21T10:00:00Z',
  ],
  ['services?from=0&to=9999999999999999', 'from and to are more than 400d apart'],
  [`alerts/history?service=${'a'.repeat(9000)}`, '"service" has 9000 characters: a name has at most 4096'],
  ['alerts/history?service=a%00b', '"service" has a NUL in it: no name has one'],
  ['query?signal=requests&zone=%00', '"zone" has a NUL in it: no name has one'],
  [`services?${'service=x&'.repeat(101)}`, '"service" is given more than 100 times'],
  [
    'services/shop?signal=x',
    'unknown parameter "signal": this address takes window, from, to, offset, namespace, region, zone, instance',
  ],
  ['services/shop?namespace=a&namespace=b', '"namespace" is given 2 times: give it once'],
  ['query', `signal is missing: one of ${SIGNALS}`],
  ['query?signal=', `signal= is unknown: signal is one of ${SIGNALS}`],
  ['query?signal=rps', `signal=rps is unknown: signal is one of ${SIGNALS}`],
  ['query?signal=requests&signal=retries', '"signal" is given 2 times: give it once'],
  ['query?signal=requests&by=pod', `by=pod is unknown: by takes ${LABELS}`],
  ['query?signal=requests&by=service,pod', `by=pod is unknown: by takes ${LABELS}`],
  ['query?signal=requests&direction=up', 'direction=up is unknown: direction is one of inbound, outbound'],
  ['query?signal=latency_p99&by=code_class', 'by=code_class needs signal=requests or signal=request_rate'],
  ['query?signal=requests&step=fast', 'step=fast is not a duration: write for example 30s, 5m or 1h'],
  ['query?signal=requests&step=0s', 'step=0s is out of bounds: from 1s to 400d'],
  ['query?signal=requests&window=400d&step=1s', 'step=1s gives more than 11000 points: use a longer step'],
  [
    'query?signal=requests&peer=cart',
    'unknown parameter "peer": this address takes signal, by, step, window, from, to, offset, top, direction, service, namespace, region, zone, instance',
  ],
  ['topology?by=service', `unknown parameter "by": this address takes ${CALLS}`],
  ['topology?fields=p95', `fields=p95 is unknown: fields takes ${CALL_FIELDS}`],
  ['topology?fields=requests,alerts', `fields=alerts is unknown: fields takes ${CALL_FIELDS}`],
  ['topology?fields=latencyMs.p95&fields=latencyMs.', `fields=latencyMs. is unknown: fields takes ${CALL_FIELDS}`],
  [
    'targets?window=5m',
    'unknown parameter "window": this address takes service, namespace, region, zone, instance, health, limit, offset',
  ],
  ['targets?health=ill', 'health=ill is unknown: health takes up, down, unknown'],
  ['targets?limit=0', 'limit=0 is no whole number from 1 to 1000000'],
  ['targets?offset=-1', 'offset=-1 is no whole number from 0 to 1000000'],
  ['status?x', 'unknown parameter "x": this address takes none'],
  ['events?service=a', 'unknown parameter "service": this address takes none'],
  ['openapi.json?pretty', 'unknown parameter "pretty": this address takes none'],
  ['services?__proto__=1', `unknown parameter "__proto__": this address takes ${LISTED}`],
  ['services?offset=90s', 'offset=90s is not whole minutes: write for example 1h or 1w'],
  ['services?offset=soon', 'offset=soon is not a duration: write for example 30s, 5m or 1h'],
  ['query?signal=requests&top=0', 'top=0 is no whole number from 1 to 1000'],
  ['query?signal=requests&top=1e3', 'top=1e3 is no whole number from 1 to 1000'],
  [
    'query?signal=latency_p99&by=service,region&top=3',
    'top of a latency takes one label in by: one of service, namespace, instance, region, zone',
  ],
  ['heatmap', 'service is missing: a heatmap is that of service=NAME'],
  ['heatmap?service=', 'service is missing: a heatmap is that of service=NAME'],
  ['heatmap?service=a&window=2h&step=1s', 'a heatmap has at most 1000 steps: use a longer step'],
])('/api/v1/%s', async (address, message) => {
  const path = `/api/v1/${address}`;
  const response = await fetch(api.url + path);
  const body = await response.json();
  expect([response.status, body]).toEqual([400, { error: { code: 'bad_request', message } }]);
  checkAnswer(path, response, body);
  expect(api.failures).toEqual([]);
});
