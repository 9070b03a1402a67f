/**
 * Sums of measured services: what each received, from its vantage. A service whose own Envoys see its requests
 * is measured by them; any other by the sum of what its callers saw. One request is never in both.
 */

import type { ServiceDirectory, ServiceName } from '../live/services.ts';
import { type Direction, requestCount } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import type { Cell, Combinations, EachCell, Group, SeriesLabel, Store, SumQuery } from '../store/store.ts';
import { eachCell, mergeCells } from './cells.ts';
import { byPlace, type Filters } from './filters.ts';
import { Slices } from './slices.ts';

export interface Sources {
  readonly store: Pick<Store, 'sums'>;
  readonly directory: ServiceDirectory;
}

/** Whose Envoys measured a service: its own, or its callers'. */
export type Vantage = 'server' | 'client';

export type MeasuredLabel = 'service' | 'namespace' | 'instance' | 'region' | 'zone' | 'peer';
/** Labels in the order they were asked for; one that is empty or unknown is left out. */
export type MeasuredLabels = Readonly<Partial<Record<MeasuredLabel, string>>>;

export interface MeasuredGroup {
  readonly labels: MeasuredLabels;
  readonly cells: readonly (Cell | null)[];
  /** As that of the store's groups. */
  eachCell?(found: EachCell): void;
}

/** A group of one service. */
export interface ServiceGroup extends MeasuredGroup {
  readonly name: ServiceName;
  readonly vantage: Vantage;
  /** At a client's vantage, the service as its callers' clusters name it. */
  readonly peer?: ServiceName;
}

export interface MeasuredQuery {
  readonly from: number;
  readonly to: number;
  readonly stepMs?: number;
  readonly filters: Filters;
  readonly by: readonly MeasuredLabel[];
  readonly bins: boolean;
  /** Whether samples are bare connections that ended, by how long they lasted, in place of requests; no counter then. */
  readonly connections?: boolean;
  /** Quantiles that cells are to come with; those of groups that were added up here are left to whoever shows them. */
  readonly quantiles?: readonly number[];
}

/** What services received. */
export async function received(sources: Sources, query: MeasuredQuery): Promise<MeasuredGroup[]> {
  if ((query.quantiles || query.stepMs !== undefined) && !isOfOneService(query)) {
    const groups = await receivedByAll(sources, query);
    if (groups) return groups;
  }
  return quantilesFirst(query, (asked) => receivedByService(sources, asked), keyOfLabels);
}

/** Whether every group is of one service only, as far as the query tells. */
function isOfOneService({ by, filters }: MeasuredQuery): boolean {
  return by.includes('service') || filters.service?.length === 1;
}

/**
 * Asks for quantiles, and where groups turn out to be parts of one, once more for their histograms, to be added up
 * here: those of a few groups, where the store has done all others.
 */
export async function quantilesFirst<T extends MeasuredGroup>(
  query: MeasuredQuery,
  ask: (query: MeasuredQuery) => Promise<T[]>,
  keyOfGroup: (group: T) => string,
): Promise<MeasuredGroup[]> {
  const groups = await ask(query);
  if (!query.quantiles || new Set(groups.map(keyOfGroup)).size === groups.length) return mergeGroups(groups);
  return mergeGroups(await ask(withBinsOnly(query)));
}

function withBinsOnly({ quantiles: _, ...query }: MeasuredQuery): MeasuredQuery {
  return query;
}

/**
 * Sums over several services, added up by the store: the servers' in one query, the callers' in another. Undefined
 * where a name alone does not tell which services are to be left out.
 */
async function receivedByAll(sources: Sources, query: MeasuredQuery): Promise<MeasuredGroup[] | undefined> {
  if (query.by.includes('namespace') || query.by.includes('peer')) return undefined;
  const { stepMs: _, quantiles: __, ...once } = query;
  const { own, others, left } = await divided(sources, { ...once, by: [], bins: false });
  const [leftOwn, leftOthers] = [left.filter(({ peer }) => !peer), left.filter(({ peer }) => peer)];
  if (shareName(own, leftOwn) || shareName(others, leftOthers)) return undefined;
  const asked = own.length > 0 && others.length > 0 ? withBinsOnly(query) : query;
  const names = leftOwn.length > 0 ? { service: namesOf(own) } : {};
  const servers = { match: { ...query.filters, ...names }, by: query.by } as const;
  const callers = {
    match: { peer: namesOf(others) },
    by: [],
    without: measuredByThemselves(sources.directory, query.filters),
  } as const;
  const answers = await Promise.all([
    own.length > 0
      ? sources.store.sums({ ...timesOf(asked), ...servers, direction: directionOf('inbound', query) })
      : undefined,
    others.length > 0
      ? sources.store.sums({ ...timesOf(asked), ...callers, direction: directionOf('outbound', query) })
      : undefined,
  ]);
  const groups = answers.flatMap((answer) => answer?.groups ?? []);
  return mergeGroups(groups.map((group) => withLabels(group, pick(group.labels, query.by))));
}

function shareName(some: readonly ServiceGroup[], others: readonly ServiceGroup[]): boolean {
  const names = new Set(namesOf(others));
  return namesOf(some).some((name) => names.has(name));
}

function namesOf(groups: readonly ServiceGroup[]): string[] {
  return [...new Set(groups.map(({ name, peer }) => (peer ?? name).service))];
}

/** What services received, each service in groups of its own. */
export async function receivedByService(sources: Sources, query: MeasuredQuery): Promise<ServiceGroup[]> {
  const { own, others } = await divided(sources, query);
  return [...own, ...others];
}

/** The same by several lists of labels, all from one reading: `by`, and each of `subtotals`, which are parts of it. */
export async function receivedAtOnce(
  sources: Sources,
  { subtotals, ...query }: MeasuredQuery & { readonly subtotals: readonly (readonly MeasuredLabel[])[] },
): Promise<{ readonly groups: ServiceGroup[]; readonly subtotals: readonly ServiceGroup[][] }> {
  const { own, others, ownSubtotals } = await divided(sources, query, subtotals);
  return { groups: [...own, ...others], subtotals: ownSubtotals.map((groups) => [...groups, ...others]) };
}

interface Divided {
  /** Groups of services that their own Envoys measure, and of those that only their callers do. */
  readonly own: readonly ServiceGroup[];
  readonly others: readonly ServiceGroup[];
  /** Groups whose requests others count, or that are of another namespace. */
  readonly left: readonly ServiceGroup[];
  /** As `own`, by other labels. */
  readonly ownSubtotals: readonly (readonly ServiceGroup[])[];
}

async function divided(
  sources: Sources,
  query: MeasuredQuery,
  subtotals: readonly (readonly MeasuredLabel[])[] = [],
): Promise<Divided> {
  const { directory } = sources;
  const [[server = [], ...more], client] = await Promise.all([
    atServers(sources, query, subtotals),
    atCallers(sources, query),
  ]);
  const isOwn = ({ name }: ServiceGroup): boolean => directory.get(name)?.inbound ?? true;
  const own = server.filter(isOwn);
  const gone = own.map(({ name }) => name).filter((name) => !directory.get(name));
  const { namespace } = query.filters;
  const others = client.filter(({ name }) => {
    if (namespace && !namespace.includes(name.namespace)) return false;
    const known = directory.get(name);
    return known ? !known.inbound : !gone.some((other) => mayBeSame(name, other));
  });
  const kept = new Set(others);
  const left = [...server.filter((group) => !isOwn(group)), ...client.filter((group) => !kept.has(group))];
  return { own, others, left, ownSubtotals: more.map((groups) => groups.filter(isOwn)) };
}

/** Services without a target any more, told apart by namespace only where both are known. */
function mayBeSame(a: ServiceName, b: ServiceName): boolean {
  return a.service === b.service && (a.namespace === b.namespace || a.namespace === '' || b.namespace === '');
}

/** What services sent; `peer` is the called service, and filters are the caller's. */
export async function sent({ store, directory }: Sources, query: MeasuredQuery): Promise<MeasuredGroup[]> {
  const by: SeriesLabel[] = query.by.includes('peer') ? [...query.by, 'peer_namespace'] : [...query.by];
  const ask = async (asked: MeasuredQuery): Promise<MeasuredGroup[]> => {
    const { groups } = await store.sums({
      ...timesOf(asked),
      direction: directionOf('outbound', query),
      match: query.filters,
      by,
    });
    return groups.map((group) => {
      const peer = query.by.includes('peer') ? directory.resolve(peerOf(group.labels)).service : '';
      return withLabels(group, pick({ ...group.labels, peer }, query.by));
    });
  };
  return quantilesFirst(query, ask, keyOfLabels);
}

/** The called service as a caller's cluster names it. */
export function peerOf(labels: Group['labels']): ServiceName {
  return { service: labels.peer ?? '', namespace: labels.peer_namespace ?? '' };
}

/** Groups by what the query is by, then by each list of other labels. */
async function atServers(
  { store }: Sources,
  query: MeasuredQuery,
  subtotals: readonly (readonly MeasuredLabel[])[],
): Promise<ServiceGroup[][]> {
  const { groups, subtotals: others } = await store.sums({
    ...timesOf(query),
    direction: directionOf('inbound', query),
    match: query.filters,
    by: serviceLabels(query.by),
    ...(subtotals.length > 0 ? { subtotals: subtotals.map(serviceLabels) } : {}),
  });
  const toldApart = [query.by, ...subtotals];
  return [groups, ...others].map((all, index) =>
    all.map((group) =>
      ofService(withLabels(group, pick(group.labels, toldApart[index] ?? [])), {
        name: { service: group.labels.service ?? '', namespace: group.labels.namespace ?? '' },
        vantage: 'server',
      }),
    ),
  );
}

function serviceLabels(by: readonly MeasuredLabel[]): SeriesLabel[] {
  const places = by.filter((label) => label !== 'peer' && label !== 'service' && label !== 'namespace');
  return ['service', 'namespace', ...places];
}

/** Services as callers name them that their own Envoys measure: what callers saw of those is not even read. */
function measuredByThemselves(directory: ServiceDirectory, { service }: Filters): Combinations[] {
  const known = directory.all().filter(({ service: name }) => service?.includes(name) ?? true);
  const [whole, named]: [string[], string[]] = [[], []];
  for (const [name, members] of Map.groupBy(known, ({ service: name }) => name)) {
    const isInbound = (namespace: string) =>
      directory.get(directory.resolve({ service: name, namespace }))?.inbound ?? false;
    const namespaces = members.map(({ namespace }) => namespace);
    // One without a namespace stands for those that no target has.
    if (namespaces.includes('') && members.every(({ inbound }) => inbound)) whole.push(keyOf([name]));
    else for (const one of new Set([...namespaces, ''])) if (isInbound(one)) named.push(keyOf([name, one]));
  }
  return [
    { labels: ['peer'], keys: whole },
    { labels: ['peer', 'peer_namespace'], keys: named },
  ];
}

/** What callers saw of services of whatever namespace; those have no instance, region or zone of their own then. */
async function atCallers({ store, directory }: Sources, query: MeasuredQuery): Promise<ServiceGroup[]> {
  const { service } = query.filters;
  if (byPlace(query.filters)) return [];
  const match = service ? { peer: service } : {};
  const { groups } = await store.sums({
    ...timesOf(query),
    direction: directionOf('outbound', query),
    match,
    without: measuredByThemselves(directory, query.filters),
    by: ['peer', 'peer_namespace'],
  });
  return groups.flatMap((group) => {
    const peer = peerOf(group.labels);
    const name = directory.resolve(peer);
    if (directory.isCarrier(name) && !group.cells.some((cell) => cell && requestCount(cell.counters) > 0)) return [];
    return [ofService(withLabels(group, pick({ ...name }, query.by)), { name, peer, vantage: 'client' })];
  });
}

function ofService(group: MeasuredGroup, service: Omit<ServiceGroup, keyof MeasuredGroup>): ServiceGroup {
  return Object.assign(group, service);
}

function pick(values: MeasuredLabels, by: readonly MeasuredLabel[]): MeasuredLabels {
  return Object.fromEntries(by.flatMap((label) => (values[label] ? [[label, values[label]]] : [])));
}

function directionOf(direction: 'inbound' | 'outbound', { connections = false }: MeasuredQuery): Direction {
  return connections ? `${direction}_connections` : direction;
}

function timesOf({ from, to, stepMs, bins, quantiles }: MeasuredQuery): Omit<SumQuery, 'direction' | 'match' | 'by'> {
  return { from, to, bins, ...(stepMs === undefined ? {} : { stepMs }), ...(quantiles ? { quantiles } : {}) };
}

function keyOfLabels({ labels }: MeasuredGroup): string {
  return keyOf(Object.entries(labels).flat());
}

/** Groups with equal labels become one. */
async function mergeGroups(groups: readonly MeasuredGroup[]): Promise<MeasuredGroup[]> {
  const slices = new Slices();
  const merged: MeasuredGroup[] = [];
  for (const [first, ...others] of Map.groupBy(groups, keyOfLabels).values()) {
    if (!first) continue;
    if (others.length === 0) {
      merged.push(withLabels(first, first.labels));
      continue;
    }
    const cells: (Cell | null)[] = [];
    for (const [index, cell] of first.cells.entries()) {
      if (slices.isUp) await slices.pause();
      cells.push(mergeCells([cell, ...others.map((one) => one.cells[index] ?? null)]));
    }
    merged.push({ labels: first.labels, cells });
  }
  return merged;
}

/** Leaves it to whoever needs the cells to have them made: an answer may have a million. */
function withLabels(group: Pick<Group, 'cells' | 'eachCell'>, labels: MeasuredLabels): MeasuredGroup {
  return {
    labels,
    get cells() {
      return group.cells;
    },
    eachCell: (found) => eachCell(group, found),
  };
}
