/** Which calls are told by zone, and by whom: each request is in one place. */

import type { ServiceDirectory } from '../live/services.ts';
import { type Filters, passes } from '../measure/filters.ts';
import { peerOf } from '../measure/measured.ts';
import { inSlices, Slices } from '../measure/slices.ts';
import { COUNTER_INDEX, requestCount } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import type { Group, SeriesLabel, SumQuery } from '../store/store.ts';
import type { Sources } from './asking.ts';

export const CALL: readonly SeriesLabel[] = ['service', 'namespace', 'region', 'zone', 'peer', 'peer_namespace'];

export const ZONE_CALL: readonly SeriesLabel[] = [...CALL, 'peer_zone'];

/** Calls, and the keys of those that do not count. */
export interface Chosen {
  readonly all: readonly Group[];
  readonly left: ReadonlySet<string>;
}

export interface ChosenByZone extends Chosen {
  readonly failed: Failed;
}

/** Ways on which calls failed by gRPC status or timed out, by {@link wayOf}. */
export interface Failed {
  readonly grpc: ReadonlySet<string>;
  readonly timedOut: ReadonlySet<string>;
}

interface CallsQuery {
  readonly times: Pick<SumQuery, 'from' | 'to' | 'match'>;
  readonly isAsked: (group: Group) => boolean;
}

/** Calls that are told by zone, and the others: each request is in one of them. */
export async function callsByZone(
  { store, directory }: Sources,
  { times, isAsked }: CallsQuery,
): Promise<{ byZone: ChosenByZone; others: Chosen; partly: ReadonlySet<string> }> {
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
  const toldRates = new Map<string, number>();
  for (const group of byZone) {
    if (slices.isUp) await slices.pause();
    const call = callOf(group);
    if (!isAsked(group) || !hasRequests(group)) {
      leftByZone.add(keyOf(ZONE_CALL.map((label) => group.labels[label] ?? '')));
      continue;
    }
    told.add(call);
    toldRates.set(call, (toldRates.get(call) ?? 0) + rateOf(group));
    tellers.add(callerOf(group));
    if (grpcFailed.has(call)) failed.grpc.add(wayOf(group));
    if (timedOut.has(call)) failed.timedOut.add(wayOf(group));
  }
  const left = new Set<string>();
  const partly = new Set<string>();
  for (const group of sent) {
    if (slices.isUp) await slices.pause();
    const call = callOf(group);
    if (told.has(call) && isAsked(group) && (toldRates.get(call) ?? 0) < WHOLLY_TOLD * rateOf(group))
      partly.add(group.labels.service ?? '');
    const isTold = told.has(call) || (tellers.has(callerOf(group)) && isRelayed(group, directory));
    if (isTold || !isAsked(group) || !hasRequests(group)) left.add(call);
  }
  return { byZone: { all: byZone, left: leftByZone, failed }, others: { all: sent, left }, partly };
}

/** What was told by zone lags behind, so that its rate is a little off: where it is less, some instances may not tell it. */
const WHOLLY_TOLD = 0.99;

/**
 * What some instances sent, by place, whose neighbours tell the same call by zone and they do not, as far as instances are
 * known.
 */
export async function untoldBySome(
  { store, directory }: Sources,
  { times, isAsked }: CallsQuery,
  services: ReadonlySet<string>,
): Promise<readonly Group[]> {
  if (services.size === 0) return [];
  const asked = { ...times, match: { ...times.match, service: [...services] } };
  const [{ groups: sent }, { groups: byZone }] = await Promise.all([
    store.sums({ ...asked, direction: 'outbound', by: OWN_CALL, bins: false }),
    store.sums({ ...asked, direction: 'zone', by: OWN_CALL, bins: false }),
  ]);
  const told = byZone.filter(hasRequests);
  const calls = new Set(told.map(callOf));
  const ownCalls = new Set(told.map(ownCallOf));
  const tellers = new Set(told.map(instanceOf));
  const left = await inSlices(sent, (group) => {
    const isRelayedToo = tellers.has(instanceOf(group)) && isRelayed(group, directory);
    const isUntold = calls.has(callOf(group)) && !ownCalls.has(ownCallOf(group)) && !isRelayedToo;
    return isUntold && isAsked(group) && hasRequests(group) ? [] : [ownCallOf(group)];
  });
  const keys = left.flat();
  if (keys.length === sent.length) return [];
  const without = [{ labels: OWN_CALL, keys }];
  return (await store.sums({ ...asked, direction: 'outbound', by: ['region', 'zone'], bins: true, without })).groups;
}

const OWN_CALL: readonly SeriesLabel[] = [...CALL, 'instance'];

function ownCallOf({ labels }: Group): string {
  return keyOf(OWN_CALL.map((label) => labels[label] ?? ''));
}

function instanceOf(group: Group): string {
  return keyOf([callerOf(group), group.labels.instance ?? '']);
}

function rateOf({ cells: [cell] }: Group): number {
  return cell ? requestCount(cell.rates) : 0;
}

type FourSets = [Set<string>, Set<string>, Set<string>, Set<string>];

/** From which zone to which. */
export function wayOf({ labels }: Group): string {
  return keyOf([labels.region ?? '', labels.zone ?? '', labels.peer_zone ?? '']);
}

/** Requests to a gateway are told by zone under the name of the service that they are for. */
function isRelayed({ labels }: Group, directory: ServiceDirectory): boolean {
  return directory.get(directory.resolve(peerOf(labels)))?.role === 'gateway';
}

function callerOf({ labels }: Group): string {
  return keyOf([labels.service ?? '', labels.namespace ?? '', labels.region ?? '', labels.zone ?? '']);
}

export function isCalled({ labels }: Group, directory: ServiceDirectory, names: Filters): boolean {
  return passes(names, directory.resolve(peerOf(labels)));
}

function callOf({ labels }: Group): string {
  return keyOf(CALL.map((label) => labels[label] ?? ''));
}

function hasRequests({ cells: [cell] }: Group): boolean {
  return cell !== null && cell !== undefined && requestCount(cell.counters) > 0;
}

function countedIn({ cells: [cell] }: Group, counter: 'grpc_failed' | 'timed_out'): boolean {
  return (cell?.counters[COUNTER_INDEX[counter]] ?? 0) > 0;
}
