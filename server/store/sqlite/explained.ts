import { accessSync, constants } from 'node:fs';
import { StoreError } from '../store.ts';

/** What to do, by the beginning of an error's code; the first that fits. */
const REMEDIES: readonly (readonly [code: string, remedy: string])[] = [
  ['EACCES', 'the folder may not be written: change its permissions, or choose another storage.path'],
  ['EPERM', 'the folder may not be written: change its permissions, or choose another storage.path'],
  ['EROFS', 'the folder is read-only: choose another storage.path'],
  ['ENOENT', 'the folder can not be created: choose another storage.path'],
  ['ENOTDIR', 'a part of the path is a file, not a folder: choose another storage.path'],
  ['EEXIST', 'a part of the path is a file, not a folder: choose another storage.path'],
  ['ENOSPC', 'the disk is full: make room, or choose another storage.path'],
  ['SQLITE_CANTOPEN', 'the file can not be opened or created: check its permissions, or choose another storage.path'],
  ['SQLITE_READONLY', 'the file may not be written: change its permissions, or choose another storage.path'],
  ['SQLITE_NOTADB', 'the file is not a SQLite database: choose another storage.path'],
  ['SQLITE_CORRUPT', 'the file is damaged: restore a copy, or move it away to begin anew'],
  ['SQLITE_BUSY', 'another program is writing to the file: stop it, or choose another storage.path'],
  ['SQLITE_FULL', 'the disk is full: make room, or choose another storage.path'],
  ['SQLITE_IOERR', 'the disk fails to read or to write: check it, or choose another storage.path'],
];

const READ_ONLY =
  'the disk has become read-only, or the file: make it writable again (the kernel log says why a disk was), or choose another storage.path';

/** SQLite does not tell why the system refused to write. */
function isReadOnly(path: string, code: string): boolean {
  if (!code.startsWith('SQLITE_IOERR')) return false;
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return ['EROFS', 'EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

/** Any error of the file at `path` as one that says what to do. */
export function explained(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code = '', message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  const remedy = isReadOnly(path, code) ? READ_ONLY : REMEDIES.find(([known]) => code.startsWith(known))?.[1];
  return new StoreError(`storage.path ${path}: ${remedy ?? message}`);
}

/**
 * Runs a task of a worker thread. Of an error only the message gets from one thread to another, so that it is
 * explained where it happens.
 */
export function explaining<T>(path: string, task: () => T): T {
  try {
    return task();
  } catch (error) {
    throw explained(path, error);
  }
}
