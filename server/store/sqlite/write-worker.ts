/** Entry of the writing thread: one file, opened once. */

import { workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { AlertChange } from '../store.ts';
import { explained, explaining } from './explained.ts';
import { clearRemains, FileWatch } from './file-watch.ts';
import type { EncodedRound } from './round.ts';
import { optionsOf, type ThreadOptions } from './shared-limits.ts';
import { SqliteWriter } from './writer.ts';

const options = optionsOf(workerData as ThreadOptions);
const { path } = options;
let writer: SqliteWriter | undefined;
let watch: FileWatch | undefined;

function opened(): SqliteWriter {
  if (!writer) {
    clearRemains(path);
    writer = new SqliteWriter(options);
    watch = new FileWatch(path);
  }
  return writer;
}

/** The next call opens what is there then. @throws StoreError when the file is not the one that was opened. */
function checkThere(): void {
  if (!watch?.isGone) return;
  const error = watch.error();
  watch = undefined;
  try {
    close();
  } catch {
    writer = undefined;
  }
  throw error;
}

/** Opens the file; the other functions do so too when it is not open yet. */
export function open(): void {
  explaining(path, opened);
}

/** What went wrong, if anything: whoever gets an answer knows whether the round was kept. */
export function append(round: EncodedRound): string | undefined {
  try {
    checkThere();
    opened().append(round);
    return undefined;
  } catch (error) {
    return explained(path, error).message;
  }
}

export function saveAlerts(change: AlertChange): void {
  explaining(path, () => {
    checkThere();
    opened().saveAlerts(change);
  });
}

export function saveCursor({ receiver, event }: { receiver: string; event: number }): void {
  explaining(path, () => {
    checkThere();
    opened().saveCursor(receiver, event);
  });
}

/** Leaves it to the next round to tell of a file that is gone. */
export function upkeep(now: number): boolean {
  if (watch?.isGone) return false;
  return explaining(path, () => opened().upkeep(now));
}

export function close(): void {
  explaining(path, () => writer?.close());
  writer = undefined;
}

/** Answers once the thread has loaded its modules, SQLite's among them: that is loaded with the first database. */
export function awake(): void {
  new Database(':memory:').close();
}
