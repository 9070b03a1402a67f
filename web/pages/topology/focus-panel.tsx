import { Figure } from '../../components/figure.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { rate, share, text } from '../../format/number.ts';
import { addressOf, changeView } from '../../state/router.ts';
import type { Graph, GraphEdge, GraphNode } from './graph.ts';
import { HEALTH_WORDS } from './graph-parts.tsx';
import { edgeInWords } from './words.ts';

interface FocusPanelProps {
  readonly graph: Graph;
  readonly focus: string;
  readonly only: boolean;
  readonly grouping: 'service' | 'namespace';
  readonly window: string;
  onOpen(id: string): void;
}

/** What is selected, who calls it and whom it calls. */
export function FocusPanel({ graph, focus, only, grouping, window, onOpen }: FocusPanelProps) {
  const node = graph.nodes.find(({ id }) => id === focus);
  if (!node) return null;
  const names = new Map(graph.nodes.map((each) => [each.id, each.name]));
  const callers = graph.edges.filter(({ target, source }) => target === focus && source !== focus);
  const called = graph.edges.filter(({ source, target }) => source === focus && target !== focus);
  return (
    <section class="panel focus-panel" aria-label={`Selected: ${node.name}`}>
      <div class="panel-head">
        <HealthShape health={node.health} words={HEALTH_WORDS[node.health]} />
        <h2>
          <NodeName node={node} grouping={grouping} onOpen={onOpen} />{' '}
          {grouping === 'service' && <span class="namespace">{node.namespace}</span>}{' '}
          <Figure quantity={rate(node.requestRate)} words="nothing measured" />
        </h2>
        <button type="button" class="small" aria-pressed={only} onClick={() => changeView({ only: !only })}>
          Only neighbours
        </button>
        <button type="button" class="small" onClick={() => changeView({ focus: '', only: false })}>
          Let go
        </button>
      </div>
      <div class="neighbours">
        <Neighbours
          title="Called by"
          edges={callers}
          nameOf={(edge) => [edge.source, names.get(edge.source)]}
          window={window}
        />
        <Neighbours
          title="Calls"
          edges={called}
          nameOf={(edge) => [edge.target, names.get(edge.target)]}
          window={window}
        />
      </div>
    </section>
  );
}

interface NodeNameProps {
  readonly node: GraphNode;
  readonly grouping: 'service' | 'namespace';
  onOpen(id: string): void;
}

function NodeName({ node, grouping, onOpen }: NodeNameProps) {
  if (grouping === 'service')
    return <a href={addressOf({ name: 'service', service: node.name, namespace: node.namespace })}>{node.name}</a>;
  return (
    <button type="button" class="link" onClick={() => onOpen(node.id)}>
      {node.name}
    </button>
  );
}

interface NeighboursProps {
  readonly title: string;
  readonly edges: readonly GraphEdge[];
  readonly window: string;
  nameOf(edge: GraphEdge): readonly [id: string, name: string | undefined];
}

const MOST_SHOWN = 8;

function Neighbours({ title, edges, window, nameOf }: NeighboursProps) {
  const sorted = edges.toSorted((a, b) => (b.requestRate ?? 0) - (a.requestRate ?? 0));
  return (
    <p>
      <span class="unit">{title} </span>
      {sorted.length === 0 && <span class="unit">nobody that is known</span>}
      {sorted.slice(0, MOST_SHOWN).map((edge) => {
        const [id, name] = nameOf(edge);
        return (
          <span key={edge.id} class="neighbour" data-hint={edgeInWords(edge, window)}>
            <HealthShape health={edge.health} words={HEALTH_WORDS[edge.health]} />{' '}
            <button type="button" class="link" onClick={() => changeView({ focus: id })}>
              {name ?? id}
            </button>{' '}
            <span class="unit">
              {text(rate(edge.requestRate))}
              {edge.errorRate !== null && edge.errorRate > 0 && ` · ${text(share(edge.errorRate))} failing`}
            </span>
          </span>
        );
      })}
      {sorted.length > MOST_SHOWN && <span class="unit">and {sorted.length - MOST_SHOWN} more</span>}
    </p>
  );
}
