import { useEffect, useMemo, useState } from 'preact/hooks';
import { printing } from '../../state/printing.ts';
import { location } from '../../state/router.ts';
import type { Placement } from './geometry.ts';
import { type Graph, type GraphEdge, neighboursOf } from './graph.ts';
import { EdgeLabel, EdgeLine, HEALTH_WORDS, NodeBox, widthOf } from './graph-parts.tsx';
import { GraphTools } from './graph-tools.tsx';
import { useCamera } from './use-camera.ts';
import { useGraphKeys } from './use-graph-keys.ts';

interface GraphViewProps {
  readonly graph: Graph;
  readonly placement: Placement;
  /** Way of looking, which the sight is kept for. */
  readonly name: string;
  /** Nodes that a search finds; null while nothing is searched. */
  readonly found: ReadonlySet<string> | null;
  onSelect(id: string): void;
  onOpen(id: string): void;
}

/** More labels than these at once would only hide each other. */
const MOST_LABELS = 14;
/** So many lines are drawn fainter, for what fails to stand out. */
const MANY_EDGES = 150;
/** What is pressed stays where it is until it is clear that it is not pressed twice. */
const DOUBLE_CLICK_MS = 300;
/** From this scale down names could not be read. */
const READABLE_SCALE = 0.45;

/** The drawn topology. The node with the focus, else the selected one, has its calls labelled and all else stepped back. */
export function GraphView({ graph, placement, name, found, onSelect, onOpen }: GraphViewProps) {
  const { focus } = location.value.view;
  const [near, setNear] = useState<string | null>(null);
  const [edge, setEdge] = useState<string | null>(null);
  const camera = useCamera(placement, name);
  const keys = useGraphKeys({ graph, placement, camera, onSelect, onOpen });
  const closely = near ?? (graph.nodes.some(({ id }) => id === focus) ? focus : null);
  const chosen = found?.size === 1 ? ([...found][0] ?? '') : focus;
  useEffect(() => {
    const place = placement.nodes.get(chosen);
    if (!place) return;
    const around = [...neighboursOf(graph.edges, chosen)].map((id) => placement.nodes.get(id) ?? place);
    const timer = setTimeout(() => camera.lookAt(place, around), DOUBLE_CLICK_MS);
    return () => clearTimeout(timer);
  }, [chosen, placement]);
  const drawn = useGradually(graph.edges.length, placement);
  const scene = useMemo(
    () => <Scene {...{ graph, placement, found, closely, edge, selected: focus, active: keys.active, drawn }} />,
    [graph, placement, found, closely, edge, focus, keys.active, drawn],
  );
  // A sheet has another size than the window, and nobody can move what is on it: it shows all.
  const onPaper = printing.value;
  const pointed = (event: PointerEvent) => {
    setNear(nodeOf(event.target));
    setEdge(edgeOf(event.target));
  };
  const left = () => {
    setNear(null);
    setEdge(null);
  };
  return (
    <div
      class={`graph${camera.at.scale < READABLE_SCALE && !onPaper ? ' far' : ''}${graph.edges.length > MANY_EDGES ? ' dense' : ''}${camera.at.glides ? ' glides' : ''}${onPaper ? '' : camera.more.map((side) => ` more-${side}`).join('')}`}
      ref={camera.box}
      onFocusIn={(event) => setNear(nodeOf(event.target))}
      onFocusOut={left}
    >
      <svg
        class="graph-drawing"
        viewBox={onPaper ? `0 0 ${placement.width} ${placement.height}` : undefined}
        onPointerOver={pointed}
        onClick={(event) => {
          const id = nodeOf(event.target);
          if (id !== null && !camera.dragged()) onSelect(id);
        }}
        onDblClick={(event) => {
          const id = nodeOf(event.target);
          if (id !== null) onOpen(id);
        }}
        onKeyDown={keys.pressed}
        {...camera.handlers}
        onPointerLeave={(event) => {
          left();
          camera.handlers.onPointerLeave(event);
        }}
      >
        <title>Who calls whom</title>
        <g transform={onPaper ? '' : `translate(${camera.at.x} ${camera.at.y}) scale(${camera.at.scale})`}>{scene}</g>
      </svg>
      <GraphTools camera={camera} />
    </div>
  );
}

export function nodeOf(target: EventTarget | null): string | null {
  return (target instanceof Element && target.closest<SVGElement>('[data-node]')?.dataset.node) || null;
}

function edgeOf(target: EventTarget | null): string | null {
  return (target instanceof Element && target.closest<SVGElement>('[data-edge]')?.dataset.edge) || null;
}

/** Many edges come frame by frame, so that no frame takes long. */
function useGradually(total: number, placement: Placement): number {
  const [drawn, setDrawn] = useState({ placement, edges: EDGES_A_FRAME });
  const edges = drawn.placement === placement ? drawn.edges : EDGES_A_FRAME;
  useEffect(() => {
    if (edges >= total) return;
    const frame = requestAnimationFrame(() => setDrawn({ placement, edges: edges + EDGES_A_FRAME }));
    return () => cancelAnimationFrame(frame);
  }, [edges, total, placement]);
  return Math.min(edges, total);
}

const EDGES_A_FRAME = 120;

interface SceneProps {
  readonly graph: Graph;
  readonly placement: Placement;
  readonly found: ReadonlySet<string> | null;
  readonly closely: string | null;
  readonly edge: string | null;
  readonly selected: string;
  readonly active: string | null;
  /** How many edges are drawn so far. */
  readonly drawn: number;
}

function Scene({ graph, placement, found, closely, edge, selected, active, drawn }: SceneProps) {
  const busiest = Math.max(0, ...graph.edges.map(({ requestRate }) => requestRate ?? 0));
  const shown = closely === null ? found : neighboursOf(graph.edges, closely);
  const isOf = ({ source, target }: GraphEdge) => source === closely || target === closely;
  const edgeKind = (each: GraphEdge) => {
    if (each.id === edge || (closely !== null && isOf(each))) return 'near';
    if (closely !== null) return 'away';
    return found && !found.has(each.source) && !found.has(each.target) ? 'away' : '';
  };
  return (
    <>
      {graph.edges.slice(0, drawn).map((each) => {
        const points = placement.edges.get(each.id) ?? [];
        return (
          <EdgeLine
            key={each.id}
            edge={each}
            points={points}
            width={widthOf(each.requestRate, busiest)}
            kind={edgeKind(each)}
          />
        );
      })}
      {graph.nodes.map((node) => (
        <NodeBox
          key={node.id}
          node={node}
          at={placement.nodes.get(node.id) ?? [0, 0]}
          kind={shown && !shown.has(node.id) ? 'away' : ''}
          reachable={node.id === active}
          selected={node.id === selected}
          words={`${node.name}${node.namespace && node.services === 1 ? `, namespace ${node.namespace}` : ''}: ${HEALTH_WORDS[node.health]}`}
        />
      ))}
      {labelled(graph.edges, closely, edge).map((each) => (
        <EdgeLabel
          key={each.id}
          edge={each}
          points={placement.edges.get(each.id) ?? []}
          at={placement.labels.get(each.id)}
        />
      ))}
    </>
  );
}

/** Calls of what is looked at closely, else all where there are few, else those that fail: the worst and busiest first. */
function labelled(edges: readonly GraphEdge[], closely: string | null, pointed: string | null): readonly GraphEdge[] {
  const wanted = edges.filter(({ id, source, target, health }) => {
    if (id === pointed) return true;
    if (closely !== null) return source === closely || target === closely;
    return health === 'bad' || edges.length <= MOST_LABELS;
  });
  const weight = ({ id, health, requestRate }: GraphEdge) =>
    (id === pointed ? 1e15 : 0) + (health === 'bad' ? 1e12 : 0) + (requestRate ?? 0);
  return wanted.toSorted((a, b) => weight(b) - weight(a)).slice(0, MOST_LABELS);
}
