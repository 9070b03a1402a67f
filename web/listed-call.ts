/** What the topology shows of every call, and so what it asks for. */

import type {
  AnswerRange,
  LatencyMs,
  Precision,
  TierName,
  TopologyEdge,
  TopologyEdgeField,
  TopologyNode,
} from '../server/api/contract.ts';

export type ListedCall = Pick<
  TopologyEdge,
  'source' | 'target' | 'requests' | 'requestRate' | 'errorRate' | 'latencySamples' | 'timeouts'
> & {
  latencyMs: Pick<LatencyMs, 'p95'>;
  precision: Pick<Precision, 'capped'>;
};

export interface ListedCalls extends AnswerRange {
  readonly tiers: readonly TierName[];
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly ListedCall[];
}

const LISTED: readonly TopologyEdgeField[] = [
  'requests',
  'requestRate',
  'errorRate',
  'latencyMs.p95',
  'latencySamples',
  'precision.capped',
  'timeouts',
];

/** As the API takes them. */
export const CALL_FIELDS = LISTED.join(',');
