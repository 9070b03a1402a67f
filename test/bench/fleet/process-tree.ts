/** What a process and its children take, as Linux tells it under /proc. */

import { readdirSync, readFileSync } from 'node:fs';

export interface Taken {
  /** User and system. */
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** Pages that several processes share are counted by their share. */
  readonly proportionalBytes: number;
  /** Handed to the disk so far, whether it is there yet or not. */
  readonly writtenBytes: number;
}

/** Hundredths of a second, on every Linux that Node runs on. */
const TICK_MS = 10;

/** The process and all that it started, together. */
export function takenBy(pid: number): Taken {
  const all = treeOf(pid).map(takenByOne);
  const sum = (figure: keyof Taken) => all.reduce((total, one) => total + one[figure], 0);
  return {
    cpuMs: sum('cpuMs'),
    residentBytes: sum('residentBytes'),
    proportionalBytes: sum('proportionalBytes'),
    writtenBytes: sum('writtenBytes'),
  };
}

function treeOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(treeOf)];
}

function takenByOne(pid: number): Taken {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
  const written = /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1];
  return {
    cpuMs: cpuMsOf(`/proc/${pid}/stat`),
    residentBytes: kilobytes('Rss'),
    proportionalBytes: kilobytes('Pss'),
    writtenBytes: Number(written ?? 0),
  };
}

/** CPU of a process, or of a thread, by its `stat` file. */
export function cpuMsOf(file: string): number {
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
