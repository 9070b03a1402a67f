/** Panels that several boards have, for what they match and by which labels. */

import type { Panel } from './panel.ts';
import { failedShare, quantile, rate } from './queries.ts';

export interface Scope {
  readonly match: string;
  readonly by: readonly string[];
  readonly legend: string;
  readonly link?: NonNullable<Panel['link']>;
}

/** Of what the services' own sidecars received. */
export const INBOUND = 'direction="inbound", namespace=~"$namespace"';
const LATENCY = 'mesh_request_duration_seconds';

const linkOf = ({ link }: Scope): Pick<Panel, 'link'> => (link ? { link } : {});

export function requestRate(title: string, scope: Scope): Panel {
  return {
    kind: 'lines',
    title,
    description: 'Completed requests per second.',
    unit: 'reqps',
    min: 0,
    queries: [{ expression: rate('mesh_requests_total', scope.match, scope.by), legend: scope.legend }],
    ...linkOf(scope),
  };
}

export function failures(title: string, scope: Scope): Panel {
  return {
    kind: 'lines',
    title,
    description:
      'Share of completed requests that failed: 5xx, and failed gRPC calls. Nothing is shown without requests.',
    unit: 'percentunit',
    min: 0,
    thresholds: { warning: 0.01, bad: 0.05 },
    queries: [{ expression: failedShare(scope.match, scope.by), legend: scope.legend }],
    ...linkOf(scope),
  };
}

/** One quantile of several lines. */
export function latency(title: string, q: number, scope: Scope): Panel {
  return {
    kind: 'lines',
    title,
    description: 'Within the buckets of exporter.buckets: Sidelight’s own figure is finer. Nothing without requests.',
    unit: 's',
    min: 0,
    thresholds: { warning: 0.5, bad: 1 },
    queries: [{ expression: quantile(q, LATENCY, scope), legend: scope.legend }],
    ...linkOf(scope),
  };
}

/** Several quantiles of one line. */
export function latencies(title: string, scope: Scope): Panel {
  const queries = [0.5, 0.9, 0.99].map((q) => ({ expression: quantile(q, LATENCY, scope), legend: `p${q * 100}` }));
  return { ...latency(title, 0.99, scope), queries };
}

/** A number that is the sum of all. */
export function stat(of: Omit<Panel, 'kind' | 'queries'> & { readonly expression: string }): Panel {
  const { expression, ...rest } = of;
  return { ...rest, kind: 'stat', queries: [{ expression, legend: '' }] };
}

/** Lines of a gauge or of any expression. */
export function lines(of: Omit<Panel, 'kind' | 'queries'> & { readonly expression: string; legend: string }): Panel {
  const { expression, legend, ...rest } = of;
  return { min: 0, ...rest, kind: 'lines', queries: [{ expression, legend }] };
}
