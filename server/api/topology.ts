import { type ServiceName, serviceKey } from '../live/services.ts';
import type { TopologyAnswer, TopologyEdge, TopologyNode } from './contract.ts';
import { figures, mergeCells } from './figures.ts';
import { peerOf, type Sources } from './measured.ts';
import type { TimeRange } from './params.ts';

/** Who called whom in the window, as the callers' sidecars measured it. */
export async function describeTopology({ store, directory }: Sources, range: TimeRange): Promise<TopologyAnswer> {
  const by = ['service', 'namespace', 'peer', 'peer_namespace'] as const;
  const groups = await store.sums({ from: range.from, to: range.to, direction: 'outbound', match: {}, by, bins: true });
  const calls = groups.map(({ labels, cells }) => ({
    source: { service: labels.service ?? '', namespace: labels.namespace ?? '' },
    target: directory.resolve(peerOf(labels)),
    cell: cells[0] ?? null,
  }));
  const nodes = new Map<string, TopologyNode>(
    directory.all().map((service) => [nodeId(service), nodeOf(service, service.role, service.regions)]),
  );
  const edges: TopologyEdge[] = [];
  for (const members of Map.groupBy(calls, ({ source, target }) => serviceKey(source) + serviceKey(target)).values()) {
    const [first] = members;
    const edge = figures(mergeCells(members.map(({ cell }) => cell)), 'upstream');
    if (!first || !edge.requests) continue;
    for (const end of [first.source, first.target])
      if (!nodes.has(nodeId(end))) nodes.set(nodeId(end), nodeOf(end, 'sidecar', []));
    edges.push({ source: nodeId(first.source), target: nodeId(first.target), ...edge });
  }
  return { at: range.to, windowMs: range.to - range.from, window: range.window, nodes: [...nodes.values()], edges };
}

function nodeId({ service, namespace }: ServiceName): string {
  return namespace === '' ? service : `${namespace}/${service}`;
}

function nodeOf(name: ServiceName, role: TopologyNode['role'], regions: readonly string[]): TopologyNode {
  return { id: nodeId(name), service: name.service, namespace: name.namespace, role, regions: [...regions] };
}
