/** Figures of the whole mesh. Counts and rates add up; percentiles do not, so the slowest service is named instead. */

import type { AlertCounts, Point, QueryAnswer, ServiceSummary } from '../../../server/api/contract.ts';
import { failedRequests, type Health, judge } from '../../figures/health.ts';

export interface MeshTotals {
  /** Requests per second, counted at every service that they reach; null when nothing was measured. */
  readonly requestRate: number | null;
  readonly requests: number | null;
  readonly errorRate: number | null;
  readonly successRate: number | null;
  /** The service with the largest p99 that rests on enough samples. */
  readonly slowest: ServiceSummary | null;
  readonly alerts: AlertCounts;
  readonly byHealth: Readonly<Record<Health, number>>;
}

/** Adds up what may be added up. */
export function meshTotals(services: readonly ServiceSummary[]): MeshTotals {
  const measured = services.filter((service) => service.requestRate !== null);
  const requests = sum(measured.map((service) => service.requests ?? 0));
  const failed = sum(measured.map(failedRequests));
  return {
    requestRate: measured.length === 0 ? null : sum(measured.map((service) => service.requestRate ?? 0)),
    requests: measured.length === 0 ? null : requests,
    errorRate: requests > 0 ? failed / requests : null,
    successRate: requests > 0 ? 1 - failed / requests : null,
    slowest: slowest(services),
    alerts: {
      firing: sum(services.map(({ alerts }) => alerts.firing)),
      pending: sum(services.map(({ alerts }) => alerts.pending)),
    },
    byHealth: countHealth(services),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function slowest(services: readonly ServiceSummary[]): ServiceSummary | null {
  const sound = services.filter((service) => service.state === 'ok' && service.latencyMs.p99 !== null);
  return sound.reduce<ServiceSummary | null>(
    (worst, service) => ((service.latencyMs.p99 ?? 0) > (worst?.latencyMs.p99 ?? -1) ? service : worst),
    null,
  );
}

function countHealth(services: readonly ServiceSummary[]): Record<Health, number> {
  const counts: Record<Health, number> = { bad: 0, warn: 0, unknown: 0, good: 0, quiet: 0 };
  for (const service of services) counts[judge(service).health] += 1;
  return counts;
}

/** The sum of all series at each step: null only where none of them knows anything. */
export function addSeries(series: QueryAnswer['series']): Point[] {
  const totals = new Map<number, number | null>();
  for (const { points } of series) {
    for (const [at, value] of points) {
      const total = totals.get(at) ?? null;
      totals.set(at, value === null ? total : (total ?? 0) + value);
    }
  }
  return [...totals].sort(([a], [b]) => a - b);
}
