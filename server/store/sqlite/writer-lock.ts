import Database from 'better-sqlite3';
import { StoreError } from '../store.ts';

/** As long as a collector that is stopping may take to finish its last round. */
const WAIT_MS = 2000;

export interface WriterLock {
  release(): void;
}

/**
 * Makes this the only collector that writes to a file: two would count every request twice. The lock is one of
 * SQLite's on an empty file beside it, which the system lifts when the process ends, however it ends.
 * @throws StoreError when another collector has it.
 */
export function lockForWriting(path: string): WriterLock {
  const lock = new Database(`${path}-lock`, { timeout: WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new StoreError(
      `storage.path ${path}: another Sidelight is writing to the file: stop it, or choose another storage.path`,
    );
  }
  return { release: () => void lock.close() };
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
}
