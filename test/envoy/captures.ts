import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Body of a real Envoy's answer, by its path under test/fixtures/envoy without `.gz`. */
export function capture(path: string): Buffer {
  return gunzipSync(readFileSync(new URL(`../fixtures/envoy/${path}.gz`, import.meta.url)));
}

export function captureJson<T>(path: string): T {
  return JSON.parse(capture(path).toString('utf8')) as T;
}

interface SentToCluster {
  readonly cluster: string | null;
  readonly sent: number;
  /** Status to count. */
  readonly responses: Readonly<Record<string, number>>;
}

interface SentPhase {
  readonly named_clusters: readonly SentToCluster[];
  readonly ingress: readonly (SentToCluster & { readonly listener: string })[];
}

/** What the client of the captures `1_…` (phase 1) and `2_…` (both phases) sent and saw. */
export interface Truth {
  readonly phase_1: SentPhase;
  readonly phase_2: SentPhase;
}

/** Requests by code class of each cluster whose traffic is known exactly, by the cluster's name in stats. */
export function sentByCluster({ named_clusters, ingress }: SentPhase): Map<string, Record<string, number>> {
  const sums = new Map<string, Record<string, number>>();
  for (const { cluster, responses } of [...named_clusters, ...ingress]) {
    if (cluster === null) continue;
    addClasses(sums, nameInStats(cluster), responses);
    // The TLS cluster leads back into the same Envoy, to the application.
    if (cluster === 'tls_loop') addClasses(sums, 'local_app', responses);
  }
  return sums;
}

function addClasses(
  sums: Map<string, Record<string, number>>,
  name: string,
  responses: SentToCluster['responses'],
): void {
  const classes = sums.get(name) ?? {};
  sums.set(name, classes);
  for (const [status, count] of Object.entries(responses)) {
    const codeClass = `${status[0]}xx`;
    classes[codeClass] = (classes[codeClass] ?? 0) + count;
  }
}

function nameInStats(cluster: string): string {
  return cluster === 'alias_real_name' ? 'outbound|80||alias.default.svc.cluster.local;' : cluster.replaceAll(':', '_');
}
