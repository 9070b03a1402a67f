/** Where nodes and edges stand: layers from left to right. Pure, and slow for many nodes: a worker runs it. */

import { Graph, layout } from '@dagrejs/dagre';
import {
  LABEL_HEIGHT,
  LABEL_WIDTH,
  NODE_HEIGHT,
  NODE_WIDTH,
  type Placement,
  type Spot,
  type Structure,
} from './geometry.ts';
import { placeQuickly } from './quick-layout.ts';

/** From so many nodes on the careful layout takes too long. */
const MANY_NODES = 100;
/** From so many calls on labels get no room of their own. */
const MANY_CALLS = 60;
const GAP = 28;
const MARGIN = 16;

/** The same structure always gets the same places. Nodes without any edge stand in rows below the others. */
export function place({ nodes, edges }: Structure): Placement {
  const linked = new Set(edges.flatMap(({ source, target }) => (source === target ? [] : [source, target])));
  const layered = nodes.filter((id) => linked.has(id)).toSorted();
  const calls = edges.filter(({ source, target }) => source !== target).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const placed = layered.length === 0 ? NOWHERE : placeLinked({ nodes: layered, edges: calls });
  return withLonely(placed, nodes.filter((id) => !linked.has(id)).toSorted());
}

const NOWHERE: Placement = { width: 0, height: 0, nodes: new Map(), edges: new Map(), labels: new Map() };

function placeLinked(structure: Structure): Placement {
  return structure.nodes.length > MANY_NODES ? placeQuickly(structure) : placeCarefully(structure);
}

/** Names are told to the layout as numbers, since any text may be the name of a service. */
function placeCarefully({ nodes, edges }: Structure): Placement {
  const roomy = edges.length <= MANY_CALLS;
  const graph = new Graph({ multigraph: true });
  graph.setGraph({
    rankdir: 'LR',
    nodesep: roomy ? 22 : 12,
    ranksep: roomy ? 64 : 120,
    edgesep: 8,
    ranker: 'tight-tree',
    marginx: MARGIN,
    marginy: MARGIN,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  const numbers = new Map(nodes.map((id, index) => [id, String(index)]));
  for (const number of numbers.values()) graph.setNode(number, { width: NODE_WIDTH, height: NODE_HEIGHT });
  const label = roomy ? { width: LABEL_WIDTH, height: LABEL_HEIGHT, labelpos: 'c' as const } : {};
  const end = (id: string) => numbers.get(id) ?? '';
  for (const [index, { source, target }] of edges.entries())
    graph.setEdge(end(source), end(target), { ...label }, String(index));
  layout(graph);
  return {
    ...sizeOf(graph),
    nodes: new Map(nodes.map((id, index) => [id, spotOf(graph.node(String(index)))])),
    edges: new Map(
      edges.map(({ id, source, target }, index) => {
        const { points = [] } = graph.edge(end(source), end(target), String(index));
        return [id, points.map(spotOf)];
      }),
    ),
    labels: new Map(
      roomy
        ? edges.map(({ id, source, target }, index) => [
            id,
            spotOf(graph.edge(end(source), end(target), String(index))),
          ])
        : [],
    ),
  };
}

function sizeOf(graph: Graph): Pick<Placement, 'width' | 'height'> {
  const { width = 0, height = 0 } = graph.graph();
  return { width, height };
}

function spotOf({ x, y }: { readonly x: number; readonly y: number }): Spot {
  return [x, y];
}

function withLonely(placed: Placement, lonely: readonly string[]): Placement {
  if (lonely.length === 0) return placed;
  const [step, rowStep] = [NODE_WIDTH + GAP, NODE_HEIGHT + 14];
  const wide = Math.max(placed.width, 5 * step, Math.sqrt(lonely.length) * step * 0.6);
  const columns = Math.max(1, Math.floor(wide / step));
  const top = placed.height === 0 ? MARGIN : placed.height + GAP;
  const spots = lonely.map((id, index): [string, Spot] => [
    id,
    [MARGIN + NODE_WIDTH / 2 + (index % columns) * step, top + NODE_HEIGHT / 2 + Math.floor(index / columns) * rowStep],
  ]);
  return {
    edges: placed.edges,
    labels: placed.labels,
    nodes: new Map([...placed.nodes, ...spots]),
    width: Math.max(placed.width, 2 * MARGIN + Math.min(columns, lonely.length) * step - GAP),
    height: top + Math.ceil(lonely.length / columns) * rowStep + MARGIN,
  };
}
