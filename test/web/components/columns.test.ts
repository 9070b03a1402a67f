import { expect, test } from 'vitest';
import { shownColumns } from '../../../web/components/columns.ts';
import type { Column } from '../../../web/components/data-table.tsx';

const column = (key: string, width?: number): Column<null> => ({
  key,
  title: key,
  cell: () => null,
  ...(width === undefined ? {} : { columns: () => width }),
});
const COLUMNS = [
  { ...column('name'), isHead: true },
  column('rate', 3),
  column('p50'),
  column('p99'),
  column('regions'),
];

test.each([
  [[], ['name', 'rate', 'p50', 'p99', 'regions'], 3],
  [['p50'], ['name', 'rate', 'p99', 'regions'], 2],
  [['p50', 'p99', 'name'], ['name', 'rate', 'regions'], 1],
  [['regions', 'nonsense'], ['name', 'rate', 'p50', 'p99'], 3],
])('without %j', (hidden, keys, width) => {
  const shown = shownColumns(COLUMNS, hidden);
  expect(shown.map(({ key }) => key)).toEqual(keys);
  expect(shown[1]?.columns?.(null)).toBe(width);
});
