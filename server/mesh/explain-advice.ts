import type { ExplainInput, Explanation } from './explain.ts';
import type { ReasonedPlan } from './plan.ts';

export interface AdviceInput {
  readonly input: ExplainInput;
  readonly reasoned: ReasonedPlan;
  readonly explained: Omit<Explanation, 'advice'>;
}

/** Each looks at one thing that could be better and says what to change; undefined where it is well. */
const RULES: readonly ((facts: AdviceInput) => string | undefined)[] = [
  nothingCounted,
  istioInText,
  noService,
  noRegion,
  noInbound,
  noInboundManager,
  quantilesOnly,
  bucketsOnly,
  noLatency,
  noGrpc,
  unknownShapes,
  seriesLimit,
];

/** What to change in Envoy or in Sidelight's configuration to get more out of a target. */
export function adviceFor(facts: AdviceInput): string[] {
  return RULES.flatMap((rule) => rule(facts) ?? []);
}

function nothingCounted({ reasoned: { plan } }: AdviceInput): string | undefined {
  if (plan.counters.length > 0) return undefined;
  return 'no request is counted so far: no cluster and no connection manager that counts has had any (or a stats_matcher hides them)';
}

/** Istio ends the names of its clusters and connection managers with a semicolon; its sidecars hide most of their stats. */
const ISTIO_NAME = /;$|^xds-grpc$/;

function istioInText({ input, reasoned }: AdviceInput): string | undefined {
  const { plan, parts, scalars, histograms } = reasoned;
  if (input.form === 'prometheus' || plan.counters.length > 0) return undefined;
  const names = [...parts.clusters.keys(), ...parts.managers.keys()];
  const folded = [...scalars, ...histograms].includes('istio text');
  if (!folded && !names.some((name) => ISTIO_NAME.test(name))) return undefined;
  return "this is one of Istio's proxies, which tell requests by Istio's own metrics: ask for them in the form of Prometheus, where they have labels (port 15020 or 15090, /stats/prometheus)";
}

function noService({ input, explained }: AdviceInput): string | undefined {
  if (explained.identity.service.from !== input.addressIs) return undefined;
  if (input.info) return 'no node.cluster: set a label service, or start Envoy with --service-cluster';
  if (input.addressIs === 'file name') return 'the service is unknown: add --server-info=FILE or --label=service=NAME';
  return '/server_info is refused: allow it in admin.allow_paths, or set the labels service and instance';
}

function noRegion({ input, explained }: AdviceInput): string | undefined {
  if (explained.identity.region.value !== '' || !input.info) return undefined;
  return "no region: set node.locality in Envoy's bootstrap, or a label region";
}

function noInbound({ reasoned: { plan, parts, istio } }: AdviceInput): string | undefined {
  if (plan.inbound || istio) return undefined;
  const unknown = [...parts.managers].flatMap(([name, { is }]) => (is === 'unknown' ? [name] : []));
  const found = unknown.length > 0 ? ` (there is ${shortList(unknown)})` : '';
  return `no connection manager is recognised as inbound${found}: name its stat_prefix ingress, or name the cluster of the application under local`;
}

function noInboundManager({ reasoned: { plan, parts, istio } }: AdviceInput): string | undefined {
  if (!plan.inbound || istio || parts.inboundManagers.size > 0) return undefined;
  return 'inbound figures are those of the local cluster, which is not charged with rate limits, aborts and missing routes: name the stat_prefix of the inbound connection manager ingress';
}

function quantilesOnly({ input, explained }: AdviceInput): string | undefined {
  if (explained.precision.value !== 'none') return undefined;
  const { version = '' } = input.info ?? {};
  const [, minor = 0] = version.split('.').map(Number);
  const isOld = version === '' || minor < 22;
  const cause = isOld
    ? 'Envoy before 1.22, or asked without histogram_buckets'
    : 'the parameter histogram_buckets did not reach Envoy';
  return `histograms come as quantiles (${cause}), so no percentile can be told: use Envoy 1.27 or newer, ask /stats with histogram_buckets=detailed, or allow /stats/prometheus`;
}

function bucketsOnly({ explained }: AdviceInput): string | undefined {
  if (explained.precision.value !== 'buckets') return undefined;
  return 'percentiles are only as fine as the buckets: let the admin port of Envoy 1.27 or newer answer /stats with histogram_buckets=detailed';
}

function noLatency({ reasoned: { plan, istio }, explained }: AdviceInput): string | undefined {
  if (plan.histograms.length > 0 || plan.counters.length === 0 || explained.precision.value === 'none')
    return undefined;
  const names = istio ? 'istio_request_duration_milliseconds' : 'upstream_rq_time or downstream_rq_time';
  return `requests are counted, but no latency: no histogram ${names} has a sample (or they are disabled, as by a stats_matcher)`;
}

function noGrpc({ reasoned: { plan }, explained }: AdviceInput): string | undefined {
  if (explained.grpcFailures.value !== '' || plan.counters.length === 0) return undefined;
  return 'if calls are gRPC: add the HTTP filter envoy.filters.http.grpc_stats, else failed calls under HTTP 200 count as successes';
}

/** Characters that names by hand hardly hold, but names by mesh products do. */
const PRODUCT_NAME = /[|~/]/;

function unknownShapes({ explained }: AdviceInput): string | undefined {
  const names = explained.clusters.flatMap(({ name, is, service }) =>
    is === 'peer' && service === name && PRODUCT_NAME.test(name) ? [name] : [],
  );
  if (names.length === 0) return undefined;
  return `no recogniser knows the shape of ${shortList(names)}: a rule under peers names the service`;
}

function seriesLimit({ input, reasoned: { plan } }: AdviceInput): string | undefined {
  const samples = plan.counters.length + plan.gauges.length + plan.histograms.length;
  if (samples <= input.seriesLimit) return undefined;
  return `${samples} stats would be used, more than scrape.series_limit (${input.seriesLimit}): raise it, or let Envoy show less (stats_matcher)`;
}

function shortList(names: readonly string[]): string {
  const more = names.length - 3;
  return names.slice(0, 3).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
