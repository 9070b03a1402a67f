/** The graph by keyboard. */

import { useState } from 'preact/hooks';
import { location } from '../../state/router.ts';
import type { Placement } from './geometry.ts';
import type { Graph } from './graph.ts';
import { nodeOf } from './graph-view.tsx';
import type { CameraControl } from './use-camera.ts';
import { type Arrow, step } from './walk.ts';

interface GraphKeysOptions {
  readonly graph: Graph;
  readonly placement: Placement;
  readonly camera: CameraControl;
  onSelect(id: string): void;
  onOpen(id: string): void;
}

const ARROWS: ReadonlySet<string> = new Set<Arrow>(['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown']);

function isArrow(key: string): key is Arrow {
  return ARROWS.has(key);
}

/** One node at a time is reached by Tab: the one left last, the selected one, or the first. */
export function useGraphKeys({ graph, placement, camera, onSelect, onOpen }: GraphKeysOptions) {
  const { focus } = location.value.view;
  const [left, setLeft] = useState<string | null>(null);
  const has = (id: string | null) => id !== null && graph.nodes.some((node) => node.id === id);
  const active = has(left) ? left : has(focus) ? focus : firstOf(placement);

  const go = (id: string, from: Element) => {
    setLeft(id);
    const spot = placement.nodes.get(id);
    if (spot) camera.show(spot);
    const node = from.closest('svg.graph-drawing')?.querySelector<SVGElement>(`[data-node=${CSS.escape(id)}]`);
    node?.focus({ preventScroll: true });
  };
  const actions: Readonly<Record<string, (id: string) => void>> = {
    Enter: onOpen,
    ' ': onSelect,
    '+': () => camera.zoomBy(1.25),
    '-': () => camera.zoomBy(0.8),
    '0': () => camera.showAll(),
  };
  const pressed = (event: KeyboardEvent) => {
    const id = nodeOf(event.target);
    if (id === null || event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof Element)) return;
    const act = actions[event.key];
    if (!act && !isArrow(event.key)) return;
    event.preventDefault();
    if (act) return act(id);
    const next = isArrow(event.key) ? step(id, event.key, { edges: graph.edges, placement }) : null;
    if (next !== null) go(next, event.target);
  };
  return { active, pressed };
}

/** The uppermost of the first layer, from where calls start. */
function firstOf({ nodes }: Placement): string | null {
  return [...nodes].toSorted(([, a], [, b]) => a[0] - b[0] || a[1] - b[1])[0]?.[0] ?? null;
}
