/** Layers for so many nodes that a careful layout would take seconds: linear in nodes and calls, but for sorting. Pure. */

import { NODE_HEIGHT, NODE_WIDTH, type Placement, type Spot, type Structure } from './geometry.ts';

const MARGIN = 16;
const ROW = NODE_HEIGHT + 12;
const COLUMN = NODE_WIDTH + 24;
const LAYER_GAP = 150;
const MOST_IN_COLUMN = 26;
const SWEEPS = 6;

/** Callers stand left of what they call; within a layer, near those they have to do with. */
export function placeQuickly({ nodes, edges }: Structure): Placement {
  const layers = orderLayers(layersOf(nodes, edges), edges);
  const tallest = Math.min(MOST_IN_COLUMN, Math.max(1, ...layers.map(({ length }) => length)));
  const spots = new Map<string, Spot>();
  let left = MARGIN + NODE_WIDTH / 2;
  for (const layer of layers) {
    const columns = Math.ceil(layer.length / MOST_IN_COLUMN);
    const rows = Math.ceil(layer.length / columns);
    const top = MARGIN + NODE_HEIGHT / 2 + ((tallest - rows) * ROW) / 2;
    for (const [index, id] of layer.entries())
      spots.set(id, [left + (index % columns) * COLUMN, top + Math.floor(index / columns) * ROW]);
    left += (columns - 1) * COLUMN + NODE_WIDTH + LAYER_GAP;
  }
  return {
    width: left - LAYER_GAP - NODE_WIDTH / 2 + MARGIN,
    height: 2 * MARGIN + tallest * ROW,
    nodes: spots,
    edges: new Map(edges.map(({ id, source, target }) => [id, swing(spots.get(source), spots.get(target))])),
    labels: new Map(),
  };
}

/** From side to side of the boxes; back below where a call leads to the left. */
function swing(from: Spot = [0, 0], to: Spot = [0, 0]): Spot[] {
  const half = NODE_WIDTH / 2;
  const [start, end]: [Spot, Spot] = [
    [from[0] + half, from[1]],
    [to[0] - half, to[1]],
  ];
  const out = 40;
  return [start, [start[0] + out, start[1]], [end[0] - out, end[1]], end];
}

/** A node stands one layer after the last of its callers; calls that close a circle do not count. */
function layersOf(nodes: readonly string[], edges: Structure['edges']): string[][] {
  const called = Map.groupBy(edges, ({ source }) => source);
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const forward: { source: string; target: string }[] = [];
  const hasCaller = new Set(edges.map(({ target }) => target));
  const starts = [...nodes.filter((id) => !hasCaller.has(id)), ...nodes];
  for (const start of starts) {
    const path = state.has(start) ? [] : [{ id: start, next: 0 }];
    if (path.length > 0) state.set(start, 'open');
    for (let step = path.at(-1); step; step = path.at(-1)) {
      const call = called.get(step.id)?.[step.next];
      step.next += 1;
      if (!call) {
        state.set(step.id, 'done');
        order.push(step.id);
        path.pop();
      } else if (state.get(call.target) !== 'open') {
        forward.push(call);
        if (!state.has(call.target)) {
          state.set(call.target, 'open');
          path.push({ id: call.target, next: 0 });
        }
      }
    }
  }
  return ranked(
    order.reverse(),
    Map.groupBy(forward, ({ source }) => source),
  );
}

function ranked(order: readonly string[], called: ReadonlyMap<string, readonly { target: string }[]>): string[][] {
  const rank = new Map<string, number>();
  for (const id of order) {
    const own = rank.get(id) ?? 0;
    rank.set(id, own);
    for (const { target } of called.get(id) ?? []) rank.set(target, Math.max(rank.get(target) ?? 0, own + 1));
  }
  const layers: string[][] = [];
  for (const id of order.toSorted()) {
    const own = rank.get(id) ?? 0;
    layers[own] ??= [];
    layers[own].push(id);
  }
  return layers.filter(Boolean);
}

/** Moves each node towards the middle of its neighbours, to and fro, so that fewer calls cross. */
function orderLayers(layers: string[][], edges: Structure['edges']): string[][] {
  const neighbours = new Map<string, string[]>();
  const link = (a: string, b: string) => neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
  for (const { source, target } of edges) {
    link(source, target);
    link(target, source);
  }
  const place = new Map<string, number>();
  const settle = (layer: readonly string[]) => {
    for (const [index, id] of layer.entries()) place.set(id, (index + 0.5) / layer.length);
  };
  for (const layer of layers) settle(layer);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) {
      const middle = new Map(
        layer.map((id) => [id, mean((neighbours.get(id) ?? []).map((each) => place.get(each) ?? 0))]),
      );
      layer.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
      settle(layer);
    }
  }
  return layers;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
