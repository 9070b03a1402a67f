import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppendedRows } from '../../server/store/sqlite/appended-rows.ts';
import { migrate } from '../../server/store/sqlite/schema.ts';

let database: Database.Database;
let rows: AppendedRows;

beforeEach(() => {
  database = new Database(':memory:');
  migrate(database, ':memory:');
  rows = new AppendedRows(database);
  rows.refresh();
});
afterEach(() => void database.close());

function add({ feeds = 9, t0 = 1000 }: { feeds?: number; t0?: number } = {}): void {
  database
    .prepare("INSERT INTO log (unit, feeds, direction, t0, t1, layout, data) VALUES (1, ?, -1, ?, ?, 1, x'')")
    .run(feeds, t0, t0 + 10);
}

test('nothing is known before the first look', () => {
  add();
  expect(new AppendedRows(database).refresh()).toBeUndefined();
});

test.each([
  ['nothing', () => {}, Number.POSITIVE_INFINITY],
  ['two rows of targets', () => [3000, 2000].forEach((t0) => void add({ t0 })), 2000],
  ['a row of a service: no news', () => add({ feeds: 0 }), Number.POSITIVE_INFINITY],
  [
    'a row that is gone already',
    () => {
      add({ t0: 500 });
      database.exec('DELETE FROM log');
      add();
    },
    undefined,
  ],
])('since then: %s', (_, change, earliest) => {
  change();
  expect(rows.refresh()).toBe(earliest);
  expect(rows.refresh()).toBe(Number.POSITIVE_INFINITY);
});
