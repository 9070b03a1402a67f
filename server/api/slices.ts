/** Long work on the main thread in slices, so that scrapes and other requests come in between. */

import { once } from 'node:events';
import type { Response } from 'express';
import { Slices } from '../measure/slices.ts';
import { Points } from './points.ts';

/** Elements of a list that are rendered at once. */
const PIECE = 250;
/** Parts of a value that is rendered at once, wherever it is. */
const SMALL = 64;
/** Lists and objects are taken apart down to this level. */
const DEPTH = 4;
const CHUNK_CHARACTERS = 65_536;

/** Sends a value as JSON, rendered and sent in slices. Ends early when nobody listens any more. */
export async function sendJson(response: Response, value: unknown): Promise<void> {
  response.set('content-type', 'application/json; charset=utf-8');
  const slices = new Slices();
  let chunk = '';
  for (const piece of piecesOf(value, 0)) {
    chunk += piece;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response);
    chunk = '';
    await slices.pause();
  }
  response.end(chunk);
}

/** Until more can be written, or nobody reads any more. */
async function drained(response: Response): Promise<void> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once('close', leave);
  await once(response, 'drain', { signal: gone.signal }).catch(() => {});
  response.off('close', leave);
}

/** JSON text in pieces; what JSON.stringify leaves out is left out. */
export function* piecesOf(value: unknown, depth: number): Generator<string> {
  if (value instanceof Points) yield* value.pieces();
  else if (isSmall(value)) yield JSON.stringify(value) ?? 'null';
  else if (Array.isArray(value)) yield* listPieces(value, depth);
  else if (depth < DEPTH && typeof value === 'object' && value !== null) yield* objectPieces(value, depth);
  else yield JSON.stringify(value) ?? 'null';
}

/** Whether a value has so few parts that taking it apart takes longer than rendering it. */
function isSmall(value: unknown): boolean {
  return partsOf(value, SMALL) <= SMALL;
}

/** Numbers, texts and names in a value, counted up to `most`. */
function partsOf(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Points) return value.length;
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let count = parts.length;
  for (let i = 0; i < parts.length && count <= most; i++) count += partsOf(parts[i], most - count);
  return count;
}

function* listPieces(list: readonly unknown[], depth: number): Generator<string> {
  if (depth >= DEPTH || list.length === 0 || typeof list[0] !== 'object') {
    yield JSON.stringify(list);
    return;
  }
  yield '[';
  if (Array.isArray(list[0])) yield* tablePieces(list);
  else
    for (const [index, item] of list.entries()) {
      if (index > 0) yield ',';
      yield* piecesOf(item, depth + 1);
    }
  yield ']';
}

/** A list of short lists. */
function* tablePieces(list: readonly unknown[]): Generator<string> {
  for (let from = 0; from < list.length; from += PIECE)
    yield (from > 0 ? ',' : '') + JSON.stringify(list.slice(from, from + PIECE)).slice(1, -1);
}

function* objectPieces(value: object, depth: number): Generator<string> {
  let separator = '{';
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    yield* piecesOf(item, depth + 1);
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}
