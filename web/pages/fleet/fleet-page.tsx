import { useMemo, useRef, useState } from 'preact/hooks';
import { api } from '../../api.ts';
import { shownColumns } from '../../components/columns.ts';
import { DataTable } from '../../components/data-table.tsx';
import { readsWellInMilliseconds } from '../../components/figure-columns.tsx';
import { ErrorNotice } from '../../components/notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useTitle } from '../../components/title.ts';
import { judge } from '../../figures/health.ts';
import { windowInWords } from '../../format/time.ts';
import type { ListedService, ListedServices } from '../../listed-service.ts';
import { useAnswer } from '../../state/answer.ts';
import { graceMs, paused, stepFor, timeSpan } from '../../state/collector.ts';
import { changeView, location } from '../../state/router.ts';
import type { Group } from '../../state/url.ts';
import { TREND_POINTS } from '../../state/window.ts';
import { EmptyFleet, WaitingNotice } from './empty-fleet.tsx';
import { changeValues, useBefore } from './fleet-before.ts';
import { fleetColumns } from './fleet-columns.tsx';
import { FleetTools } from './fleet-tools.tsx';
import { MeshStrip } from './mesh-strip.tsx';
import { groupOf, groupServices, holdOrder, orderServices, searchServices, serviceKey } from './order.ts';
import { meshTotals } from './totals.ts';
import { readTrends, type Trends } from './trends.ts';

/** Every service, worst first. */
export function FleetPage() {
  const span = timeSpan.value;
  const step = stepFor(TREND_POINTS);
  const services = useAnswer(api.services(span)).value;
  // Asked for in this order the collector tells the rates from what it read for the latencies.
  const latencies = useAnswer(api.trends('latency_p99', span, step), step.ms).value;
  const rates = useAnswer(api.trends('request_rate', span, step), step.ms).value;
  const grace = graceMs.value;
  const trends = useMemo(
    () => rates.data && readTrends(rates.data, latencies.data, grace),
    [rates.data, latencies.data, grace],
  );
  const failing = services.data ? meshTotals(services.data.services).byHealth.bad : 0;
  useTitle(failing > 0 ? `${failing} failing · Fleet` : 'Fleet');

  return (
    <div class="fleet" aria-busy={services.outdated}>
      <h1 class="unseen" tabIndex={-1}>
        Fleet
      </h1>
      <ErrorNotice error={services.error} />
      {services.data ? (
        <Fleet answer={services.data} trends={trends} isPast={paused.value || services.outdated} />
      ) : (
        services.error === null && <Skeleton label="services" rows={8} />
      )}
    </div>
  );
}

interface FleetProps {
  readonly answer: ListedServices;
  readonly trends: Trends | null;
  /** Whether the answer's time does not end now. */
  readonly isPast: boolean;
}

function Fleet({ answer, trends, isPast }: FleetProps) {
  const { search, sort, group, hidden } = location.value.view;
  const before = useBefore(answer);
  const window = windowInWords(answer.windowMs, isPast ? answer.at : null);
  const found = searchServices(answer.services, search);
  const ordered = groupServices(orderServices(found, sort, changeValues(before)), group);
  const asked = JSON.stringify([search, sort, group]);
  const { rows, hold } = useHeldOrder(ordered, asked);
  const columns = useMemo(
    () => fleetColumns({ window, inMilliseconds: readsWellInMilliseconds(answer.services), trends, before }),
    [window, answer, trends, before],
  );
  const columnsShown = useMemo(() => shownColumns(columns, hidden), [columns, hidden]);
  if (answer.services.length === 0) return <EmptyFleet />;
  return (
    <>
      <WaitingNotice answer={answer} />
      <MeshStrip services={answer.services} window={window} trend={trends?.total ?? null} />
      <FleetTools columns={columns} rows={rows} total={answer.services.length} before={before} />
      <div class="rows-by-key" {...hold}>
        <DataTable
          name={before ? 'fleet-table compared' : 'fleet-table'}
          caption={`Services over the last ${window}`}
          captionHidden
          columns={columnsShown}
          farName={({ service }) => service}
          rows={rows}
          rowKey={serviceKey}
          sort={sort}
          onSort={(next) => changeView({ sort: next })}
          {...(group === '' ? {} : grouping(rows, group))}
        />
      </div>
      {rows.length === 0 && <p class="nothing">No service matches “{search}”.</p>}
    </>
  );
}

/** Groups with how many services each has, and how many of those are failing. */
function grouping(rows: readonly ListedService[], group: Exclude<Group, ''>) {
  const counts = new Map<string, { services: number; failing: number }>();
  for (const service of rows) {
    const name = groupOf(service, group);
    const { services, failing } = counts.get(name) ?? { services: 0, failing: 0 };
    counts.set(name, { services: services + 1, failing: failing + (judge(service).health === 'bad' ? 1 : 0) });
  }
  return {
    groupOf: (service: ListedService) => groupOf(service, group),
    groupWords: (name: string) => {
      const { services, failing } = counts.get(name) ?? { services: 0, failing: 0 };
      return `${services} service${services === 1 ? '' : 's'}${failing > 0 ? `, ${failing} failing` : ''}`;
    },
  };
}

/** While the reader points at a row or has one focused, rows stay where they are and only their figures change. */
function useHeldOrder(ordered: readonly ListedService[], asked: string) {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const held = useRef({ asked: '', keys: [] as string[] });
  const holds = (pointed || focused) && held.current.asked === asked;
  const rows = holds ? holdOrder(ordered, held.current.keys) : ordered;
  held.current = { asked, keys: rows.map(serviceKey) };
  const hold = {
    onPointerEnter: () => setPointed(true),
    onPointerLeave: () => setPointed(false),
    onFocusIn: () => setFocused(true),
    onFocusOut: () => setFocused(false),
  };
  return { rows, hold };
}
