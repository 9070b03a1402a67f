/** Entry of a reading thread. */

import { workerData } from 'node:worker_threads';
import type { StoredTarget } from '../../model/scrape-record.ts';
import { QueryTooLargeError, type StoreOptions, type StoreStatus, type SumAnswer, type SumQuery } from '../store.ts';
import { explained, explaining } from './explained.ts';
import { SqliteReader } from './reader.ts';

const options = workerData as StoreOptions;
const { path } = options;
let reader: SqliteReader | undefined;

function opened(): SqliteReader {
  reader ??= new SqliteReader(options);
  return reader;
}

/** Only messages of errors get from one thread to another, so this one is told as an answer. */
export function sums(query: SumQuery): SumAnswer | { tooLarge: string } {
  try {
    return opened().sums(query);
  } catch (error) {
    if (error instanceof QueryTooLargeError) return { tooLarge: error.message };
    throw explained(path, error);
  }
}

export function loadTargets(): StoredTarget[] {
  return explaining(path, () => opened().loadTargets());
}

export function status(): StoreStatus {
  return explaining(path, () => opened().status());
}
