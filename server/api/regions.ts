/**
 * From where to where requests went. An Envoy that knows its own zone tells how many of its requests hosts of which zone
 * answered; of all others only the beginning is known, never where they went.
 */

import type { ZoneRegions } from '../live/zones.ts';
import { mergeCells } from '../measure/cells.ts';
import type { Filters } from '../measure/filters.ts';
import { inSlices } from '../measure/slices.ts';
import { requestCount } from '../model/flow.ts';
import type { Cell, Group, SeriesLabel, SumQuery } from '../store/store.ts';
import type { Sources } from './asking.ts';
import type { PlaceFigures, RegionRoute, RegionsAnswer, ZoneRoute } from './contract.ts';
import { figures } from './figures.ts';
import type { TimeRange } from './params.ts';
import {
  CALL,
  type Chosen,
  callsByZone,
  type Failed,
  isCalled,
  untoldBySome,
  wayOf,
  ZONE_CALL,
} from './region-calls.ts';
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
  const { byZone, others, partly } = await callsByZone(sources, { times, isAsked });
  const ask = ({ all, left }: Chosen, query: Pick<SumQuery, 'direction' | 'by'>, by: readonly SeriesLabel[]) =>
    all.length === left.size
      ? []
      : sources.store
          .sums({ ...times, ...query, bins: true, without: [{ labels: by, keys: [...left] }] })
          .then(({ groups }) => groups);
  const [zoned, rest, untold] = await Promise.all([
    ask(byZone, { direction: 'zone', by: ['region', 'zone', 'peer_zone'] }, ZONE_CALL),
    ask(others, { direction: 'outbound', by: ['region', 'zone'] }, CALL),
    untoldBySome(sources, { times, isAsked }, partly),
  ]);
  return [
    ...(await inSlices(zoned, (group) => routeOf(group, byZone.failed, sources.zones))).flat(),
    ...(await inSlices([...rest, ...untold], unknownRoute)).flat(),
  ];
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
