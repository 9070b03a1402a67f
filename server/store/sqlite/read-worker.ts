/** Entry of a reading thread. */

import { workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { Piscina, transferableSymbol, valueSymbol } from 'piscina';
import type { AlertEvent, AlertFiring, KeptAlert } from '../../model/alert.ts';
import type { StoredTarget } from '../../model/scrape-record.ts';
import type { EncodedAnswer } from '../answer.ts';
import { type FiringQuery, QueryStoppedError, QueryTooLargeError, type StoreStatus, type SumQuery } from '../store.ts';
import { explained, explaining } from './explained.ts';
import { FileWatch } from './file-watch.ts';
import { SqliteReader } from './reader.ts';
import { optionsOf, type ThreadOptions } from './shared-limits.ts';

const options = optionsOf(workerData as ThreadOptions);
const { path } = options;
let reader: SqliteReader | undefined;
let watch: FileWatch | undefined;

/** A file that took the place of the one that was open is opened instead. */
function opened(): SqliteReader {
  if (watch?.isGone) {
    reader?.close();
    reader = undefined;
  }
  if (!reader) {
    reader = new SqliteReader(options);
    watch = new FileWatch(path);
  }
  return reader;
}

/** Only messages of errors get from one thread to another, so these are told as answers. */
export type Told = { readonly answer: EncodedAnswer } | { readonly tooLarge: string } | { readonly stopped: string };

export function sums(query: SumQuery): unknown {
  try {
    const told: Told = { answer: opened().sums(query) };
    return Piscina.move({ [transferableSymbol]: [told.answer.numbers.buffer], [valueSymbol]: told });
  } catch (error) {
    if (error instanceof QueryTooLargeError) return { tooLarge: error.message };
    if (error instanceof QueryStoppedError) return { stopped: error.message };
    throw explained(path, error);
  }
}

export function loadTargets(): StoredTarget[] {
  return explaining(path, () => opened().loadTargets());
}

export function status(): StoreStatus {
  return explaining(path, () => opened().status());
}

export function loadAlerts(): KeptAlert[] {
  return explaining(path, () => opened().alerts.all());
}

export function alertEvents({ after, most }: { after: number; most: number }): AlertEvent[] {
  return explaining(path, () => opened().alerts.eventsAfter(after, most));
}

export function alertHistory({ from, to, most }: { from: number; to: number; most: number }): AlertEvent[] {
  return explaining(path, () => opened().alerts.eventsBetween(from, to, most));
}

export function alertFirings(query: FiringQuery): AlertFiring[] {
  return explaining(path, () => opened().alerts.firings(query));
}

export function newestAlertEvent(): number {
  return explaining(path, () => opened().alerts.newestEvent());
}

export function loadCursor(receiver: string): number | undefined {
  return explaining(path, () => opened().alerts.cursor(receiver));
}

/** Reads names and where in the log what is, which the first question would have to wait for. */
export function prepare(): void {
  explaining(path, () => opened().prepare());
}

/** Answers once the thread has loaded its modules, SQLite's among them: that is loaded with the first database. */
export function awake(): void {
  new Database(':memory:').close();
}
