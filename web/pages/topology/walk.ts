/** Where the arrow keys lead. Pure. */

import type { Placement } from './geometry.ts';
import type { GraphEdge } from './graph.ts';

export type Arrow = 'ArrowRight' | 'ArrowLeft' | 'ArrowUp' | 'ArrowDown';

const SAME_LAYER_PX = 60;

/** Right to the busiest call, left to the busiest caller, up and down within the layer; null where nothing is. */
export function step(
  from: string,
  arrow: Arrow,
  { edges, placement }: { readonly edges: readonly GraphEdge[]; readonly placement: Placement },
): string | null {
  if (arrow === 'ArrowRight')
    return busiest(edges.filter(({ source, target }) => source === from && target !== from))?.target ?? null;
  if (arrow === 'ArrowLeft')
    return busiest(edges.filter(({ source, target }) => target === from && source !== from))?.source ?? null;
  return nextInLayer(from, arrow === 'ArrowDown' ? 1 : -1, placement);
}

function busiest(edges: readonly GraphEdge[]): GraphEdge | undefined {
  return edges.toSorted((a, b) => (b.requestRate ?? 0) - (a.requestRate ?? 0))[0];
}

function nextInLayer(from: string, direction: 1 | -1, { nodes }: Placement): string | null {
  const own = nodes.get(from);
  if (!own) return null;
  const candidates = [...nodes]
    .map(([id, [x, y]]) => ({ id, aside: Math.abs(x - own[0]), ahead: (y - own[1]) * direction }))
    .filter(({ ahead }) => ahead > 1);
  const inLayer = candidates.filter(({ aside }) => aside < SAME_LAYER_PX);
  return inLayer.toSorted((a, b) => a.ahead - b.ahead || a.aside - b.aside)[0]?.id ?? null;
}
