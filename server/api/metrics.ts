/** /metrics over HTTP: worked out and sent in slices, as fast as the client reads, a few answers at a time. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { Slices } from '../measure/slices.ts';
import { RequestError } from './params.ts';

export interface MetricsAnswer {
  readonly contentType: string;
  /** Pieces of the answer; `undefined` where there is none yet but time has passed. */
  readonly pieces: Iterator<string | Uint8Array | undefined>;
}

export interface MetricsOptions {
  /** @param accept the client's Accept header. */
  readonly metrics: (accept: string | undefined) => Promise<MetricsAnswer>;
  /** Reasons for which there is no answer, told to the client. */
  readonly refusals: readonly (new (
    ...args: never[]
  ) => Error)[];
  readonly onError: (error: unknown, path: string) => void;
}

/** Answers that are under way at once, and that wait for their turn. */
const AT_ONCE = 4;
const WAITING = 200;
/**
 * Bytes that a socket and zlib are given, and that zlib gives, at once: each time is a wait for the socket or for another
 * thread, and where the machine is busy a thousand of them take longer than a client waits.
 */
const GATHERED = { plain: 512 * 1024, packed: 128 * 1024 };
const PACKED_OUT = 64 * 1024;
/** A client that has not read its answer by then is cut off, unless it told a shorter time itself. */
const LONGEST_MS = 30_000;
const CLIENT_TIMEOUT = 'x-prometheus-scrape-timeout-seconds';

/** Handles GET /metrics. */
export function metricsHandler(options: MetricsOptions): (request: Request, response: Response) => Promise<void> {
  const turns = new Turns();
  return async (request, response) => {
    if (!(await turns.take(response))) return;
    const timer = setTimeout(() => response.destroy(), timeoutOf(request));
    try {
      await send(options, request, response);
    } catch (error) {
      if (!response.headersSent) throw refusal(error, options);
      if (!response.destroyed) options.onError(error, request.path);
      response.destroy();
    } finally {
      clearTimeout(timer);
      turns.giveBack();
    }
  };
}

async function send({ metrics }: MetricsOptions, request: Request, response: Response): Promise<void> {
  const { contentType, pieces } = await metrics(request.get('accept'));
  const body = inSlices(pieces);
  const first = await body.next();
  response.set({ 'content-type': contentType, vary: 'accept, accept-encoding', 'cache-control': 'no-store' });
  const whole = Readable.from(withFirst(first, body));
  const isPacked = request.acceptsEncodings(['gzip', 'identity']) === 'gzip';
  if (isPacked) response.set('content-encoding', 'gzip');
  if (request.method === 'HEAD') {
    whole.destroy();
    response.end();
  } else if (isPacked)
    await pipeline(gathered(whole, GATHERED.packed), createGzip({ level: 1, chunkSize: PACKED_OUT }), response);
  else await pipeline(gathered(whole, GATHERED.plain), response);
}

async function* inSlices(pieces: MetricsAnswer['pieces']): AsyncGenerator<string | Uint8Array, undefined> {
  const slices = new Slices();
  try {
    for (let next = pieces.next(); !next.done; next = pieces.next()) {
      if (next.value !== undefined) yield next.value;
      if (slices.isUp) await slices.pause();
    }
  } finally {
    pieces.return?.();
  }
  return undefined;
}

async function* withFirst(
  first: IteratorResult<string | Uint8Array, undefined>,
  rest: AsyncGenerator<string | Uint8Array, undefined>,
): AsyncGenerator<string | Uint8Array> {
  if (first.value !== undefined) yield first.value;
  if (!first.done) yield* rest;
}

async function* gathered(pieces: AsyncIterable<string | Uint8Array>, atOnce: number): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    const more = typeof piece === 'string' ? Buffer.from(piece) : piece;
    held.push(more);
    bytes += more.length;
    if (bytes < atOnce) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held);
}

function refusal(error: unknown, { refusals }: MetricsOptions): unknown {
  return refusals.some((kind) => error instanceof kind)
    ? new RequestError((error as Error).message, 503, 'too_large')
    : error;
}

function timeoutOf(request: Request): number {
  const seconds = Number(request.get(CLIENT_TIMEOUT));
  return seconds > 0 ? Math.min(LONGEST_MS, seconds * 1000) : LONGEST_MS;
}

/** Lets a few in at a time, the others in the order in which they came. */
class Turns {
  private taken = 0;
  private readonly waiting = new Set<() => void>();

  /** @returns false for a client that went away meanwhile. @throws RequestError 503 when too many wait. */
  async take(response: Response): Promise<boolean> {
    if (this.taken < AT_ONCE) {
      this.taken++;
      return true;
    }
    if (this.waiting.size >= WAITING)
      throw new RequestError('too many scrapes of /metrics at once: try again', 503, 'busy');
    return new Promise((resolve) => {
      const enter = (): void => {
        response.off('close', leave);
        this.taken++;
        resolve(true);
      };
      const leave = (): void => {
        if (this.waiting.delete(enter)) resolve(false);
      };
      this.waiting.add(enter);
      response.once('close', leave);
    });
  }

  giveBack(): void {
    this.taken--;
    const [next] = this.waiting;
    if (!next) return;
    this.waiting.delete(next);
    next();
  }
}
