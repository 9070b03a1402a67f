import type { StoredTarget } from '../../model/scrape-record.ts';
import { decodeAnswer } from '../answer-view.ts';
import type { StoreOptions, StoreStatus, SumAnswer, SumQuery } from '../store.ts';
import { explaining } from './explained.ts';
import { openForReading } from './maintenance.ts';
import { SqliteReader } from './reader.ts';

/** A file as it is, without a collector; synchronous. One that writes meanwhile does not mind. */
export interface ReadFile {
  /** @throws QueryTooLargeError, StoreError */
  sums(query: SumQuery): SumAnswer;
  status(): StoreStatus;
  loadTargets(): StoredTarget[];
  close(): void;
}

/** @throws StoreError when there is no file, or it is not one of this version. */
export function readFile(options: StoreOptions): ReadFile {
  openForReading(options.path).close();
  const reader = explaining(options.path, () => new SqliteReader(options));
  return {
    sums: (query) => explaining(options.path, () => decodeAnswer(reader.sums(query))),
    status: () => explaining(options.path, () => reader.status()),
    loadTargets: () => explaining(options.path, () => reader.loadTargets()),
    close: () => reader.close(),
  };
}
