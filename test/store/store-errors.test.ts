/** What the user is told when the file can not be used: one line each, with a remedy. */

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { beforeEach, expect, test } from 'vitest';
import { explained } from '../../server/store/sqlite/explained.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { StoreError } from '../../server/store/store.ts';
import { storeOptions } from './options.ts';
import { temporaryFolder } from './temporary-folder.ts';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

function makeDatabase(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

interface Case {
  readonly name: string;
  /** Makes what is in the way, and gives the path to open. */
  readonly prepare: (folder: string) => string;
  /** Behind `storage.path …: `. */
  readonly message: string;
}

test.each<Case>([
  {
    name: 'a database of another program',
    prepare(folder) {
      makeDatabase(join(folder, 'other.db'), 'CREATE TABLE books (title TEXT)');
      return join(folder, 'other.db');
    },
    message: 'the file is a database of another program: choose another storage.path',
  },
  {
    name: 'a file of a newer version',
    prepare(folder) {
      makeDatabase(
        join(folder, 'newer.db'),
        'CREATE TABLE raw (x); PRAGMA application_id = 1399090292; PRAGMA user_version = 99',
      );
      return join(folder, 'newer.db');
    },
    message:
      'the file was written by a newer Sidelight (schema 99, this one knows 10): run that version, or choose another storage.path',
  },
  {
    name: 'no database',
    prepare(folder) {
      writeFileSync(join(folder, 'notes.txt'), 'Dear diary, '.repeat(100));
      return join(folder, 'notes.txt');
    },
    message: 'the file is not a SQLite database: choose another storage.path',
  },
  {
    name: 'a folder',
    prepare(folder) {
      mkdirSync(join(folder, 'data'));
      return join(folder, 'data');
    },
    message: 'this is a folder: name a file in it, such as {path}/sidelight.db',
  },
  {
    name: 'a file where a folder should be',
    prepare(folder) {
      writeFileSync(join(folder, 'data'), '');
      return join(folder, 'data', 'sidelight.db');
    },
    message: 'a part of the path is a file, not a folder: choose another storage.path',
  },
  {
    name: 'a file further up where a folder should be',
    prepare(folder) {
      writeFileSync(join(folder, 'data'), '');
      return join(folder, 'data', 'deep', 'sidelight.db');
    },
    message: 'a part of the path is a file, not a folder: choose another storage.path',
  },
  {
    name: 'a place where no folder can be made',
    prepare: () => '/proc/sidelight/data/sidelight.db',
    message: 'the folder can not be created: choose another storage.path',
  },
])('$name is refused in one line', async ({ prepare, message }) => {
  const path = prepare(folder);
  const error = await SqliteStore.open(storeOptions(path)).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(StoreError);
  expect(error).toMatchObject({
    name: 'StoreError',
    message: `storage.path ${path}: ${message.replace('{path}', path)}`,
  });
});

test('a second collector on one file is refused until the first one has gone', async () => {
  const path = join(folder, 'sidelight.db');
  const first = await SqliteStore.open(storeOptions(path));
  expect(await openAsPlainUser(path)).toBe(
    `StoreError: storage.path ${path}: another Sidelight is writing to the file: stop it, or choose another storage.path`,
  );
  await first.close();
  expect(await openAsPlainUser(path)).toBe('opened');
});

test('another program may read and write the file for a moment', async () => {
  const path = join(folder, 'sidelight.db');
  const store = await SqliteStore.open(storeOptions(path));
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  const appended = store.append([]).then(() => store.upkeep(0));
  other.exec('COMMIT');
  await appended;
  other.close();
  await store.close();
});

test('a folder that may not be written', async () => {
  const readOnly = join(folder, 'data');
  mkdirSync(readOnly, { mode: 0o555 });
  expect(await openAsPlainUser(join(readOnly, 'sidelight.db'))).toBe(
    `StoreError: storage.path ${readOnly}/sidelight.db: the file can not be opened or created: check its permissions, or choose another storage.path`,
  );
  expect(await openAsPlainUser(join(readOnly, 'deep', 'sidelight.db'))).toBe(
    `StoreError: storage.path ${readOnly}/deep/sidelight.db: the folder may not be written: change its permissions, or choose another storage.path`,
  );
});

test('a file that may not be written', async () => {
  const path = join(folder, 'sidelight.db');
  await (await SqliteStore.open(storeOptions(path))).close();
  chmodSync(path, 0o444);
  expect(await openAsPlainUser(path)).toBe(
    `StoreError: storage.path ${path}: the file may not be written: change its permissions, or choose another storage.path`,
  );
});

test.each([
  ['SQLITE_BUSY_SNAPSHOT', 'another program is writing to the file: stop it, or choose another storage.path'],
  ['SQLITE_CORRUPT_VTAB', 'the file is damaged: restore a copy, or move it away to begin anew'],
  ['SQLITE_FULL', 'the disk is full: make room, or choose another storage.path'],
  ['SQLITE_IOERR_WRITE', 'the disk fails to read or to write: check it, or choose another storage.path'],
  ['ENOSPC', 'the disk is full: make room, or choose another storage.path'],
  ['EROFS', 'the folder is read-only: choose another storage.path'],
  ['', 'oops'],
])('%s is explained', (code, text) => {
  const error = Object.assign(new Error('oops'), { code });
  expect(explained('data/sidelight.db', error)).toEqual(new StoreError(`storage.path data/sidelight.db: ${text}`));
});

/** Opens a store in a process that permissions hold for, which they do not for root. */
async function openAsPlainUser(path: string): Promise<string> {
  const command = [process.execPath, fileURLToPath(new URL('open-store.ts', import.meta.url)), path];
  const isRoot = process.getuid?.() === 0;
  const [program = '', ...args] = isRoot
    ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', ...command]
    : command;
  const { stdout } = await promisify(execFile)(program, args);
  return stdout.trim();
}
