import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackedTable } from '../../server/store/sqlite/packed-table.ts';

const COLUMNS = 3;
const number = fc.oneof(
  fc.integer(),
  fc.nat(255),
  fc.nat(65_535),
  fc.constant(7),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
);
const table = fc.array(fc.tuple(number, number, number), { maxLength: 64 }).map((rows) => rows.map((row) => [...row]));

test('tables hold the numbers that were put in, however many there are at once', () => {
  fc.assert(
    fc.property(fc.array(table, { maxLength: 40 }), (all) => {
      const packed = all.map((rows) => new PackedTable(Int32Array.from(rows.flat()), COLUMNS));
      const read = packed.map((one) =>
        Array.from({ length: one.rows }, (_, row) =>
          Array.from({ length: COLUMNS }, (_, column) => one.at(row, column)),
        ),
      );
      expect(read).toEqual(all);
      const row = new Int32Array(COLUMNS);
      const byRow = packed.map((one) =>
        Array.from({ length: one.rows }, (_, index) => {
          one.read(index, row);
          return [...row];
        }),
      );
      expect(byRow).toEqual(all);
    }),
  );
});
