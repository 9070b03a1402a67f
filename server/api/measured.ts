/**
 * Sums of measured services: what each received, from its vantage. A service whose own Envoys see its requests
 * is measured by them; any other by the sum of what its callers saw. One request is never in both.
 */

import { type ServiceDirectory, type ServiceName, serviceKey } from '../live/services.ts';
import { keyOf } from '../model/labels.ts';
import type { Cell, Group, SeriesLabel, Store, SumQuery } from '../store/store.ts';
import { mergeCells } from './figures.ts';
import type { Filters } from './params.ts';

export type MeasuredLabel = 'service' | 'namespace' | 'instance' | 'region' | 'zone' | 'peer';
export type MeasuredLabels = Readonly<Partial<Record<MeasuredLabel, string>>>;

export interface MeasuredGroup {
  readonly labels: MeasuredLabels;
  readonly cells: readonly (Cell | null)[];
}

export interface MeasuredQuery {
  readonly from: number;
  readonly to: number;
  readonly stepMs?: number;
  readonly filters: Filters;
  readonly by: readonly MeasuredLabel[];
  readonly bins: boolean;
}

export interface Sources {
  readonly store: Pick<Store, 'sums'>;
  readonly directory: ServiceDirectory;
}

/** What services received. */
export async function received(sources: Sources, query: MeasuredQuery): Promise<MeasuredGroup[]> {
  const [server, client] = await Promise.all([atServers(sources, query), atCallers(sources, query)]);
  return mergeGroups([...server, ...client]);
}

/** What services sent; `peer` is the called service, and filters are the caller's. */
export async function sent({ store, directory }: Sources, query: MeasuredQuery): Promise<MeasuredGroup[]> {
  const by: SeriesLabel[] = query.by.includes('peer') ? [...query.by, 'peer_namespace'] : [...query.by];
  const groups = await store.sums({ ...timesOf(query), direction: 'outbound', match: query.filters, by });
  return mergeGroups(groups.map((group) => ({ labels: withPeer(group, directory, query.by), cells: group.cells })));
}

function withPeer({ labels }: Group, directory: ServiceDirectory, by: readonly MeasuredLabel[]): MeasuredLabels {
  if (!by.includes('peer')) return labels;
  const { peer_namespace: _, ...others } = labels;
  return { ...others, peer: directory.resolve(peerOf(labels)).service };
}

/** The called service as a caller's cluster names it. */
export function peerOf(labels: Group['labels']): ServiceName {
  return { service: labels.peer ?? '', namespace: labels.peer_namespace ?? '' };
}

async function atServers({ store }: Sources, query: MeasuredQuery): Promise<MeasuredGroup[]> {
  const by = query.by.filter((label) => label !== 'peer');
  return store.sums({ ...timesOf(query), direction: 'inbound', match: query.filters, by });
}

/** Services that only their callers see: those have no instance, region or zone of their own. */
async function atCallers({ store, directory }: Sources, query: MeasuredQuery): Promise<MeasuredGroup[]> {
  const { service, namespace, region, zone, instance } = query.filters;
  if (region || zone || instance) return [];
  const match = service ? { peer: service } : {};
  const groups = await store.sums({ ...timesOf(query), direction: 'outbound', match, by: ['peer', 'peer_namespace'] });
  return groups.flatMap((group) => {
    const called = directory.resolve(peerOf(group.labels));
    if (directory.isMeasuredByItself(called)) return [];
    if (namespace && !namespace.includes(called.namespace)) return [];
    return [{ labels: pick(called, query.by), cells: group.cells }];
  });
}

function pick(name: ServiceName, by: readonly MeasuredLabel[]): MeasuredLabels {
  return {
    ...(by.includes('service') ? { service: name.service } : {}),
    ...(by.includes('namespace') ? { namespace: name.namespace } : {}),
  };
}

function timesOf({
  from,
  to,
  stepMs,
  bins,
}: MeasuredQuery): Pick<SumQuery, 'from' | 'to' | 'bins'> & { stepMs?: number } {
  return { from, to, bins, ...(stepMs === undefined ? {} : { stepMs }) };
}

/** Groups with equal labels become one. */
function mergeGroups(groups: readonly MeasuredGroup[]): MeasuredGroup[] {
  const byLabels = Map.groupBy(groups, ({ labels }) => keyOf(Object.entries(labels).flat()));
  return [...byLabels.values()].map((members) => {
    const [first] = members;
    if (!first || members.length === 1) return first ?? { labels: {}, cells: [] };
    return {
      labels: first.labels,
      cells: first.cells.map((_, index) => mergeCells(members.map(({ cells }) => cells[index] ?? null))),
    };
  });
}

/** The cell of each service in a query by service and namespace over one cell. */
export function cellsByService(groups: readonly MeasuredGroup[]): Map<string, Cell | null> {
  return new Map(
    groups.map(({ labels, cells }) => [
      serviceKey({ service: labels.service ?? '', namespace: labels.namespace ?? '' }),
      cells[0] ?? null,
    ]),
  );
}
