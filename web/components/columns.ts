/** Which columns a table shows, and in what order of its rows. Pure. */

import type { Sort } from '../state/url.ts';
import type { Column } from './data-table.tsx';

/**
 * The columns that are not hidden. A cell that takes the place of several takes only that of those still shown.
 */
export function shownColumns<Row>(columns: readonly Column<Row>[], hidden: readonly string[]): Column<Row>[] {
  const isShown = ({ key, isHead }: Column<Row>) => isHead === true || !hidden.includes(key);
  return columns.flatMap((column, index) => {
    if (!isShown(column)) return [];
    const { columns: width } = column;
    if (!width) return [column];
    return [{ ...column, columns: (row: Row) => columns.slice(index, index + width(row)).filter(isShown).length }];
  });
}

/** First the column's natural direction, then the other, then the table's own order again. */
export function nextSort(column: Pick<Column<never>, 'key' | 'sortable'>, sort: Sort | null): Sort | null {
  const natural = column.sortable === 'descending';
  if (sort?.column !== column.key) return { column: column.key, descending: natural };
  return sort.descending === natural ? { column: column.key, descending: !natural } : null;
}
