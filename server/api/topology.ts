import { type KnownService, type ServiceDirectory, type ServiceName, serviceKey } from '../live/services.ts';
import { ALL_PERCENTILES, mergeCells } from '../measure/cells.ts';
import { type Filters, passes } from '../measure/filters.ts';
import { peerOf } from '../measure/measured.ts';
import { inSlices, Slices } from '../measure/slices.ts';
import type { Cell, SumQuery } from '../store/store.ts';
import type { Sources } from './asking.ts';
import type { TopologyAnswer, TopologyEdge, TopologyNode } from './contract.ts';
import { figures } from './figures.ts';
import { shifted, type TimeRange } from './params.ts';
import { rangeOf } from './services.ts';

/**
 * Who called whom in the window, as the callers' sidecars measured it. Filters by service and namespace keep the
 * calls to and from such services; those by instance, region and zone are the callers'.
 */
export async function describeTopology(
  sources: Sources,
  range: TimeRange,
  { service, namespace, ...match }: Filters,
): Promise<TopologyAnswer> {
  const names: Filters = { ...(service ? { service } : {}), ...(namespace ? { namespace } : {}) };
  const { directory } = sources;
  const calls = (await callsOf(sources, { ...shifted(range), match })).filter(
    ({ source, target }) => passes(names, source) || passes(names, target),
  );
  const nodes = new Map(knownNodes(directory, { ...names, ...match }).map((node) => [node.id, node]));
  const edges: TopologyEdge[] = [];
  const slices = new Slices();
  for (const members of Map.groupBy(calls, edgeKey).values()) {
    if (slices.isUp) await slices.pause();
    const [first] = members;
    const edge = figures(mergeCells(members.map(({ cell }) => cell)), 'upstream');
    if (!first || !edge.requests) continue;
    for (const end of [first.source, first.target])
      if (!nodes.has(nodeId(end))) nodes.set(nodeId(end), nodeOf(end, directory.get(end)));
    edges.push({ source: nodeId(first.source), target: nodeId(first.target), ...edge });
  }
  return { ...rangeOf(range), tiers: sources.tiers(), nodes: [...nodes.values()], edges };
}

interface Call {
  readonly source: ServiceName;
  readonly target: ServiceName;
  readonly cell: Cell | null;
}

/** Percentiles are the store's work, but for services that callers name in several ways. */
async function callsOf(sources: Sources, query: Pick<SumQuery, 'from' | 'to' | 'match'>): Promise<Call[]> {
  const by = ['service', 'namespace', 'peer', 'peer_namespace'] as const;
  const ask = async (quantiles: Pick<SumQuery, 'quantiles'>): Promise<Call[]> => {
    const { groups } = await sources.store.sums({ ...query, ...quantiles, direction: 'outbound', by, bins: true });
    return inSlices(groups, ({ labels, cells }) => ({
      source: { service: labels.service ?? '', namespace: labels.namespace ?? '' },
      target: sources.directory.resolve(peerOf(labels)),
      cell: cells[0] ?? null,
    }));
  };
  const calls = await ask({ quantiles: ALL_PERCENTILES });
  return new Set(calls.map(edgeKey)).size === calls.length ? calls : ask({});
}

function edgeKey({ source, target }: Pick<Call, 'source' | 'target'>): string {
  return serviceKey(source) + serviceKey(target);
}

/** Services with a target that passes the filters. */
function knownNodes(directory: ServiceDirectory, filters: Filters): TopologyNode[] {
  return directory
    .all()
    .filter(({ targets }) => targets.some(({ identity }) => passes(filters, identity)))
    .map((service) => nodeOf(service, service));
}

function nodeId({ service, namespace }: ServiceName): string {
  return namespace === '' ? service : `${namespace}/${service}`;
}

function nodeOf(name: ServiceName, known: KnownService | undefined): TopologyNode {
  const { role = 'sidecar', regions = [] } = known ?? {};
  return { id: nodeId(name), service: name.service, namespace: name.namespace, role, regions: [...regions] };
}
