/** What following a cluster of 10,000 pods costs, against the goals of the project. */

import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type FakeApiServer, fakeApiServer } from '../discovery/fake-api-server.ts';
import { istioPod } from './kubernetes-pods.ts';
import type { Followed } from './kubernetes-process.ts';
import { median } from './measure.ts';

const PODS = 10_000;
const CHANGES_PER_SECOND = 200;
const SECONDS = 10;
const STEP_MS = 20;
const GOALS = { listMs: 2000, memoryMiB: 150, blockedMs: 20 };

/**
 * Prints the figures; false when one misses its goal. The pods are like Istio's, some 9 kB of JSON each; a process of
 * its own follows them by a kubeconfig with a token. How long the event loop stands still is told in
 * CPU time of its thread, as other programs on the machine would count otherwise.
 */
export async function kubernetesBenchmark(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-bench-'));
  const server = await fakeApiServer(folder);
  try {
    server.put(...Array.from({ length: PODS }, (_, number) => istioPod(number, 0)));
    const rounds: Followed[] = [];
    for (let round = 0; round < 3; round++) rounds.push(await follow(server, round));
    return print(rounds);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

async function follow(server: FakeApiServer, round: number): Promise<Followed> {
  const child = fork(new URL('./kubernetes-process.ts', import.meta.url), [server.kubeconfig], { execArgv: [] });
  const said = () => new Promise<Followed>((resolve) => child.once('message', (told) => resolve(told as Followed)));
  await said();
  while (server.watching() === 0) await pause(10);
  const perStep = (CHANGES_PER_SECOND * STEP_MS) / 1000;
  const from = performance.now();
  for (let step = 0; step < (SECONDS * 1000) / STEP_MS; step++) {
    for (let i = 0; i < perStep; i++) {
      const change = step * perStep + i;
      server.put(istioPod((change * 7) % PODS, round * 1_000_000 + change + 1));
    }
    await pause(Math.max(0, from + (step + 1) * STEP_MS - performance.now()));
  }
  const followed = said();
  child.send({ changes: CHANGES_PER_SECOND * SECONDS });
  return followed;
}

function print(rounds: readonly Followed[]): boolean {
  const middle = (figure: keyof Followed) => median(rounds.map((round) => round[figure]));
  const figures = [
    [`${PODS} pods listed to targets`, middle('listMs'), 'ms', GOALS.listMs],
    ['  of it CPU of the process', middle('cpuMs'), 'ms'],
    ['longest that the event loop stood still meanwhile', middle('listBlockedMs'), 'ms'],
    ['memory at its peak, above an empty process', middle('memoryMiB'), 'MiB', GOALS.memoryMiB],
    [
      `${CHANGES_PER_SECOND} changes/s: longest that the event loop stood still`,
      middle('blockedMs'),
      'ms',
      GOALS.blockedMs,
    ],
    ['  CPU of a change', middle('changeCpuMs'), 'ms'],
  ] as const;
  for (const [about, figure, unit, goal] of figures) {
    const judged = goal === undefined ? '' : `${figure <= goal ? 'met' : 'MISSED'}: at most ${goal} ${unit}`;
    console.log(`${about.padEnd(62)} ${`${figure.toFixed(figure < 10 ? 2 : 0)} ${unit}`.padStart(14)}   ${judged}`);
  }
  return figures.every(([, figure, , goal]) => goal === undefined || figure <= goal);
}
