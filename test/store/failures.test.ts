/**
 * What can go wrong with a file while it is in use, by its real causes where a test can bring them about: the error
 * says what to do, nothing crashes, and writing goes on once it can.
 */

import { closeSync, existsSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { requestCount } from '../../server/model/flow.ts';
import { checkFile } from '../../server/store/sqlite/maintenance.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { StoreError } from '../../server/store/store.ts';
import { crashOptions, INTERVAL_MS, roundOf, START } from '../crash/mesh.ts';
import { smallDisk } from './small-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const timeout = 120_000;

async function open(path: string): Promise<SqliteStore> {
  const store = await SqliteStore.open(crashOptions(path));
  onTestFinished(() => store.close().catch(() => {}));
  return store;
}

/** The first error that appending rounds meets, and the round it was; what is stored until then stays. */
async function appendUntilError(store: SqliteStore, from: number): Promise<{ round: number; error: unknown }> {
  for (let round = from; round < from + 5000; round++) {
    try {
      await store.append(roundOf(round));
    } catch (error) {
      return { round, error };
    }
  }
  throw new Error('nothing failed');
}

async function requestsOf(store: SqliteStore, rounds: number): Promise<number> {
  const to = START + (Math.ceil(rounds / 360) + 1) * 360 * INTERVAL_MS;
  const query = { from: START, to, direction: 'inbound', match: {}, by: [], bins: false } as const;
  const { groups } = await store.sums(query);
  return requestCount(groups[0]?.cells[0]?.counters ?? []);
}

const PER_ROUND = 12;

test('a full disk: rounds fail until there is room, and then nothing is missing', { timeout }, async () => {
  const disk = smallDisk();
  const path = join(disk, 'sidelight.db');
  const store = await open(path);
  await store.append(roundOf(1));
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(1_200_000));
  const { round, error } = await appendUntilError(store, 2);
  expect(error).toBeInstanceOf(StoreError);
  expect(String(error)).toContain(`storage.path ${path}: the disk is full: make room, or choose another storage.path`);
  expect(await requestsOf(store, round)).toBe((round - 1) * PER_ROUND);
  rmSync(join(disk, 'ballast'));
  await store.append(roundOf(round));
  await store.append(roundOf(round + 1));
  expect(await requestsOf(store, round + 1)).toBe((round + 1) * PER_ROUND);
  await store.close();
  expect(checkFile(path, () => {})).toEqual([]);
});

test('a file that is deleted while it is in use: told, and begun anew', { timeout }, async () => {
  const path = join(temporaryFolder(), 'sidelight.db');
  const store = await open(path);
  for (let round = 1; round <= 5; round++) await store.append(roundOf(round));
  for (const rest of ['', '-wal', '-shm']) rmSync(path + rest, { force: true });
  const { error } = await appendUntilError(store, 6);
  expect(String(error)).toContain(`storage.path ${path}: the file was deleted`);
  await store.append(roundOf(7));
  expect(existsSync(path)).toBe(true);
  expect(await requestsOf(store, 7)).toBe(PER_ROUND);
});

test('damaged pages: told, by whatever meets them first, and never a crash', { timeout }, async () => {
  const path = join(temporaryFolder(), 'sidelight.db');
  const first = await open(path);
  for (let round = 1; round <= 130; round++) await first.append(roundOf(round));
  while (await first.upkeep(START + 130 * INTERVAL_MS));
  await first.close();
  const file = openSync(path, 'r+');
  const size = statSync(path).size;
  for (let at = 4096; at < size; at += 4096) writeSync(file, Buffer.alloc(2048, 0x5a), 0, 2048, at + 512);
  closeSync(file);
  const work = async () => {
    const store = await open(path);
    await store.loadTargets();
    await store.append(roundOf(131));
    await requestsOf(store, 131);
  };
  const error = await work().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(StoreError);
  expect(String(error)).toContain(
    `storage.path ${path}: the file is damaged: restore a copy, or move it away to begin anew`,
  );
});
