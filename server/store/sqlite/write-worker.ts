/** Entry of the writing thread: one file, opened once. */

import { workerData } from 'node:worker_threads';
import type { ScrapeRecord } from '../../model/scrape-record.ts';
import { explaining } from './explained.ts';
import { SqliteWriter } from './writer.ts';

const { path } = workerData as { path: string };
let writer: SqliteWriter | undefined;

function opened(): SqliteWriter {
  writer ??= new SqliteWriter(path);
  return writer;
}

/** Opens the file; the other functions do so too when it is not open yet. */
export function open(): void {
  explaining(path, opened);
}

export function append(round: readonly ScrapeRecord[]): void {
  explaining(path, () => opened().append(round));
}

export function expire({ before, limitMs }: { before: number; limitMs: number }): boolean {
  return explaining(path, () => opened().expire(before, limitMs));
}

export function close(): void {
  explaining(path, () => writer?.close());
  writer = undefined;
}
