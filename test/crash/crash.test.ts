/**
 * A collector that is killed at any moment under load leaves a whole file, and the next one goes on: no request is
 * lost or counted twice, and at most the round in flight is done again. `npm run test:crash` kills a hundred times.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { BinTotal } from '../../server/model/bin-total.ts';
import { requestCount } from '../../server/model/flow.ts';
import { addGrowth, foldGrowth } from '../../server/model/growth.ts';
import type { KeptTotals } from '../../server/model/scrape-record.ts';
import { checkFile } from '../../server/store/sqlite/maintenance.ts';
import { readFile } from '../../server/store/sqlite/read-file.ts';
import { SqliteStore } from '../../server/store/sqlite/sqlite-store.ts';
import type { SumAnswer, SumQuery } from '../../server/store/store.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { crashOptions, growthOf, INTERVAL_MS, perRound, roundOf, SERVICES, START, wholeOf } from './mesh.ts';

const KILLS = Number(process.env.CRASH_KILLS ?? 20);
/** Rounds before a kill: now and then in the very first ones, and as often after many. */
const MOST_ROUNDS = 150;
const NONE = new Float64Array();

/** Runs the program, kills it a moment after so many rounds, and gives the last one that it told of. */
async function appendAndKill(path: string, rounds: number, afterMs: number): Promise<number> {
  const program = fileURLToPath(new URL('append-forever.ts', import.meta.url));
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let told = 0;
  let count = 0;
  createInterface(child.stdout).on('line', (line) => {
    told = Number(line);
    if (++count === rounds) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await ended;
  return told;
}

const everything = (rounds: number, direction: SumQuery['direction']): SumQuery => ({
  from: START,
  to: START + (Math.ceil(rounds / 360) + 1) * 360 * INTERVAL_MS,
  direction,
  match: {},
  by: ['service'],
  bins: true,
});

function expectCounts({ groups }: SumAnswer, rounds: number, perCall: number): void {
  const found = groups.map(({ labels, cells: [cell] }) => [
    labels.service,
    requestCount(cell?.counters ?? []),
    (cell?.downstreamSamples ?? 0) + (cell?.upstreamSamples ?? 0),
  ]);
  expect(found.sort()).toEqual(
    SERVICES.map((service, index) => [service, rounds * perCall * perRound(index), rounds * perCall * perRound(index)]),
  );
}

const bytes = (all: readonly Uint8Array[]) => all.map((one) => [...one]);

/** Whole totals, and what they grew by in all rounds since, none of them left out or there twice. */
function expectTotals({ values, growth = [] }: KeptTotals, last: number): void {
  const grown = {
    values: new Float64Array(2),
    histograms: [],
    flows: [{ counters: NONE, bins: new BinTotal() }],
    hosts: NONE,
  };
  for (const one of growth) addGrowth(grown, one);
  const rounds = grown.values[0] ?? 0;
  expect([...values]).toEqual([...wholeOf(last - rounds)]);
  const since = Array.from({ length: rounds }, (_, index) => growthOf(last - index));
  expect(bytes(foldGrowth(growth))).toEqual(bytes(foldGrowth(since)));
}

/** Checks the file as it lies there; gives how many rounds are in it. */
function expectWhole(path: string, told: number): number {
  expect(checkFile(path, () => {})).toEqual([]);
  const file = readFile(crashOptions(path));
  try {
    const targets = file.loadTargets();
    const newest = Math.max(...targets.map(({ lastScrape }) => lastScrape));
    for (const { lastScrape, totals } of targets) expectTotals(totals, (lastScrape - START) / INTERVAL_MS);
    const rounds = (newest - START) / INTERVAL_MS;
    expect(rounds).toBeGreaterThanOrEqual(told);
    expect(rounds).toBeLessThanOrEqual(told + 1);
    expectCounts(file.sums(everything(rounds, 'inbound')), rounds, 1);
    expectCounts(file.sums(everything(rounds, 'outbound')), rounds, 2);
    return rounds;
  } finally {
    file.close();
  }
}

test(`${KILLS} times kill -9 under load`, { timeout: KILLS * 30_000 }, async () => {
  const path = join(temporaryFolder(), 'sidelight.db');
  let rounds = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const wanted = kill % 5 === 0 ? 1 : 1 + Math.floor(Math.random() * MOST_ROUNDS);
    const told = await appendAndKill(path, wanted, Math.random() * 20);
    expect(told, `kill ${kill}`).toBeGreaterThan(rounds);
    rounds = expectWhole(path, told);
  }
  const store = await SqliteStore.open(crashOptions(path));
  const targets = await store.loadTargets();
  expect(new Set(targets.map(({ lastScrape }) => lastScrape))).toEqual(new Set([START + rounds * INTERVAL_MS]));
  await store.append(roundOf(rounds + 1));
  while (await store.upkeep(START + (rounds + 1) * INTERVAL_MS));
  expectCounts(await store.sums(everything(rounds + 1, 'inbound')), rounds + 1, 1);
  const { tiers } = await store.status();
  expect(tiers.filter(({ newest }) => newest !== null).map(({ name }) => name)).toContain('1m');
  await store.close();
});
