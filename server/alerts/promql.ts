/** Alert conditions as PromQL over the series of /metrics. */

import type { AlertRule } from '../config/alerts-config.ts';
import { formatDuration } from '../model/duration.ts';
import { SIGNAL_UNITS, type SignalName } from '../model/signals.ts';
import type { Rule } from './builtin-rules.ts';
import { BURN_WINDOWS, type Objective } from './burn-rate.ts';

/** An expression, or why there is none. */
export type Expressed = { readonly expression: string } | { readonly impossible: string };

const QUANTILES: Readonly<Partial<Record<SignalName, number>>> = {
  latency_p50: 0.5,
  latency_p90: 0.9,
  latency_p95: 0.95,
  latency_p99: 0.99,
  latency_p999: 0.999,
};

/** What a selector is about: series and time. */
interface Scope {
  /** Matchers, without braces. */
  readonly matchers: readonly string[];
  readonly by: readonly string[];
  readonly window: string;
  /** ` offset 1w`, or nothing. */
  readonly offset: string;
}

/** @param buckets bounds in seconds that /metrics has: an objective of latency needs its own among them. */
export function expressionOf(rule: Rule, buckets: readonly number[]): Expressed {
  const { condition } = rule;
  if (condition.kind === 'sidecar_down') return { expression: 'mesh_sidecar_up == 0' };
  if (condition.kind === 'silent') return { impossible: 'a service that is not measured has no series of its own' };
  return ofCondition({ ...rule, condition }, buckets);
}

function ofCondition(rule: AlertRule, buckets: readonly number[]): Expressed {
  const { condition, minRequests } = rule;
  const scope = scopeOf(rule);
  if (condition.kind === 'slo') return ofObjective(rule, { share: condition.objective, good: condition.good }, buckets);
  const value = ofSignal(condition.signal, scope);
  if (value === undefined) return { impossible: `/metrics does not tell ${condition.signal}` };
  const enough = (at: Scope) => (minRequests > 0 ? ` and ${requests(at)} >= ${minRequests}` : '');
  if (condition.kind === 'threshold') {
    const sign = condition.side === 'above' ? '>' : '<';
    return { expression: `${value} ${sign} ${inBaseUnit(condition.signal, condition.value)}${enough(scope)}` };
  }
  const then = { ...scope, offset: ` offset ${formatDuration(condition.againstMs)}` };
  const sign = condition.factor > 1 ? '>' : '<';
  const before = ofSignal(condition.signal, then) ?? '';
  const { floor } = condition;
  const above = floor === undefined ? '' : ` and ${value} > ${inBaseUnit(condition.signal, floor)}`;
  const known = condition.factor > 1 && floor === undefined ? ` and ${before} > 0` : '';
  return {
    expression: `${value} ${sign} ${condition.factor} * (${before})${above}${known}${enough(scope)}${enough(then)}`,
  };
}

function scopeOf({ direction, match, by, windowMs }: AlertRule): Scope {
  const patterns = Object.entries(match).map(([label, pattern]) => `${label}=~${JSON.stringify(pattern)}`);
  return { matchers: [`direction="${direction}"`, ...patterns], by, window: formatDuration(windowMs), offset: '' };
}

function inBaseUnit(signal: SignalName, value: number): number {
  return SIGNAL_UNITS[signal] === 'duration' ? value / 1000 : value;
}

/** Undefined where /metrics has no such series. */
function ofSignal(signal: SignalName, scope: Scope): string | undefined {
  const quantile = QUANTILES[signal];
  if (quantile !== undefined) {
    const buckets = sumOf('rate', 'mesh_request_duration_seconds_bucket', { ...scope, by: ['le', ...scope.by] });
    return `histogram_quantile(${quantile}, ${buckets})`;
  }
  switch (signal) {
    case 'requests':
      return requests(scope);
    case 'request_rate':
      return sumOf('rate', 'mesh_requests_total', scope);
    case 'error_rate':
      return errorShare(scope);
    case 'success_rate':
      return `1 - ${errorShare(scope)}`;
    case 'latency_mean':
      return `${sumOf('rate', 'mesh_request_duration_seconds_sum', scope)} / ${sumOf('rate', 'mesh_request_duration_seconds_count', scope)}`;
    case 'active_requests':
    case 'active_connections':
      return `sum by (${scope.by.join(', ')}) (mesh_${signal}{${scope.matchers.join(', ')}}${scope.offset})`;
    case 'retries':
      return sumOf('increase', 'mesh_request_retries_total', scope);
    case 'failures':
      return sumOf('increase', 'mesh_request_failures_total', scope);
    default:
      return undefined;
  }
}

function sumOf(rate: 'rate' | 'increase', metric: string, { matchers, by, window, offset }: Scope): string {
  return `sum by (${by.join(', ')}) (${rate}(${metric}{${matchers.join(', ')}}[${window}]${offset}))`;
}

function requests(scope: Scope): string {
  return sumOf('increase', 'mesh_requests_total', scope);
}

function errorShare(scope: Scope): string {
  return `(${sumOf('rate', 'mesh_failed_requests_total', scope)} / ${sumOf('rate', 'mesh_requests_total', scope)})`;
}

function ofObjective(rule: AlertRule, { share, good }: Objective, buckets: readonly number[]): Expressed {
  const allowed = Number((1 - share).toPrecision(12));
  const seconds = good === 'success' ? undefined : good.belowMs / 1000;
  if (seconds !== undefined && !buckets.includes(seconds))
    return { impossible: `/metrics has no bucket at ${seconds} s: add ${seconds} to exporter.buckets` };
  const bad = (window: string): string => {
    const scope = { ...scopeOf(rule), window };
    if (seconds === undefined) return errorShare(scope);
    const below = { ...scope, matchers: [...scope.matchers, `le="${seconds}"`] };
    const fast = sumOf('rate', 'mesh_request_duration_seconds_bucket', below);
    return `(1 - ${fast} / ${sumOf('rate', 'mesh_request_duration_seconds_count', scope)})`;
  };
  const pairs = BURN_WINDOWS.map(({ longMs, shortMs, factor }) => {
    const [long, short] = [formatDuration(longMs), formatDuration(shortMs)];
    const limit = `${factor} * ${allowed}`;
    const enough = `${requests({ ...scopeOf(rule), window: long })} >= ${Math.max(1, rule.minRequests)}`;
    return `(${bad(long)} > ${limit} and ${bad(short)} > ${limit} and ${enough})`;
  });
  return { expression: pairs.join('\nor\n') };
}
