/** Figures of the whole mesh. Counts and rates add up; percentiles do not, so the slowest service is named instead. */

import type { AlertCounts, Point, QueryAnswer } from '../../../server/api/contract.ts';
import { failedRequests, type Health, judge } from '../../figures/health.ts';
import type { ListedService } from '../../listed-service.ts';

export interface MeshTotals {
  /** Requests per second, counted at every service that they reach; null when nothing was measured. */
  readonly requestRate: number | null;
  readonly requests: number | null;
  readonly errorRate: number | null;
  readonly successRate: number | null;
  /** The service with the largest p99 that rests on enough samples. */
  readonly slowest: ListedService | null;
  readonly alerts: AlertCounts;
  readonly byHealth: Readonly<Record<Health, number>>;
}

/** Adds up what may be added up. */
export function meshTotals(services: readonly ListedService[]): MeshTotals {
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

function slowest(services: readonly ListedService[]): ListedService | null {
  const sound = services.filter((service) => service.state === 'ok' && service.latencyMs.p99 !== null);
  return sound.reduce<ListedService | null>(
    (worst, service) => ((service.latencyMs.p99 ?? 0) > (worst?.latencyMs.p99 ?? -1) ? service : worst),
    null,
  );
}

function countHealth(services: readonly ListedService[]): Record<Health, number> {
  const counts: Record<Health, number> = { bad: 0, warn: 0, unknown: 0, good: 0, quiet: 0 };
  for (const service of services) counts[judge(service).health] += 1;
  return counts;
}

/** The sum of all series at each step: null only where none of them knows anything. */
export function addSeries(series: QueryAnswer['series']): Point[] {
  const places = new Map<number, number>();
  const totals: Point[] = [];
  for (const { points } of series) {
    // By place, and not taken apart by a pattern: either takes several times as long, and there are many.
    for (let index = 0; index < points.length; index += 1) {
      const point = points[index];
      if (!point) continue;
      const usual = totals[index];
      const total = usual?.[0] === point[0] ? usual : totals[places.get(point[0]) ?? -1];
      if (total) total[1] = point[1] === null ? total[1] : (total[1] ?? 0) + point[1];
      else places.set(point[0], totals.push([point[0], point[1]]) - 1);
    }
  }
  return totals.sort(([a], [b]) => a - b);
}
