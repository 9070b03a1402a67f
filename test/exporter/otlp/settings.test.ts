import { expect, test } from 'vitest';
import type { OtlpConfig } from '../../../server/config/config.ts';
import { chooseOtlp, type OtlpSettings } from '../../../server/exporter/otlp/settings.ts';

const NOTHING: OtlpConfig = { endpoint: '', headers: {}, headerFiles: {}, traces: true };
const HERE = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://here:4318' };

test.each<[name: string, environment: Record<string, string>]>([
  ['nothing', {}],
  ['empty variables', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ['the switch of the SDK', { ...HERE, OTEL_SDK_DISABLED: 'true' }],
  ['no exporter', { ...HERE, OTEL_METRICS_EXPORTER: 'none' }],
  ['other exporters', { ...HERE, OTEL_METRICS_EXPORTER: 'prometheus, console' }],
  ['a receiver of traces only', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://here:4318' }],
])('nothing is pushed by %s', (_, environment) => {
  expect(chooseOtlp(NOTHING, environment)).toEqual({ settings: undefined, warnings: [] });
});

test('defaults', () => {
  expect(chooseOtlp(NOTHING, HERE).settings).toEqual({
    url: 'http://here:4318/v1/metrics',
    protocol: 'http/protobuf',
    intervalMs: 60_000,
    timeoutMs: 10_000,
    temporality: 'cumulative',
    compression: 'none',
    histograms: 'exponential',
    headers: {},
    headerFiles: {},
    tls: undefined,
    auth: undefined,
  });
});

test.each<
  [name: string, config: Partial<OtlpConfig>, environment: Record<string, string>, settings: Partial<OtlpSettings>]
>([
  ['the exporter alone', {}, { OTEL_METRICS_EXPORTER: 'otlp' }, { url: 'http://localhost:4318/v1/metrics' }],
  [
    'the exporter alone, gRPC',
    {},
    { OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { url: 'http://localhost:4317', protocol: 'grpc' },
  ],
  ['a path', {}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://here/api/otlp/' }, { url: 'http://here/api/otlp/v1/metrics' }],
  [
    'the metrics’ own address, as it is',
    {},
    { ...HERE, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://there/in' },
    { url: 'http://there/in' },
  ],
  ['the file’s address', { endpoint: 'http://file:4318' }, HERE, { url: 'http://file:4318/v1/metrics' }],
  ['the file’s address, whole', { endpoint: 'http://file/v1/metrics' }, {}, { url: 'http://file/v1/metrics' }],
  [
    'the file over OTEL_SDK_DISABLED',
    { endpoint: 'http://file' },
    { OTEL_SDK_DISABLED: 'true' },
    { url: 'http://file/v1/metrics' },
  ],
  [
    'variables',
    {},
    {
      ...HERE,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b, X-Org=c=d',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'explicit_bucket_histogram',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/etc/ca.pem',
    },
    {
      headers: { 'api-key': 'a b', 'x-org': 'c=d' },
      timeoutMs: 2500,
      compression: 'gzip',
      intervalMs: 5000,
      temporality: 'delta',
      histograms: 'explicit',
      tls: { caFile: '/etc/ca.pem' },
    },
  ],
  [
    'the metrics’ own variables over those of all signals',
    {},
    { ...HERE, OTEL_EXPORTER_OTLP_TIMEOUT: '1', OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '2' },
    { timeoutMs: 2 },
  ],
  [
    'the file over variables',
    { temporality: 'cumulative', intervalMs: 1000, headers: { a: 'file' } },
    {
      ...HERE,
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      OTEL_METRIC_EXPORT_INTERVAL: '7',
      OTEL_EXPORTER_OTLP_HEADERS: 'b=env',
    },
    { temporality: 'cumulative', intervalMs: 1000, headers: { a: 'file' } },
  ],
])('%s', (_, config, environment, settings) => {
  expect(chooseOtlp({ ...NOTHING, ...config }, environment)).toMatchObject({ settings, warnings: [] });
});

test.each<[environment: Record<string, string>, warning: string]>([
  [
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
    'OTEL_EXPORTER_OTLP_PROTOCOL=http/json is left out: write one of http/protobuf, grpc',
  ],
  [
    { OTEL_EXPORTER_OTLP_TIMEOUT: '10s' },
    'OTEL_EXPORTER_OTLP_TIMEOUT=10s is left out: write milliseconds such as 10000',
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'here:4318' },
    'OTEL_EXPORTER_OTLP_ENDPOINT is left out: it is no address such as http://127.0.0.1:4318',
  ],
  [
    { OTEL_EXPORTER_OTLP_HEADERS: 'secret' },
    'OTEL_EXPORTER_OTLP_HEADERS is left out in part: write name=value,name=value',
  ],
  [
    { OTEL_EXPORTER_OTLP_HEADERS: 'a=%0a' },
    'OTEL_EXPORTER_OTLP_HEADERS is left out in part: write name=value,name=value',
  ],
])('%j is told, and left out', (environment, warning) => {
  const { settings, warnings } = chooseOtlp(NOTHING, { ...HERE, ...environment });
  expect(warnings).toEqual([warning]);
  expect(settings).toMatchObject({ protocol: 'http/protobuf', timeoutMs: 10_000, headers: {} });
});
