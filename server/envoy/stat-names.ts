/**
 * Envoy's stat names, taken apart. A dot both separates and may stand inside a name, so nothing is split on
 * dots: the stat is the known last part, and what is between it and the scope belongs to the cluster or
 * connection manager. Clusters are known from their `membership_total`, which every cluster lists that ever had a
 * host, and no copy does.
 */

import { ClusterNames } from './cluster-names.ts';

export interface StatName {
  readonly scope: 'cluster' | 'http' | 'limit';
  /** Name of the cluster, or stat prefix of the connection manager or of the rate limit, as Envoy prints it. */
  readonly owner: string;
  /** Last part, such as `upstream_rq_2xx`; `grpc.failure` for the gRPC calls that failed, of whatever method. */
  readonly stat: string;
}

/**
 * Why a name holds no figure of a cluster or connection manager: a copy of what the plain stat counts (of requests by
 * origin, canary, retries, zone or user agent), a gRPC counter other than the failures, one of Istio's own metrics, another scope, or no such name.
 */
export type Unread =
  | 'internal'
  | 'external'
  | 'canary'
  | 'retry'
  | 'zone'
  | 'user agent'
  | 'grpc'
  | 'istio text'
  | 'scope'
  | 'name';

/**
 * Istio folds the labels of its own metrics into the name. Values hold dots, and an empty one leaves nothing behind
 * (`….source_version.source_cluster.…`), so that no label can be told from a value for sure.
 */
const ISTIO_TEXT = /^(?:istiocustom|wasmcustom)\.|(?:^|\.)reporter=\.=/;
const CLUSTER = 'cluster.';
const HTTP = 'http.';
const MEMBERSHIP = '.membership_total';

/**
 * Parts behind a cluster's name that repeat what the plain stat already counts, or count tries of their own:
 * never added up with the plain ones.
 */
const COPY = /^(internal|external|canary|retry|zone|grpc)\./;
/** The same where the cluster is not known, so that the part is looked for from the end. */
const COPY_OF_UNKNOWN = /\.(?:(internal|external|canary|retry)|(zone)\.[^.]*\.[^.]*)$/;
const OUTLIER = /^(.+)\.(outlier_detection\.[a-z_]+)$/;
/** Requests that a rate limit service turned away; the filter may have a stat prefix. */
export const OVER_LIMIT = 'ratelimit.over_limit';
const OVER_LIMIT_END = /^ratelimit\.(?:.+\.)?over_limit$/;
const OVER_LIMIT_OF_UNKNOWN = /^(.+)\.ratelimit\.(?:[^.]+\.)?over_limit$/;
const HTTP_FAULT = /^(.+)\.(fault\.[a-z_]+)$/;
/** Requests that a local rate limit turned away. Its filter has a stat prefix of its own, whatever its connection manager's. */
export const RATE_LIMITED = 'http_local_rate_limit.enforced';
const USER_AGENT = /\.user_agent\.[^.]*$/;

/** Names of all clusters in an answer, whatever dots they hold. */
export function clusterNames(scalars: readonly string[]): ClusterNames {
  const names = new ClusterNames();
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
    const match = /^http\.(.+)\.downstream_(?:rq_completed|rq_[1-5]xx|cx_active)$/.exec(name);
    if (match?.[1] && !USER_AGENT.test(match[1])) names.add(match[1]);
  }
  return names;
}

/** Takes a name apart, or says why it holds no figure. */
export function readStatName(name: string, clusters: ClusterNames): StatName | Unread {
  if (name.startsWith(CLUSTER)) return parseClusterStat(name.slice(CLUSTER.length), clusters);
  if (name.startsWith(HTTP)) return parseHttpStat(name.slice(HTTP.length));
  if (name.endsWith(`.${RATE_LIMITED}`))
    return { scope: 'limit', owner: name.slice(0, -RATE_LIMITED.length - 1), stat: RATE_LIMITED };
  return ISTIO_TEXT.test(name) ? 'istio text' : 'scope';
}

/** Undefined for a copy of another stat and for scopes that hold no request figures. */
export function parseStatName(name: string, clusters: ClusterNames): StatName | undefined {
  const read = readStatName(name, clusters);
  return typeof read === 'string' ? undefined : read;
}

function parseClusterStat(text: string, clusters: ClusterNames): StatName | Unread {
  const owner = clusters.atStartOf(text);
  if (owner === undefined) return parseUnknownCluster(text);
  const stat = text.slice(owner.length + 1);
  if (isGrpcFailure(stat)) return { scope: 'cluster', owner, stat: 'grpc.failure' };
  if (OVER_LIMIT_END.test(stat)) return { scope: 'cluster', owner, stat: OVER_LIMIT };
  if (!stat.includes('.') || stat.startsWith('outlier_detection.')) return { scope: 'cluster', owner, stat };
  return copyIn(COPY.exec(stat)) ?? parseUnknownCluster(text);
}

function parseUnknownCluster(text: string): StatName | Unread {
  const grpc = text.indexOf('.grpc.');
  if (grpc > 0) {
    const isFailure = isGrpcFailure(text.slice(grpc + 1));
    return isFailure ? { scope: 'cluster', owner: text.slice(0, grpc), stat: 'grpc.failure' } : 'grpc';
  }
  const outlier = OUTLIER.exec(text);
  if (outlier?.[1] && outlier[2]) return { scope: 'cluster', owner: outlier[1], stat: outlier[2] };
  const limited = OVER_LIMIT_OF_UNKNOWN.exec(text);
  if (limited?.[1]) return { scope: 'cluster', owner: limited[1], stat: OVER_LIMIT };
  const dot = text.lastIndexOf('.');
  if (dot < 1) return 'name';
  const owner = text.slice(0, dot);
  return copyIn(COPY_OF_UNKNOWN.exec(owner)) ?? { scope: 'cluster', owner, stat: text.slice(dot + 1) };
}

/** Whether a stat may be one that is told by zone; some that are not are called so as well. */
export function mayBeByZone(name: string): boolean {
  return name.includes('.zone.');
}

/** One of a cluster's stats that is told once more for a pair of zones. */
export interface ZoneStatName {
  readonly cluster: string;
  /** Zone of the called hosts; empty for hosts without one. */
  readonly zone: string;
  readonly stat: string;
}

const ZONE = 'zone.';

/**
 * Takes `cluster.<cluster>.zone.<from>.<to>.<stat>` apart. Zones may hold dots, so where the calling zone (`from`) is
 * not given, both may hold none. Undefined for another stat, and where it can't be told which zone is called.
 */
export function parseZoneStatName(name: string, clusters: ClusterNames, from: string): ZoneStatName | undefined {
  const found = splitZoneStat(name, clusters);
  const zone = found && calledZone(found.zones, from);
  return found && zone !== undefined ? { cluster: found.cluster, zone, stat: found.stat } : undefined;
}

function splitZoneStat(
  name: string,
  clusters: ClusterNames,
): { cluster: string; zones: string; stat: string } | undefined {
  if (!name.startsWith(CLUSTER)) return undefined;
  const text = name.slice(CLUSTER.length);
  const cluster = clusters.atStartOf(text);
  if (cluster === undefined || !text.startsWith(ZONE, cluster.length + 1)) return undefined;
  const start = cluster.length + 1 + ZONE.length;
  const end = text.lastIndexOf('.');
  return end < start ? undefined : { cluster, zones: text.slice(start, end), stat: text.slice(end + 1) };
}

/** Of `<from>.<to>`. */
function calledZone(zones: string, from: string): string | undefined {
  for (const own of [from, from.replaceAll(':', '_')])
    if (own !== '' && zones.startsWith(`${own}.`)) return zones.slice(own.length + 1);
  const parts = zones.split('.');
  return from === '' && parts.length === 2 ? parts[1] : undefined;
}

/** The called zones that an answer names; `any`: whether it has anything by zone, be it of zones that can't be told. */
export function calledZones(scalars: readonly string[], from: string): { zones: Set<string>; any: boolean } {
  const candidates = scalars.filter((name) => mayBeByZone(name) && name.includes('.upstream_rq_'));
  const zones = new Set<string>();
  if (candidates.length === 0) return { zones, any: false };
  const clusters = clusterNames(scalars);
  let any = false;
  for (const name of candidates) {
    const found = splitZoneStat(name, clusters);
    any ||= found !== undefined;
    const zone = found && calledZone(found.zones, from);
    if (zone !== undefined) zones.add(zone);
  }
  return { zones, any };
}

/** The kind of copy that a pattern found. */
function copyIn(found: RegExpExecArray | null): Unread | undefined {
  return found ? ((found[1] ?? found[2]) as Unread) : undefined;
}

/** `grpc.failure` where methods are not told apart, else `grpc.<service>.<method>.failure`. */
function isGrpcFailure(stat: string): boolean {
  return stat.startsWith('grpc.') && stat.endsWith('.failure');
}

function parseHttpStat(text: string): StatName | Unread {
  const fault = HTTP_FAULT.exec(text);
  if (fault?.[1] && fault[2]) return { scope: 'http', owner: fault[1], stat: fault[2] };
  const dot = text.lastIndexOf('.');
  if (dot < 1) return 'name';
  const owner = text.slice(0, dot);
  return USER_AGENT.test(owner) ? 'user agent' : { scope: 'http', owner, stat: text.slice(dot + 1) };
}
