import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom } from '../../examples/meshes/random.ts';
import { FORM_NAMES, type FormName } from '../envoy/five-forms.ts';
import { type Case, check } from './check.ts';
import { drawBody } from './corpus.ts';
import { mutate } from './mutate.ts';

/** Which bodies: the same ones for the same form, seed and indices. */
export interface Range {
  readonly form: FormName;
  readonly seed: number;
  /** Index of the first body. */
  readonly from: number;
  readonly count: number;
}

export interface Tally {
  /** Bodies that were read as numbers, and those that were refused with a reason. */
  readonly read: number;
  readonly refused: number;
  /** Bytes of all bodies. */
  readonly bytes: number;
  readonly failure?: Failure;
}

export interface Failure {
  readonly index: number;
  readonly problem: string;
  readonly found: Case;
}

/** What is held weakly stays until the event loop turns, as it does between two scrapes. */
const BODIES_A_TURN = 100;
/** Heap that the readers may hold on to over a whole range. */
const HELD_BYTES = 48_000_000;
const COLLECTIONS = 4;

/** Checks bodies up to the first that fails. */
export async function fuzz({ form, seed, from, count }: Range): Promise<Tally> {
  let [read, refused, bytes] = [0, 0, 0];
  const held = await heldBytes();
  for (let index = from; index < from + count; index++) {
    const found = caseAt(form, seed, index);
    const verdict = check(found);
    bytes += found.body.length;
    if (verdict.problem !== undefined)
      return { read, refused, bytes, failure: { index, problem: verdict.problem, found } };
    if (verdict.read) read++;
    else refused++;
    if (index % BODIES_A_TURN === 0) await setImmediate();
  }
  const grown = (await heldBytes()) - held;
  if (grown <= HELD_BYTES) return { read, refused, bytes };
  const problem = `memory: ${grown} bytes are held after ${count} bodies`;
  return { read, refused, bytes, failure: { index: from, problem, found: caseAt(form, seed, from) } };
}

export function caseAt(form: FormName, seed: number, index: number): Case {
  const random = seededRandom(
    Math.imul(seed, 0x9e3779b1) ^ Math.imul(index * FORM_NAMES.length + FORM_NAMES.indexOf(form), 0x85ebca6b),
  );
  const base = drawBody(form, random);
  const other = () => {
    const otherForm = random() < 0.7 ? form : (FORM_NAMES[Math.floor(random() * FORM_NAMES.length)] ?? form);
    return drawBody(otherForm, random);
  };
  return { form, base, body: mutate(base, random, other) };
}

/** The smallest body found that fails in the same way: parts are left out for as long as it does. */
export function shrink(found: Case, problem: string, attempts = 2000): Buffer {
  const kind = problem.split(':')[0];
  const failsAlike = (body: Buffer) => check({ ...found, body }).problem?.split(':')[0] === kind;
  let body = found.body;
  let left = attempts;
  for (let size = Math.ceil(body.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < body.length && left-- > 0; ) {
      const smaller = Buffer.concat([body.subarray(0, start), body.subarray(start + size)]);
      if (failsAlike(smaller)) body = smaller;
      else start += size;
    }
  }
  return body;
}

/** What is still there after some collections with turns of the event loop between them, in which what was held weakly is let go. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  for (let turn = 0; turn < COLLECTIONS; turn++) {
    await setImmediate();
    if (typeof collect === 'function') collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
