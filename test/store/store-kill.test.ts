import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { requestCount } from '../../server/model/flow.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import { storeOptions } from './options.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Runs the appending program until it has stored `rounds` more rounds, kills it, and gives the last round it told of. */
async function appendAndKill(path: string, rounds: number): Promise<number> {
  const program = fileURLToPath(new URL('append-forever.ts', import.meta.url));
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let told = 0;
  let count = 0;
  createInterface(child.stdout).on('line', (line) => {
    told = Number(line);
    if (++count === rounds) child.kill('SIGKILL');
  });
  await ended;
  return told;
}

test('a collector that is killed while it stores leaves a whole file, and the next one goes on', {
  timeout: 30_000,
}, async () => {
  const path = join(temporaryFolder(), 'sidelight.db');
  for (const rounds of [1, 40, 97]) {
    const told = await appendAndKill(path, rounds);
    const database = new Database(path, { readonly: true });
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(database.pragma('foreign_key_check')).toEqual([]);
    database.close();

    const store = await SqliteStore.open(storeOptions(path));
    const targets = await store.loadTargets();
    const [stored = 0] = new Set(targets.map(({ lastScrape }) => lastScrape));
    expect(stored).toBeGreaterThanOrEqual(told);
    for (const { lastScrape, totals } of targets) {
      expect(lastScrape).toBe(stored);
      const [low = 0, middle = 0, high = 0] = totals.values;
      expect(low + middle * 256 + high * 65_536).toBe(stored);
      expect(totals.shape).toBe(`["shape ${stored >> 5}"]`);
    }
    const { groups } = await store.sums({
      from: 0,
      to: stored + 10,
      direction: 'inbound',
      match: {},
      by: ['service'],
      bins: true,
    });
    expect(groups.map(({ cells }) => requestCount(cells[0]?.counters ?? []))).toEqual([stored, stored, stored]);
    expect(groups.map(({ cells }) => cells[0]?.downstreamSamples)).toEqual([stored, stored, stored]);
    await store.close();
  }
});
