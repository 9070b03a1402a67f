/** How well a service does, told from its figures alone: one rule for the fleet's order, its shapes and its words. */

import type { ListedService } from '../listed-service.ts';

export type Health = 'good' | 'warn' | 'bad' | 'quiet' | 'unknown';

/** What health is judged by. */
export type Judged = Pick<
  ListedService,
  'requests' | 'errorRate' | 'state' | 'instances' | 'alerts' | 'precision' | 'vantage'
>;

/** Share of failed requests from which a service is failing, degraded, or mostly failing. */
export const FAILING = 0.01;
export const DEGRADED = 0.001;
export const MOSTLY_FAILING = 0.5;
/** Fewer failed requests than these are told, but are too few to call a service failing. */
export const FEW_FAILURES = 3;

export interface Judgement {
  readonly health: Health;
  /** How much it wants attention: 0 for what is quiet, up to 5. Services are ordered by it first. */
  readonly urgency: number;
}

/** Failed requests in the window. */
export function failedRequests({ requests, errorRate }: Pick<Judged, 'requests' | 'errorRate'>): number {
  return (requests ?? 0) * (errorRate ?? 0);
}

/**
 * 5: mostly failing, or none of its sidecars answers. 4: failing, or an alert fires. 3: degraded, a pending alert, a
 * sidecar down, or a percentile among timed-out requests. 2: nothing known. 1: good. 0: no traffic.
 */
export function judge(service: Judged): Judgement {
  const errors = service.errorRate ?? 0;
  const enough = failedRequests(service) >= FEW_FAILURES;
  if (isUnanswered(service) || (enough && errors >= MOSTLY_FAILING)) return { health: 'bad', urgency: 5 };
  if (service.alerts.firing > 0 || (enough && errors >= FAILING)) return { health: 'bad', urgency: 4 };
  if (isDegraded(service)) return { health: 'warn', urgency: 3 };
  if (service.state === 'no_data') return { health: 'unknown', urgency: 2 };
  if (service.state === 'no_traffic') return { health: 'quiet', urgency: 0 };
  return { health: 'good', urgency: 1 };
}

/** None of the service's own sidecars answers. A service seen from its callers only has none. */
export function isUnanswered({ instances }: Pick<Judged, 'instances'>): boolean {
  return instances.total > 0 && instances.up === 0;
}

function isDegraded(service: Judged): boolean {
  const { instances, alerts, precision } = service;
  return (
    (service.errorRate ?? 0) >= DEGRADED || alerts.pending > 0 || instances.up < instances.total || precision.capped
  );
}
