import { CONNECTION_LENGTH } from '../envoy/bare-clusters.ts';
import type { ClusterNames } from '../envoy/cluster-names.ts';
import { parseStatName } from '../envoy/stat-names.ts';
import type { StatsLayout } from '../envoy/stats.ts';
import { type FlowKey, flowText } from '../model/flow.ts';
import type { NamingRules } from './naming-rules.ts';
import { NO_STEPS } from './no-steps.ts';
import type { Parts } from './parts.ts';
import { peerOf } from './peer-names.ts';
import type { Plan, Step } from './plan.ts';

export interface BareInput {
  readonly bare: ReadonlySet<string>;
  readonly parts: Pick<Parts, 'localClusters' | 'peerClusters' | 'products'>;
  readonly rules: NamingRules;
  /** Clusters whose traffic goes to several services: whose connections lasted how long can't be told. */
  readonly apart: ReadonlyMap<string, unknown>;
}

/** The flow of each cluster's connections, of clusters that carry bare ones. */
export function connectionFlows({ bare, parts, rules, apart }: BareInput): ReadonlyMap<string, FlowKey> {
  const flows = new Map<string, FlowKey>();
  for (const cluster of bare) {
    const isLocal = parts.localClusters.has(cluster);
    if (apart.has(cluster) || !(isLocal || parts.peerClusters.has(cluster))) continue;
    const { service, namespace } = isLocal ? NO_PEER : peerOf(cluster, rules, parts.products);
    const direction = isLocal ? 'inbound_connections' : 'outbound_connections';
    flows.set(cluster, { direction, peer: service, peerNamespace: namespace, source: 'upstream' });
  }
  return flows;
}

const NO_PEER = { service: '', namespace: '' };

export interface ConnectionPlanInput {
  readonly layout: StatsLayout;
  readonly clusters: ClusterNames;
  readonly flowOf: ReadonlyMap<string, FlowKey>;
  readonly role: Plan['role'];
}

/** What to do with the histograms of how long connections lasted: those of bare ones count. */
export function compileConnectionPlan({ layout, clusters, flowOf, role }: ConnectionPlanInput): Plan {
  const flows = new Map<string, { flow: FlowKey; index: number }>();
  const histograms: Step[] = [];
  layout.histograms.forEach((name, slot) => {
    const found = parseStatName(name, clusters);
    const flow = found?.scope === 'cluster' && found.stat === CONNECTION_LENGTH ? flowOf.get(found.owner) : undefined;
    if (!flow) return;
    const text = flowText(flow);
    const { index } = flows.get(text) ?? { index: flows.size };
    flows.set(text, { flow, index });
    histograms.push({ slot, flow: index, field: 0 });
  });
  return { ...NO_STEPS, flows: [...flows.values()].map(({ flow }) => flow), histograms, role };
}
