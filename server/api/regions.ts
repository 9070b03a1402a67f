/**
 * From where to where requests went. An Envoy that knows its own zone tells how many of its requests hosts of which zone
 * answered; of all others only the beginning is known, never where they went.
 */

import type { ServiceDirectory } from '../live/services.ts';
import type { ZoneRegions } from '../live/zones.ts';
import { mergeCells } from '../measure/cells.ts';
import { type Filters, passes } from '../measure/filters.ts';
import { peerOf } from '../measure/measured.ts';
import { inSlices, Slices } from '../measure/slices.ts';
import { COUNTER_INDEX, requestCount } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import type { Cell, Group, SeriesLabel, SumQuery } from '../store/store.ts';
import type { Sources } from './asking.ts';
import type { PlaceFigures, RegionRoute, RegionsAnswer, ZoneRoute } from './contract.ts';
import { figures } from './figures.ts';
import type { TimeRange } from './params.ts';
import { rangeOf } from './services.ts';

export interface RegionSources extends Sources {
  readonly zones: ZoneRegions;
}

export interface RegionsQuery {
  readonly range: TimeRange;
  readonly filters: Filters;
  /** Whose filters these are: of the called service (inbound) or of the calling one (outbound). */
  readonly direction: 'inbound' | 'outbound';
}

/** One call's way, with its figures. */
interface Route {
  readonly from: Place;
  readonly to: Place;
  readonly cell: Cell;
  /** Whether calls on this way failed by gRPC status or timed out, which Envoy does not tell by zone. */
  readonly grpcFailed: boolean;
  readonly timedOut: boolean;
}

/** Null where it is not known. */
interface Place {
  readonly region: string | null;
  readonly zone: string | null;
}

/** Everything that Envoy tells by zone; else by the caller's place alone. */
export async function describeRegions(sources: RegionSources, query: RegionsQuery): Promise<RegionsAnswer> {
  const routes = await routesOf(sources, query);
  const requests = routes.reduce((sum, { cell }) => sum + requestCount(cell.counters), 0);
  const share = (cell: Cell | null): number | null =>
    cell && requests > 0 ? requestCount(cell.counters) / requests : null;
  const regions = merged(routes, ({ from, to }) => [from.region, to.region]).map(({ first, members }): RegionRoute => {
    const cell = mergeCells(members.map((route) => route.cell));
    return { from: first.from.region, to: first.to.region, share: share(cell), ...placeFigures(cell, members) };
  });
  const zones = merged(routes, ({ from, to }) => [from.region, from.zone, to.region, to.zone]).map(
    ({ first: { from, to }, members }): ZoneRoute => {
      const cell = mergeCells(members.map((route) => route.cell));
      return {
        fromRegion: from.region,
        fromZone: from.zone,
        toRegion: to.region,
        toZone: to.zone,
        share: share(cell),
        ...placeFigures(cell, members),
      };
    },
  );
  const { range } = query;
  return { ...rangeOf(range), tiers: sources.tiers(), regions, zones };
}

const CALL: readonly SeriesLabel[] = ['service', 'namespace', 'region', 'zone', 'peer', 'peer_namespace'];

/**
 * First the requests of every call tell which of them are told by zone; then the store adds up the latencies of those
 * that go the same way, however many calls there are.
 */
async function routesOf(sources: RegionSources, { range, filters, direction }: RegionsQuery): Promise<Route[]> {
  const { service, namespace } = filters;
  const names = { ...(service ? { service } : {}), ...(namespace ? { namespace } : {}) };
  const match: SumQuery['match'] = direction === 'outbound' ? names : service ? { peer: service } : {};
  const times = { from: range.from, to: range.to, match };
  const isAsked = (group: Group) => direction === 'outbound' || isCalled(group, sources.directory, names);
  const { byZone, others } = await callsByZone(sources, { times, isAsked });
  const ask = ({ all, left }: Chosen, query: Pick<SumQuery, 'direction' | 'by'>, by: readonly SeriesLabel[]) =>
    all.length === left.size
      ? []
      : sources.store
          .sums({ ...times, ...query, bins: true, without: [{ labels: by, keys: [...left] }] })
          .then(({ groups }) => groups);
  const [zoned, rest] = await Promise.all([
    ask(byZone, { direction: 'zone', by: ['region', 'zone', 'peer_zone'] }, ZONE_CALL),
    ask(others, { direction: 'outbound', by: ['region', 'zone'] }, CALL),
  ]);
  return [
    ...(await inSlices(zoned, (group) => routeOf(group, byZone.failed, sources.zones))).flat(),
    ...(await inSlices(rest, unknownRoute)).flat(),
  ];
}

const ZONE_CALL: readonly SeriesLabel[] = [...CALL, 'peer_zone'];

/** Calls, and the keys of those that do not count. */
interface Chosen {
  readonly all: readonly Group[];
  readonly left: ReadonlySet<string>;
}

interface ChosenByZone extends Chosen {
  readonly failed: Failed;
}

/** Ways on which calls failed by gRPC status or timed out, by {@link wayOf}. */
interface Failed {
  readonly grpc: ReadonlySet<string>;
  readonly timedOut: ReadonlySet<string>;
}

interface CallsQuery {
  readonly times: Pick<SumQuery, 'from' | 'to' | 'match'>;
  readonly isAsked: (group: Group) => boolean;
}

/** Calls that are told by zone, and the others: each request is in one of them. */
async function callsByZone(
  { store, directory }: RegionSources,
  { times, isAsked }: CallsQuery,
): Promise<{ byZone: ChosenByZone; others: Chosen }> {
  const [{ groups: sent }, { groups: byZone }] = await Promise.all([
    store.sums({ ...times, direction: 'outbound', by: CALL, bins: false }),
    store.sums({ ...times, direction: 'zone', by: ZONE_CALL, bins: false }),
  ]);
  const slices = new Slices();
  const [grpcFailed, timedOut, told, tellers] = [0, 1, 2, 3].map(() => new Set<string>()) as FourSets;
  for (const group of sent) {
    if (slices.isUp) await slices.pause();
    if (countedIn(group, 'grpc_failed')) grpcFailed.add(callOf(group));
    if (countedIn(group, 'timed_out')) timedOut.add(callOf(group));
  }
  const failed = { grpc: new Set<string>(), timedOut: new Set<string>() };
  const leftByZone = new Set<string>();
  for (const group of byZone) {
    if (slices.isUp) await slices.pause();
    const call = callOf(group);
    if (!isAsked(group) || !hasRequests(group)) {
      leftByZone.add(keyOf(ZONE_CALL.map((label) => group.labels[label] ?? '')));
      continue;
    }
    told.add(call);
    tellers.add(callerOf(group));
    if (grpcFailed.has(call)) failed.grpc.add(wayOf(group));
    if (timedOut.has(call)) failed.timedOut.add(wayOf(group));
  }
  const left = new Set<string>();
  for (const group of sent) {
    if (slices.isUp) await slices.pause();
    const call = callOf(group);
    const isTold = told.has(call) || (tellers.has(callerOf(group)) && isRelayed(group, directory));
    if (isTold || !isAsked(group) || !hasRequests(group)) left.add(call);
  }
  return { byZone: { all: byZone, left: leftByZone, failed }, others: { all: sent, left } };
}

type FourSets = [Set<string>, Set<string>, Set<string>, Set<string>];

/** From which zone to which. */
function wayOf({ labels }: Group): string {
  return keyOf([labels.region ?? '', labels.zone ?? '', labels.peer_zone ?? '']);
}

/** Requests to a gateway are told by zone under the name of the service that they are for. */
function isRelayed({ labels }: Group, directory: ServiceDirectory): boolean {
  return directory.get(directory.resolve(peerOf(labels)))?.role === 'gateway';
}

function callerOf({ labels }: Group): string {
  return keyOf([labels.service ?? '', labels.namespace ?? '', labels.region ?? '', labels.zone ?? '']);
}

function isCalled({ labels }: Group, directory: ServiceDirectory, names: Filters): boolean {
  return passes(names, directory.resolve(peerOf(labels)));
}

function callOf({ labels }: Group): string {
  return keyOf(CALL.map((label) => labels[label] ?? ''));
}

function hasRequests({ cells: [cell] }: Group): boolean {
  return cell !== null && cell !== undefined && requestCount(cell.counters) > 0;
}

function routeOf(group: Group, failed: Failed, zones: ZoneRegions): Route[] {
  const { labels } = group;
  const [cell] = group.cells;
  const zone = labels.peer_zone || null;
  if (!cell) return [];
  return [
    {
      from: placeOf(labels),
      to: { region: zone === null ? null : (zones.regionOf(zone) ?? null), zone },
      cell,
      grpcFailed: failed.grpc.has(wayOf(group)),
      timedOut: failed.timedOut.has(wayOf(group)),
    },
  ];
}

/** What a caller sent that doesn't know zones: where it went is not known. */
function unknownRoute({ labels, cells: [cell] }: Group): Route[] {
  if (!cell) return [];
  const to = { region: null, zone: null };
  return [{ from: placeOf(labels), to, cell, grpcFailed: false, timedOut: false }];
}

function placeOf({ region, zone }: Group['labels']): Place {
  return { region: region || null, zone: zone || null };
}

function countedIn({ cells: [cell] }: Group, counter: 'grpc_failed' | 'timed_out'): boolean {
  return (cell?.counters[COUNTER_INDEX[counter]] ?? 0) > 0;
}

interface MergedRoute {
  readonly first: Route;
  readonly members: readonly Route[];
}

/** Routes with equal ends together, those with the most requests first. */
function merged(routes: readonly Route[], endsOf: (route: Route) => readonly (string | null)[]): MergedRoute[] {
  const requests = ({ members }: MergedRoute) =>
    members.reduce((sum, { cell }) => sum + requestCount(cell.counters), 0);
  const groups = Map.groupBy(routes, (route) => JSON.stringify(endsOf(route))).values();
  return [...groups]
    .flatMap((members): MergedRoute[] => (members[0] ? [{ first: members[0], members }] : []))
    .sort((a, b) => requests(b) - requests(a));
}

/**
 * A share of failures that leaves gRPC failures out would be a guess, so it is not given where there were any; percentiles
 * without the timeouts are lower bounds, and marked.
 */
function placeFigures(cell: Cell | null, members: readonly Route[]): PlaceFigures {
  const { requests, requestRate, successRate, errorRate, codeClasses, latencyMs, latencySamples, precision, state } =
    figures(cell, 'upstream');
  const isKnown = !members.some(({ grpcFailed }) => grpcFailed);
  const capped = precision.capped || members.some(({ timedOut }) => timedOut);
  return {
    requests,
    requestRate,
    successRate: isKnown ? successRate : null,
    errorRate: isKnown ? errorRate : null,
    codeClasses,
    latencyMs,
    latencySamples,
    precision: { ...precision, capped },
    state,
  };
}
