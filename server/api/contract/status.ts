/** How the collector itself does: /api/v1/status, and the ticks of /api/v1/events. */

import type { TierName } from './figures.ts';

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
  /** Those that were not asked yet are neither up nor down. */
  targets: { up: number; down: number; total: number };
  alerts: { firing: number };
}
