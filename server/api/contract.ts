/**
 * The HTTP API's answers. Durations in `…Ms` are milliseconds, times are Unix milliseconds,
 * rates are per second, success and error rates are shares from 0 to 1.
 * A figure that cannot be known is `null`; `state` beside it says why.
 */

export type FigureState = 'ok' | 'no_traffic' | 'no_data' | 'too_little_data';

/** Whose Envoy measured a service: its own sidecars, or those of its callers. */
export type Vantage = 'server' | 'client';

export type Role = 'sidecar' | 'gateway';

/**
 * What tells failed gRPC calls, which are HTTP 200: the filter grpc_stats, `rq_error` of the hosts in /clusters, or
 * Istio's labels; `status`: only the status of HTTP tells failures; `mixed`: not the same at all who measured.
 */
export type FailureSource = 'grpc_stats' | 'clusters' | 'istio' | 'status' | 'mixed' | 'unknown';

export interface ErrorBody {
  error: { code: string; message: string };
}

export interface LatencyMs {
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
  p999: number | null;
  mean: number | null;
}

export interface Precision {
  method: 'bins' | 'buckets';
  /** Which of Envoy's histograms the latency is from: the connection manager's or the cluster's. */
  source: 'downstream' | 'upstream';
  /** Largest distance from a reported percentile to an edge of its bin, as a share of the percentile. */
  maxRelativeError: number | null;
  /** True when a percentile falls among timed-out requests, which have no sample: it is then a lower bound. */
  capped: boolean;
}

/** The golden signals of one group of requests over one window. */
export interface Figures {
  /** Completed requests (2xx to 5xx) in the window; null when nothing was measured. */
  requests: number | null;
  requestRate: number | null;
  successRate: number | null;
  errorRate: number | null;
  /**
   * Requests in the window by class: `2xx`, `3xx`, `4xx`, `5xx`. Where only /clusters tells to whom requests went, the class
   * of some may be unknown: they are in none, so that the classes sum up to less than `requests`.
   */
  codeClasses: Record<CodeClass, number> | null;
  latencyMs: LatencyMs;
  latencySamples: number;
  precision: Precision;
  timeouts: number;
  retries: number;
  activeRequests: number | null;
  state: FigureState;
}

export type CodeClass = '2xx' | '3xx' | '4xx' | '5xx';

/** Events by reason. Reasons are disjoint, and may exceed failed requests, since tries fail too. */
export type Failures = Record<string, number>;

export interface ServiceSummary extends Figures {
  service: string;
  namespace: string;
  vantage: Vantage;
  role: Role;
  regions: string[];
  instances: { up: number; total: number };
  failureSource: FailureSource;
  alerts: AlertCounts;
}

/** When and over what an answer's figures are. */
export interface AnswerRange {
  /** End of the window. */
  at: number;
  /** Length of the window in milliseconds. */
  windowMs: number;
  /** The window as asked for, such as `5m`. */
  window: string;
  /** How much earlier than the window the figures are from. */
  offsetMs: number;
}

/** Steps in which the past is kept: `raw`, `1m`, `10m`, `1h`. */
export type TierName = 'raw' | '1m' | '10m' | '1h';

export interface ServicesAnswer extends AnswerRange {
  /** Where the figures are from, finest first. */
  tiers: TierName[];
  services: ServiceSummary[];
}

/** What `fields` of /api/v1/services takes: whole fields, or single ones of those that have fields of their own. */
export type ServiceField = keyof ServiceSummary | `latencyMs.${keyof LatencyMs}` | `precision.${keyof Precision}`;

/** A service with the fields that were asked for. */
export type ServicePart = Pick<ServiceSummary, 'service' | 'namespace'> &
  Partial<Omit<ServiceSummary, 'latencyMs' | 'precision'>> & {
    latencyMs?: Partial<LatencyMs>;
    precision?: Partial<Precision>;
  };

/** The answer where `fields` is given. */
export interface ServicePartsAnswer extends AnswerRange {
  tiers: TierName[];
  services: ServicePart[];
}

export interface InstanceFigures extends Figures {
  instance: string;
  region: string;
  zone: string;
  health: 'up' | 'down' | 'unknown';
}

export interface RegionFigures extends Figures {
  region: string;
}

export interface PeerFigures extends Figures {
  service: string;
  namespace: string;
}

export interface ServiceAnswer extends ServiceSummary {
  at: number;
  windowMs: number;
  window: string;
  offsetMs: number;
  tiers: TierName[];
  byInstance: InstanceFigures[];
  byRegion: RegionFigures[];
  /** Services that this one calls, as its own sidecars measured it. */
  upstreams: PeerFigures[];
  /** Services that call this one, as their sidecars measured it. */
  downstreams: PeerFigures[];
  failures: Failures;
}

/** `[start of the step, value]`; null where nothing was measured. */
export type Point = [number, number | null];

export interface QueryAnswer {
  signal: string;
  /** Length of a step in milliseconds. */
  step: number;
  from: number;
  to: number;
  /** How much earlier than their times the values are from. */
  offsetMs: number;
  tiers: TierName[];
  series: QuerySeries[];
  /** Of all that `top` left out, together; labels are those that they share by themselves (class, direction). */
  other: QuerySeries[];
}

export interface QuerySeries {
  labels: Record<string, string>;
  points: Point[];
}

export interface HeatmapAnswer {
  step: number;
  from: number;
  to: number;
  offsetMs: number;
  tiers: TierName[];
  /** Starts of the steps. */
  times: number[];
  /** Bounds of the rows, `[lower, upper)`, one beside the other; the last upper one is null where it is not known. */
  boundsMs: [number, number | null][];
  /** Samples of each step by row; null where nothing was measured. */
  counts: (number[] | null)[];
  /** Requests of each step that timed out and have no sample; null where nothing was measured. */
  timeouts: (number | null)[];
}

export interface TopologyNode {
  id: string;
  service: string;
  namespace: string;
  role: Role;
  regions: string[];
}

export interface TopologyEdge extends Figures {
  /** Ids of nodes. */
  source: string;
  target: string;
}

export interface TopologyAnswer extends AnswerRange {
  tiers: TierName[];
  nodes: TopologyNode[];
  edges: TopologyEdge[];
}

/**
 * The figures of requests from one place to another. Envoy tells neither retries nor gRPC failures by zone: where a call
 * had gRPC failures, the shares of success and failure are null.
 */
export interface PlaceFigures {
  requests: number | null;
  requestRate: number | null;
  successRate: number | null;
  errorRate: number | null;
  codeClasses: Record<CodeClass, number> | null;
  latencyMs: LatencyMs;
  latencySamples: number;
  precision: Precision;
  state: FigureState;
}

export interface RegionRoute extends PlaceFigures {
  /** Region of the caller; null where it is not known. */
  from: string | null;
  /** Region of the hosts that answered; null where it is not known. */
  to: string | null;
  /** Share of all requests in the answer. */
  share: number | null;
}

export interface ZoneRoute extends PlaceFigures {
  fromRegion: string | null;
  fromZone: string | null;
  toRegion: string | null;
  toZone: string | null;
  share: number | null;
}

export interface RegionsAnswer extends AnswerRange {
  tiers: TierName[];
  /** From region to region, those with the most requests first; every request is in one of them. */
  regions: RegionRoute[];
  /** The same requests from zone to zone. */
  zones: ZoneRoute[];
}

export interface TargetStatus {
  labels: Record<string, string>;
  discoveredLabels: Record<string, string>;
  health: 'up' | 'down' | 'unknown';
  /** In plain words, with what to do about it; empty when the last scrape was good. */
  lastError: string;
  lastScrape: number | null;
  scrapeDurationMs: number | null;
  bodyBytes: number | null;
  /** Stats that were used of the last body. */
  samples: number | null;
  envoyVersion: string;
  /** When its Envoy started; null where that is not known. */
  startedAt: number | null;
  /** Starts of its Envoy that came after another since the collector knows it, the newest last, at most 20. */
  restarts: number[];
  /** When the first of its certificates runs out; null where it tells of none. */
  certificateExpiry: number | null;
  precision: 'bins' | 'buckets' | 'none' | 'unknown';
  /** What is to be told of its discovery, such as another mechanism that found it with other labels; else empty. */
  note: string;
  failureSource: FailureSource;
  /** The last asking for /clusters, which its scrapes' duration and bytes do not hold; null where it was not asked. */
  clusters: {
    at: number;
    durationMs: number;
    bodyBytes: number;
    result: 'ok' | 'refused' | 'failed';
    /** In plain words; empty when it was answered. */
    error: string;
  } | null;
  /** Time between two scrapes as it is now; null before the first. */
  intervalMs: number | null;
  /** Why that is longer than configured, in plain words; empty where it is not. */
  slowedDown: string;
  /** Share of the time that the target spends on answering, as the last scrape took; null before the first. */
  busyShare: number | null;
}

export interface TargetsAnswer {
  targets: TargetStatus[];
  /** Targets that pass the filters, on all pages. */
  total: number;
  /** Of those, by health. */
  counts: { up: number; down: number; unknown: number };
  /** The first of what was found and is no target. */
  dropped: { discoveredLabels: Record<string, string>; reason: string }[];
  droppedTotal: number;
  discovery: DiscoveryState[];
}

export interface StorageStatus {
  /** `:memory:` where nothing is written. */
  path: string;
  /** Size of the file, of what is in use in it, and the largest that may be. */
  bytes: number;
  usedBytes: number;
  maxBytes: number;
  state: 'ok' | 'failing';
  /** Why rounds can not be stored, and what to do; empty when they can. */
  message: string;
  /** Since when, Unix milliseconds. */
  failingSince: number | null;
  /** Scrapes that wait to be stored since then, those of one target added up, and those that had to be given up. */
  waiting: number;
  lost: number;
  /** What keeps the store from keeping everything as long as asked; empty when nothing does. */
  notice: string;
  schemaVersion: number;
  oldest: number | null;
  /** Scrapes that are not packed into blocks yet. */
  logRows: number;
  /** Milliseconds from the end of the newest round that was stored to now; null before the first one. */
  lagMs: number | null;
  /** Threads that ended by themselves since the start, each replaced by another: how many, and why the newest did. */
  threads: { lost: number; last: { at: number; message: string } | null };
  tiers: StorageTier[];
}

export interface StorageTier {
  name: TierName;
  stepMs: number;
  /** How long it is to be kept, and how long it can be kept within the largest size. */
  retentionMs: number;
  keptMs: number;
  oldest: number | null;
  newest: number | null;
  bytes: number;
}
/** An entry of `discovery` in the configuration. */
export interface DiscoveryState {
  /** As the configuration names it: `discovery.file[0]`. */
  name: string;
  /** What is wrong with it, and what to do; empty when all is well. */
  error: string;
  /** Whether its first answer is there. */
  answered: boolean;
}

/** Targets that share all labels, in Prometheus's form. */
export type HttpSdAnswer = { targets: string[]; labels: Record<string, string> }[];

/** How pushing metrics by OTLP goes. */
export interface OtlpStatus {
  /** Scheme, host and port of the receiver. */
  endpoint: string;
  protocol: 'http/protobuf' | 'grpc';
  temporality: 'cumulative' | 'delta';
  intervalMs: number;
  /** When the receiver took something last; null while it never did. */
  acceptedAt: number | null;
  /** Why it takes nothing, or not all; empty when it takes everything. */
  problem: string;
  /** Points that it took, that it said it left out, and of requests that it refused. */
  accepted: number;
  rejected: number;
  dropped: number;
  /** Requests that failed and were made again. */
  retries: number;
}

export interface StatusAnswer {
  build: { version: string; node: string };
  startedAt: number;
  now: number;
  scrape: { intervalMs: number; timeoutMs: number; targets: number; up: number; down: number };
  storage: StorageStatus;
  retention: Record<string, number>;
  limits: Record<string, number>;
  /** How the configuration was read last: when, when it was good last, and what was wrong, one line each. */
  reload: { at: number; goodAt: number; errors: string[] };
  discovery: DiscoveryState[];
  remoteWrite: RemoteWriteStatus[];
  /** Null where nothing is pushed. */
  otlp: OtlpStatus | null;
  config: unknown;
}

/** A receiver of remote write; counts are since the start. */
export interface RemoteWriteStatus {
  name: string;
  state: 'ok' | 'failing';
  /** What is wrong; empty when nothing is. */
  message: string;
  failingSince: number | null;
  /** The newest request that it did not take, whether it goes well since or not; null where it took all. */
  lastError: { at: number; reason: string } | null;
  samplesSent: number;
  /** By reason. */
  samplesDropped: Record<string, number>;
  samplesPending: number;
  /** By result. */
  requests: Record<string, number>;
  /** Times at which samples were taken. */
  rounds: number;
  series: number;
  queueBytes: number;
  maxQueueBytes: number;
  /** Age of the oldest sample that waits. */
  lagMs: number;
}

/** Data of a server-sent `tick` event: figures up to `at` can be asked for. */
export interface Tick {
  at: number;
  intervalMs: number;
  targets: { up: number; total: number };
  alerts: { firing: number };
}

export interface AlertCounts {
  firing: number;
  pending: number;
}

/** Whether the last evaluation could be worked out. */
export type AlertData = 'ok' | 'too_little_data' | 'no_data';

export interface AlertItem {
  name: string;
  state: 'pending' | 'firing' | 'resolved';
  severity: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Since when it is in this state. */
  since: number;
  /** When it fired last; null while it never has. */
  firedAt: number | null;
  /** Whether the last evaluation could be worked out, and since when that is so. */
  data: AlertData;
  dataSince: number;
  /** Of the last evaluation that could be, in the unit of the rule's signal, and in words. */
  value: number | null;
  threshold: number | null;
  valueText: string;
  thresholdText: string;
  requests: number | null;
}

export interface AlertsAnswer {
  at: number;
  /** Firing ones first, then pending ones, then those that ended within the last hour; the newest first. */
  alerts: AlertItem[];
}

export interface RuleItem {
  name: string;
  builtin: boolean;
  /** When its alerts fire, in words. */
  condition: string;
  /** Null for rules that watch no signal. */
  signal: string | null;
  by: string[];
  match: Record<string, string>;
  direction: 'inbound' | 'outbound';
  windowMs: number;
  forMs: number;
  keepFiringForMs: number;
  minRequests: number;
  severity: string;
  /** How many sets of labels are in which state. */
  alerts: Record<AlertItem['state'] | 'inactive' | Exclude<AlertData, 'ok'>, number>;
  /** When it was evaluated last; null before the first time. */
  lastEvaluation: number | null;
  /** Why the last evaluation could not be worked out; empty when it could. */
  error: string;
  /** The share of requests that has to be good: to succeed, or to take less than so many milliseconds. */
  objective: { share: number; goodBelowMs: number | null } | null;
  /** Of an objective: the share of the error budget that is left, below 0 when it is overspent. */
  budgets: { labels: Record<string, string>; left: number | null }[];
}

export interface RulesAnswer {
  at: number;
  intervalMs: number;
  /** How long the last evaluation of all rules took; null before the first. */
  durationMs: number | null;
  rules: RuleItem[];
}

/** An alert became pending, fired or ended. */
export interface AlertEventItem {
  id: number;
  at: number;
  name: string;
  state: AlertItem['state'];
  severity: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  firedAt: number | null;
  value: number | null;
  threshold: number | null;
  requests: number | null;
}

/** One time that an alert fired. */
export interface AlertFiringItem {
  name: string;
  severity: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  firedAt: number;
  /** Null while it fires. */
  resolvedAt: number | null;
  /** As they were when it fired, in the unit of the rule's signal, and in words. */
  value: number | null;
  threshold: number | null;
  valueText: string;
  thresholdText: string;
  requests: number | null;
}

export interface AlertHistoryAnswer extends AnswerRange {
  /** The newest first. */
  events: AlertEventItem[];
  /** Times that alerts fired and that reach into the range; those that fired last first. */
  firings: AlertFiringItem[];
  /** Whether there are more than are told. */
  truncated: boolean;
}

/** One time that an alert would have fired. */
export interface TriedFiring {
  from: number;
  /** Null where it still fires at the end. */
  to: number | null;
  /** As they were when it fired, in the unit of the rule's signal, and in words. */
  value: number | null;
  threshold: number | null;
  requests: number | null;
  valueText: string;
  thresholdText: string;
}

/** How many evaluations there were, and how many of them could not be worked out. */
export interface TriedEvaluations {
  total: number;
  tooLittleData: number;
  noData: number;
}

export interface TriedSeries {
  labels: Readonly<Record<string, string>>;
  firings: readonly TriedFiring[];
  firingMs: number;
  evaluations: TriedEvaluations;
}

/** What a rule would have done. */
export interface TriedRule {
  name: string;
  condition: string;
  /** Why the past can't tell; empty when it can. */
  notTried: string;
  /** What was tried otherwise than it runs, in words. */
  notes: readonly string[];
  /** How often it would have fired, and how long in sum. */
  alerts: number;
  firingMs: number;
  evaluations: TriedEvaluations;
  /** At most 200: those that would have fired longest, then those without enough data most often. */
  series: readonly TriedSeries[];
  seriesTotal: number;
  /** The most sensitive threshold with at most so many alerts, as it is written in the configuration. */
  suggestion: { text: string; value: number; alerts: number } | null;
}

/** A stretch of the past that is kept in steps of one length. */
export interface TriedPart {
  tier: 'raw' | '1m' | '10m' | '1h';
  from: number;
  to: number;
  /** Time between two evaluations. */
  stepMs: number;
  /** What is shorter can't be told apart. */
  slotMs: number;
}

export interface RulesTestAnswer {
  /** Later than asked where the history is shorter. */
  from: number;
  to: number;
  window: string;
  maxAlerts: number;
  /** Oldest first. */
  parts: readonly TriedPart[];
  rules: readonly TriedRule[];
}
