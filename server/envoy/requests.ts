/** What a sidecar is asked for: GET only, and only these paths. */

import { CONNECTION_LENGTH } from './bare-clusters.ts';
import type { Precision, StatsReader } from './stats.ts';
import { JsonStatsReader } from './stats-json.ts';
import { PrometheusStatsReader } from './stats-prometheus.ts';
import { TextStatsReader } from './stats-text.ts';

/**
 * Final words of the stats that hold request figures. Matched by Envoy itself, which decodes percent signs since 1.16
 * only and takes RE2 since 1.23: the pattern goes as it is, and every engine reads it alike.
 */
const REQUESTS = [
  '(_rq_((1|2|3|4|5)xx|completed|total|active|time|timeout|per_try_timeout|idle_timeout|max_duration_reached|retry',
  '|retry_success|retry_overflow|retry_limit_exceeded|(r|t)x_reset|pending_active|pending_overflow|active_overflow',
  '|pending_failure_eject|maintenance_mode|overload_close)',
  '|_cx_(active|total|http(1|2|3)_total|connect_fail|connect_timeout|none_healthy|overflow|protocol_error',
  '|destroy_(local|remote)_with_active_rq|(r|t)x_bytes_total))',
].join('');

const OTHERS = [
  '|membership_(total|healthy)|.no_(route|cluster)|local_rate_limit.enforced|.ratelimit.(.*.)?over_limit|s_injected',
  '|.grpc.(.*.)?(success|failure|total)|ejections_active|expiration_unix_time_seconds|server.(uptime|hot_restart_epoch))$',
].join('');

const USED = `(${REQUESTS}${OTHERS}`;
const FILTER = `filter=${USED}`;

/**
 * Istio's own metrics, whose labels only the form of Prometheus tells from values. The filter meets the whole stat name,
 * which ends in those labels (`istiocustom.istio_requests_total.reporter.source…`), or before Istio 1.17 begins with them.
 */
const ISTIO = 'istio_(re(quests_total|quest_duration_mill|quest_bytes|sponse_bytes)|tcp_(sent|received|connections)_)';

/** How long connections lasted; of no use where they carry requests. */
const CONNECTION_LENGTHS = `|${CONNECTION_LENGTH}`;

/**
 * Envoy counts every request of a cluster twice, once more under `internal.` or `external.`, and where zones are known a
 * third time by zone: a fifth and a half of an answer. RE2 can't look ahead, but it can ask for other ends before the
 * stat, as long as no cluster is called so.
 */
const COPY_ENDING = 'ernal';

/** How a target refused a form: by its parameters, its path, its length, with another type, or by ignoring what was asked. */
export type Refusal = 'parameters' | 'path' | 'length' | 'type' | 'ignored';

/** A way to ask for `/stats`, and what reads the answer. */
export interface StatsForm {
  readonly name: string;
  readonly path: string;
  /** False where names in that form don't tell zones from one another. */
  readonly tellsZones?: false;
  /** Whether copies may be left out of it: see {@link pathOf}. */
  readonly narrows?: boolean;
  /** Start of the content type that such an answer has. */
  readonly contentType: string;
  /** The best that latencies are told with; a target that tells less has ignored the parameters. */
  readonly precision: Precision;
  /** Refusals of a form before that make this one worth trying. */
  readonly after: readonly Refusal[];
  /** `boundsInclusive`: whether buckets hold the bin that their bound is in (Envoy 1.38 and later). */
  reader(boundsInclusive: boolean): StatsReader;
}

const text = (boundsInclusive: boolean) => new TextStatsReader(boundsInclusive);
const json = (boundsInclusive: boolean) => new JsonStatsReader(boundsInclusive);
const prometheus = (boundsInclusive: boolean) => new PrometheusStatsReader(boundsInclusive);

/** What is asked where other forms hide the requests: see {@link hidesRequests}. */
export const PROMETHEUS_FORM: StatsForm = {
  name: 'prometheus',
  path: `/stats/prometheus?usedonly&filter=${ISTIO}|${USED}`,
  narrows: true,
  contentType: 'text/plain',
  precision: 'buckets',
  after: ['parameters', 'path', 'ignored'],
  tellsZones: false,
  reader: prometheus,
};

/**
 * Forms from the best to the poorest. The first is asked for; a target that refuses it is asked in the next one that
 * may do, which is then remembered. Detailed bins are there since Envoy 1.27, buckets since 1.22, and in the form of
 * Prometheus since 1.10; older ones tell quantiles at most.
 */
export const STATS_FORMS: readonly [StatsForm, ...StatsForm[]] = [
  {
    name: 'text',
    path: `/stats?histogram_buckets=detailed&usedonly&${FILTER}`,
    narrows: true,
    contentType: 'text/plain',
    precision: 'bins',
    after: [],
    reader: text,
  },
  {
    name: 'json',
    path: `/stats?format=json&histogram_buckets=detailed&usedonly&${FILTER}`,
    narrows: true,
    contentType: 'application/json',
    precision: 'bins',
    after: ['parameters', 'type'],
    reader: json,
  },
  {
    name: 'text unfiltered',
    path: '/stats?histogram_buckets=detailed&usedonly',
    contentType: 'text/plain',
    precision: 'bins',
    after: ['parameters', 'length'],
    reader: text,
  },
  {
    name: 'text buckets',
    path: `/stats?histogram_buckets=cumulative&usedonly&${FILTER}`,
    contentType: 'text/plain',
    precision: 'buckets',
    after: ['parameters'],
    reader: text,
  },
  PROMETHEUS_FORM,
  {
    name: 'prometheus unfiltered',
    path: '/stats/prometheus?usedonly',
    contentType: 'text/plain',
    precision: 'buckets',
    after: ['length'],
    tellsZones: false,
    reader: prometheus,
  },
  {
    name: 'metrics',
    path: '/metrics',
    contentType: 'text/plain',
    precision: 'buckets',
    after: ['path'],
    tellsZones: false,
    reader: prometheus,
  },
  {
    name: 'quantiles',
    path: '/stats?usedonly',
    contentType: 'text/plain',
    precision: 'none',
    after: ['parameters', 'ignored'],
    reader: text,
  },
  { name: 'plain', path: '/stats', contentType: 'text/plain', precision: 'none', after: ['path'], reader: text },
];

export const SERVER_INFO_PATH = '/server_info';

/**
 * All connection managers, those without a request so far included (`usedonly` hides them).
 * Asked together with /server_info, at first sight and after a restart.
 */
export const CONNECTION_MANAGERS_PATH = '/stats?filter=^http.*.downstream_rq_completed$';

/** Node ids that Istio gives its proxies: `sidecar~IP~POD.NAMESPACE~DOMAIN` (Istio docs: proxy types). */
const ISTIO_NODE = /^(sidecar|router|waypoint)~/;

/**
 * Whether a proxy's stats hold no request, however many it has: Istio lets its proxies keep a few stats of Envoy's only
 * (`proxyStatsMatcher`), of connection managers none, and counts requests in metrics of its own.
 */
export function hidesRequests(nodeId: string, managers: ReadonlySet<string>): boolean {
  return managers.size === 0 && ISTIO_NODE.test(nodeId);
}

/** Zones whose copies are left out of what is asked for at most; each makes the request longer. */
const MOST_ZONES = 12;

/**
 * Ends of names that only copies have in an answer with these clusters and called zones: those copies can be left out.
 * A cluster that comes later and is called so is still told by its `membership_total`, which is no request.
 */
export function copyEndings(clusters: Iterable<string>, zones: Iterable<string>): string[] {
  const called = [...zones].slice(0, MOST_ZONES).filter((zone) => /^[A-Za-z0-9._-]+$/.test(zone));
  const endings = [COPY_ENDING, ...called.map((zone) => `.${zone}`)];
  const names = [...clusters].map((cluster) => `.${cluster}`);
  return endings.filter((ending) => !names.some((name) => name.endsWith(ending)));
}

/** Of these ends, those whose leaving out leaves everything by zone in an answer. */
export function withZones(endings: readonly string[]): string[] {
  return endings.filter((ending) => ending === COPY_ENDING);
}

export interface StatsWanted {
  /** Stats of requests before which one of these ends stands are left out; none: all are asked for. */
  readonly leftOut: readonly string[];
  /** Whether it is to be told how long connections lasted. */
  readonly connectionLengths: boolean;
}

/** Paths that were made: the targets of a mesh need few, and need them at every scrape. */
const paths = new Map<string, string>();
const MOST_PATHS = 1000;

/** The path of a form for what is wanted; a form without a filter tells all that it can. */
export function pathOf(form: StatsForm, wanted: StatsWanted): string {
  const key = `${form.name} ${wanted.connectionLengths} ${wanted.leftOut.join(' ')}`;
  const known = paths.get(key);
  if (known !== undefined) return known;
  if (paths.size >= MOST_PATHS) paths.clear();
  const path = newPathOf(form, wanted);
  paths.set(key, path);
  return path;
}

function newPathOf({ path }: StatsForm, { leftOut, connectionLengths }: StatsWanted): string {
  const endings = leftOut.length > 0 ? escapeBrackets(`(${otherEnding(leftOut)}.upstream|downstream)`) : '';
  return path.replace(USED, `(${endings}${REQUESTS}${connectionLengths ? CONNECTION_LENGTHS : ''}${OTHERS}`);
}

/** Whether an answer in this form, asked for so, tells how long each bare connection lasted, as far as Envoy knows. */
export function tellsConnectionLengths({ path, tellsZones, precision }: StatsForm, isAsked: boolean): boolean {
  return tellsZones !== false && precision !== 'none' && (isAsked || !path.includes(USED));
}

/** A pattern for every text that ends in none of `endings`: at each place from the end, a character that leads to none. */
function otherEnding(endings: readonly string[]): string {
  const shortest = endings.filter((ending) => !endings.some((other) => other !== ending && ending.endsWith(other)));
  const after = new Map<string, Set<string>>();
  for (const ending of new Set(shortest)) {
    for (let start = ending.length - 1; start >= 0; start--) {
      const tail = ending.slice(start + 1);
      after.set(tail, (after.get(tail) ?? new Set()).add(ending.charAt(start)));
    }
  }
  // A hyphen stands first in a class, where it is no range.
  const others = [...after].map(
    ([tail, leading]) => `[^${[...leading].sort().join('')}]${tail.replaceAll('.', '[.]')}`,
  );
  return `(${others.join('|')})`;
}

/** Envoy undoes percent signs since 1.16; brackets may not stand in a request target. */
function escapeBrackets(pattern: string): string {
  return pattern.replaceAll(/[[\]]/g, (bracket) => encodeURIComponent(bracket));
}

/** Whether an Envoy takes a filter in RE2, percent signs undone. */
export function takesNarrowFilter(version: string): boolean {
  return isAtLeast(version, 23);
}

/** Whether an Envoy's buckets hold the bin that their bound is in: libcircllhist 0.3.2, Envoy 1.38. */
export function hasInclusiveBounds(version: string): boolean {
  return isAtLeast(version, 38);
}

/** Whether a version is 1.`least` or later. */
function isAtLeast(version: string, least: number): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= least);
}
