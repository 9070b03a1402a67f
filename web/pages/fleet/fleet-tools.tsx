import { ColumnChoice } from '../../components/column-choice.tsx';
import type { Column } from '../../components/data-table.tsx';
import { Download } from '../../components/download.tsx';
import { SearchBox } from '../../components/search-box.tsx';
import { SortChoice } from '../../components/sort-choice.tsx';
import { serviceRecord } from '../../export/records.ts';
import type { ListedService } from '../../listed-service.ts';
import { changeView, location } from '../../state/router.ts';
import { GROUPS } from '../../state/url.ts';
import type { Before } from './fleet-columns.tsx';

interface FleetToolsProps {
  readonly columns: readonly Column<ListedService>[];
  /** All that match the search. */
  readonly rows: readonly ListedService[];
  readonly total: number;
  readonly before: Before | null;
}

/** Search, order, groups and columns of the fleet, and a way to take it along. */
export function FleetTools({ columns, rows, total, before }: FleetToolsProps) {
  const { sort } = location.value.view;
  return (
    <div class="tools">
      <SearchBox label="Search services" />
      <SortChoice columns={columns} own="Worst first" sort={sort} />
      <GroupChoice />
      <ColumnChoice columns={columns} />
      <p class="count" role="status">
        {rows.length === total ? `${total} services` : `${rows.length} of ${total} services`}
      </p>
      <Download
        name="fleet"
        records={() => rows.map((row) => (before ? serviceRecord(row, before.of(row)) : serviceRecord(row)))}
      />
    </div>
  );
}

function GroupChoice() {
  return (
    <label class="group-choice">
      <span class="unit">Group</span>{' '}
      <select
        value={location.value.view.group}
        onChange={({ currentTarget: { value } }) =>
          changeView({ group: GROUPS.find((known) => known === value) ?? '' })
        }
      >
        <option value="">none</option>
        {GROUPS.map((group) => (
          <option key={group} value={group}>
            {group}
          </option>
        ))}
      </select>
    </label>
  );
}
