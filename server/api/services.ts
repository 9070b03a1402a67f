import type { LiveTarget } from '../live/live.ts';
import { type KnownService, type ServiceDirectory, type ServiceName, serviceKey } from '../live/services.ts';
import { ALL_PERCENTILES, failures, mergeCells } from '../measure/cells.ts';
import { byPlace, type Filters, passes } from '../measure/filters.ts';
import {
  type MeasuredGroup,
  type MeasuredQuery,
  peerOf,
  receivedAtOnce,
  receivedByService,
  type ServiceGroup,
} from '../measure/measured.ts';
import { inSlices } from '../measure/slices.ts';
import type { Cell, SeriesLabels, SumQuery } from '../store/store.ts';
import type { Sources } from './asking.ts';
import type {
  AnswerRange,
  InstanceFigures,
  PeerFigures,
  RegionFigures,
  ServiceAnswer,
  ServiceSummary,
  ServicesAnswer,
} from './contract.ts';
import { figures } from './figures.ts';
import { RequestError, shifted, type TimeRange } from './params.ts';

/** Every service that has a target, or that others can call. */
export async function listServices(sources: Sources, range: TimeRange, filters: Filters): Promise<ServicesAnswer> {
  const groups = await perService(sources, { ...shifted(range), filters, by: [], bins: true });
  const measured = Map.groupBy(groups, ({ name }) => serviceKey(name));
  const known = sources.directory.all().filter((service) => isShown(service, filters));
  const names = new Map([...known, ...groups.map(({ name }) => name)].map((name) => [serviceKey(name), name]));
  const services = await inSlices(names, ([key, name]) =>
    summary(sources, { name, filters, groups: measured.get(key) ?? [] }),
  );
  services.sort(byName);
  return { ...rangeOf(range), tiers: sources.tiers(), services };
}

/** When and over what an answer's figures are. */
export function rangeOf({ from, to, window, offsetMs }: TimeRange): AnswerRange {
  return { at: to, windowMs: to - from, window, offsetMs };
}

/** Percentiles are the store's work, but for services whose callers name them in several ways. */
async function perService(sources: Sources, query: MeasuredQuery): Promise<ServiceGroup[]> {
  const groups = await receivedByService(sources, { ...query, quantiles: ALL_PERCENTILES });
  const names = new Set(groups.map(({ name }) => serviceKey(name)));
  return names.size === groups.length ? groups : receivedByService(sources, query);
}

/** Whether a service is listed though nothing was measured of it. */
function isShown(known: KnownService, filters: Filters): boolean {
  if (byPlace(filters) && !known.inbound) return false;
  return known.targets.some(({ identity }) => identity !== undefined && passes(filters, identity));
}

/** Filters are those of the service's own instances. @throws RequestError 404 for a service that nobody knows of. */
export async function describeService(
  sources: Sources,
  asked: { service: string; namespace: string | undefined },
  range: TimeRange,
  filters: Filters,
): Promise<ServiceAnswer> {
  const name = findKnown(sources.directory, asked) ?? (await findMeasured(sources, asked, range));
  if (!name)
    throw new RequestError(
      `no service "${asked.service}" is known, and none was called in the last ${range.window}`,
      404,
      'not_found',
    );
  const { whole: groups, byRegion: regions, byPlace: places } = await groupsOf(sources, name, { range, filters });
  const base = summary(sources, { name, filters, groups });
  const targets = targetsOf(sources.directory, name, filters);
  const isSeen = base.vantage === 'server';
  const [upstreams, downstreams] = await Promise.all([
    listUpstreams(sources, name, { range, filters }),
    listDownstreams(sources, name, { range, filters }),
  ]);
  return {
    ...rangeOf(range),
    tiers: sources.tiers(),
    ...base,
    byInstance: await byInstance(isSeen ? places : [], targets),
    byRegion: byRegion(isSeen ? regions : []),
    upstreams,
    downstreams,
    failures: failures(sumOf(groups)),
  };
}

function findKnown(
  directory: ServiceDirectory,
  { service, namespace }: { service: string; namespace: string | undefined },
): KnownService | undefined {
  if (namespace !== undefined) return directory.get({ service, namespace });
  const named = directory.all().filter((known) => known.service === service);
  return named.find((known) => known.namespace === '') ?? named[0];
}

/** A service that no target is of any more, or that only callers know. */
async function findMeasured(
  sources: Sources,
  { service, namespace }: { service: string; namespace: string | undefined },
  range: TimeRange,
): Promise<ServiceName | undefined> {
  const filters = { service: [service], ...(namespace === undefined ? {} : { namespace: [namespace] }) };
  const [first] = await receivedByService(sources, { ...shifted(range), filters, by: [], bins: false });
  return first?.name;
}

interface GroupsOfService {
  readonly whole: readonly ServiceGroup[];
  readonly byRegion: readonly ServiceGroup[];
  readonly byPlace: readonly ServiceGroup[];
}

/**
 * Percentiles are the store's work, but for a service whose callers name it in several ways. The whole is asked for as the
 * list of services asks: over the time in which any of its instances was measured, whether that saw a request or not.
 */
async function groupsOf(sources: Sources, name: ServiceName, { range, filters }: PeerQuery): Promise<GroupsOfService> {
  const query = {
    ...shifted(range),
    filters: { ...filters, service: [name.service], namespace: [name.namespace] },
    bins: true,
  } as const;
  const places = { ...query, by: ['instance', 'region', 'zone'], subtotals: [['region']] } as const;
  const ask = async (quantiles: Pick<MeasuredQuery, 'quantiles'>): Promise<GroupsOfService> => {
    const [all, { groups, subtotals }] = await Promise.all([
      receivedByService(sources, { ...query, ...quantiles, by: [] }),
      receivedAtOnce(sources, { ...places, ...quantiles }),
    ]);
    const own = (some: readonly ServiceGroup[] = []) => some.filter((one) => serviceKey(one.name) === serviceKey(name));
    return { whole: own(all), byRegion: own(subtotals[0]), byPlace: own(groups) };
  };
  const found = await ask({ quantiles: ALL_PERCENTILES });
  return found.whole.length > 1 ? ask({}) : found;
}

function targetsOf(directory: ServiceDirectory, name: ServiceName, filters: Filters): LiveTarget[] {
  return (directory.get(name)?.targets ?? []).filter(({ identity }) => passes(filters, identity));
}

interface Measured {
  readonly name: ServiceName;
  readonly filters: Filters;
  readonly groups: readonly ServiceGroup[];
}

function summary({ directory, alerts }: Sources, { name, filters, groups }: Measured): ServiceSummary {
  const known = directory.get(name);
  const vantage = known ? (known.inbound ? 'server' : 'client') : (groups[0]?.vantage ?? 'client');
  const targets = targetsOf(directory, name, filters);
  const regions = new Set(targets.flatMap(({ identity }) => identity?.region || []));
  return {
    service: name.service,
    namespace: name.namespace,
    vantage,
    role: known?.role ?? 'sidecar',
    regions: [...regions].sort(),
    instances: { up: targets.filter(({ health }) => health === 'up').length, total: targets.length },
    failureSource: directory.failureSource(name, vantage),
    ...figures(sumOf(groups), vantage === 'server' ? 'downstream' : 'upstream'),
    alerts: alerts.get(serviceKey(name)) ?? { firing: 0, pending: 0 },
  };
}

function sumOf(groups: readonly MeasuredGroup[]): Cell | null {
  return mergeCells(groups.map(({ cells }) => cells[0] ?? null));
}

async function byInstance(
  groups: readonly MeasuredGroup[],
  targets: readonly LiveTarget[],
): Promise<InstanceFigures[]> {
  const health = new Map(
    targets.flatMap((target) => (target.identity ? [[target.identity.instance, target.health] as const] : [])),
  );
  const measured = await inSlices(groups, ({ labels, cells }) => ({
    instance: labels.instance ?? '',
    region: labels.region ?? '',
    zone: labels.zone ?? '',
    health: health.get(labels.instance ?? '') ?? ('unknown' as const),
    ...figures(cells[0] ?? null),
  }));
  const names = new Set(measured.map(({ instance }) => instance));
  const others = targets.flatMap(({ identity, health }) => {
    if (!identity || names.has(identity.instance)) return [];
    return [{ instance: identity.instance, region: identity.region, zone: identity.zone, health, ...figures(null) }];
  });
  return [...measured, ...others].sort((a, b) => compare(a.instance, b.instance));
}

function byRegion(groups: readonly MeasuredGroup[]): RegionFigures[] {
  const regions = Map.groupBy(groups, ({ labels }) => labels.region ?? '');
  const rows = [...regions].map(([region, members]) => ({
    region,
    ...figures(sumOf(members)),
  }));
  return rows.sort((a, b) => compare(a.region, b.region));
}

interface PeerQuery {
  readonly range: TimeRange;
  readonly filters: Filters;
}

/** Services that this one called in the window. */
function listUpstreams(sources: Sources, self: ServiceName, { range, filters }: PeerQuery): Promise<PeerFigures[]> {
  const match = { ...filters, service: [self.service], namespace: [self.namespace] };
  const by = ['peer', 'peer_namespace'] as const;
  return peers(sources, { range, match, by }, (labels) => sources.directory.resolve(peerOf(labels)));
}

/** Services that called this one in the window: they don't know which of its instances they reached. */
async function listDownstreams(
  sources: Sources,
  self: ServiceName,
  { range, filters }: PeerQuery,
): Promise<PeerFigures[]> {
  if (byPlace(filters)) return [];
  const by = ['service', 'namespace', 'peer', 'peer_namespace'] as const;
  return peers(sources, { range, match: { peer: [self.service] }, by }, (labels) =>
    serviceKey(sources.directory.resolve(peerOf(labels))) === serviceKey(self)
      ? { service: labels.service ?? '', namespace: labels.namespace ?? '' }
      : undefined,
  );
}

interface CallsQuery extends Pick<SumQuery, 'match' | 'by'> {
  readonly range: TimeRange;
}

/**
 * Rows by name, those without a name or a request left out. Percentiles are the store's work, but for names that
 * several groups share.
 */
async function peers(
  { store }: Sources,
  { range, ...query }: CallsQuery,
  nameOf: (labels: SeriesLabels) => ServiceName | undefined,
): Promise<PeerFigures[]> {
  const ask = async (quantiles: Pick<SumQuery, 'quantiles'>) => {
    const times = shifted(range);
    const { groups } = await store.sums({ ...times, ...query, ...quantiles, direction: 'outbound', bins: true });
    const rows = await inSlices(groups, ({ labels, cells: [cell = null] }) => {
      const name = nameOf(labels);
      return name ? [{ name, cell }] : [];
    });
    return [...Map.groupBy(rows.flat(), ({ name }) => serviceKey(name)).values()];
  };
  const found = await ask({ quantiles: ALL_PERCENTILES });
  const named = found.some(({ length }) => length > 1) ? await ask({}) : found;
  const rows = await inSlices(named, (members): PeerFigures[] => {
    const [first] = members;
    if (!first) return [];
    const { service, namespace } = first.name;
    const cell = mergeCells(members.map((member) => member.cell));
    return [{ service, namespace, ...figures(cell, 'upstream'), failures: failures(cell) }];
  });
  return rows
    .flat()
    .filter(({ requests }) => (requests ?? 0) > 0)
    .sort(byName);
}

function byName(a: ServiceName, b: ServiceName): number {
  return compare(a.service, b.service) || compare(a.namespace, b.namespace);
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
