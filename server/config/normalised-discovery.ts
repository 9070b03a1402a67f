import { resolve } from 'node:path';
import type { DiscoveryConfig, EntryConfig } from './config.ts';
import type { WrittenConfig } from './schema.ts';

type WrittenDiscovery = WrittenConfig['discovery'];
type WrittenEntry = WrittenDiscovery['static'][number];

/** Discovery as the collector takes it; files are relative to `folder`, that of the configuration file. */
export function normalisedDiscovery(written: WrittenDiscovery, folder: string): DiscoveryConfig {
  const common = (entry: Pick<WrittenEntry, keyof typeof COMMON>) => commonOf(entry, folder);
  return {
    static: written.static.map((entry) => ({ targets: entry.targets, labels: entry.labels, ...common(entry) })),
    file: written.file.map((entry) => ({
      files: entry.files.map((file) => resolve(folder, file)),
      refreshMs: entry.refresh,
      ...common(entry),
    })),
    http: written.http.map((entry) => ({
      url: entry.url,
      refreshMs: entry.refresh,
      ...(entry.source_tls && { sourceTls: withFilesFrom(folder, entry.source_tls) }),
      ...(entry.source_auth && { sourceAuth: withFilesFrom(folder, entry.source_auth) }),
      ...common(entry),
    })),
    dns: written.dns.map(({ names, type, port, refresh, labels, servers, ...entry }) => {
      return { names, type, port, refreshMs: refresh, labels, servers, ...common(entry) };
    }),
    kubernetes: written.kubernetes.map(({ kubeconfig, port, namespaces, selector, container, access, ...entry }) => ({
      namespaces,
      selector,
      container,
      access,
      ...(kubeconfig !== undefined && { kubeconfig: resolve(folder, kubeconfig) }),
      ...(port !== undefined && { port }),
      ...common(entry),
    })),
    relabel: written.relabel,
    targetsLimit: written.targets_limit,
  };
}

const COMMON = { relabel_configs: true, tls: true, auth: true };

/** What entries of all mechanisms have. */
export function commonOf(entry: Pick<WrittenEntry, keyof typeof COMMON>, folder: string): EntryConfig {
  return {
    relabel: entry.relabel_configs,
    ...(entry.tls && { tls: withFilesFrom(folder, entry.tls) }),
    ...(entry.auth && { auth: withFilesFrom(folder, entry.auth) }),
  };
}

/** The same settings, with the paths of their files made absolute. */
export function withFilesFrom<Settings extends object>(folder: string, settings: Settings): Settings {
  const resolved = Object.entries(settings).map(([key, value]) => [
    key,
    key.endsWith('File') && typeof value === 'string' ? resolve(folder, value) : value,
  ]);
  return Object.fromEntries(resolved) as Settings;
}
