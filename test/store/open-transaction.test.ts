import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { OpenTransaction } from '../../server/store/sqlite/open-transaction.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A table, a transaction that adds numbers to it, and what somebody else finds there. */
function begun() {
  const path = join(temporaryFolder(), 'sidelight.db');
  const [writing, reading] = [new Database(path), new Database(path)];
  onTestFinished(() => {
    for (const one of [reading, writing]) one.close();
  });
  writing.pragma('journal_mode = WAL');
  writing.exec('CREATE TABLE numbers (number INTEGER PRIMARY KEY)');
  const insert = writing.prepare('INSERT INTO numbers VALUES (?)');
  const seen = reading.prepare('SELECT number FROM numbers').pluck();
  return {
    transaction: new OpenTransaction(writing),
    add: (number: number) => () => void insert.run(number),
    seen: () => seen.all(),
  };
}

const later = () => false;

test('work that need not be kept yet is kept with what comes next', () => {
  const { transaction, add, seen } = begun();
  transaction.run(add(1), later);
  transaction.run(add(2), later);
  expect(seen()).toEqual([]);
  transaction.run(add(3));
  expect(seen()).toEqual([1, 2, 3]);
});

test('what fails takes all with it that was not kept, and nothing else', () => {
  const { transaction, add, seen } = begun();
  transaction.run(add(1));
  transaction.run(add(2), later);
  expect(() => transaction.run(add(1))).toThrow('UNIQUE');
  expect(seen()).toEqual([1]);
  transaction.run(add(2));
  expect(seen()).toEqual([1, 2]);
});

test('work is kept after a second, and at the end', () => {
  const { transaction, add, seen } = begun();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => void clock.mockRestore());
  transaction.run(add(1), later);
  clock.mockReturnValue(999);
  transaction.run(add(2), later);
  expect(seen()).toEqual([]);
  clock.mockReturnValue(1000);
  transaction.run(add(3), later);
  expect(seen()).toEqual([1, 2, 3]);
  transaction.run(add(4), later);
  transaction.finish();
  transaction.finish();
  expect(seen()).toEqual([1, 2, 3, 4]);
});
