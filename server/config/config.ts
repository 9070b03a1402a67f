import type { Labels } from '../model/labels.ts';

/** The whole configuration, checked, with every default filled in, frozen. */
export interface Config {
  readonly scrape: ScrapeConfig;
  readonly discovery: { readonly static: readonly StaticGroup[] };
  /** Names peers from clusters, the first match wins; see `PeerRule`. */
  readonly peers: readonly PeerRule[];
  /** RE2 patterns, anchored: clusters that are the application behind the sidecar. */
  readonly local: readonly string[];
  readonly storage: StorageConfig;
  readonly exporter: ExporterConfig;
  readonly web: WebConfig;
  readonly log: LogConfig;
}

export interface ScrapeConfig {
  readonly intervalMs: number;
  /** At most the interval. */
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
  readonly seriesLimit: number;
  readonly concurrency: number;
  readonly slowDown: boolean;
  /** At every how many scrapes zones are asked for; 0: never. */
  readonly zonesEvery: number;
  /** Scrapes from one asking for /clusters to the next; 0 is never. */
  readonly clustersEvery: number;
}

export interface StaticGroup {
  /** Canonical texts, as `formatTargetAddress` writes them; no address stands twice in a configuration. */
  readonly targets: readonly string[];
  /** Values are never empty. */
  readonly labels: Labels;
}

export interface PeerRule {
  /** RE2 pattern for the whole of a cluster's name. */
  readonly match: string;
  /** The service's name; `$1`, `${1}`, `$name` and `${name}` stand for groups of the pattern, `$$` for a dollar sign. */
  readonly service: string;
}

export type Tier = 'raw' | '1m' | '10m' | '1h';

export interface StorageConfig {
  /** Relative to the process's working directory unless absolute. */
  readonly path: string;
  readonly retentionMs: Readonly<Record<Tier, number>>;
  readonly maxSizeBytes: number;
}

export interface ExporterConfig {
  readonly level: 'service' | 'instance';
  /** Upper bounds in seconds, ascending and positive, without +Inf. */
  readonly buckets: readonly number[];
  /** If there are any: only the samples that one of them names. */
  readonly keep: readonly SampleRule[];
  readonly drop: readonly SampleRule[];
  /** Most mesh series of an answer. */
  readonly seriesLimit: number;
}

/** Names samples of /metrics by RE2 patterns, anchored. */
export interface SampleRule {
  readonly metric?: string;
  readonly labels: Labels;
}

export interface WebConfig {
  /** Empty: all interfaces. IPv6 addresses are without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Without a slash at its end; empty when not given. */
  readonly externalUrl: string;
  /** Link template with `{service}`, `{from}` and `{to}`; empty when not given. */
  readonly traceUrl: string;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'text' | 'json';

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: LogFormat;
}
