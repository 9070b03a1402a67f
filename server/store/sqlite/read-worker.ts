/** Entry of a reading thread. */

import { workerData } from 'node:worker_threads';
import type { StoredTarget } from '../../model/scrape-record.ts';
import type { Group, StoreStatus, SumQuery } from '../store.ts';
import { explaining } from './explained.ts';
import { SqliteReader } from './reader.ts';

const { path } = workerData as { path: string };
let reader: SqliteReader | undefined;

function opened(): SqliteReader {
  reader ??= new SqliteReader(path);
  return reader;
}

export function sums(query: SumQuery): Group[] {
  return explaining(path, () => opened().sums(query));
}

export function loadTargets(): StoredTarget[] {
  return explaining(path, () => opened().loadTargets());
}

export function status(): StoreStatus {
  return explaining(path, () => opened().status());
}
