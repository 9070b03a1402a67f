import { useMemo, useRef, useState } from 'preact/hooks';
import type { ServiceSummary, ServicesAnswer } from '../../../server/api/contract.ts';
import { api } from '../../api.ts';
import { DataTable } from '../../components/data-table.tsx';
import { readsWellInMilliseconds } from '../../components/figure-columns.tsx';
import { useMoreRows } from '../../components/more-rows.tsx';
import { ErrorNotice } from '../../components/notice.tsx';
import { SearchBox } from '../../components/search-box.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { SortChoice } from '../../components/sort-choice.tsx';
import { useTitle } from '../../components/title.ts';
import { spanInWords } from '../../format/time.ts';
import { useAnswer } from '../../state/answer.ts';
import { graceMs, scrapeIntervalMs, timeSpan } from '../../state/collector.ts';
import { changeView, location } from '../../state/router.ts';
import { chooseStep, TREND_POINTS } from '../../state/window.ts';
import { EmptyFleet, WaitingNotice } from './empty-fleet.tsx';
import { fleetColumns } from './fleet-columns.tsx';
import { MeshStrip } from './mesh-strip.tsx';
import { holdOrder, orderServices, searchServices, serviceKey } from './order.ts';
import { meshTotals } from './totals.ts';
import { readTrends, type Trends } from './trends.ts';

/** Every service, worst first. */
export function FleetPage() {
  const span = timeSpan.value;
  const step = chooseStep({
    windowMs: span.windowMs,
    scrapeIntervalMs: scrapeIntervalMs.value,
    mostPoints: TREND_POINTS,
  });
  const services = useAnswer(api.services(span)).value;
  const rates = useAnswer(api.trends('request_rate', span, step.step), step.ms).value;
  const latencies = useAnswer(api.trends('latency_p99', span, step.step), step.ms).value;
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
        <Fleet answer={services.data} trends={trends} />
      ) : (
        services.error === null && <Skeleton label="services" rows={8} />
      )}
    </div>
  );
}

interface FleetProps {
  readonly answer: ServicesAnswer;
  readonly trends: Trends | null;
}

function Fleet({ answer, trends }: FleetProps) {
  const { search, sort } = location.value.view;
  const window = spanInWords(answer.windowMs);
  const ordered = orderServices(searchServices(answer.services, search), sort);
  const asked = JSON.stringify([search, sort]);
  const { rows, hold } = useHeldOrder(ordered, asked);
  const { shown, more } = useMoreRows(rows, asked, serviceKey);
  if (answer.services.length === 0) return <EmptyFleet />;
  const columns = fleetColumns({ window, inMilliseconds: readsWellInMilliseconds(answer.services), trends });
  return (
    <>
      <WaitingNotice answer={answer} />
      <MeshStrip services={answer.services} window={window} trend={trends?.total ?? null} />
      <div class="tools">
        <SearchBox label="Search services" />
        <SortChoice columns={columns} own="Worst first" sort={sort} />
        <p class="count" role="status">
          {rows.length === answer.services.length
            ? `${rows.length} services`
            : `${rows.length} of ${answer.services.length} services`}
        </p>
      </div>
      <div class="rows-by-key" {...hold}>
        <DataTable
          name="fleet-table"
          caption={`Services over the last ${window}`}
          captionHidden
          columns={columns}
          rows={shown}
          rowKey={serviceKey}
          sort={sort}
          onSort={(next) => changeView({ sort: next })}
        />
        {more}
      </div>
      {rows.length === 0 && <p class="nothing">No service matches “{search}”.</p>}
    </>
  );
}

/** While the reader points at a row or has one focused, rows stay where they are and only their figures change. */
function useHeldOrder(ordered: readonly ServiceSummary[], asked: string) {
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
