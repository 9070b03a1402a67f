/** Who asks whom across places, as a square table. Pure. */

import type { PlaceFigures, RegionsAnswer } from '../../../server/api/contract.ts';
import { DEGRADED, FAILING, FEW_FAILURES, type Health } from '../../figures/health.ts';
import { compareNames } from '../../format/names.ts';

/** A region, or a zone of one; empty where it is not known. */
export interface Place {
  readonly key: string;
  readonly region: string;
  readonly zone: string;
}

export interface Route extends PlaceFigures {
  readonly from: Place;
  readonly to: Place;
  readonly share: number | null;
}

export interface Matrix {
  readonly from: readonly Place[];
  readonly to: readonly Place[];
  routeBetween(from: Place, to: Place): Route | undefined;
}

const UNKNOWN: Place = { key: '', region: '', zone: '' };

function placeOf(region: string | null, zone: string | null = null): Place {
  if (region === null && zone === null) return UNKNOWN;
  return { key: JSON.stringify([region, zone]), region: region ?? '', zone: zone ?? '' };
}

/** From region to region, or from zone to zone. */
export function routesOf({ regions, zones }: RegionsAnswer, byZone: boolean): Route[] {
  if (!byZone) return regions.map((route) => ({ ...route, from: placeOf(route.from), to: placeOf(route.to) }));
  return zones.map((route) => ({
    ...route,
    from: placeOf(route.fromRegion, route.fromZone),
    to: placeOf(route.toRegion, route.toZone),
  }));
}

/** The name of a place; of a zone with its region before it, unless it says that itself. */
export function placeName({ key, region, zone }: Place): string {
  if (key === '') return 'not known';
  if (zone === '') return region;
  return zone.startsWith(region) ? zone : `${region} / ${zone}`;
}

/** Places by name, on both sides in the same order; what is not known comes last. */
export function matrixOf(routes: readonly Route[]): Matrix {
  const between = new Map(routes.map((route) => [JSON.stringify([route.from.key, route.to.key]), route]));
  return {
    from: sorted(routes.map(({ from }) => from)),
    to: sorted(routes.map(({ to }) => to)),
    routeBetween: (from, to) => between.get(JSON.stringify([from.key, to.key])),
  };
}

function sorted(places: readonly Place[]): Place[] {
  const distinct = [...new Map(places.map((place) => [place.key, place])).values()];
  return distinct.sort(
    (a, b) => Number(a.key === '') - Number(b.key === '') || compareNames(placeName(a), placeName(b)),
  );
}

export interface Crossing {
  readonly requests: number;
  readonly requestRate: number;
  /** Shares of all requests; null without any. */
  readonly across: number | null;
  readonly within: number | null;
  readonly unknown: number | null;
}

/** How much stays in its place, leaves it, or is not known to do either. */
export function crossing(routes: readonly Route[]): Crossing {
  const sum = (some: readonly Route[]) => some.reduce((total, { requests }) => total + (requests ?? 0), 0);
  const requests = sum(routes);
  const known = routes.filter(({ from, to }) => from.key !== '' && to.key !== '');
  const across = sum(known.filter(({ from, to }) => from.key !== to.key));
  const within = sum(known.filter(({ from, to }) => from.key === to.key));
  const share = (part: number) => (requests > 0 ? part / requests : null);
  return {
    requests,
    requestRate: routes.reduce((total, { requestRate }) => total + (requestRate ?? 0), 0),
    across: share(across),
    within: share(within),
    unknown: share(requests - across - within),
  };
}

/** As of a service, from failed requests alone. */
export function routeHealth({ requests, errorRate, state }: Pick<Route, 'requests' | 'errorRate' | 'state'>): Health {
  if (state === 'no_traffic' || requests === 0) return 'quiet';
  if (requests === null || errorRate === null) return 'unknown';
  if (errorRate >= FAILING && requests * errorRate >= FEW_FAILURES) return 'bad';
  return errorRate >= DEGRADED ? 'warn' : 'good';
}
