import type { ServerInfo } from '../envoy/server-info.ts';
import type { Identity } from '../model/flow.ts';
import type { Labels } from '../model/labels.ts';
import { roleByName } from './recognisers.ts';

/** Who a target is, its role aside: labels first, then what Envoy says of its node, then the address. */
export interface NamedIdentity extends Omit<Identity, 'role'> {
  readonly labelledRole: string;
  readonly namedRole: Identity['role'];
}

export interface IdentitySources {
  readonly labels: Labels;
  /** Canonical address, such as `10.0.0.5:9901` or `unix:/run/envoy.sock`. */
  readonly address: string;
  readonly host: string;
  /** Undefined where Envoy refuses to tell. */
  readonly info: ServerInfo | undefined;
}

/** Contract, section 2. */
export function identify({ labels, address, host, info }: IdentitySources): NamedIdentity {
  const service = labels.service || info?.nodeCluster || host;
  const instance = labels.instance || info?.nodeId || address;
  return {
    service,
    instance,
    namespace: labels.namespace ?? '',
    region: labels.region || info?.region || '',
    zone: labels.zone || info?.zone || '',
    labelledRole: labels.role ?? '',
    namedRole: roleByName(service, instance, info?.nodeId ?? ''),
  };
}
