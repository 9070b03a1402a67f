/** Where metrics are pushed to and how: what the file says, and where it says nothing OpenTelemetry's variables. */

import type { OtlpConfig } from '../../config/config.ts';
import type { AuthSettings, TlsSettings } from '../../model/reach.ts';
import type { HistogramForm, Temporality } from './message.ts';

export type Protocol = 'http/protobuf' | 'grpc';
export type Compression = 'gzip' | 'none';

export interface OtlpSettings {
  /** Whole address of the metrics' receiver; of gRPC only scheme, host and port count. */
  readonly url: string;
  readonly protocol: Protocol;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly temporality: Temporality;
  readonly compression: Compression;
  readonly histograms: HistogramForm;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers whose values are in files, by name. */
  readonly headerFiles: Readonly<Record<string, string>>;
  readonly tls?: TlsSettings | undefined;
  readonly auth?: AuthSettings | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of a push; undefined where nothing asks for one. `warnings`: variables that can't be understood. */
export interface OtlpChoice {
  readonly settings: OtlpSettings | undefined;
  readonly warnings: readonly string[];
}

const DEFAULT_INTERVAL_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_ENDPOINTS = { 'http/protobuf': 'http://localhost:4318', grpc: 'http://localhost:4317' } as const;
const METRICS_PATH = '/v1/metrics';

/** Variables are read by https://opentelemetry.io/docs/specs/otel/protocol/exporter/. */
export function chooseOtlp(config: OtlpConfig, environment: Environment): OtlpChoice {
  const variables = new Variables(environment);
  if (config.endpoint === '' && !variables.wantsMetrics()) return { settings: undefined, warnings: variables.warnings };
  const protocol = config.protocol ?? variables.oneOf(PROTOCOL, PROTOCOLS) ?? 'http/protobuf';
  const url = config.endpoint === '' ? variables.url(protocol) : withPath(config.endpoint, protocol);
  const histograms = config.histograms ?? variables.oneOf(HISTOGRAM, HISTOGRAMS) ?? 'exponential';
  const settings: OtlpSettings = {
    url,
    protocol,
    intervalMs: config.intervalMs ?? variables.milliseconds(['OTEL_METRIC_EXPORT_INTERVAL']) ?? DEFAULT_INTERVAL_MS,
    timeoutMs: config.timeoutMs ?? variables.milliseconds(specific('TIMEOUT')) ?? DEFAULT_TIMEOUT_MS,
    temporality: config.temporality ?? variables.oneOf(TEMPORALITY, TEMPORALITIES) ?? 'cumulative',
    compression: config.compression ?? variables.oneOf(specific('COMPRESSION'), COMPRESSIONS) ?? 'none',
    histograms,
    headers: hasHeaders(config) ? config.headers : variables.headers(),
    headerFiles: config.headerFiles,
    tls: config.tls ?? variables.tls(),
    auth: config.auth,
  };
  return { settings, warnings: variables.warnings };
}

const specific = (name: string) => [`OTEL_EXPORTER_OTLP_METRICS_${name}`, `OTEL_EXPORTER_OTLP_${name}`];
const PROTOCOL = specific('PROTOCOL');
const HISTOGRAM = ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'];
const TEMPORALITY = ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'];

const PROTOCOLS = { 'http/protobuf': 'http/protobuf', grpc: 'grpc' } as const;
const COMPRESSIONS = { gzip: 'gzip', none: 'none' } as const;
/** `lowmemory` keeps nothing where deltas come of themselves, which is nowhere here. */
const TEMPORALITIES = { cumulative: 'cumulative', delta: 'delta', lowmemory: 'cumulative' } as const;
const HISTOGRAMS = {
  base2_exponential_bucket_histogram: 'exponential',
  explicit_bucket_histogram: 'explicit',
} as const;

function hasHeaders({ headers, headerFiles, auth }: OtlpConfig): boolean {
  return Object.keys(headers).length > 0 || Object.keys(headerFiles).length > 0 || auth !== undefined;
}

/** A base address gets the path of metrics, as OTEL_EXPORTER_OTLP_ENDPOINT does. */
function withPath(base: string, protocol: Protocol): string {
  const trimmed = base.replace(/\/+$/, '');
  return protocol === 'grpc' || trimmed.endsWith(METRICS_PATH) ? trimmed : `${trimmed}${METRICS_PATH}`;
}

/** OpenTelemetry's variables; what can't be understood is warned of and left out, as its specification wants. */
class Variables {
  readonly warnings: string[] = [];
  private readonly environment: Environment;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  wantsMetrics(): boolean {
    if (this.read(['OTEL_SDK_DISABLED'])?.value.toLowerCase() === 'true') return false;
    const exporters = this.read(['OTEL_METRICS_EXPORTER'])
      ?.value.split(',')
      .map((name) => name.trim());
    if (exporters) return exporters.includes('otlp');
    return this.read(specific('ENDPOINT')) !== undefined;
  }

  url(protocol: Protocol): string {
    const own = this.read(['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT']);
    if (own && this.isUrl(own)) return own.value;
    const base = this.read(['OTEL_EXPORTER_OTLP_ENDPOINT']);
    return withPath(base && this.isUrl(base) ? base.value : DEFAULT_ENDPOINTS[protocol], protocol);
  }

  oneOf<T>(names: readonly string[], choices: Readonly<Record<string, T>>): T | undefined {
    const found = this.read(names);
    if (!found) return undefined;
    const choice = Object.hasOwn(choices, found.value) ? choices[found.value] : undefined;
    if (choice === undefined) this.warn(found, `one of ${Object.keys(choices).join(', ')}`);
    return choice;
  }

  milliseconds(names: readonly string[]): number | undefined {
    const found = this.read(names);
    if (!found) return undefined;
    if (/^[1-9]\d{0,8}$/.test(found.value)) return Number(found.value);
    this.warn(found, 'milliseconds such as 10000');
    return undefined;
  }

  headers(): Record<string, string> {
    const found = this.read(specific('HEADERS'));
    const headers: Record<string, string> = {};
    for (const pair of found?.value.split(',') ?? []) {
      const [name = '', ...value] = pair.split('=');
      const text = decoded(value.join('=').trim());
      if (found && (value.length === 0 || !/^[\w!#$%&'*+.^`|~-]+$/.test(name.trim()) || text === undefined))
        this.warnings.push(`${found.name} is left out in part: write name=value,name=value`);
      else if (text !== undefined) headers[name.trim().toLowerCase()] = text;
    }
    return headers;
  }

  tls(): TlsSettings | undefined {
    const [ca, cert, key] = ['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY'].map(
      (name) => this.read(specific(name))?.value,
    );
    if (ca === undefined && cert === undefined) return undefined;
    return {
      ...(ca === undefined ? {} : { caFile: ca }),
      ...(cert === undefined || key === undefined ? {} : { certFile: cert, keyFile: key }),
    };
  }

  private read(names: readonly string[]): { name: string; value: string } | undefined {
    for (const name of names) {
      const value = this.environment[name]?.trim();
      if (value) return { name, value };
    }
    return undefined;
  }

  private isUrl(found: { name: string; value: string }): boolean {
    const isGood = /^https?:\/\//i.test(found.value) && URL.canParse(found.value);
    if (!isGood) this.warnings.push(`${found.name} is left out: it is no address such as http://127.0.0.1:4318`);
    return isGood;
  }

  private warn({ name, value }: { name: string; value: string }, right: string): void {
    this.warnings.push(`${name}=${value} is left out: write ${right}`);
  }
}

/** Undefined for what can't stand in a header. */
function decoded(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text);
    return /^[\x20-\x7e]*$/.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
