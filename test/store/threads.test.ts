/** Threads of the store that end by themselves: what they were at fails and says so, and another one goes on. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { requestCount } from '../../server/model/flow.ts';
import { SqliteReader } from '../../server/store/sqlite/reader.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { Threads } from '../../server/store/sqlite/threads.ts';
import { StoreThreadError } from '../../server/store/store.ts';
import { crashOptions, INTERVAL_MS, roundOf, START } from '../crash/mesh.ts';
import { temporaryFolder } from './temporary-folder.ts';

const PER_ROUND = 12;

async function open(): Promise<{ store: SqliteStore; path: string; lost: string[] }> {
  const path = join(temporaryFolder(), 'sidelight.db');
  const lost: string[] = [];
  const store = await SqliteStore.open(crashOptions(path), (message) => lost.push(message));
  onTestFinished(() => store.close().catch(() => {}));
  return { store, path, lost };
}

const everything = { from: START, to: START + 360 * INTERVAL_MS, direction: 'inbound', match: {}, by: [] } as const;

async function requestsOf(store: SqliteStore): Promise<number> {
  const { groups } = await store.sums({ ...everything, bins: false });
  return requestCount(groups[0]?.cells[0]?.counters ?? []);
}

const soon = { timeout: 15_000, interval: 20 };

async function end(threads: readonly Worker[]): Promise<void> {
  await Promise.all(threads.map((thread) => thread.terminate()));
}

test('a writing thread that ends: told, replaced, and no round is lost or counted twice', async () => {
  const { store, path, lost } = await open();
  await store.append(roundOf(1));
  await end(store.threads.writer);
  await vi.waitFor(() => expect(lost).toHaveLength(1), soon);
  expect(lost[0]).toBe(
    `storage.path ${path}: the thread that writes ended (it exited with code 1) and is started anew`,
  );
  await store.append(roundOf(2));
  await store.append(roundOf(3));
  expect(await requestsOf(store)).toBe(3 * PER_ROUND);
});

test('reading threads that end at work: the question fails, the next one is answered', async () => {
  const { store, lost } = await open();
  await store.append(roundOf(1));
  expect(await requestsOf(store)).toBe(PER_ROUND);
  const asked = [1, 2, 3, 4, 5, 6].map(() => requestsOf(store).catch((error: unknown) => error));
  await end(store.threads.readers);
  for (const answer of await Promise.all(asked))
    if (answer !== PER_ROUND) expect(answer).toBeInstanceOf(StoreThreadError);
  await vi.waitFor(() => expect(lost).toHaveLength(2), soon);
  expect(await requestsOf(store)).toBe(PER_ROUND);
});

function hungry(heapMiB: number): { threads: Threads; lost: string[] } {
  const lost: string[] = [];
  const file = new URL('./hungry-worker.ts', import.meta.url).href;
  const options = { file, count: 1, heapMiB, task: 'eats', workerData: undefined };
  const threads = new Threads({ ...options, onLost: (reason) => lost.push(reason) });
  onTestFinished(() => threads.close());
  return { threads, lost };
}

test('a thread that runs out of memory takes nothing else along', async () => {
  const { threads, lost } = hungry(16);
  await expect(threads.run('eat')).rejects.toThrow(
    new StoreThreadError('the thread that eats ended (it ran out of memory) and is started anew: ask again'),
  );
  await vi.waitFor(() => expect(lost).toEqual([expect.stringContaining('it ran out of memory')]), soon);
  expect(await threads.run('add', [1, 2])).toBe(3);
});

test('a thread that ends while it has nothing to do is replaced too', async () => {
  const { threads, lost } = hungry(64);
  await threads.run('eatLater');
  await vi.waitFor(() => expect(lost).toHaveLength(1), soon);
  expect(await threads.run('add', [1, 2])).toBe(3);
});

test('a store that is closed while its threads still load ends in peace', async () => {
  for (let i = 0; i < 5; i++) {
    const { store } = await open();
    await store.close();
  }
});

test('questions prepare their statements once', async () => {
  const { store, path } = await open();
  await store.append(roundOf(1));
  const reader = new SqliteReader(crashOptions(path));
  onTestFinished(() => reader.close());
  const ask = () => {
    reader.status();
    reader.sums({ ...everything, bins: true });
    reader.loadTargets();
    reader.alerts.all();
    reader.alerts.eventsAfter(0, 1);
    reader.alerts.eventsBetween(0, 1, 1);
    reader.alerts.newestEvent();
    reader.alerts.cursor('a');
  };
  ask();
  const prepare = vi.spyOn(Database.prototype, 'prepare');
  const pragma = vi.spyOn(Database.prototype, 'pragma');
  ask();
  expect([prepare.mock.calls, pragma.mock.calls]).toEqual([[], []]);
});

test('a store that is closed as soon as it is open, again and again, ends its threads and not the process', async () => {
  const path = join(temporaryFolder(), 'sidelight.db');
  for (let time = 0; time < 8; time++) {
    const store = await SqliteStore.open(crashOptions(path));
    if (time % 3 > 0) await store.status();
    await store.close();
  }
  expect(existsSync(path)).toBe(true);
});
