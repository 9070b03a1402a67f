import type { TargetStatus, TargetsAnswer } from '../../../server/api/contract.ts';
import { api } from '../../api.ts';
import { DataTable } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import { explainedAlone } from '../../components/explained.ts';
import { HealthShape } from '../../components/health-shape.tsx';
import { ErrorNotice } from '../../components/notice.tsx';
import { SearchBox } from '../../components/search-box.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { SortChoice } from '../../components/sort-choice.tsx';
import { useTitle } from '../../components/title.ts';
import { targetRecord } from '../../export/records.ts';
import { useAnswer } from '../../state/answer.ts';
import { live } from '../../state/collector.ts';
import { changeView, location } from '../../state/router.ts';
import { NoTargets } from '../fleet/empty-fleet.tsx';
import { targetColumns, targetInWords } from './targets-columns.tsx';
import {
  addressOfTarget,
  exactly,
  orderTargets,
  searchTargets,
  searchWith,
  servicesOf,
  targetKey,
} from './targets-order.ts';

/** Every sidecar that is asked, and how that goes. */
export function TargetsPage() {
  const answer = useAnswer(api.targets()).value;
  const down = answer.data?.targets.filter(({ health }) => health === 'down').length ?? 0;
  useTitle(down > 0 ? `${down} down · Targets` : 'Targets');
  return (
    <div class="targets-page">
      <h1 class="page-title" tabIndex={-1}>
        Targets
      </h1>
      <ErrorNotice error={answer.error} />
      {answer.data ? <Targets answer={answer.data} /> : answer.error === null && <Skeleton label="targets" rows={8} />}
    </div>
  );
}

function Targets({ answer }: { readonly answer: TargetsAnswer }) {
  const { search, sort } = location.value.view;
  const rows = orderTargets(searchTargets(answer.targets, search), sort);
  if (answer.targets.length === 0 && answer.dropped.length === 0) return <NoTargets />;
  const now = live.latestTick.value?.at ?? Date.now();
  const columns = targetColumns(now);
  return (
    <>
      <FailingDiscovery states={answer.discovery} />
      <HealthCounts targets={answer.targets} search={search} />
      <div class="tools">
        <SearchBox label="Search targets" />
        <ServiceChoice targets={answer.targets} search={search} />
        <SortChoice columns={columns} own="Down first" sort={sort} />
        <p class="count" role="status">
          {rows.length === answer.targets.length
            ? `${rows.length} targets`
            : `${rows.length} of ${answer.targets.length} targets`}
        </p>
        <Download name="targets" records={() => rows.map(targetRecord)} />
      </div>
      <div class="rows-by-key">
        <DataTable
          name="targets-table"
          caption="Targets and their last scrape"
          captionHidden
          columns={columns}
          rows={rows}
          rowKey={targetKey}
          farName={(target) => addressOfTarget(target)}
          rowExplanation={(target) => explainedAlone(targetInWords(target))}
          sort={sort}
          onSort={(next) => changeView({ sort: next })}
        />
      </div>
      {rows.length === 0 && <p class="nothing">No target matches “{search}”.</p>}
      <Dropped dropped={answer.dropped} droppedTotal={answer.droppedTotal} />
    </>
  );
}

const SHAPES = { up: 'good', down: 'bad', unknown: 'unknown' } as const;
const WORDS = { up: 'up', down: 'down', unknown: 'not asked yet' } as const;

interface FilterProps {
  readonly targets: readonly TargetStatus[];
  readonly search: string;
}

/** How many targets do how well; pressed, only those are shown. */
function HealthCounts({ targets, search }: FilterProps) {
  const counts = (['up', 'down', 'unknown'] as const).map(
    (health) => [health, targets.filter((target) => target.health === health).length] as const,
  );
  return (
    <p class="health-counts">
      {counts
        .filter(([, amount]) => amount > 0)
        .map(([health, amount]) => (
          <button
            key={health}
            type="button"
            class="health-filter"
            aria-pressed={isAsked(search, 'health', health)}
            onClick={() => changeView({ search: toggled(search, 'health', health) })}
          >
            <HealthShape health={SHAPES[health]} words="" />
            {amount}
            <span class="unit"> {WORDS[health]}</span>
          </button>
        ))}
    </p>
  );
}

function isAsked(search: string, name: string, value: string): boolean {
  return search.split(/\s+/).includes(exactly(name, value));
}

function toggled(search: string, name: string, value: string): string {
  return searchWith(search, name, isAsked(search, name, value) ? null : value);
}

function ServiceChoice({ targets, search }: FilterProps) {
  const services = servicesOf(targets);
  if (services.length < 2) return null;
  return (
    <label class="service-choice">
      <span class="unseen">Service</span>
      <select
        value={services.find((service) => isAsked(search, 'service', service)) ?? ''}
        onChange={(event) => changeView({ search: searchWith(search, 'service', event.currentTarget.value || null) })}
      >
        <option value="">All services</option>
        {services.map((service) => (
          <option key={service} value={service}>
            {service}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Mechanisms that fail; what they found last is still asked. */
function FailingDiscovery({ states }: { readonly states: TargetsAnswer['discovery'] }) {
  const failing = states.filter(({ error }) => error !== '');
  if (failing.length === 0) return null;
  return (
    <ul class="failing-discovery" role="status">
      {failing.map(({ name, error }) => (
        <li key={name}>
          <b>{name}</b> <span class="error-text">{error}</span>
        </li>
      ))}
    </ul>
  );
}

function Dropped({ dropped, droppedTotal }: Pick<TargetsAnswer, 'dropped' | 'droppedTotal'>) {
  if (dropped.length === 0) return null;
  return (
    <details class="dropped">
      <summary>{droppedTotal} discovered but not asked</summary>
      <ul>
        {dropped.map(({ discoveredLabels, reason }) => (
          <li key={JSON.stringify(discoveredLabels)}>
            <b>{discoveredLabels.__address__ ?? ''}</b> {reason}
          </li>
        ))}
      </ul>
      {droppedTotal > dropped.length && <p>and {droppedTotal - dropped.length} more</p>}
    </details>
  );
}
