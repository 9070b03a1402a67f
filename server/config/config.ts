import type { Labels } from '../model/labels.ts';
import type { AuthSettings, TlsSettings } from '../model/reach.ts';
import type { AlertsConfig } from './alerts-config.ts';
import type { RelabelAction } from './relabel-fields.ts';
import type { RemoteWriteConfig } from './remote-write-config.ts';
import type { WebAuthConfig, WebLimits, WebTlsConfig } from './web-config.ts';

/** The whole configuration, checked, with every default filled in, frozen. */
export interface Config {
  readonly scrape: ScrapeConfig;
  readonly discovery: DiscoveryConfig;
  /** Names peers from clusters, the first match wins; see `PeerRule`. */
  readonly peers: readonly PeerRule[];
  /** RE2 patterns, anchored: clusters that are the application behind the sidecar. */
  readonly local: readonly string[];
  readonly storage: StorageConfig;
  readonly exporter: ExporterConfig;
  readonly alerts: AlertsConfig;
  readonly remoteWrite: readonly RemoteWriteConfig[];
  readonly otlp: OtlpConfig;
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
  /** For the targets of entries without `tls` of their own. */
  readonly tls?: TlsSettings;
  /** For the targets of entries without `auth` of their own. */
  readonly auth?: AuthSettings;
  /** Whether targets may be at link-local addresses, where clouds keep their metadata. */
  readonly allowLinkLocal: boolean;
  /** Scrapes from one asking for /clusters to the next; 0 is never. */
  readonly clustersEvery: number;
}

export interface DiscoveryConfig {
  readonly static: readonly StaticEntry[];
  readonly file: readonly FileEntry[];
  readonly http: readonly HttpEntry[];
  readonly dns: readonly DnsEntry[];
  readonly kubernetes: readonly KubernetesEntry[];
  /** For the targets of all entries, after the entries' own rules. */
  readonly relabel: readonly RelabelRule[];
  /** Most targets in all. */
  readonly targetsLimit: number;
}

/** What every entry of every mechanism may have. */
export interface EntryConfig {
  readonly relabel: readonly RelabelRule[];
  /** How its targets are reached; targets without a scheme are then asked by https. */
  readonly tls?: TlsSettings;
  readonly auth?: AuthSettings;
}

export interface StaticEntry extends EntryConfig {
  /** Canonical texts, as `formatTargetAddress` writes them; no address stands twice in a configuration. */
  readonly targets: readonly string[];
  /** Values are never empty. */
  readonly labels: Labels;
}

export interface KubernetesEntry extends EntryConfig {
  /** Path of a kubeconfig. Without one: the pod's service account, else those of $KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig?: string;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Label selector of pods; empty: all. */
  readonly selector: string;
  /** RE2 pattern for the whole name of an Envoy's container. */
  readonly container: string;
  /** Where the pod tells none. */
  readonly port?: number;
  /** By the pods' own addresses, or through the API server. */
  readonly access: 'direct' | 'proxy';
}

export interface FileEntry extends EntryConfig {
  /** Absolute paths that end in .json, .yml or .yaml; their last part may hold one `*`. */
  readonly files: readonly string[];
  readonly refreshMs: number;
}

export interface HttpEntry extends EntryConfig {
  readonly url: string;
  readonly refreshMs: number;
  /** How the server that lists the targets is reached. */
  readonly sourceTls?: TlsSettings;
  readonly sourceAuth?: AuthSettings;
}

export interface DnsEntry extends EntryConfig {
  readonly names: readonly string[];
  readonly type: 'A' | 'AAAA' | 'SRV';
  /** 0 for SRV, whose records tell it. */
  readonly port: number;
  readonly refreshMs: number;
  readonly labels: Labels;
  /** `address` or `address:port` of name servers; empty: the system's. */
  readonly servers: readonly string[];
}

/** One rule of Prometheus's `relabel_configs`, checked, with its defaults. */
export interface RelabelRule {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly targetLabel: string;
  /** RE2 pattern for the whole of the value. */
  readonly regex: string;
  readonly modulus: number;
  readonly replacement: string;
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

/** Where metrics are pushed to by OTLP. What is absent is told by OpenTelemetry's variables, or has their defaults. */
export interface OtlpConfig {
  /** Base address; empty: that of the variables, if any. */
  readonly endpoint: string;
  readonly protocol?: 'http/protobuf' | 'grpc';
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly temporality?: 'cumulative' | 'delta';
  readonly histograms?: 'exponential' | 'explicit';
  readonly compression?: 'gzip' | 'none';
  readonly headers: Readonly<Record<string, string>>;
  /** Absolute paths by name of header. */
  readonly headerFiles: Readonly<Record<string, string>>;
  readonly tls?: TlsSettings;
  readonly auth?: AuthSettings;
  /** Whether the collector's traces go there too. */
  readonly traces: boolean;
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
  /** Where Prometheus's web configuration was read from. */
  readonly configFile?: string;
  /** Without it everybody may ask for everything. */
  readonly auth?: WebAuthConfig;
  /** Without it, plain HTTP. */
  readonly tls?: WebTlsConfig;
  /** Hosts that clients may ask for: names, `*.example.com`, `*`; empty: those that fit the address listened on. */
  readonly allowedHosts: readonly string[];
  /** In place of the built-in ones; an empty value leaves one out. */
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: WebLimits;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'text' | 'json';

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: LogFormat;
}
