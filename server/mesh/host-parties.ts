/** Whom a cluster's hosts stand for: which clusters carry traffic of several services, and which service a host is of. */

import type { ClusterHost } from '../envoy/clusters.ts';
import type { PlacedHosts } from './host-lists.ts';
import { type KnownAddresses, parted } from './known-addresses.ts';
import type { NamingRules, PeerName } from './naming-rules.ts';
import { peerOf } from './peer-names.ts';

type HostName = Pick<ClusterHost, 'address' | 'hostname'>;

/** Why the hosts of a cluster are told apart; undefined for the clusters of one service. */
export type Carries = 'pass-through' | 'through gateways' | undefined;

export interface Party {
  readonly rules: NamingRules;
  readonly addresses: KnownAddresses;
  /** Host of the caller's own admin address. */
  readonly caller: string;
}

/** What a cluster carries; `wasOrdinary` for one that had hosts of its own service before. */
export function carriesOf({ cluster, hosts }: PlacedHosts, party: Party, wasOrdinary: boolean): Carries {
  if (hosts.length === 0) return wasOrdinary ? undefined : 'pass-through';
  if (hosts.every(isPassedThrough)) return 'pass-through';
  return hosts.some((host) => gatewayAt(cluster, host, party)) ? 'through gateways' : undefined;
}

/**
 * The hosts of a dynamic forward proxy are called by the name and port that was asked for, those of an original
 * destination by the cluster's name and their address.
 */
export function isPassedThrough({ address, hostname }: HostName): boolean {
  const { port } = parted(address);
  return port !== '' && hostname.endsWith(`:${port}`);
}

/** The service that a host is of; undefined for the one that its cluster stands for. */
export function partyOf(cluster: string, host: HostName, party: Party): PeerName | undefined {
  if (!isPassedThrough(host)) return gatewayAt(cluster, host, party);
  const target = party.addresses.targetAt({ ...host, caller: party.caller });
  if (target) return { service: target.service, namespace: target.namespace };
  const name = (host.hostname.endsWith(host.address) ? host.address : host.hostname).replaceAll(':', '_');
  const ruled = party.rules.peerOf(name);
  if (ruled) return ruled;
  return host.hostname.endsWith(host.address) ? { service: host.address, namespace: '' } : peerOf(name, party.rules);
}

/** A gateway between the caller and the service, which counts the same requests on their way. */
function gatewayAt(cluster: string, host: HostName, { rules, addresses, caller }: Party): PeerName | undefined {
  const target = addresses.targetAt({ ...host, caller });
  if (target?.role !== 'gateway' || target.service === peerOf(cluster, rules).service) return undefined;
  return { service: target.service, namespace: target.namespace };
}
