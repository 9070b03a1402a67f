import { clusterNames, readStatName, type StatName, type Unread } from './stat-names.ts';

/** The histogram of how long a cluster's connections lasted, in milliseconds; a sample when one ends. */
export const CONNECTION_LENGTH = 'upstream_cx_length_ms';

const HTTP_ONLY = /^upstream_(?:cx_http[123]_total|rq_(?:[1-5]xx|completed))$/;

/**
 * Clusters with connections none of which speaks HTTP, and without an answer: where a first request waits for a
 * connection, or where a target does not tell the protocol (an answer that was saved), it has not been answered either.
 */
export function bareClusters(names: readonly (StatName | Unread)[]): Set<string> {
  const bare = new Set<string>();
  for (const name of names) if (typeof name !== 'string' && name.stat.startsWith('upstream_cx_')) bare.add(name.owner);
  for (const name of names) if (typeof name !== 'string' && HTTP_ONLY.test(name.stat)) bare.delete(name.owner);
  return bare;
}

/** Whether any cluster of an answer carries bare connections, infrastructure included. */
export function hasBareClusters(scalars: readonly string[]): boolean {
  const clusters = clusterNames(scalars);
  return bareClusters(scalars.map((name) => readStatName(name, clusters))).size > 0;
}
