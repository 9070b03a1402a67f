/**
 * Envoy's stat names, taken apart. A dot both separates and may stand inside a name, so nothing is split on
 * dots: the stat is the known last part, and what is between it and the scope belongs to the cluster or
 * connection manager. Clusters are known from their `membership_total`, which every cluster has and no copy has.
 */

export interface StatName {
  readonly scope: 'cluster' | 'http';
  /** Name of the cluster or stat prefix of the connection manager, as Envoy prints it. */
  readonly owner: string;
  /** Last part, such as `upstream_rq_2xx`; `grpc.failure` for the calls of all gRPC methods that failed. */
  readonly stat: string;
}

const CLUSTER = 'cluster.';
const HTTP = 'http.';
const MEMBERSHIP = '.membership_total';

/**
 * Parts between a cluster's name and a stat that repeat what the plain stat already counts, or count tries of
 * their own: never added up with the plain ones.
 */
const COPY = /^(.+)\.(?:internal|external|canary|retry|zone\.[^.]*\.[^.]*)$/;
const GRPC_FAILURE = /^(.+?)\.grpc\..+\.failure$/;
const OUTLIER = /^(.+)\.(outlier_detection\.[a-z_]+)$/;
const HTTP_FAULT = /^(.+)\.(fault\.[a-z_]+)$/;
const USER_AGENT = /\.user_agent\.[^.]*$/;

/** Names of all clusters in an answer, whatever dots they hold. */
export function clusterNames(scalars: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const name of scalars) {
    if (name.startsWith(CLUSTER) && name.endsWith(MEMBERSHIP))
      names.add(name.slice(CLUSTER.length, -MEMBERSHIP.length));
  }
  return names;
}

/** Stat prefixes of all connection managers in an answer, that of the admin port included. */
export function connectionManagerNames(scalars: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const name of scalars) {
    const match = /^http\.(.+)\.downstream_(?:rq_completed|cx_active)$/.exec(name);
    if (match?.[1] && !USER_AGENT.test(match[1])) names.add(match[1]);
  }
  return names;
}

/** Undefined for a copy of another stat and for scopes that hold no request figures. */
export function parseStatName(name: string, clusters: ReadonlySet<string>): StatName | undefined {
  if (name.startsWith(CLUSTER)) return parseClusterStat(name.slice(CLUSTER.length), clusters);
  if (name.startsWith(HTTP)) return parseHttpStat(name.slice(HTTP.length));
  return undefined;
}

function parseClusterStat(text: string, clusters: ReadonlySet<string>): StatName | undefined {
  const dot = text.lastIndexOf('.');
  if (dot < 1) return undefined;
  const owner = text.slice(0, dot);
  const stat = text.slice(dot + 1);
  if (clusters.has(owner)) return { scope: 'cluster', owner, stat };
  const grpc = longestOwner(GRPC_FAILURE, text, clusters);
  if (grpc) return { scope: 'cluster', owner: grpc, stat: 'grpc.failure' };
  const outlier = OUTLIER.exec(text);
  if (outlier?.[1] && outlier[2]) return { scope: 'cluster', owner: outlier[1], stat: outlier[2] };
  if (COPY.test(owner) || owner.includes('.grpc.')) return undefined;
  return { scope: 'cluster', owner, stat };
}

/** Of the places where the cluster's name could end, the one where a known cluster does; else the first. */
function longestOwner(pattern: RegExp, text: string, clusters: ReadonlySet<string>): string | undefined {
  const first = pattern.exec(text)?.[1];
  if (first === undefined || clusters.has(first)) return first;
  for (let end = text.lastIndexOf('.grpc.'); end > 0; end = text.lastIndexOf('.grpc.', end - 1)) {
    if (clusters.has(text.slice(0, end))) return text.slice(0, end);
  }
  return first;
}

function parseHttpStat(text: string): StatName | undefined {
  const fault = HTTP_FAULT.exec(text);
  if (fault?.[1] && fault[2]) return { scope: 'http', owner: fault[1], stat: fault[2] };
  const dot = text.lastIndexOf('.');
  if (dot < 1) return undefined;
  const owner = text.slice(0, dot);
  return USER_AGENT.test(owner) ? undefined : { scope: 'http', owner, stat: text.slice(dot + 1) };
}
