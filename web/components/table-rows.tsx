import type { ComponentChildren } from 'preact';
import type { Column, DataTableProps } from './data-table.tsx';
import type { Explained } from './explained.ts';

/** Rows of a table that follow one another. */
interface RowsOf<Row> {
  readonly rows: readonly Row[];
  /** The row before the first. */
  readonly before?: Row | undefined;
  /** Place of the first in a table of which not all rows are drawn. */
  readonly start?: number;
}

/** Draws rows, and the names of the groups that they open. */
export function drawRows<Row>(table: DataTableProps<Row>, { rows, before, start = Number.NaN }: RowsOf<Row>) {
  const { columns, rowKey, rowExplanation } = table;
  return rows.flatMap((row, index) => {
    const key = rowKey(row);
    const group = openedGroup(table, row, rows[index - 1] ?? before);
    const drawn = (
      <tr key={key} data-row={key} aria-rowindex={start + index + 2 || undefined}>
        {cells(columns, row, rowExplanation?.(row))}
      </tr>
    );
    return group ? [<GroupHead key={`group ${group}`} name={group} table={table} />, drawn] : drawn;
  });
}

/** Name of the group that a row opens, else nothing. */
export function openedGroup<Row>({ groupOf }: DataTableProps<Row>, row: Row, before: Row | undefined): string {
  const group = groupOf?.(row) ?? '';
  return before !== undefined && groupOf?.(before) === group ? '' : group;
}

interface GroupHeadProps<Row> {
  readonly name: string;
  readonly table: DataTableProps<Row>;
}

function GroupHead<Row>({ name, table }: GroupHeadProps<Row>) {
  return (
    <tr class="group-head">
      <th scope="rowgroup" colSpan={table.columns.length}>
        {name} <span class="unit">{table.groupWords?.(name)}</span>
      </th>
    </tr>
  );
}

function cells<Row>(columns: readonly Column<Row>[], row: Row, explanation: Explained | undefined) {
  const shown: ComponentChildren[] = [];
  for (let index = 0; index < columns.length; ) {
    const column = columns[index];
    if (!column) break;
    const width = column.columns?.(row) ?? 1;
    shown.push(<Cell key={column.key} column={column} row={row} width={width} explanation={explanation} />);
    index += width;
  }
  return shown;
}

interface CellProps<Row> {
  readonly column: Column<Row>;
  readonly row: Row;
  readonly width: number;
  readonly explanation: Explained | undefined;
}

function Cell<Row>({ column, row, width, explanation }: CellProps<Row>) {
  const { key, title, unit = '', numeric = false } = column;
  const kind = `col-${key}${numeric ? ' numeric' : ''}${width > 1 ? ' wide' : ''}`;
  if (column.isHead) {
    return (
      <th scope="row" class={kind} {...explanation}>
        {column.cell(row)}
      </th>
    );
  }
  return (
    <td
      class={kind}
      {...(width > 1 && { colSpan: width, style: { '--span': width } })}
      data-label={title}
      data-unit={unit}
    >
      {column.cell(row)}
    </td>
  );
}
