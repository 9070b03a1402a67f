import { resolve } from 'node:path';
import type { OtlpConfig } from './config.ts';
import { withFilesFrom } from './normalised-discovery.ts';
import type { WrittenConfig } from './schema.ts';

/** @param folder what relative paths of files start from. */
export function otlpConfigOf(written: WrittenConfig['otlp'], folder: string): OtlpConfig {
  const { endpoint, protocol, interval, timeout, temporality, histograms, compression, traces } = written;
  const files = Object.entries(written.header_files).map(([name, path]) => [name, resolve(folder, path)]);
  return {
    endpoint,
    traces,
    headers: written.headers,
    headerFiles: Object.fromEntries(files),
    ...(protocol && { protocol }),
    ...(interval !== undefined && { intervalMs: interval }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(temporality && { temporality }),
    ...(histograms && { histograms }),
    ...(compression && { compression }),
    ...(written.tls && { tls: withFilesFrom(folder, written.tls) }),
    ...(written.auth && { auth: withFilesFrom(folder, written.auth) }),
  };
}
