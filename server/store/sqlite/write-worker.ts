/** Entry of the writing thread: one file, opened once. */

import { workerData } from 'node:worker_threads';
import type { StoreOptions } from '../store.ts';
import { explaining } from './explained.ts';
import type { EncodedRound } from './round.ts';
import { SqliteWriter } from './writer.ts';

const options = workerData as StoreOptions;
const { path } = options;
let writer: SqliteWriter | undefined;

function opened(): SqliteWriter {
  writer ??= new SqliteWriter(options);
  return writer;
}

/** Opens the file; the other functions do so too when it is not open yet. */
export function open(): void {
  explaining(path, opened);
}

export function append(round: EncodedRound): void {
  explaining(path, () => opened().append(round));
}

export function upkeep(now: number): boolean {
  return explaining(path, () => opened().upkeep(now));
}

export function close(): void {
  explaining(path, () => writer?.close());
  writer = undefined;
}
