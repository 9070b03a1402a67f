import { changeView } from '../state/router.ts';
import type { Sort } from '../state/url.ts';
import type { Column } from './data-table.tsx';

interface SortChoiceProps<Row> {
  readonly columns: readonly Column<Row>[];
  /** What the table's own order is called. */
  readonly own: string;
  readonly sort: Sort | null;
}

/** The order of a table, for narrow pages, where the column heads are not shown. */
export function SortChoice<Row>({ columns, own, sort }: SortChoiceProps<Row>) {
  const choose = (key: string) => {
    const column = columns.find((each) => each.key === key);
    changeView({ sort: column ? { column: key, descending: column.sortable === 'descending' } : null });
  };
  return (
    <label class="sort-choice">
      <span class="unseen">Order</span>
      <select value={sort?.column ?? ''} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">{own}</option>
        {columns
          .filter(({ sortable }) => sortable)
          .map(({ key, title }) => (
            <option key={key} value={key}>
              By {title}
            </option>
          ))}
      </select>
    </label>
  );
}
