/** Which services exist, by what their targets and callers tell. */

import type { FlowKey, Identity } from '../model/flow.ts';
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

/** What tells failures of a service; `mixed` where those who measured it differ. */
export type ToldBy = LiveTarget['failureSource'] | 'mixed';

/** All services that have a target, and the way from a peer's name to one of them. */
export class ServiceDirectory {
  private readonly services = new Map<string, KnownService>();
  private readonly byName = new Map<string, KnownService[]>();
  private readonly targets: readonly LiveTarget[];
  private readonly carriers: ReadonlySet<string>;
  private knownCallers: ReadonlyMap<string, ReadonlySet<LiveTarget>> | undefined;

  constructor(targets: readonly LiveTarget[]) {
    this.targets = targets;
    this.carriers = new Set(targets.flatMap(({ carriers }) => carriers));
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

  /** Whether a name is that of a cluster whose traffic goes to whatever host a request names, and of no service. */
  isCarrier({ service, namespace }: ServiceName): boolean {
    return namespace === '' && this.carriers.has(service) && !this.byName.has(service);
  }

  failureSource(name: ServiceName, vantage: 'server' | 'client'): ToldBy {
    const own = vantage === 'server' ? (this.get(name)?.targets ?? []) : (this.callers.get(serviceKey(name)) ?? []);
    const [first = 'unknown', ...others] = new Set([...own].map(({ failureSource }) => failureSource));
    return others.length > 0 ? 'mixed' : first;
  }

  /** Who calls each service. */
  private get callers(): ReadonlyMap<string, ReadonlySet<LiveTarget>> {
    this.knownCallers ??= this.findCallers();
    return this.knownCallers;
  }

  /** Targets of one service share the names of their flows: each is resolved once. */
  private findCallers(): Map<string, Set<LiveTarget>> {
    const callers = new Map<string, Set<LiveTarget>>();
    const ofFlow = new Map<FlowKey, Set<LiveTarget>>();
    for (const target of this.targets)
      for (const flow of target.flowKeys) {
        if (flow.direction !== 'outbound') continue;
        const known = ofFlow.get(flow) ?? this.callersBy(callers, flow);
        ofFlow.set(flow, known.add(target));
      }
    return callers;
  }

  private callersBy(callers: Map<string, Set<LiveTarget>>, { peer, peerNamespace }: FlowKey): Set<LiveTarget> {
    const key = serviceKey(this.resolve({ service: peer, namespace: peerNamespace }));
    const known = callers.get(key) ?? new Set<LiveTarget>();
    callers.set(key, known);
    return known;
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
