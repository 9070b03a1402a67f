/** What happened in a mesh, as its sender's ledger knows it, in the shape in which the product shows it. */

import { type Hop, sumOfHops } from '../../examples/meshes/hop.ts';

export interface InstanceTruth {
  readonly service: string;
  readonly region: string;
  /** Undefined where its Envoy sees nothing of what comes in. */
  readonly inbound?: Hop;
}

export interface CallTruth {
  /** The calling instance. */
  readonly from: string;
  readonly to: string;
  readonly hop: Hop;
}

export interface Truth {
  /** By `node.id`. */
  readonly instances: Readonly<Record<string, InstanceTruth>>;
  readonly calls: readonly CallTruth[];
  /** Edges whose latency is their own, as `[caller, called]`; absent: all. Of others Envoy has it for several together. */
  readonly latencyTold?: readonly (readonly [from: string, to: string])[];
}

export interface ServiceTruth {
  readonly role: 'gateway' | 'sidecar';
  readonly regions: readonly string[];
  readonly instances: number;
  /** What it received, as its own Envoys saw it; undefined where they see nothing of it. */
  readonly inbound: Hop | undefined;
}

/** By service, in the order of names. */
export function servicesOf({ instances }: Truth): Map<string, ServiceTruth> {
  const groups = Map.groupBy(Object.values(instances), ({ service }) => service);
  const services = [...groups].map(([service, members]): [string, ServiceTruth] => {
    const seen = members.flatMap(({ inbound }) => (inbound === undefined ? [] : [inbound]));
    const truth: ServiceTruth = {
      role: service === 'front-proxy' ? 'gateway' : 'sidecar',
      regions: [...new Set(members.map(({ region }) => region))].sort(),
      instances: members.length,
      inbound: seen.length > 0 ? sumOfHops(seen) : undefined,
    };
    return [service, truth];
  });
  return new Map(services.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Who called whom, under `[caller, called]` as JSON; those without a request are left out. */
export function edgesOf({ instances, calls }: Truth): Map<string, Hop> {
  const between = ({ from, to }: CallTruth) => edgeKey(instances[from]?.service ?? from, to);
  return hopsBy(calls, between);
}

/** The same by calling instance. */
export function callsByInstance({ calls }: Truth): Map<string, Hop> {
  return hopsBy(calls, ({ from, to }) => edgeKey(from, to));
}

/** Whether an edge has a latency of its own. */
export function hasLatency({ latencyTold }: Truth, from: string, to: string): boolean {
  return latencyTold?.some(([caller, called]) => caller === from && called === to) ?? true;
}

/** What came in, by instance. */
export function inboundOf({ instances }: Truth): [string, Hop][] {
  return Object.entries(instances).flatMap(([id, { inbound }]): [string, Hop][] =>
    inbound === undefined || inbound.requests === 0 ? [] : [[edgeKey(id, ''), inbound]],
  );
}

/** Requests that came in or were sent, as all Envoys together counted them. */
export function requestsOf(truth: Truth): number {
  return [...inboundOf(truth), ...callsByInstance(truth)].reduce((sum, [, { requests }]) => sum + requests, 0);
}

export const edgeKey = (from: string, to: string): string => JSON.stringify([from, to]);

function hopsBy(calls: readonly CallTruth[], keyOf: (call: CallTruth) => string): Map<string, Hop> {
  const groups = [...Map.groupBy(calls, keyOf)].map(([key, members]): [string, Hop] => [
    key,
    sumOfHops(members.map(({ hop }) => hop)),
  ]);
  return new Map(groups.filter(([, { requests }]) => requests > 0));
}
