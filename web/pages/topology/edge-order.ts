/** Order of the calls in the table. Pure. */

import { compareNames } from '../../format/names.ts';
import type { Sort } from '../../state/url.ts';
import type { GraphEdge } from './graph.ts';

const VALUES: Readonly<Record<string, (edge: GraphEdge) => number | string | null>> = {
  source: ({ source }) => source,
  target: ({ target }) => target,
  rate: ({ requestRate }) => requestRate,
  errors: ({ errorRate }) => errorRate,
  p95: ({ p95 }) => p95,
};

/** The most failing first, then the busiest; or by a column. What is not known comes last. */
export function orderEdges(edges: readonly GraphEdge[], sort: Sort | null): readonly GraphEdge[] {
  const byName = (a: GraphEdge, b: GraphEdge) => compareNames(a.source, b.source) || compareNames(a.target, b.target);
  const failed = ({ requests, errorRate }: GraphEdge) => (requests ?? 0) * (errorRate ?? 0);
  const value = sort && VALUES[sort.column];
  if (!value)
    return edges.toSorted(
      (a, b) => failed(b) - failed(a) || (b.requestRate ?? 0) - (a.requestRate ?? 0) || byName(a, b),
    );
  return edges.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || byName(a, b);
    const order = typeof x === 'string' ? compareNames(x, String(y)) : x - Number(y);
    return (sort.descending ? -order : order) || byName(a, b);
  });
}
