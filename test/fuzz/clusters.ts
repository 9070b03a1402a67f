/** `/clusters` of real Envoys, damaged in all ways, and what must hold for each body. */

import { type Random, seededRandom } from '../../examples/meshes/random.ts';
import { type ClusterHosts, ClustersError, readClusters } from '../../server/envoy/clusters.ts';
import { TextStatsReader } from '../../server/envoy/stats-text.ts';
import { NO_RULES } from '../../server/mesh/naming-rules.ts';
import { TargetMesh } from '../../server/mesh/target-mesh.ts';
import { decodeTotals } from '../../server/mesh/totals.ts';
import { failureCount, requestCount } from '../../server/model/flow.ts';
import { capture, captureJson } from '../envoy/captures.ts';
import { textBody } from '../envoy/stats-body.ts';
import { mutate } from './mutate.ts';

/** CPU that a body may take, with room for collections and compilation: a fixed part and one by size. */
const FIXED_US = 15_000;
const PER_KB_US = 60;
const LONGEST_REASON = 200;
const VERSIONS = ['1.36.4', '1.40.0'];

interface Source {
  readonly parts: readonly string[];
  join(parts: readonly string[]): Buffer;
}

const jsonSource = (version: string): Source => ({
  parts: captureJson<{ cluster_statuses: object[] }>(`${version}/1_clusters.json`).cluster_statuses.map((one) =>
    JSON.stringify(one),
  ),
  join: (parts) => Buffer.from(`{"cluster_statuses":[${parts}]}`),
});

const textSource = (version: string): Source => {
  const lines = capture(`${version}/1_clusters.txt`).toString('utf8').trimEnd().split('\n');
  const byCluster = Map.groupBy(lines, (line) => line.slice(0, line.indexOf('::')));
  return {
    parts: [...byCluster.values()].map((all) => all.join('\n')),
    join: (parts) => Buffer.from(`${parts.join('\n')}\n`),
  };
};

const SOURCES = { json: VERSIONS.map(jsonSource), text: VERSIONS.map(textSource) };
type Form = keyof typeof SOURCES;
export const CLUSTERS_FORMS = ['json', 'text'] as const satisfies readonly Form[];

/** A few clusters of one capture, the pass-through ones among them more often than others. */
function drawBody(form: Form, random: Random): Buffer {
  const source = SOURCES[form][Math.floor(random() * VERSIONS.length)];
  if (!source) throw new Error('no source');
  const start = Math.floor(random() * source.parts.length);
  const passing = source.parts.filter((part) => /dynamic_forward|original_dst/.test(part) && random() < 0.5);
  return source.join([...source.parts.slice(start, start + 3), ...passing]);
}

const PROXY = 'dynamic_forward_proxy_cluster';
const statsReader = new TextStatsReader();
const statsOf = (requests: number) =>
  statsReader.read(
    textBody({
      scalars: {
        [`cluster.${PROXY}.membership_total`]: 1,
        [`cluster.${PROXY}.upstream_rq_completed`]: requests,
        [`cluster.${PROXY}.upstream_rq_2xx`]: requests - 2,
        [`cluster.${PROXY}.upstream_rq_5xx`]: 2,
      },
    }),
  );

/** What does not hold for a body; undefined where all does. */
function problemOf(base: Buffer, body: Buffer): { problem: string | undefined; read: boolean } {
  let clusters: ClusterHosts[];
  try {
    clusters = readClusters(body);
  } catch (error) {
    if (!(error instanceof ClustersError)) return { problem: `threw ${error}`, read: false };
    return { problem: error.message.length > LONGEST_REASON ? 'says too much' : undefined, read: false };
  }
  const hosts = clusters.flatMap((cluster) => cluster.hosts);
  const isCount = (count: number) => Number.isSafeInteger(count) && count >= 0;
  if (!hosts.every(({ total, success, error }) => [total, success, error].every(isCount)))
    return { problem: 'a host counts what is no count', read: true };
  if (hosts.length > body.length) return { problem: 'more hosts than bytes', read: true };
  return { problem: problemInMesh([readClusters(base), clusters, clusters]), read: true };
}

/** The requests of a pass-through cluster come out again, each once, whatever its hosts say. */
function problemInMesh(readings: readonly ClusterHosts[][]): string | undefined {
  const mesh = new TargetMesh({
    labels: { service: 'web' },
    address: '10.0.0.5:9901',
    host: '10.0.0.5',
    rules: NO_RULES,
    seriesLimit: 20_000,
    stored: undefined,
  });
  let [counted, failed] = [0, 0];
  for (const [round, clusters] of [...readings, [], []].entries()) {
    const at = Date.UTC(2030, 0, 1) + round * 15_000;
    const reading = statsOf(10 * Math.min(round, 2) + 2);
    const times = { at, infoAt: at, previousRound: at - 15_000 };
    const found = mesh.observe({
      ...times,
      reading,
      precision: 'bins',
      info: undefined,
      managers: new Set(),
      hosts: { clusters },
    });
    for (const { counters, from = at } of found.observation.flows) {
      if (!counters.every((count) => Number.isSafeInteger(count) && count >= 0)) return 'a counter is no count';
      if (from > at) return 'an increment of the future';
      counted += requestCount(counters);
      failed += failureCount(counters);
    }
    if (!decodeTotals(found.totals)) return 'totals can not be read back';
  }
  if (failed > counted) return `${failed} of ${counted} requests failed`;
  return counted === 20 ? undefined : `${counted} requests of 20 are counted`;
}

export interface ClustersRange {
  readonly form: Form;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}

export interface ClustersTally {
  readonly read: number;
  readonly refused: number;
  readonly failure?: { readonly index: number; readonly problem: string; readonly body: Buffer };
}

/** Checks bodies up to the first that fails. */
export function fuzzClusters({ form, seed, from, count }: ClustersRange): ClustersTally {
  let [read, refused] = [0, 0];
  for (let index = from; index < from + count; index++) {
    const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6b));
    const base = drawBody(form, random);
    const body = mutate(base, random, () => drawBody(random() < 0.8 ? form : 'text', random));
    const { problem, read: wasRead } = checked(base, body);
    if (problem !== undefined) return { read, refused, failure: { index, problem, body } };
    if (wasRead) read++;
    else refused++;
  }
  return { read, refused };
}

/** A body that took too long is tried again before it counts as a problem. */
function checked(base: Buffer, body: Buffer): ReturnType<typeof problemOf> {
  const limit = FIXED_US + (body.length / 1000) * PER_KB_US;
  let spent = 0;
  for (let attempt = 0; attempt < 3; attempt++) {
    const before = process.threadCpuUsage();
    const found = problemOf(base, body);
    const { user, system } = process.threadCpuUsage(before);
    spent = user + system;
    if (found.problem !== undefined || spent <= limit) return found;
  }
  return { problem: `slow: ${spent} µs for ${body.length} bytes`, read: true };
}
