/** Long work on the main thread in slices, so that scrapes and other requests come in between. */

import { once } from 'node:events';
import type { Response } from 'express';
import { Slices } from '../measure/slices.ts';
import { Points } from './points.ts';

/** Elements of a list that are rendered at once. */
const PIECE = 250;
/** Characters of small elements that are rendered at once. */
const PIECE_CHARACTERS = 8192;
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
  if (Array.isArray(value)) return partsOfList(value, most);
  let count = 0;
  for (const name in value) {
    count += 1 + partsOf(value[name as keyof typeof value], most - count);
    if (count > most) break;
  }
  return count;
}

function partsOfList(list: readonly unknown[], most: number): number {
  let count = list.length;
  for (let i = 0; i < list.length && count <= most; i++) count += partsOf(list[i], most - count);
  return count;
}

function* listPieces(list: readonly unknown[], depth: number): Generator<string> {
  if (depth >= DEPTH || list.length === 0 || typeof list[0] !== 'object') yield JSON.stringify(list);
  else if (Array.isArray(list[0])) yield* tablePieces(list);
  else yield* itemPieces(list, depth);
}

function* itemPieces(list: readonly unknown[], depth: number): Generator<string> {
  let text = '';
  for (let i = 0; i < list.length; i++) {
    text += i > 0 ? ',' : '[';
    if (isSmall(list[i])) text += JSON.stringify(list[i]) ?? 'null';
    else {
      yield text;
      text = '';
      yield* piecesOf(list[i], depth + 1);
    }
    if (text.length < PIECE_CHARACTERS) continue;
    yield text;
    text = '';
  }
  yield `${text}]`;
}

/** A list of short lists. */
function* tablePieces(list: readonly unknown[]): Generator<string> {
  yield '[';
  for (let from = 0; from < list.length; from += PIECE)
    yield (from > 0 ? ',' : '') + JSON.stringify(list.slice(from, from + PIECE)).slice(1, -1);
  yield ']';
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
