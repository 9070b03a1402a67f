/** The hostile run of the tests, for as long as asked for, in figures. */

import { parseArgs } from 'node:util';
import { type HostileRun, runHostile } from '../e2e/hostile-run.ts';

const MOST_MEMORY_MIB = 400;
const MOST_STALE_MS = 2000;

/** Prints the figures and what was told of each kind; false when a count was wrong or a goal was missed. */
export async function hostileBenchmark(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { minutes: { type: 'string', default: '5' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes=${values.minutes}: a number above 0`);
  const run = await runHostile({ seconds: minutes * 60 });
  try {
    for (const [kind, { reasons, wasUp }] of run.told)
      console.log(`${kind.padEnd(40)} ${wasUp ? 'up' : 'down'}  ${[...reasons].slice(0, 2).join(' | ')}`);
    for (const [about, figure] of figuresOf(run)) console.log(`${about.padEnd(85)} ${figure.padStart(20)}`);
    return isGood(run);
  } finally {
    await run.cleanUp();
  }
}

function figuresOf(run: HostileRun): [about: string, figure: string][] {
  const sum = (counts: readonly (number | null)[]) =>
    String(counts.reduce<number>((all, count) => all + (count ?? 0), 0));
  return [
    ['requests sent to the good sidecars', sum(run.sent)],
    ['requests counted', sum(run.counted)],
    ['good sidecars that were down at any time', String(run.goodDown.size)],
    [
      'longest time since the last scrape of a good sidecar, without waits for a processor',
      `${Math.round(run.stalestMs)} ms`,
    ],
    ['most resident memory', `${Math.round(run.mostMemoryMiB)} MiB`],
    [
      'most lines of the log about one target',
      String(Math.max(...[...run.logLines.values()].map((lines) => lines.length))),
    ],
    ['numbers that are none, infinite or negative', String(run.wrongNumbers.length)],
    ['requests to where the redirect leads', String(run.followed)],
  ];
}

function isGood({ sent, counted, goodDown, stalestMs, mostMemoryMiB, wrongNumbers, followed }: HostileRun): boolean {
  const isExact = counted.every((count, index) => count === sent[index]) && goodDown.size + followed === 0;
  return isExact && wrongNumbers.length === 0 && stalestMs < MOST_STALE_MS && mostMemoryMiB <= MOST_MEMORY_MIB;
}
