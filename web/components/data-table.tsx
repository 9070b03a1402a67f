import type { ComponentChildren } from 'preact';
import type { Sort } from '../state/url.ts';
import { nextSort } from './columns.ts';
import { type Explained, explained } from './explained.ts';
import { LongBody } from './long-body.tsx';
import { drawRows } from './table-rows.tsx';

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** Unit of all figures below. */
  readonly unit?: string;
  /** What the column means. */
  readonly meaning?: string;
  readonly numeric?: boolean;
  /** In a table that may be long: its width, as a track of a grid. */
  readonly width?: string;
  /** The name of the row. */
  readonly isHead?: boolean;
  readonly sortable?: 'ascending' | 'descending';
  cell(row: Row): ComponentChildren;
  /** How many columns the cell takes, where the figures that belong there are missing for one reason. */
  columns?(row: Row): number;
}

export interface DataTableProps<Row> {
  readonly caption: string;
  readonly captionHidden?: boolean;
  readonly name: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  rowKey(row: Row): string;
  /** Explains the row as a whole, where its head is no link that does. */
  rowExplanation?(row: Row): Explained;
  readonly sort?: Sort | null;
  onSort?(sort: Sort | null): void;
  /** The group that a row belongs to; rows of one group stand together, under its name. */
  groupOf?(row: Row): string;
  /** What stands beside a group's name. */
  groupWords?(group: string): string;
  /**
   * For a table that may be long: the name of a row, which alone stands for it while it is far from what is in sight.
   * `columns` are then made anew with each answer.
   */
  farName?(row: Row): string;
}

/** A table with a caption, row heads and, where asked for, columns to sort by. On a narrow page each row is a card. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, captionHidden = false, name, columns, rows, farName } = props;
  return (
    <table
      class={`data ${name}${farName ? ' long' : ''}`}
      {...(farName && {
        'aria-rowcount': rows.length + 1,
        style: { '--columns': columns.map(({ width }) => width).join(' ') },
      })}
    >
      <caption class={captionHidden ? 'unseen' : ''}>{caption}</caption>
      <thead>
        <tr aria-rowindex={farName && 1}>
          {columns.map((column) => (
            <Head key={column.key} column={column} sort={props.sort ?? null} onSort={props.onSort} />
          ))}
        </tr>
      </thead>
      {farName ? <LongBody {...props} /> : <tbody>{drawRows(props, { rows })}</tbody>}
    </table>
  );
}

interface HeadProps<Row> {
  readonly column: Column<Row>;
  readonly sort: Sort | null;
  readonly onSort: ((sort: Sort | null) => void) | undefined;
}

function Head<Row>({ column, sort, onSort }: HeadProps<Row>) {
  const { key, title, unit, meaning, numeric = false, sortable } = column;
  const direction = sort?.column === key ? (sort.descending ? 'descending' : 'ascending') : null;
  const label = (
    <>
      {title}
      {unit && <span class="unit"> {unit}</span>}
    </>
  );
  const explanation = meaning ? explained(meaning) : {};
  return (
    <th
      scope="col"
      class={`col-${key}${numeric ? ' numeric' : ''}`}
      {...(sortable ? { 'aria-sort': direction ?? 'none' } : {})}
    >
      {sortable && onSort ? (
        <button
          type="button"
          class={`sort ${direction ?? ''}`}
          onClick={() => onSort(nextSort(column, sort))}
          {...explanation}
        >
          {label}
        </button>
      ) : (
        <span {...explanation}>{label}</span>
      )}
    </th>
  );
}
