import type { Labels } from '../model/labels.ts';
import type { AuthSettings, TlsSettings } from '../model/reach.ts';
import type { SampleRule } from './config.ts';
import { withFilesFrom } from './normalised-discovery.ts';
import type { WrittenConfig } from './schema.ts';

/** A receiver of remote write. */
export interface RemoteWriteConfig {
  /** No two receivers have the same; told in place of the address, which may hold secrets. */
  readonly name: string;
  readonly url: string;
  readonly headers: Labels;
  readonly auth?: AuthSettings;
  readonly tls?: TlsSettings;
  /** Longest time a request may take. */
  readonly timeoutMs: number;
  /** Absent: that of scraping. */
  readonly intervalMs?: number;
  /** If there are any: only the samples that one of them names. */
  readonly keep: readonly SampleRule[];
  readonly drop: readonly SampleRule[];
  /** Added to all series that lack them. */
  readonly externalLabels: Labels;
  readonly sendNativeHistograms: boolean;
  readonly maxQueueBytes: number;
  readonly maxSamplesPerSend: number;
  /** Most requests at once. */
  readonly maxShards: number;
}

/** @param folder what relative paths of files start from. */
export function remoteWriteConfigOf(
  {
    name,
    url,
    headers,
    auth,
    tls,
    timeout,
    interval,
    keep,
    drop,
    queue,
    ...entry
  }: WrittenConfig['remote_write'][number],
  folder: string,
): RemoteWriteConfig {
  return {
    name: name ?? defaultReceiverName(url),
    url,
    headers,
    ...(auth && { auth: withFilesFrom(folder, auth) }),
    ...(tls && { tls: withFilesFrom(folder, tls) }),
    timeoutMs: timeout,
    ...(interval !== undefined && { intervalMs: interval }),
    keep: keep.map(sampleRuleOf),
    drop: drop.map(sampleRuleOf),
    externalLabels: entry.external_labels,
    sendNativeHistograms: entry.send_native_histograms,
    maxQueueBytes: queue.max_size,
    maxSamplesPerSend: queue.max_samples_per_send,
    maxShards: queue.max_shards,
  };
}

/** Host and port of its address. */
export function defaultReceiverName(url: string): string {
  return new URL(url).host;
}

export function sampleRuleOf({ metric, labels }: WrittenConfig['exporter']['keep'][number]): SampleRule {
  return { ...(metric === undefined ? {} : { metric }), labels };
}
