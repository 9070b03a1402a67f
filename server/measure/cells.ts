/** From sums to rates, shares and percentiles: the only place where they are worked out. */

import { COUNTER_INDEX, failureCount, REASON_COUNTERS, requestCount, STORED_GAUGES } from '../model/flow.ts';
import { mean, mergeBins, type Quantile, quantile } from '../model/histogram.ts';
import { lengthOf, unionOf } from '../store/coverage.ts';
import type { Cell, EachCell, Group } from '../store/store.ts';

export const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;
/** Those quantiles in their order, for a query that figures are made of. */
export const ALL_PERCENTILES: readonly number[] = Object.values(PERCENTILES);

/** Tells all cells of a group, each of which is valid in the call only: costs less than having them made. */
export function eachCell(group: Pick<Group, 'cells' | 'eachCell'>, found: EachCell): void {
  if (group.eachCell) group.eachCell(found);
  else group.cells.forEach(found);
}

/** Requests per second, from the rates of a cell. */
export const requestRate = (cell: Cell): number => requestCount(cell.rates);

/** Share of completed requests that failed; null without any. */
export function errorRate(cell: Cell): number | null {
  const requests = requestCount(cell.counters);
  return requests > 0 ? Math.min(1, failureCount(cell.counters) / requests) : null;
}

export function successRate(cell: Cell): number | null {
  const errors = errorRate(cell);
  return errors === null ? null : 1 - errors;
}

/** Null where nothing was measured at the end of the cell. */
export function gauge(cell: Cell, name: (typeof STORED_GAUGES)[number]): number | null {
  return cell.gauges?.[STORED_GAUGES.indexOf(name)] ?? null;
}

/** Quantiles from 0 to 1: as the store worked them out, or of the cell's histogram where several were added up. */
export function quantilesOf(cell: Cell, asked: readonly number[]): readonly Quantile[] {
  const { quantiles } = cell;
  if (quantiles.length > 0) return quantiles;
  return asked.map((q) => quantile(cell.bins, q, cell.timeoutsWithoutSample));
}

/** Latency at one of the quantiles that the cell was asked for with. */
export function latencyOf(cell: Cell, q: number, asked: readonly number[]): number | null {
  const { quantiles } = cell;
  if (quantiles.length > 0) return quantiles[asked.indexOf(q)]?.valueMs ?? null;
  return latencyAt(cell, q);
}

/** Latency at the one quantile that was asked for, timeouts without a sample counted as slower than every sample. */
export function latencyAt(cell: Cell, q: number): number | null {
  return quantilesOf(cell, [q])[0]?.valueMs ?? null;
}

export const latencySamples = (cell: Cell): number => cell.downstreamSamples + cell.upstreamSamples;

/** Events by reason, those that did not happen left out. */
export function failures(cell: Cell | null): Record<string, number> {
  const events: Record<string, number> = {};
  for (const [reason, counter] of REASON_COUNTERS) {
    const count = cell?.counters[COUNTER_INDEX[counter]] ?? 0;
    if (count > 0) events[reason] = count;
  }
  return events;
}

/** All failure events of a cell. */
export function failureEvents(cell: Cell): number {
  return Object.values(failures(cell)).reduce((sum, count) => sum + count, 0);
}

/** The sum of several cells of the same time; null when there is none. */
export function mergeCells(cells: readonly (Cell | null)[]): Cell | null {
  const known = cells.filter((cell) => cell !== null);
  const [first, ...others] = known;
  if (!first || others.length === 0) return first ?? null;
  const measured = unionOf(known.flatMap((cell) => cell.measured));
  const sum = (of: (cell: Cell) => number): number => known.reduce((total, cell) => total + of(cell), 0);
  const events = sumEach(known.map((cell) => cell.rates.map((rate) => rate * lengthOf(cell.measured))));
  const gauges = known.flatMap((cell) => (cell.gauges ? [cell.gauges] : []));
  const bins = mergeBins(known.map((cell) => cell.bins));
  return {
    counters: sumEach(known.map((cell) => cell.counters)),
    rates: events.map((count) => count / lengthOf(measured)),
    gauges: gauges.length > 0 ? sumEach(gauges) : null,
    bins,
    quantiles: [],
    meanMs: mean(bins),
    timeoutsWithoutSample: sum((cell) => cell.timeoutsWithoutSample),
    downstreamSamples: sum((cell) => cell.downstreamSamples),
    upstreamSamples: sum((cell) => cell.upstreamSamples),
    measured,
  };
}

function sumEach(all: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(all[0]?.length ?? 0);
  for (const values of all) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (values[i] ?? 0);
  return sum;
}
