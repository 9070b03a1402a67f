/** Trends of every service out of the answers by service. Pure. */

import type { Point, QueryAnswer } from '../../../server/api/contract.ts';
import { type ChartData, trendData } from '../../charts/chart-data.ts';
import { addSeries } from './totals.ts';

export interface Trends {
  /** Request rate of a service; null where nothing of it was measured in the window. */
  rate(service: string, namespace: string): ChartData | null;
  latency(service: string, namespace: string): ChartData | null;
  /** Request rate of all services together. */
  readonly total: ChartData;
}

/**
 * Reads the answers. Latencies may still be on their way. `graceMs`: how late the newest figures may be.
 */
export function readTrends(rates: QueryAnswer, latencies: QueryAnswer | null, graceMs: number): Trends {
  const ratePoints = pointsByService(rates);
  const latencyPoints = latencies ? pointsByService(latencies) : new Map<string, readonly Point[]>();
  return {
    rate(service, namespace) {
      const points = ratePoints.get(nameKey(service, namespace));
      return points ? trendData(points, points, rates, graceMs) : null;
    },
    latency(service, namespace) {
      const points = latencyPoints.get(nameKey(service, namespace));
      if (!points || !latencies) return null;
      return trendData(points, ratePoints.get(nameKey(service, namespace)) ?? [], latencies, graceMs);
    },
    total: totalTrend(rates, graceMs),
  };
}

function totalTrend(rates: QueryAnswer, graceMs: number): ChartData {
  const total = addSeries(rates.series);
  return trendData(total, total, rates, graceMs);
}

function nameKey(service: string, namespace: string): string {
  return JSON.stringify([namespace, service]);
}

function pointsByService({ series }: QueryAnswer): Map<string, readonly Point[]> {
  return new Map(series.map(({ labels, points }) => [nameKey(labels.service ?? '', labels.namespace ?? ''), points]));
}
