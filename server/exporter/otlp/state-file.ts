/** What a receiver accepted, in a file beside the database, so that a restart repeats nothing and leaves nothing out. */

import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { COUNTERS, type FlowKey } from '../../model/flow.ts';
import type { AcceptedTarget } from './accepted.ts';
import type { CountedFlow } from './increments.ts';

interface Head {
  readonly version: 1;
  /** Names the receiver and what it was told; another one was told nothing yet. */
  readonly receiver: string;
  /** Databases of other versions may have fewer counters. */
  readonly counters: number;
}

type FlowLine = readonly [
  flow: FlowKey,
  counters: readonly number[],
  keys: readonly number[],
  counts: readonly number[],
];
type TargetLine = readonly [target: string, since: number, at: number, flows: readonly FlowLine[]];

/** Targets that are written between two looks at the clock. */
const SLICE = 20;

/** Replaces the file as a whole. */
export async function saveAccepted(
  path: string,
  receiver: string,
  targets: Iterable<readonly [string, AcceptedTarget]>,
): Promise<void> {
  const whole = `${path}.new`;
  const file = await open(whole, 'w', 0o600);
  try {
    const head: Head = { version: 1, receiver, counters: COUNTERS.length };
    let lines = `${JSON.stringify(head)}\n`;
    let gathered = 0;
    for (const [target, { since, at, flows }] of [...targets]) {
      const line: TargetLine = [target, since, at, flows.map(lineOf)];
      lines += `${JSON.stringify(line)}\n`;
      if (++gathered % SLICE !== 0) continue;
      await file.write(lines);
      lines = '';
      await nextTurn();
    }
    await file.write(lines);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(whole, path);
}

function lineOf({ flow, counters, bins }: CountedFlow): FlowLine {
  return [flow, [...counters], bins.keys, bins.counts];
}

export interface LoadOptions {
  readonly receiver: string;
  /** Targets whose totals go on. */
  readonly known: ReadonlySet<string>;
}

/**
 * What was saved of targets; of what another receiver was told only since when totals count. Nothing where there is no
 * file, or none that can be understood.
 */
export async function loadAccepted(
  path: string,
  { receiver, known }: LoadOptions,
): Promise<Map<string, AcceptedTarget>> {
  const targets = new Map<string, AcceptedTarget>();
  let head: Head | undefined;
  try {
    for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
      if (!head) {
        head = JSON.parse(line) as Head;
        if (head.version !== 1) return new Map();
        continue;
      }
      const [target, since, at, flows] = JSON.parse(line) as TargetLine;
      const isSame = head.receiver === receiver;
      if (known.has(target))
        targets.set(target, { since, at: isSame ? at : 0, flows: isSame ? flows.map(flowOf) : [] });
    }
    return targets;
  } catch {
    await rm(path, { force: true }).catch(() => {});
    return new Map();
  }
}

function flowOf([flow, values, keys, counts]: FlowLine): CountedFlow {
  const counters = new Float64Array(COUNTERS.length);
  counters.set(values.slice(0, COUNTERS.length));
  return { flow, counters, bins: { keys, counts } };
}
