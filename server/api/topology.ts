import { type KnownService, type ServiceDirectory, type ServiceName, serviceKey } from '../live/services.ts';
import { ALL_PERCENTILES, mergeCells } from '../measure/cells.ts';
import { type Filters, passes } from '../measure/filters.ts';
import { peerOf } from '../measure/measured.ts';
import { inSlices } from '../measure/slices.ts';
import { requestCount } from '../model/flow.ts';
import type { Cell, SumQuery } from '../store/store.ts';
import type { Sources } from './asking.ts';
import type { TopologyEdgeField, TopologyEdgePart, TopologyNode, TopologyPartsAnswer } from './contract.ts';
import { edgePart, quantilesFor } from './fields.ts';
import { CellFigures, figures } from './figures.ts';
import { shifted, type TimeRange } from './params.ts';
import { rangeOf } from './services.ts';

interface TopologyQuery {
  readonly range: TimeRange;
  readonly filters: Filters;
  /** What is told of each call; null for everything. */
  readonly fields?: readonly TopologyEdgeField[] | null;
}

/**
 * Who called whom in the window, as the callers' sidecars measured it. Filters by service and namespace keep the
 * calls to and from such services; those by instance, region and zone are the callers'.
 */
export async function describeTopology(
  sources: Sources,
  { range, filters: { service, namespace, ...match }, fields = null }: TopologyQuery,
): Promise<TopologyPartsAnswer> {
  const names: Filters = { ...(service ? { service } : {}), ...(namespace ? { namespace } : {}) };
  const { directory } = sources;
  const quantiles = fields ? quantilesFor(fields) : ALL_PERCENTILES;
  const calls = (await callsOf(sources, { ...shifted(range), match, quantiles })).filter(
    ({ source, target }) => passes(names, source) || passes(names, target),
  );
  const nodes = new Map(knownNodes(directory, { ...names, ...match }).map((node) => [node.id, node]));
  const tell = edgeTeller(fields, quantiles);
  const edges = await inSlices(Map.groupBy(calls, ({ key }) => key).values(), (members): TopologyEdgePart[] => {
    const [first] = members;
    const cell = mergeCells(members.map((member) => member.cell));
    if (!first || !cell || requestCount(cell.counters) === 0) return [];
    const ends = { source: nodeId(first.source), target: nodeId(first.target) };
    if (!nodes.has(ends.source)) nodes.set(ends.source, nodeOf(first.source, directory.get(first.source)));
    if (!nodes.has(ends.target)) nodes.set(ends.target, nodeOf(first.target, directory.get(first.target)));
    return [tell(ends, cell)];
  });
  return { ...rangeOf(range), tiers: sources.tiers(), nodes: [...nodes.values()], edges: edges.flat() };
}

type EdgeTeller = (ends: Pick<TopologyEdgePart, 'source' | 'target'>, cell: Cell) => TopologyEdgePart;

function edgeTeller(fields: TopologyQuery['fields'], quantiles: readonly number[]): EdgeTeller {
  if (!fields) return (ends, cell) => ({ ...ends, ...figures(cell, 'upstream') });
  const part = edgePart(fields);
  return (ends, cell) => part(ends, new CellFigures(cell, 'upstream', quantiles));
}

interface Call {
  /** The same for all calls between the same two services. */
  readonly key: string;
  readonly source: ServiceName;
  readonly target: ServiceName;
  readonly cell: Cell | null;
}

/** Percentiles are the store's work, but for services that callers name in several ways. */
async function callsOf(
  sources: Sources,
  { quantiles, ...query }: Pick<SumQuery, 'from' | 'to' | 'match' | 'quantiles'>,
): Promise<Call[]> {
  const by = ['service', 'namespace', 'peer', 'peer_namespace'] as const;
  const ask = async (worked: Pick<SumQuery, 'quantiles'>): Promise<Call[]> => {
    const { groups } = await sources.store.sums({ ...query, ...worked, direction: 'outbound', by, bins: true });
    return inSlices(groups, ({ labels, cells }) => {
      const source = { service: labels.service ?? '', namespace: labels.namespace ?? '' };
      const target = sources.directory.resolve(peerOf(labels));
      return { key: serviceKey(source) + serviceKey(target), source, target, cell: cells[0] ?? null };
    });
  };
  const calls = await ask(quantiles ? { quantiles } : {});
  return new Set(calls.map(({ key }) => key)).size === calls.length ? calls : ask({});
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
