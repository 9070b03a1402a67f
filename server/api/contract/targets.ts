/** What is scraped: /api/v1/targets and /api/v1/http_sd. */

import type { FailureSource } from './figures.ts';
import type { DiscoveryState } from './status.ts';

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

/** Targets that share all labels, in Prometheus's form. */
export type HttpSdAnswer = { targets: string[]; labels: Record<string, string> }[];
