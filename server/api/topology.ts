import { type KnownService, type ServiceDirectory, type ServiceName, serviceKey } from '../live/services.ts';
import type { TopologyAnswer, TopologyEdge, TopologyNode } from './contract.ts';
import { figures, mergeCells } from './figures.ts';
import { peerOf, type Sources } from './measured.ts';
import { type Filters, passes, type TimeRange } from './params.ts';

/**
 * Who called whom in the window, as the callers' sidecars measured it. Filters by service and namespace keep the
 * calls to and from such services; those by instance, region and zone are the callers'.
 */
export async function describeTopology(
  { store, directory }: Sources,
  range: TimeRange,
  { service, namespace, ...match }: Filters,
): Promise<TopologyAnswer> {
  const names: Filters = { ...(service ? { service } : {}), ...(namespace ? { namespace } : {}) };
  const by = ['service', 'namespace', 'peer', 'peer_namespace'] as const;
  const { groups } = await store.sums({ from: range.from, to: range.to, direction: 'outbound', match, by, bins: true });
  const calls = groups
    .map(({ labels, cells }) => ({
      source: { service: labels.service ?? '', namespace: labels.namespace ?? '' },
      target: directory.resolve(peerOf(labels)),
      cell: cells[0] ?? null,
    }))
    .filter(({ source, target }) => passes(names, { ...source }) || passes(names, { ...target }));
  const nodes = new Map(knownNodes(directory, { ...names, ...match }).map((node) => [node.id, node]));
  const edges: TopologyEdge[] = [];
  for (const members of Map.groupBy(calls, ({ source, target }) => serviceKey(source) + serviceKey(target)).values()) {
    const [first] = members;
    const edge = figures(mergeCells(members.map(({ cell }) => cell)), 'upstream');
    if (!first || !edge.requests) continue;
    for (const end of [first.source, first.target])
      if (!nodes.has(nodeId(end))) nodes.set(nodeId(end), nodeOf(end, directory.get(end)));
    edges.push({ source: nodeId(first.source), target: nodeId(first.target), ...edge });
  }
  return { at: range.to, windowMs: range.to - range.from, window: range.window, nodes: [...nodes.values()], edges };
}

/** Services with a target that passes the filters. */
function knownNodes(directory: ServiceDirectory, filters: Filters): TopologyNode[] {
  return directory
    .all()
    .filter(({ targets }) => targets.some(({ identity }) => passes(filters, { ...identity })))
    .map((service) => nodeOf(service, service));
}

function nodeId({ service, namespace }: ServiceName): string {
  return namespace === '' ? service : `${namespace}/${service}`;
}

function nodeOf(name: ServiceName, known: KnownService | undefined): TopologyNode {
  const { role = 'sidecar', regions = [] } = known ?? {};
  return { id: nodeId(name), service: name.service, namespace: name.namespace, role, regions: [...regions] };
}
