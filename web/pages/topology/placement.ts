/** Places of a graph's nodes, kept while its structure stays. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Placement, Structure } from './geometry.ts';
import type { Graph } from './graph.ts';

interface Kept {
  readonly placement: Placement;
  readonly nodes: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
}

const MOST_KEPT = 12;
const kept = new Map<string, Kept>();

/** Whether a placement still serves: all that is shown has its place, and hardly anything is gone. */
function serves({ nodes, edges }: Kept, graph: Graph): boolean {
  return (
    graph.nodes.length >= nodes.size * LEAST_PART &&
    graph.nodes.every(({ id }) => nodes.has(id)) &&
    graph.edges.every(({ id }) => edges.has(id))
  );
}

const LEAST_PART = 0.7;

interface Placed {
  readonly placement: Placement | null;
  readonly failed: boolean;
}

/**
 * Where everything stands. `name` tells one way of looking from another, each with places of its own. Calls that fall
 * silent leave everything in its place; a new one moves what it must.
 */
export function usePlacement(name: string, graph: Graph): Placed {
  const [, redraw] = useState(0);
  const failed = useRef(false);
  const own = kept.get(name);
  const good = own !== undefined && serves(own, graph);
  const key = good ? '' : structureKey(name, graph);
  useEffect(() => {
    if (key === '') return;
    const structure: Structure = {
      nodes: graph.nodes.map(({ id }) => id),
      edges: graph.edges.map(({ id, source, target }) => ({ id, source, target })),
    };
    return askWorker(structure, (placement) => {
      failed.current = placement === null;
      if (placement) remember(name, structure, placement);
      redraw((count) => count + 1);
    });
  }, [key]);
  return { placement: own && hasAll(own, graph) ? own.placement : null, failed: failed.current && !good };
}

/** The former places are shown until the new ones are there, as long as every node has one. */
function hasAll({ nodes }: Kept, graph: Graph): boolean {
  return graph.nodes.every(({ id }) => nodes.has(id));
}

function structureKey(name: string, { nodes, edges }: Graph): string {
  return JSON.stringify([name, nodes.map(({ id }) => id).toSorted(), edges.map(({ id }) => id).toSorted()]);
}

function remember(name: string, { nodes, edges }: Structure, placement: Placement): void {
  kept.delete(name);
  kept.set(name, { placement, nodes: new Set(nodes), edges: new Set(edges.map(({ id }) => id)) });
  const oldest = kept.keys().next();
  if (kept.size > MOST_KEPT && !oldest.done) kept.delete(oldest.value);
}

/** One worker for one question: it ends when it has answered, or is no longer wanted. */
function askWorker(structure: Structure, answered: (placement: Placement | null) => void): () => void {
  const worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', (event: MessageEvent<Placement>) => {
    worker.terminate();
    answered(event.data);
  });
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    worker.terminate();
    answered(null);
  });
  worker.postMessage(structure);
  return () => worker.terminate();
}
