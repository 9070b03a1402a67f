/** What tables and charts show, as flat records: the figures themselves, in full and with their units. Pure. */

import type { Figures, TargetStatus } from '../../server/api/contract.ts';
import type { ChartUnit } from '../charts/axis-label.ts';
import { type ChartData, missing } from '../charts/chart-data.ts';
import { eventInWords, eventsAt } from '../charts/chart-events.ts';
import { ghostAt } from '../charts/ghost.ts';
import { type Change, changesOf } from '../figures/change.ts';
import type { ListedService, ShownFigures } from '../listed-service.ts';
import type { FlatRecord } from './csv.ts';

/** The figures of one group of requests, and what they rest on. `state` says why some are missing. */
function shownRecord({ latencyMs, precision, ...figures }: ShownFigures): FlatRecord {
  return {
    state: figures.state,
    requests: figures.requests,
    requestsPerSecond: figures.requestRate,
    successShare: figures.successRate,
    errorShare: figures.errorRate,
    p50Ms: latencyMs.p50,
    p95Ms: latencyMs.p95,
    p99Ms: latencyMs.p99,
    latencySamples: figures.latencySamples,
    maxRelativeError: precision.maxRelativeError,
    capped: String(precision.capped),
    timeouts: figures.timeouts,
  };
}

/** All that is known of one group of requests. */
export function figureRecord(figures: Figures): FlatRecord {
  const { latencyMs, precision, codeClasses, retries, activeRequests } = figures;
  return {
    ...shownRecord(figures),
    ...Object.fromEntries(Object.entries(codeClasses ?? {}).map(([code, amount]) => [`requests${code}`, amount])),
    p90Ms: latencyMs.p90,
    p999Ms: latencyMs.p999,
    meanMs: latencyMs.mean,
    method: precision.method,
    retries,
    activeRequests,
  };
}

/** A row of the fleet; with what it was before where that is asked for. */
export function serviceRecord(service: ListedService, before?: ListedService | null): FlatRecord {
  const change = (value: Change | null | undefined) => value?.ratio ?? null;
  const changes = before === undefined ? null : changesOf(service, before);
  return {
    service: service.service,
    namespace: service.namespace,
    role: service.role,
    vantage: service.vantage,
    regions: service.regions.join(' '),
    sidecarsUp: service.instances.up,
    sidecars: service.instances.total,
    alertsFiring: service.alerts.firing,
    ...shownRecord(service),
    ...(before === undefined
      ? {}
      : {
          requestsPerSecondBefore: before?.requestRate ?? null,
          p99MsBefore: before?.latencyMs.p99 ?? null,
          requestRateChange: change(changes?.rate),
          p99Change: change(changes?.p99),
        }),
  };
}

/** What a sidecar said of itself, and how asking it went. */
export function targetRecord(target: TargetStatus): FlatRecord {
  const { labels, lastScrape, ...rest } = target;
  return {
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, value])),
    health: rest.health,
    lastError: rest.lastError,
    lastScrape: iso(lastScrape),
    scrapeDurationMs: rest.scrapeDurationMs,
    bodyBytes: rest.bodyBytes,
    samples: rest.samples,
    envoyVersion: rest.envoyVersion,
    startedAt: iso(rest.startedAt),
    restarts: rest.restarts.length,
    intervalMs: rest.intervalMs,
    certificateExpiry: iso(rest.certificateExpiry),
    precision: rest.precision,
  };
}

function iso(moment: number | null): string | null {
  return moment === null ? null : new Date(moment).toISOString();
}

const UNIT_NAMES: Readonly<Record<ChartUnit, string>> = {
  rate: 'PerSecond',
  latency: 'Ms',
  success: 'Share',
  share: 'Share',
  bytes: 'BytesPerSecond',
  count: '',
};

/** A chart's steps; `state` says why one has no value. */
export function chartRecords(data: ChartData, unit: ChartUnit): FlatRecord[] {
  const suffix = UNIT_NAMES[unit];
  return data.times.map((time, step) => ({
    time: new Date(time).toISOString(),
    stepMs: data.stepMs,
    state: data.lines.some(({ values }) => values[step] !== null) ? 'ok' : missing(data, step).replace(' ', '_'),
    ...Object.fromEntries(data.lines.map(({ key, values }) => [`${key}${suffix}`, values[step] ?? null])),
    ...(data.ghost ? { [`before${suffix}`]: ghostAt(data.ghost, time) } : {}),
    ...heatFields(data, time),
    ...(data.events && data.events.length > 0 ? { events: eventsAt(data, step).map(eventInWords).join('; ') } : {}),
  }));
}

/** Samples between bounds in milliseconds, row by row. */
function heatFields({ heat }: ChartData, time: number): FlatRecord {
  const counts = heat?.counts[heat.times.indexOf(time)];
  if (!heat || !counts) return {};
  return Object.fromEntries(
    heat.bounds.map(([lower, upper], row) => [`samples${lower}to${upper ?? ''}Ms`, counts[row] ?? 0]),
  );
}
