import { type Column, DataTable } from '../../components/data-table.tsx';
import { explainedAlone, explainedByPointer } from '../../components/explained.ts';
import { Figure } from '../../components/figure.tsx';
import { HealthShape } from '../../components/health-shape.tsx';
import { count, milliseconds, rate, share } from '../../format/number.ts';
import { addressOf, changeView, location } from '../../state/router.ts';
import { orderEdges } from './edge-order.ts';
import type { Graph, GraphEdge, GraphNode } from './graph.ts';
import { HEALTH_WORDS } from './graph-parts.tsx';
import { edgeInWords, isLowerBound, percentileName } from './words.ts';

interface EdgeTableProps {
  readonly graph: Graph;
  readonly found: readonly GraphNode[];
  readonly window: string;
  readonly grouping: 'service' | 'namespace';
}

/** The calls as rows: everything that the drawing shows. */
export function EdgeTable({ graph, found, window, grouping }: EdgeTableProps) {
  const { sort, search } = location.value.view;
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const wanted = new Set(found.map(({ id }) => id));
  const rows = orderEdges(
    graph.edges.filter(({ source, target }) => wanted.has(source) || wanted.has(target)),
    sort,
  );
  const key = (edge: GraphEdge) => edge.id;
  const nameOf = (id: string) => nodes.get(id)?.name ?? id;
  return (
    <div class="rows-by-key">
      <DataTable
        name="edge-table"
        caption={`Calls over the last ${window}, as the callers measured them`}
        columns={edgeColumns(nodes, grouping)}
        rows={rows}
        rowKey={key}
        farName={({ source, target }) => `${nameOf(source)} → ${nameOf(target)}`}
        {...(grouping === 'service'
          ? {}
          : { rowExplanation: (edge: GraphEdge) => explainedAlone(edgeInWords(edge, window)) })}
        sort={sort}
        onSort={(next) => changeView({ sort: next })}
      />
      {rows.length === 0 && <p class="nothing">No call matches “{search}”.</p>}
    </div>
  );
}

function edgeColumns(nodes: ReadonlyMap<string, GraphNode>, grouping: string): Column<GraphEdge>[] {
  const name = (id: string) => {
    const node = nodes.get(id);
    if (!node || grouping === 'namespace') return node?.name ?? id;
    return (
      <>
        <a href={addressOf({ name: 'service', service: node.name, namespace: node.namespace })}>{node.name}</a>{' '}
        <span class="namespace">{node.namespace}</span>
      </>
    );
  };
  return [
    {
      key: 'source',
      width: 'minmax(160px, 35fr)',
      title: 'Caller',
      isHead: true,
      sortable: 'ascending',
      cell: (edge) => (
        <>
          <HealthShape health={edge.health} words={HEALTH_WORDS[edge.health]} /> {name(edge.source)}
        </>
      ),
    },
    {
      key: 'target',
      width: 'minmax(140px, 35fr)',
      title: 'Called',
      sortable: 'ascending',
      cell: (edge) => name(edge.target),
    },
    {
      key: 'rate',
      width: 'minmax(88px, 10fr)',
      title: 'Rate',
      numeric: true,
      sortable: 'descending',
      cell: ({ requestRate, requests }) => (
        <Figure
          quantity={rate(requestRate)}
          words={requestRate === null ? 'nothing measured' : `${count(requests)} requests`}
        />
      ),
    },
    {
      key: 'errors',
      width: 'minmax(80px, 10fr)',
      title: 'Failing',
      numeric: true,
      sortable: 'descending',
      meaning: 'Share of requests that failed: a 5xx or a gRPC status other than 0',
      cell: ({ errorRate }) => (
        <Figure quantity={share(errorRate)} words={errorRate === null ? 'the share of failures is not known' : ''} />
      ),
    },
    {
      key: 'p95',
      width: 'minmax(88px, 10fr)',
      title: grouping === 'namespace' ? 'Slowest p95' : 'p95',
      numeric: true,
      sortable: 'descending',
      cell: (edge) => (
        <span {...explainedByPointer(`${percentileName(edge)} as the caller’s cluster answered`)}>
          <Figure
            quantity={milliseconds(edge.p95)}
            words={edge.p95 === null ? 'too little measured' : ''}
            capped={isLowerBound(edge)}
          />
        </span>
      ),
    },
  ];
}
