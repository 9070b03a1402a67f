/**
 * From where to where requests went. An Envoy that knows its own zone tells how many of its requests hosts of which zone
 * answered; of all others only the beginning is known, never where they went.
 */

import type { ServiceDirectory } from '../live/services.ts';
import type { ZoneRegions } from '../live/zones.ts';
import { mergeCells } from '../measure/cells.ts';
import { type Filters, passes } from '../measure/filters.ts';
import { peerOf } from '../measure/measured.ts';
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

async function routesOf(sources: RegionSources, { range, filters, direction }: RegionsQuery): Promise<Route[]> {
  const { service, namespace } = filters;
  const names = { ...(service ? { service } : {}), ...(namespace ? { namespace } : {}) };
  const match: SumQuery['match'] = direction === 'outbound' ? names : service ? { peer: service } : {};
  const times = { from: range.from, to: range.to, match };
  const [{ groups: sent }, { groups: byZone }] = await Promise.all([
    sources.store.sums({ ...times, direction: 'outbound', by: CALL, bins: true }),
    sources.store.sums({ ...times, direction: 'zone', by: [...CALL, 'peer_zone'], bins: true }),
  ]);
  const isAsked = (group: Group) => direction === 'outbound' || isCalled(group, sources.directory, names);
  const calls = new Map(sent.filter(isAsked).map((group) => [callOf(group), group]));
  const zoned = byZone.filter((group) => isAsked(group) && hasRequests(group));
  const told = new Set(zoned.map(callOf));
  const tellers = new Set(zoned.map(callerOf));
  const isTold = (group: Group) =>
    told.has(callOf(group)) || (tellers.has(callerOf(group)) && isRelayed(group, sources.directory));
  return [
    ...zoned.flatMap((group) => routeOf(group, calls.get(callOf(group)), sources.zones)),
    ...[...calls.values()].filter((group) => !isTold(group) && hasRequests(group)).flatMap(unknownRoute),
  ];
}

/** Requests to a gateway are told by zone under the name of the service that they are for. */
function isRelayed({ labels }: Group, directory: ServiceDirectory): boolean {
  return directory.get(directory.resolve(peerOf(labels)))?.role === 'gateway';
}

function callerOf({ labels }: Group): string {
  return keyOf([labels.service ?? '', labels.namespace ?? '', labels.region ?? '', labels.zone ?? '']);
}

function isCalled({ labels }: Group, directory: ServiceDirectory, names: Filters): boolean {
  return passes(names, { ...directory.resolve(peerOf(labels)) });
}

function callOf({ labels }: Group): string {
  return keyOf(CALL.map((label) => labels[label] ?? ''));
}

function hasRequests({ cells: [cell] }: Group): boolean {
  return cell !== null && cell !== undefined && requestCount(cell.counters) > 0;
}

function routeOf({ labels, cells: [cell] }: Group, call: Group | undefined, zones: ZoneRegions): Route[] {
  const zone = labels.peer_zone || null;
  if (!cell) return [];
  return [
    {
      from: placeOf(labels),
      to: { region: zone === null ? null : (zones.regionOf(zone) ?? null), zone },
      cell,
      grpcFailed: countedIn(call, 'grpc_failed'),
      timedOut: countedIn(call, 'timed_out'),
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

function countedIn(call: Group | undefined, counter: 'grpc_failed' | 'timed_out'): boolean {
  return (call?.cells[0]?.counters[COUNTER_INDEX[counter]] ?? 0) > 0;
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
