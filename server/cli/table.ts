export interface Column<Row> {
  readonly head: string;
  /** Figures are aligned to the right. */
  readonly align: 'left' | 'right';
  readonly text: (row: Row) => string;
}

const GAP = '  ';

/** Lines of a table: the heads, then one line per row; nothing follows the last word of a line. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const lines = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ text }) => printable(text(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => widthOf(cells[index] ?? ''))));
  return lines.map((cells) =>
    cells
      .map((cell, index) => {
        const padding = ' '.repeat((widths[index] ?? 0) - widthOf(cell));
        return columns[index]?.align === 'right' ? padding + cell : cell + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Names come from the mesh: none may move the cursor or colour the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}

function widthOf(text: string): number {
  return [...text].length;
}
