import { dirname } from 'node:path';
import { alertsConfigOf } from './alerts-config.ts';
import { checkTree } from './check.ts';
import type { Config } from './config.ts';
import { type ConfigTree, readTree } from './document.ts';
import { readConfigFile } from './file.ts';
import { fixedProblems } from './fixed.ts';
import { applyFlags, type ConfigFlags } from './flags.ts';
import { type NamedFiles, namedFiles } from './named-files.ts';
import { normalisedDiscovery, withFilesFrom } from './normalised-discovery.ts';
import { normalisedWeb } from './normalised-web.ts';
import { otlpConfigOf } from './otlp-config.ts';
import { formatProblems, Origins } from './problem.ts';
import { remoteWriteConfigOf, sampleRuleOf } from './remote-write-config.ts';
import type { WrittenConfig } from './schema.ts';

/** Either a configuration to work with, or every error in one plain line each. */
export type Loaded = { readonly config: Config; readonly namedFiles?: NamedFiles } | { readonly errors: string[] };

/**
 * Reads the file at `path` (none: all defaults) and puts the flags over it. Never throws.
 * For a collector that runs already, `running` is what it runs by: what can't change then is an error too.
 */
export function loadConfig(path: string | undefined, flags: ConfigFlags = {}, running?: Config): Loaded {
  if (path === undefined) return configFrom({ value: {}, origins: new Origins(''), problems: [] }, flags, running);
  const read = readConfigFile(path);
  return 'error' in read ? { errors: [read.error] } : parseConfig(read.text, path, flags, running);
}

/** As `loadConfig`, from text; `file` is the name that errors give. */
export function parseConfig(text: string, file: string, flags: ConfigFlags = {}, running?: Config): Loaded {
  const tree = readTree(text, file);
  return 'errors' in tree ? tree : configFrom(tree, flags, running);
}

function configFrom(tree: ConfigTree, flags: ConfigFlags, running: Config | undefined): Loaded {
  applyFlags(tree, flags);
  const checked = checkTree(tree.value, tree.origins);
  const problems = [...tree.problems, ...('problems' in checked ? checked.problems : [])];
  if ('written' in checked && problems.length === 0) {
    const web = normalisedWeb(checked.written.web, tree.origins);
    if ('errors' in web) return web;
    const config = frozen({ ...normalised(checked.written, dirname(tree.origins.file)), web: web.web });
    const fixed = running === undefined ? [] : fixedProblems(config, running);
    const named = new Map([...web.namedFiles, ...namedFiles(tree)]);
    return fixed.length === 0 ? { config, namedFiles: named } : { errors: formatProblems(fixed, tree.origins) };
  }
  return { errors: formatProblems(problems, tree.origins) };
}

function normalised(
  { scrape, discovery, peers, local, storage, exporter, alerts, remote_write, otlp, log }: WrittenConfig,
  folder: string,
): Omit<Config, 'web'> {
  return {
    scrape: {
      intervalMs: scrape.interval,
      timeoutMs: scrape.timeout ?? Math.min(DEFAULT_TIMEOUT_MS, scrape.interval),
      bodyLimitBytes: scrape.body_limit,
      seriesLimit: scrape.series_limit,
      concurrency: scrape.concurrency,
      zonesEvery: scrape.zones_every,
      slowDown: scrape.slow_down,
      ...(scrape.tls && { tls: withFilesFrom(folder, scrape.tls) }),
      ...(scrape.auth && { auth: withFilesFrom(folder, scrape.auth) }),
      allowLinkLocal: scrape.allow_link_local,
      clustersEvery: scrape.clusters_every,
    },
    discovery: normalisedDiscovery(discovery, folder),
    peers,
    local,
    storage: { path: storage.path, retentionMs: storage.retention, maxSizeBytes: storage.max_size },
    exporter: exporterOf(exporter),
    alerts: alertsConfigOf(alerts, folder),
    remoteWrite: remote_write.map((entry) => remoteWriteConfigOf(entry, folder)),
    otlp: otlpConfigOf(otlp, folder),
    log,
  };
}

const DEFAULT_TIMEOUT_MS = 10_000;

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

function exporterOf({
  series_limit: seriesLimit,
  keep,
  drop,
  ...others
}: WrittenConfig['exporter']): Config['exporter'] {
  return { ...others, seriesLimit, keep: keep.map(sampleRuleOf), drop: drop.map(sampleRuleOf) };
}
