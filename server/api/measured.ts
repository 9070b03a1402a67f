/**
 * Sums of measured services: what each received, from its vantage. A service whose own Envoys see its requests
 * is measured by them; any other by the sum of what its callers saw. One request is never in both.
 */

import type { ServiceDirectory, ServiceName } from '../live/services.ts';
import { requestCount } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import type { Cell, Group, SeriesLabel, Store, SumQuery } from '../store/store.ts';
import type { Vantage } from './contract.ts';
import { mergeCells } from './figures.ts';
import { byPlace, type Filters } from './params.ts';

export type MeasuredLabel = 'service' | 'namespace' | 'instance' | 'region' | 'zone' | 'peer';
/** Labels in the order they were asked for; one that is empty or unknown is left out. */
export type MeasuredLabels = Readonly<Partial<Record<MeasuredLabel, string>>>;

export interface MeasuredGroup {
  readonly labels: MeasuredLabels;
  readonly cells: readonly (Cell | null)[];
}

/** A group of one service. */
export interface ServiceGroup extends MeasuredGroup {
  readonly name: ServiceName;
  readonly vantage: Vantage;
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
  return mergeGroups(await receivedByService(sources, query));
}

/** What services received, each service in groups of its own. */
export async function receivedByService(sources: Sources, query: MeasuredQuery): Promise<ServiceGroup[]> {
  const { directory } = sources;
  const [server, client] = await Promise.all([atServers(sources, query), atCallers(sources, query)]);
  const own = server.filter(({ name }) => directory.get(name)?.inbound ?? true);
  const gone = own.map(({ name }) => name).filter((name) => !directory.get(name));
  const others = client.filter(({ name }) => {
    const known = directory.get(name);
    return known ? !known.inbound : !gone.some((other) => mayBeSame(name, other));
  });
  return [...own, ...others];
}

/** Services without a target any more, told apart by namespace only where both are known. */
function mayBeSame(a: ServiceName, b: ServiceName): boolean {
  return a.service === b.service && (a.namespace === b.namespace || a.namespace === '' || b.namespace === '');
}

/** What services sent; `peer` is the called service, and filters are the caller's. */
export async function sent({ store, directory }: Sources, query: MeasuredQuery): Promise<MeasuredGroup[]> {
  const by: SeriesLabel[] = query.by.includes('peer') ? [...query.by, 'peer_namespace'] : [...query.by];
  const groups = await store.sums({ ...timesOf(query), direction: 'outbound', match: query.filters, by });
  return mergeGroups(
    groups.map(({ labels, cells }) => {
      const peer = query.by.includes('peer') ? directory.resolve(peerOf(labels)).service : '';
      return { labels: pick({ ...labels, peer }, query.by), cells };
    }),
  );
}

/** The called service as a caller's cluster names it. */
export function peerOf(labels: Group['labels']): ServiceName {
  return { service: labels.peer ?? '', namespace: labels.peer_namespace ?? '' };
}

async function atServers({ store }: Sources, query: MeasuredQuery): Promise<ServiceGroup[]> {
  const places = query.by.filter((label) => label !== 'peer' && label !== 'service' && label !== 'namespace');
  const by: SeriesLabel[] = ['service', 'namespace', ...places];
  const groups = await store.sums({ ...timesOf(query), direction: 'inbound', match: query.filters, by });
  return groups.map(({ labels, cells }) => ({
    name: { service: labels.service ?? '', namespace: labels.namespace ?? '' },
    vantage: 'server',
    labels: pick(labels, query.by),
    cells,
  }));
}

/** What callers saw of services; those have no instance, region or zone of their own then. */
async function atCallers({ store, directory }: Sources, query: MeasuredQuery): Promise<ServiceGroup[]> {
  const { service, namespace } = query.filters;
  if (byPlace(query.filters)) return [];
  const match = service ? { peer: service } : {};
  const groups = await store.sums({ ...timesOf(query), direction: 'outbound', match, by: ['peer', 'peer_namespace'] });
  return groups.flatMap(({ labels, cells }) => {
    const name = directory.resolve(peerOf(labels));
    if (directory.isCarrier(name) && !cells.some((cell) => cell && requestCount(cell.counters) > 0)) return [];
    if (namespace && !namespace.includes(name.namespace)) return [];
    return [{ name, vantage: 'client' as const, labels: pick({ ...name }, query.by), cells }];
  });
}

function pick(values: MeasuredLabels, by: readonly MeasuredLabel[]): MeasuredLabels {
  return Object.fromEntries(by.flatMap((label) => (values[label] ? [[label, values[label]]] : [])));
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
  return [...byLabels.values()].map((members) => ({
    labels: members[0]?.labels ?? {},
    cells: (members[0]?.cells ?? []).map((_, index) => mergeCells(members.map(({ cells }) => cells[index] ?? null))),
  }));
}
