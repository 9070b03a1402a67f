import { dirname, resolve } from 'node:path';
import type { WebConfig } from './config.ts';
import type { NamedFiles } from './named-files.ts';
import { withFilesFrom } from './normalised-discovery.ts';
import { type Origins, shown } from './problem.ts';
import type { WrittenConfig } from './schema.ts';
import type { WebAuthConfig } from './web-config.ts';
import { readWebFile, type WebFile } from './web-config-file.ts';

type WrittenWeb = WrittenConfig['web'];

const NOTHING: WebFile = { hashes: {}, headers: {}, namedFiles: new Map() };

/** The product's own port as the collector takes it, with Prometheus's file read; or what is wrong, in one line each. */
export function normalisedWeb(
  written: WrittenWeb,
  origins: Origins,
): { readonly web: WebConfig; readonly namedFiles: NamedFiles } | { readonly errors: string[] } {
  const folder = dirname(origins.file);
  const configFile = written.config_file && resolve(folderOfFlag(origins) ?? folder, written.config_file);
  const file = configFile === undefined ? NOTHING : readWebFile(configFile);
  if ('errors' in file) return file;
  const errors = [
    ...twice(written, file).map((key) => `${configFile}: web.${key} stands in the configuration too; remove one`),
    ...strangers(written, file).map((name) => `${origins.file}: web.auth.roles: ${shown(name)} is no user; remove it`),
  ];
  const auth = authOf(written, file);
  if (written.auth && !auth) errors.push(`${origins.file}: web.auth names nobody; add users or tokens, or remove it`);
  if (errors.length > 0) return { errors };
  const tls = written.tls ? withFilesFrom(folder, written.tls) : file.tls;
  const { limits } = written;
  return {
    namedFiles: file.namedFiles,
    web: {
      ...written.listen,
      externalUrl: written.external_url,
      traceUrl: written.trace_url,
      ...(configFile === undefined ? {} : { configFile }),
      ...(auth && { auth: { ...auth, tokens: auth.tokens.map((token) => withFilesFrom(folder, token)) } }),
      ...(tls && { tls }),
      allowedHosts: written.allowed_hosts,
      headers: { ...file.headers, ...written.headers },
      limits: {
        connections: limits.connections,
        requestsPerClient: limits.requests_per_client,
        streamsPerClient: limits.streams_per_client,
      },
    },
  };
}

/** Paths of flags are relative to where the program was started. */
function folderOfFlag(origins: Origins): string | undefined {
  const origin = origins.exact(['web', 'config_file']);
  return origin && 'flag' in origin ? process.cwd() : undefined;
}

/** Undefined where everybody is let in: nobody is named, in neither place. */
function authOf({ auth }: WrittenWeb, { hashes }: WebFile): WebAuthConfig | undefined {
  const users = Object.entries({ ...hashes, ...auth?.hashes }).map(([name, hash]) => {
    const role = auth && Object.hasOwn(auth.roles, name) ? auth.roles[name] : undefined;
    return { name, hash, role: role ?? ('read' as const) };
  });
  const tokens = auth?.tokens ?? [];
  if (users.length === 0 && tokens.length === 0) return undefined;
  return { users, tokens, openProbes: auth?.openProbes ?? false };
}

/** What the file and the configuration both say. */
function twice({ tls, auth }: WrittenWeb, file: WebFile): string[] {
  const isBoth = auth && Object.keys(auth.hashes).length > 0 && Object.keys(file.hashes).length > 0;
  return [...(tls && file.tls ? ['tls'] : []), ...(isBoth ? ['auth.basic_auth_users'] : [])];
}

function strangers({ auth }: WrittenWeb, { hashes }: WebFile): string[] {
  return Object.keys(auth?.roles ?? {}).filter((name) => !Object.hasOwn({ ...hashes, ...auth?.hashes }, name));
}
