import type { DiscoveryConfig } from '../config/config.ts';
import type { CreateDiscoverer } from './discoverer.ts';
import { createDnsDiscoverer } from './dns.ts';
import { createFileDiscoverer } from './file.ts';
import { createHttpDiscoverer } from './http.ts';
import { createKubernetesDiscoverer } from './kubernetes.ts';
import { createStaticDiscoverer } from './static.ts';

type Entries = Omit<DiscoveryConfig, 'relabel' | 'targetsLimit'>;

/** Keys of `discovery` that name a mechanism. */
export type MechanismName = keyof Entries;

export type Mechanisms = { readonly [Name in MechanismName]: CreateDiscoverer<Entries[Name][number]> };

/** Every mechanism by its key in the configuration; where two find the same target, the earlier one here counts. */
export const MECHANISMS: Mechanisms = {
  static: createStaticDiscoverer,
  file: createFileDiscoverer,
  http: createHttpDiscoverer,
  dns: createDnsDiscoverer,
  kubernetes: createKubernetesDiscoverer,
};
