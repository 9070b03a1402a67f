import { expect } from 'vitest';
import { runSidelight } from '../cli/sidelight.ts';

/** A minute of one flow of one instance; names as in `db export`. */
export type ExportedRow = Readonly<Record<string, string | number | null>>;

/** What `sidelight db export` prints of a file. */
export async function exportedRows(path: string): Promise<ExportedRow[]> {
  const { code, out, err } = await runSidelight(['db', 'export', `--storage.path=${path}`], '.');
  expect([code, err]).toEqual([0, []]);
  return out.map((line): ExportedRow => JSON.parse(line));
}

/** The sum of a column. */
export function total(rows: readonly ExportedRow[], column: string): number {
  return rows.reduce((sum, row) => sum + Number(row[column] ?? 0), 0);
}
