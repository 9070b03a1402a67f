/** What a figure is, in words: shown on hover and focus, and read out. Pure. */

import type { Figures, Precision, Vantage } from '../../server/api/contract.ts';
import { count, milliseconds, NBSP, type Quantity, relativeError, share, text } from '../format/number.ts';
import type { ListedService, ShownFigures } from '../listed-service.ts';
import { isCapped, type Percentile } from './capped.ts';
import { FAILING, failedRequests, isUnanswered, type Judged, judge, MOSTLY_FAILING } from './health.ts';

/** Figures together with how they came about. */
export type Measured = Pick<
  ShownFigures,
  'requests' | 'latencySamples' | 'timeouts' | 'precision' | 'state' | 'latencyMs'
>;

export interface Circumstances {
  /** Such as `5m`. */
  readonly window: string;
  readonly vantage: Vantage;
}

export const PERCENTILE_NAMES: Readonly<Record<Percentile, string>> = {
  p50: 'p50',
  p90: 'p90',
  p95: 'p95',
  p99: 'p99',
  p999: 'p99.9',
};

/** Who measured. */
export function vantageInWords(vantage: Vantage): string {
  return vantage === 'server' ? 'measured at the server' : 'measured by its callers';
}

/** How a percentile was computed. */
export function methodInWords({ method, source }: Precision): string {
  const from = source === 'downstream' ? 'as callers saw it' : 'as the cluster answered';
  return method === 'bins' ? `from Envoy's full bins, ${from}` : `from coarse buckets, ${from}`;
}

/** Why there is no latency, or no rate, to show. */
export function missingInWords({ state }: Pick<Figures, 'state'>): string {
  if (state === 'no_traffic') return 'no traffic';
  return state === 'no_data' ? 'no data' : 'not known';
}

/** A sentence on why figures are missing or to be taken with care; empty where they are sound. */
export function stateInWords(figures: Pick<Measured, 'state' | 'latencySamples'>, window: string): string {
  switch (figures.state) {
    case 'ok':
      return '';
    case 'no_traffic':
      return `No request in the last ${window}, so there is no share of successes and no latency.`;
    case 'no_data':
      return `Nothing was measured in the last ${window}. This is not the same as no traffic.`;
    case 'too_little_data':
      return `Too little data: ${samples(figures.latencySamples)} in the last ${window}. A percentile of so few says little.`;
  }
}

function samples(amount: number): string {
  return `${count(amount)} latency sample${amount === 1 ? '' : 's'}`;
}

/** One percentile with its precision: `p99 412 ms ± 2 %, 18,204 samples, 5m, measured at the server`. */
export function percentileInWords(
  percentile: Percentile,
  figures: Measured,
  { window, vantage }: Circumstances,
): string {
  const name = PERCENTILE_NAMES[percentile];
  const value = figures.latencyMs[percentile] ?? null;
  if (value === null) return stateInWords(figures, window) || `${name} is not known.`;
  const capped = isCapped(percentile, figures);
  const error = capped ? '' : relativeError(figures.precision.maxRelativeError);
  const amount = `${capped ? `more than${NBSP}` : ''}${text(milliseconds(value))}${error && `${NBSP}${error}`}`;
  const basis = `${name} ${amount}, ${samples(figures.latencySamples)}, ${window}, ${vantageInWords(vantage)}`;
  const caveat = capped ? cappedInWords(figures) : stateInWords(figures, window);
  return caveat === '' ? basis : `${basis}. ${caveat}`;
}

/** Why a percentile is only a lower bound. */
export function cappedInWords({ timeouts }: Pick<Measured, 'timeouts'>): string {
  return `It falls among the ${count(timeouts)} timed-out requests, whose latency nobody measured.`;
}

/** The share of successes with what it rests on. */
export function successInWords(
  figures: Pick<Figures, 'requests' | 'errorRate' | 'state' | 'latencySamples'>,
  window: string,
): string {
  if (figures.errorRate === null) return stateInWords(figures, window) || 'The share of successes is not known.';
  const failed = failedRequests(figures);
  return `${failed === 0 ? 'None' : count(failed)} of ${count(figures.requests)} requests failed in the last ${window} (5xx, or a gRPC status other than 0)`;
}

/** The rate with what it rests on. */
export function rateInWords(
  figures: Pick<Figures, 'requests' | 'requestRate' | 'state' | 'latencySamples'>,
  window: string,
): string {
  if (figures.requestRate === null) return stateInWords(figures, window) || 'The rate is not known.';
  return `${count(figures.requests)} requests in the last ${window}`;
}

/** The one thing to know about a service that is not simply good: `2.9 % failing`; empty where it is. */
export function remark(service: Judged & Pick<ListedService, 'latencySamples' | 'timeouts'>): string {
  const { instances, alerts, state } = service;
  const failing = service.errorRate ?? 0;
  const { urgency } = judge(service);
  if (isUnanswered(service))
    return instances.total === 1 ? 'its sidecar does not answer' : `none of ${instances.total} sidecars answers`;
  if (failing >= MOSTLY_FAILING || (failing >= FAILING && urgency >= 4)) return `${trimmed(share(failing))} failing`;
  if (alerts.firing > 0) return `${alerts.firing} alert${alerts.firing === 1 ? '' : 's'} firing`;
  if (urgency === 3 && failing > 0.001) return `${trimmed(share(failing))} failing`;
  if (instances.up < instances.total) return `${instances.total - instances.up} of ${instances.total} sidecars down`;
  if (service.precision.capped) return `${count(service.timeouts)} timed out`;
  if (alerts.pending > 0) return `${alerts.pending} alert${alerts.pending === 1 ? '' : 's'} pending`;
  return state === 'too_little_data' ? `${samples(service.latencySamples).replace('latency ', '')} only` : '';
}

function trimmed({ digits, unit }: Quantity): string {
  return text({ digits: digits.replace(/\.(\d*?)0+$/, (_, kept: string) => (kept === '' ? '' : `.${kept}`)), unit });
}

/** A service's health in a word or two, for those who do not see the shape. */
export function healthInWords(service: Judged): string {
  const { health, urgency } = judge(service);
  if (health === 'bad')
    return urgency === 5 && !isUnanswered(service) ? 'mostly failing' : isUnanswered(service) ? 'down' : 'failing';
  return { good: 'good', warn: 'degraded', quiet: 'no traffic', unknown: 'no data' }[health];
}

/** Everything about a service in one line, for focus on its row. */
export function serviceInWords(service: ListedService, window: string): string {
  const circumstances = { window, vantage: service.vantage };
  const parts = [`${service.service}: ${healthInWords(service)}`];
  if (service.requestRate !== null && service.state !== 'no_traffic') parts.push(successInWords(service, window));
  parts.push(percentileInWords('p99', service, circumstances));
  return parts.join('. ').replace(/\.?$/, '.');
}
