/** Which scraped target answers at an address that a caller's cluster sends to. */

import type { Identity } from '../model/flow.ts';

export interface AddressedTarget extends Pick<Identity, 'service' | 'namespace' | 'role'> {
  /** Host of its admin address: a name, an IP address without brackets, or the path of a socket. */
  readonly host: string;
  /** Addresses of its listeners, as its Envoy tells them; empty where it does not. */
  readonly listeners: readonly string[];
}

/** A host of a caller's cluster, and whose cluster. */
export interface CalledHost {
  readonly address: string;
  /** Empty where there is none. */
  readonly hostname: string;
  /** Host of the caller's own admin address. */
  readonly caller: string;
}

const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '[::]']);
const THIS_MACHINE = '127.0.0.1';

/**
 * A target is known by the addresses of its listeners, those for any address taken as its own host's. Where an IP address
 * is that of one target only, as a pod's is, it is known by that alone: traffic may be captured on ports that are no
 * listeners. Addresses of this machine mean nothing to the targets of others.
 */
export class KnownAddresses {
  private readonly targets = new Map<string, AddressedTarget>();
  private readonly byAddress = new Map<string, Set<string>>();
  private readonly byHost = new Map<string, Set<string>>();
  /** Goes up with every change. */
  version = 0;

  set(key: string, target: AddressedTarget): void {
    const known = this.targets.get(key);
    if (known && sameTarget(known, target)) return;
    this.forget(key);
    this.version++;
    this.targets.set(key, target);
    for (const address of addressesOf(target)) addTo(this.byAddress, address, key);
    addTo(this.byHost, reachedAt(target.host), key);
  }

  forget(key: string): void {
    const known = this.targets.get(key);
    if (!known) return;
    this.targets.delete(key);
    this.version++;
    for (const address of addressesOf(known)) takeFrom(this.byAddress, address, key);
    takeFrom(this.byHost, reachedAt(known.host), key);
  }

  /** Undefined where none is known, or several are. */
  targetAt({ address, hostname, caller }: CalledHost): AddressedTarget | undefined {
    const { host, port } = parted(address);
    if (port === '') return undefined;
    const isHere = isThisMachine(host);
    if (isHere && reachedAt(caller) !== THIS_MACHINE) return undefined;
    const exact = this.only(this.byAddress.get(`${isHere ? THIS_MACHINE : host}:${port}`));
    if (exact || isHere) return exact;
    const named = hostname === '' ? undefined : this.only(this.byAddress.get(`${nameOf(hostname)}:${port}`));
    const alone = named ?? this.only(this.byHost.get(host));
    return alone && (alone === named || alone.role === 'sidecar' || alone.listeners.length === 0) ? alone : undefined;
  }

  private only(keys: ReadonlySet<string> | undefined): AddressedTarget | undefined {
    const [key, ...others] = keys ?? [];
    return key === undefined || others.length > 0 ? undefined : this.targets.get(key);
  }
}

function addressesOf({ host, listeners }: AddressedTarget): string[] {
  const own = reachedAt(host);
  return listeners.flatMap((listener) => {
    const at = parted(listener);
    if (ANY.has(at.host)) return [`${own}:${at.port}`];
    if (!isThisMachine(at.host)) return [`${at.host}:${at.port}`];
    return own === THIS_MACHINE ? [`${own}:${at.port}`] : [];
  });
}

/** Where a target's listeners are reached: a socket's target is on this machine. */
function reachedAt(host: string): string {
  if (host.startsWith('/') || isThisMachine(host) || host === '::1') return THIS_MACHINE;
  return host.includes(':') ? `[${host}]` : host;
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function nameOf(hostname: string): string {
  return parted(hostname).host;
}

/** `host:port`; the port is empty for a path. */
export function parted(address: string): { host: string; port: string } {
  const at = address.lastIndexOf(':');
  if (at < 0 || address.startsWith('/') || address.endsWith(']')) return { host: address, port: '' };
  return { host: address.slice(0, at), port: address.slice(at + 1) };
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}

/** Addresses that nobody has any more are forgotten: pods never come back at theirs. */
function takeFrom(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key);
  known?.delete(value);
  if (known?.size === 0) map.delete(key);
}

function sameTarget(a: AddressedTarget, b: AddressedTarget): boolean {
  const isNamedAlike = a.service === b.service && a.namespace === b.namespace && a.role === b.role;
  return isNamedAlike && a.host === b.host && sameList(a.listeners, b.listeners);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
