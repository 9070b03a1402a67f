/** Calls in words. Pure. */

import { isCapped } from '../../figures/capped.ts';
import { count, milliseconds, rate, share, text } from '../../format/number.ts';
import type { GraphEdge } from './graph.ts';

/** `1.20 k/s · 2.9 % failing · p95 48 ms`; what is not known is left out or told. */
export function edgeLabel(edge: GraphEdge): string {
  if (edge.requests === 0) return 'no requests';
  const parts = [text(rate(edge.requestRate))];
  if (edge.errorRate === null) parts.push('success unknown');
  else if (edge.errorRate > 0) parts.push(`${text(share(edge.errorRate))} failing`);
  if (edge.p95 !== null)
    parts.push(`${percentileName(edge)} ${isLowerBound(edge) ? '> ' : ''}${text(milliseconds(edge.p95))}`);
  return parts.join(' · ');
}

/** Percentiles of several calls are not combined: the slowest stands for them. */
export function percentileName({ calls }: GraphEdge): string {
  return calls.length > 1 ? 'slowest p95' : 'p95';
}

/** Whether its p95 falls among requests that timed out. */
export function isLowerBound({ calls, p95 }: GraphEdge): boolean {
  return calls.some((call) => call.latencyMs.p95 === p95 && isCapped('p95', call));
}

/** For those who do not see the line. */
export function edgeInWords(edge: GraphEdge, window: string): string {
  return `${count(edge.requests)} requests in the last ${window}, measured by the caller: ${edgeLabel(edge)}`;
}
