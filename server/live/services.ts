/** Which services exist, by what their targets and callers tell. */

import type { Identity } from '../model/flow.ts';
import { keyOf } from '../model/labels.ts';
import type { LiveTarget } from './live.ts';

export interface ServiceName {
  readonly service: string;
  readonly namespace: string;
}

export interface KnownService extends ServiceName {
  readonly role: Identity['role'];
  readonly regions: readonly string[];
  /** Whether at least one of its own Envoys sees the requests to it. */
  readonly inbound: boolean;
  readonly targets: readonly LiveTarget[];
}

export function serviceKey({ service, namespace }: ServiceName): string {
  return keyOf([service, namespace]);
}

/** All services that have a target, and the way from a peer's name to one of them. */
export class ServiceDirectory {
  private readonly services = new Map<string, KnownService>();
  private readonly byName = new Map<string, KnownService[]>();

  constructor(targets: readonly LiveTarget[]) {
    const grouped = Map.groupBy(targets, ({ identity }) => (identity ? serviceKey(identity) : ''));
    for (const [key, members] of grouped) {
      const identity = members[0]?.identity;
      if (!identity) continue;
      const service = knownService(identity, members);
      this.services.set(key, service);
      this.byName.set(service.service, [...(this.byName.get(service.service) ?? []), service]);
    }
  }

  all(): KnownService[] {
    return [...this.services.values()];
  }

  get(name: ServiceName): KnownService | undefined {
    return this.services.get(serviceKey(name));
  }

  /**
   * The service that a peer stands for: the one of that name, and of that namespace where both are known;
   * else a service of its own.
   */
  resolve(peer: ServiceName): ServiceName {
    const candidates = this.byName.get(peer.service) ?? [];
    const exact = candidates.find(({ namespace }) => namespace === peer.namespace);
    const compatible = exact ?? candidates.find(({ namespace }) => namespace === '' || peer.namespace === '');
    return compatible ? { service: compatible.service, namespace: compatible.namespace } : peer;
  }
}

function knownService({ service, namespace }: ServiceName, targets: readonly LiveTarget[]): KnownService {
  const regions = new Set(targets.map(({ identity }) => identity?.region ?? '').filter((region) => region !== ''));
  return {
    service,
    namespace,
    role: targets.some(({ identity }) => identity?.role === 'gateway') ? 'gateway' : 'sidecar',
    regions: [...regions].sort(),
    inbound: targets.some(({ inbound }) => inbound),
    targets,
  };
}
