import '../../styles/topology.css';
import { useEffect, useMemo } from 'preact/hooks';
import { api } from '../../api.ts';
import { Download } from '../../components/download.tsx';
import { narrow } from '../../components/narrow.ts';
import { ErrorNotice } from '../../components/notice.tsx';
import { SearchBox } from '../../components/search-box.tsx';
import { isTaken } from '../../components/shortcuts.ts';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { spanInWords } from '../../format/time.ts';
import type { ListedCalls } from '../../listed-call.ts';
import { useAnswer } from '../../state/answer.ts';
import { timeSpan } from '../../state/collector.ts';
import { changeView, location, openPage } from '../../state/router.ts';
import { EmptyFleet } from '../fleet/empty-fleet.tsx';
import { EdgeTable } from './edge-table.tsx';
import { FocusPanel } from './focus-panel.tsx';
import { type Graph, groupingOf, namespaceGraph, neighbourhood, searchNodes, serviceGraph } from './graph.ts';
import { GraphView } from './graph-view.tsx';
import { usePlacement } from './placement.ts';

/** Who calls whom. */
export function TopologyPage() {
  const span = timeSpan.value;
  const topology = useAnswer(api.topology(span)).value;
  const services = useAnswer(api.services(span)).value;
  useTitle(location.value.view.focus === '' ? 'Topology' : `${location.value.view.focus} · Topology`);
  const whole = useMemo(
    () => topology.data && serviceGraph(topology.data, services.data?.services ?? []),
    [topology.data, services.data],
  );
  return (
    <div class="topology" aria-busy={topology.outdated}>
      <h1 class="page-title" tabIndex={-1}>
        Topology
      </h1>
      <ErrorNotice error={topology.error} />
      {topology.data && whole ? (
        <Topology answer={topology.data} whole={whole} />
      ) : (
        topology.error === null && <Skeleton label="topology" rows={8} />
      )}
    </div>
  );
}

interface TopologyProps {
  readonly answer: ListedCalls;
  readonly whole: Graph;
}

const TABLE = 'calls';

function Topology({ answer, whole }: TopologyProps) {
  const { view } = location.value;
  const grouping = groupingOf(answer, view.nodes);
  const graph = useMemo(() => shownGraph(whole, grouping, view), [whole, grouping, view.focus, view.only]);
  const found = useMemo(() => searchNodes(graph.nodes, view.search), [graph, view.search]);
  const asTable = view.tables.includes(TABLE);
  useEscape();
  if (answer.nodes.length === 0) return <EmptyFleet />;
  const window = spanInWords(answer.windowMs);
  const known = graph.nodes.some(({ id }) => id === view.focus);
  const looking = JSON.stringify([grouping, view.only && known ? view.focus : '']);
  const select = (id: string) =>
    changeView(view.focus === id ? { focus: '', only: false } : { focus: id, only: view.only });
  const open = (id: string) => {
    const node = graph.nodes.find((each) => each.id === id);
    if (!node) return;
    if (grouping === 'service') openPage({ name: 'service', service: node.name, namespace: node.namespace });
    else changeView({ nodes: 'service', search: id, focus: '', only: false });
  };
  return (
    <>
      <div class="tools">
        <SearchBox label={grouping === 'service' ? 'Search services' : 'Search namespaces'} />
        <GroupChoice grouping={grouping} />
        <button
          type="button"
          class="small"
          aria-pressed={asTable}
          aria-label="Calls as a table"
          onClick={() => changeView({ tables: asTable ? [] : [TABLE] }, { replace: true })}
        >
          Table
        </button>
        <p class="count" role="status">
          {countInWords(graph, found.length, grouping, view.search)}
        </p>
        <Download name="calls" records={() => graph.edges.flatMap(({ calls }) => calls)} />
      </div>
      {view.focus !== '' && !known && (
        <p class="nothing">
          Nothing here is called “{view.focus}”.{' '}
          <button type="button" class="link" onClick={() => changeView({ focus: '', only: false })}>
            Show everything
          </button>
        </p>
      )}
      {known && (
        <FocusPanel
          graph={graph}
          focus={view.focus}
          only={view.only}
          grouping={grouping}
          window={window}
          onOpen={open}
        />
      )}
      {!asTable && (
        <PlacedGraph
          name={looking}
          graph={graph}
          found={view.search === '' ? null : new Set(found.map(({ id }) => id))}
          onSelect={select}
          onOpen={open}
        />
      )}
      {(asTable || narrow.value) && graph.edges.length > 0 && (
        <EdgeTable graph={graph} found={found} window={window} grouping={grouping} />
      )}
      {graph.edges.length === 0 && <p class="nothing">No calls in the last {window}.</p>}
    </>
  );
}

function shownGraph(whole: Graph, grouping: 'service' | 'namespace', view: { focus: string; only: boolean }): Graph {
  const grouped = grouping === 'service' ? whole : namespaceGraph(whole);
  const known = grouped.nodes.some(({ id }) => id === view.focus);
  return view.only && known ? neighbourhood(grouped, view.focus) : grouped;
}

function countInWords({ nodes, edges }: Graph, found: number, grouping: string, search: string): string {
  const things = grouping === 'service' ? 'services' : 'namespaces';
  return `${search === '' ? '' : `${found} of `}${nodes.length} ${things}, ${edges.length} calls between them`;
}

interface PlacedGraphProps {
  readonly name: string;
  readonly graph: Graph;
  readonly found: ReadonlySet<string> | null;
  onSelect(id: string): void;
  onOpen(id: string): void;
}

function PlacedGraph({ name, graph, found, onSelect, onOpen }: PlacedGraphProps) {
  const { placement, failed } = usePlacement(name, graph);
  if (placement)
    return (
      <GraphView name={name} graph={graph} placement={placement} found={found} onSelect={onSelect} onOpen={onOpen} />
    );
  return (
    <div class="graph">
      {failed ? (
        <p class="nothing">This browser could not lay the graph out. The table shows the same calls.</p>
      ) : (
        <Skeleton label="the layout" rows={8} />
      )}
    </div>
  );
}

function GroupChoice({ grouping }: { readonly grouping: 'service' | 'namespace' }) {
  return (
    <fieldset class="choices">
      <legend class="unseen">One box for each</legend>
      {(['service', 'namespace'] as const).map((group) => (
        <button
          key={group}
          type="button"
          aria-pressed={grouping === group}
          onClick={() => changeView({ nodes: group, focus: '', only: false })}
        >
          {group === 'service' ? 'Services' : 'Namespaces'}
        </button>
      ))}
    </fieldset>
  );
}

/** Escape lets go of what is selected. */
function useEscape(): void {
  useEffect(() => {
    const stop = new AbortController();
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || isTaken(event) || location.peek().view.focus === '') return;
      changeView({ focus: '', only: false });
    };
    document.addEventListener('keydown', pressed, { signal: stop.signal });
    return () => stop.abort();
  }, []);
}
