/** What pages show of every service, and so what they ask for: all of them the same, so that one answer serves them all. */

import type {
  AnswerRange,
  Figures,
  LatencyMs,
  Precision,
  ServiceField,
  ServiceSummary,
  TierName,
} from '../server/api/contract.ts';

/** Figures of which a table shows rate, success and percentiles. */
export type ShownFigures = Omit<Figures, 'latencyMs' | 'precision' | 'codeClasses' | 'retries' | 'activeRequests'> & {
  latencyMs: Pick<LatencyMs, 'p50' | 'p95' | 'p99'> & Partial<LatencyMs>;
  precision: Pick<Precision, 'maxRelativeError' | 'capped'>;
};

/** A service as the fleet and the topology show it. */
export type ListedService = ShownFigures &
  Pick<ServiceSummary, 'service' | 'namespace' | 'vantage' | 'role' | 'regions' | 'instances' | 'alerts'>;

export interface ListedServices extends AnswerRange {
  readonly tiers: readonly TierName[];
  readonly services: readonly ListedService[];
}

const LISTED: readonly ServiceField[] = [
  'vantage',
  'role',
  'regions',
  'instances',
  'alerts',
  'requests',
  'requestRate',
  'successRate',
  'errorRate',
  'latencyMs.p50',
  'latencyMs.p95',
  'latencyMs.p99',
  'latencySamples',
  'precision.maxRelativeError',
  'precision.capped',
  'timeouts',
  'state',
];

/** As the API takes them. */
export const LISTED_FIELDS = LISTED.join(',');
