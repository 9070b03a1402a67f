import type { ServerInfo } from '../envoy/server-info.ts';
import type { Identity } from '../model/flow.ts';
import type { Labels } from '../model/labels.ts';
import { ownName } from './own-names.ts';
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
  /** What discovery knows of the place, and is sure of less than Envoy. */
  readonly fallbackPlace?: { readonly region: string; readonly zone: string } | undefined;
  /** Undefined where Envoy refuses to tell. */
  readonly info: ServerInfo | undefined;
}

/** Parts of an identity, the role aside. */
export const IDENTITY_PARTS = ['service', 'instance', 'namespace', 'region', 'zone'] as const;
export type IdentityPart = (typeof IDENTITY_PARTS)[number];

interface Source {
  readonly name: string;
  read(sources: IdentitySources): string | undefined;
}

const label = (name: string): Source => ({ name: `label ${name}`, read: ({ labels }) => labels[name] });

/** Where each part comes from; the first that is not empty counts (contract, section 2). */
const SOURCES: Readonly<Record<IdentityPart, readonly Source[]>> = {
  service: [
    label('service'),
    { name: 'node.cluster of /server_info', read: ({ info }) => info && ownName(info).service },
    { name: 'address', read: ({ host }) => host },
  ],
  instance: [
    label('instance'),
    { name: 'node.id of /server_info', read: ({ info }) => info?.nodeId },
    { name: 'address', read: ({ address }) => address },
  ],
  namespace: [
    label('namespace'),
    {
      name: 'node of /server_info',
      read: ({ info, labels }) => (info && !labels.service ? ownName(info).namespace : ''),
    },
  ],
  region: [
    label('region'),
    { name: 'node.locality of /server_info', read: ({ info }) => info?.region },
    { name: 'discovery', read: ({ fallbackPlace }) => fallbackPlace?.region },
  ],
  zone: [
    label('zone'),
    { name: 'node.locality of /server_info', read: ({ info }) => info?.zone },
    { name: 'discovery', read: ({ fallbackPlace }) => fallbackPlace?.zone },
  ],
};

/** A part of an identity, and in words where it comes from; both are empty where nothing tells it. */
export function identityPart(part: IdentityPart, sources: IdentitySources): { value: string; from: string } {
  for (const { name, read } of SOURCES[part]) {
    const value = read(sources);
    if (value) return { value, from: name };
  }
  return { value: '', from: '' };
}

export function identify(sources: IdentitySources): NamedIdentity {
  const tell = (part: IdentityPart) => identityPart(part, sources).value;
  const [service, instance] = [tell('service'), tell('instance')];
  return {
    service,
    instance,
    namespace: tell('namespace'),
    region: tell('region'),
    zone: tell('zone'),
    labelledRole: sources.labels.role ?? '',
    namedRole: roleByName(service, instance, sources.info?.nodeId ?? ''),
  };
}
