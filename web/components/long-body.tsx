import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { printing } from '../state/printing.ts';
import { addressOf, returning } from '../state/router.ts';
import type { DataTableProps } from './data-table.tsx';
import { useNear } from './near.ts';
import { drawRows, openedGroup } from './table-rows.tsx';

/** Rows that are drawn together: as many as a frame leaves time for. */
const STRETCH = 8;
/** Drawn before anything is known of the room that rows take. */
const AT_FIRST = 40;

/**
 * The rows of a table that may be long. Only those near to what is in sight are drawn, and none is drawn again before it
 * changes: so neither scrolling nor new figures take longer the more there are. Of the others the names are there, to be
 * found by the browser's own search. On paper all are drawn.
 */
export function LongBody<Row>(table: DataTableProps<Row>) {
  const starts = Array.from({ length: Math.ceil(table.rows.length / STRETCH) }, (_, index) => index * STRETCH);
  const carried = addressOf({ name: 'fleet' });
  return starts.map((start) => <Stretch key={start} table={table} start={start} carried={carried} />);
}

interface StretchProps<Row> {
  readonly table: DataTableProps<Row>;
  readonly start: number;
  /** What links of a row carry along: the time that is looked at. */
  readonly carried: string;
}

function Stretch<Row>({ table, start, carried }: StretchProps<Row>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { columns, rowKey } = table;
  const [before, rows] = [table.rows[start - 1], table.rows.slice(start, start + STRETCH)];
  const wasLeft = () => rows.some((row) => rowKey(row) === returning.peek()?.row);
  const { isNear, height } = useNear(body, () => start < AT_FIRST || wasLeft());
  const isDrawn = isNear || printing.value;
  const groups = rows.map((row, index) => openedGroup(table, row, rows[index - 1] ?? before));
  const drawn = useMemo(
    () => isDrawn && drawRows(table, { rows, before, start }),
    [isDrawn, columns, carried, ...groups.map((group) => group && group + table.groupWords?.(group)), ...rows],
  );
  useLayoutEffect(() => {
    if (start === 0 && isNear) tellRowHeight(body.current, rows.length);
  });
  const names = rows.map((row, index) => [groups[index], table.farName?.(row)].filter(Boolean).join('\n')).join('\n');
  return (
    <tbody ref={body}>
      {drawn || (
        <tr class="far" aria-rowindex={start + 2}>
          <td colSpan={columns.length}>
            <div style={{ height: height || `calc(${rows.length} * var(--row-height))` }}>{names}</div>
          </td>
        </tr>
      )}
    </tbody>
  );
}

/** Rows that were never drawn take as much room as the first ones do. */
function tellRowHeight(body: HTMLElement | null, rows: number): void {
  body?.parentElement?.style.setProperty('--row-height', `${body.offsetHeight / rows}px`);
}
