import { type ComponentChildren, Fragment, type VNode } from 'preact';
import { useRef } from 'preact/hooks';
import type { Sort } from '../state/url.ts';
import { type Explained, explained } from './explained.ts';

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** Unit of all figures below. */
  readonly unit?: string;
  /** What the column means. */
  readonly meaning?: string;
  readonly numeric?: boolean;
  /** The name of the row. */
  readonly isHead?: boolean;
  readonly sortable?: 'ascending' | 'descending';
  cell(row: Row): ComponentChildren;
  /** How many columns the cell takes, where the figures that belong there are missing for one reason. */
  columns?(row: Row): number;
}

interface DataTableProps<Row> {
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
   * For a long table whose `columns` are made anew with each answer: a row of the same answer is drawn once, however the
   * table grows.
   */
  readonly keepsDrawnRows?: boolean;
}

/** A table with a caption, row heads and, where asked for, columns to sort by. On a narrow page each row is a card. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, captionHidden = false, name, columns, rows, rowKey } = props;
  const drawn = useDrawnRows(props);
  return (
    <table class={`data ${name}`}>
      <caption class={captionHidden ? 'unseen' : ''}>{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <Head key={column.key} column={column} sort={props.sort ?? null} onSort={props.onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => {
          const before = rows[index - 1];
          const group = props.groupOf?.(row) ?? null;
          const isFirst = group !== null && (before === undefined || props.groupOf?.(before) !== group);
          return (
            <Fragment key={rowKey(row)}>
              {isFirst && <GroupHead name={group} words={props.groupWords?.(group) ?? ''} columns={columns.length} />}
              {drawn(row)}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

function useDrawnRows<Row>({
  columns,
  rowKey,
  rowExplanation,
  keepsDrawnRows,
}: DataTableProps<Row>): (row: Row) => VNode {
  const kept = useRef({ columns, rows: new Map<Row, VNode>() });
  if (kept.current.columns !== columns) kept.current = { columns, rows: new Map() };
  const { rows } = kept.current;
  return (row) => {
    const known = rows.get(row);
    if (known) return known;
    const drawn = <tr data-row={rowKey(row)}>{cells(columns, row, rowExplanation?.(row))}</tr>;
    if (keepsDrawnRows) rows.set(row, drawn);
    return drawn;
  };
}

function GroupHead({
  name,
  words,
  columns,
}: {
  readonly name: string;
  readonly words: string;
  readonly columns: number;
}) {
  return (
    <tr class="group-head">
      <th scope="rowgroup" colSpan={columns}>
        {name} <span class="unit">{words}</span>
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
    <td class={kind} colSpan={width} data-label={title} data-unit={unit}>
      {column.cell(row)}
    </td>
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
