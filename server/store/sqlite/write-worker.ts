/** Entry of the writing thread: one file, opened once. */

import { workerData } from 'node:worker_threads';
import type { ScrapeRecord } from '../../model/scrape-record.ts';
import { SqliteWriter } from './writer.ts';

const { path } = workerData as { path: string };
let writer: SqliteWriter | undefined;

/** Opens the file; the other functions do so too when it is not open yet. */
export function open(): void {
  writer ??= new SqliteWriter(path);
}

export function append(round: readonly ScrapeRecord[]): void {
  writer ??= new SqliteWriter(path);
  writer.append(round);
}

export function expire({ before, limitMs }: { before: number; limitMs: number }): boolean {
  writer ??= new SqliteWriter(path);
  return writer.expire(before, limitMs);
}

export function close(): void {
  writer?.close();
  writer = undefined;
}
