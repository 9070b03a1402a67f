/**
 * What `/clusters` tells of every host that a cluster sends to: JSON since Envoy 1.8, text always. Its counters see tries,
 * not requests; they are the host's own and vanish with it.
 */

export const CLUSTERS_PATH = '/clusters?format=json';
/** For an Envoy, or something before it, that refuses the JSON form. */
export const CLUSTERS_TEXT_PATH = '/clusters';

/** One host of one cluster. */
export interface ClusterHost {
  /** `address:port`, an IPv6 address in brackets; or the path of a socket. */
  readonly address: string;
  /** Name that the address was found by, with its port for dynamic forward proxies; empty where there is none. */
  readonly hostname: string;
  readonly region: string;
  readonly zone: string;
  /** Tries that were sent. */
  readonly total: number;
  /** Tries that were answered with a status below 500 and no gRPC status that stands for a 5xx. */
  readonly success: number;
  /** Tries that were answered otherwise, reset, timed out or never connected. */
  readonly error: number;
}

export interface ClusterHosts {
  /** As Envoy prints it in stats. */
  readonly cluster: string;
  readonly hosts: readonly ClusterHost[];
}

/** The answer is not one of `/clusters`; the message says in a few words what is wrong. */
export class ClustersError extends Error {
  override name = 'ClustersError';
}

/** @throws ClustersError */
export function readClusters(body: Buffer): ClusterHosts[] {
  return firstByte(body) === OPEN_BRACE ? readJson(body) : readText(body);
}

const OPEN_BRACE = 0x7b;
const BLANKS: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

function firstByte(body: Buffer): number | undefined {
  let at = 0;
  while (BLANKS.has(body[at])) at++;
  return body[at];
}

/** Counters of a host that are read, and what each is called here. */
const COUNTERS: Readonly<Record<string, 'total' | 'success' | 'error'>> = {
  rq_total: 'total',
  rq_success: 'success',
  rq_error: 'error',
};

function readJson(body: Buffer): ClusterHosts[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ClustersError('the JSON ends early or is damaged');
  }
  const statuses = fieldOf(parsed, 'cluster_statuses');
  if (statuses === undefined && Object.keys(parsed ?? {}).length === 0) return [];
  if (!Array.isArray(statuses)) throw new ClustersError('there are no cluster_statuses');
  return statuses.flatMap((status: unknown) => {
    const name = textOf(status, 'observability_name') || textOf(status, 'name');
    const hosts = fieldOf(status, 'host_statuses');
    if (name === '') return [];
    return [{ cluster: nameInStats(name), hosts: Array.isArray(hosts) ? hosts.flatMap(jsonHost) : [] }];
  });
}

/** Nothing for a host without an address or with counters that are none. */
function jsonHost(host: unknown): ClusterHost[] {
  const address = jsonAddress(fieldOf(host, 'address'));
  const counters = { total: 0, success: 0, error: 0 };
  const stats = fieldOf(host, 'stats');
  for (const stat of Array.isArray(stats) ? stats : []) {
    const counter = counterOf(textOf(stat, 'name'));
    if (counter) counters[counter] = countOf(fieldOf(stat, 'value') ?? '0');
  }
  if (address === '' || !Object.values(counters).every(Number.isSafeInteger)) return [];
  const locality = fieldOf(host, 'locality');
  const place = { region: textOf(locality, 'region'), zone: textOf(locality, 'zone') };
  return [{ address, hostname: textOf(host, 'hostname'), ...place, ...counters }];
}

function counterOf(name: string): 'total' | 'success' | 'error' | undefined {
  return Object.hasOwn(COUNTERS, name) ? COUNTERS[name] : undefined;
}

function jsonAddress(address: unknown): string {
  const socket = fieldOf(address, 'socket_address');
  if (socket === undefined) return textOf(fieldOf(address, 'pipe'), 'path');
  const host = textOf(socket, 'address');
  const port = fieldOf(socket, 'port_value') ?? 0;
  if (host === '' || typeof port !== 'number') return '';
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Lines `cluster::key::value` and `cluster::address::key::value`. Names and addresses may hold `::` themselves, so a
 * cluster's lines are known by the line that each begins with, and an address by the known key behind it.
 */
function readText(body: Buffer): ClusterHosts[] {
  const clusters = new Map<string, Map<string, Mutable<ClusterHost>>>();
  const namesInStats = new Map<string, string>();
  let current = '';
  let hosts = new Map<string, Mutable<ClusterHost>>();
  let unread = 0;
  for (const line of body.toString('utf8').split('\n')) {
    const begun = CLUSTER_LINE.exec(line)?.[1];
    if (begun !== undefined && begun !== current) {
      current = begun;
      hosts = clusters.get(begun) ?? new Map();
      clusters.set(begun, hosts);
    }
    const isOwn = current !== '' && line.startsWith(`${current}::`);
    if (isOwn) textHost(line.slice(current.length + 2), hosts);
    if (isOwn && line.startsWith(STAT_NAME, current.length))
      namesInStats.set(current, line.slice(current.length + STAT_NAME.length));
    if (!isOwn && line !== '' && !line.startsWith('version_info::')) unread++;
  }
  if (clusters.size === 0 && unread > 0) throw new ClustersError('it is not what /clusters answers');
  return [...clusters].map(([name, found]) => ({
    cluster: nameInStats(namesInStats.get(name) || name),
    hosts: [...found.values()].filter(({ total, success, error }) =>
      [total, success, error].every(Number.isSafeInteger),
    ),
  }));
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const STAT_NAME = '::observability_name::';
/** The first lines of a cluster; which of them comes first depends on the version. */
const CLUSTER_LINE =
  /^(.+?)::(?:observability_name|(?:default|high)_priority::max_connections|added_via_api|outlier::success_rate_average|default_priority::max_pending_requests)::/;
const HOST_LINE = /^(.+?)::(rq_total|rq_success|rq_error|hostname|region|zone)::(.*)$/;

function textHost(rest: string, hosts: Map<string, Mutable<ClusterHost>>): void {
  const [, address = '', key = '', value = ''] = HOST_LINE.exec(rest) ?? [];
  if (address === '') return;
  let host = hosts.get(address);
  if (!host) {
    host = { address, hostname: '', region: '', zone: '', total: 0, success: 0, error: 0 };
    hosts.set(address, host);
  }
  const counter = counterOf(key);
  if (counter) host[counter] = countOf(value);
  else if (key === 'hostname' || key === 'region' || key === 'zone') host[key] = value;
}

/** NaN for what is no count that can be held exactly. */
function countOf(value: unknown): number {
  if (typeof value === 'string' && !/^\d{1,16}$/.test(value)) return Number.NaN;
  const count = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isSafeInteger(count) && count >= 0 ? count : Number.NaN;
}

function nameInStats(name: string): string {
  return name.replaceAll(':', '_');
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function textOf(value: unknown, key: string): string {
  const found = fieldOf(value, key);
  return typeof found === 'string' ? found : '';
}
