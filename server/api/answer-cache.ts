/** Answers that many ask for at once are worked out, rendered and compressed once, and kept until there are newer figures. */

import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { promisify } from 'node:util';
import { constants, gzip, gzipSync } from 'node:zlib';
import type { Request, Response } from 'express';
import { Slices } from '../measure/slices.ts';
import { piecesOf } from './slices.ts';

/** Bytes and number of answers that are kept; a larger one goes to those who wait for it, and is forgotten. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;
const MOST_KEPT = 500;
const LARGEST_KEPT_BYTES = 16 * 1024 * 1024;
/** What is smaller is sent as it is. */
const LEAST_PACKED_BYTES = 1024;
/** Up to here compressing takes less than having another thread do it: a tenth of a millisecond. */
const PACKED_AT_ONCE_BYTES = 8192;
const CHUNK_CHARACTERS = 65_536;

const FAST = { level: constants.Z_BEST_SPEED };
const packElsewhere = promisify(gzip);

async function packed(plain: Buffer): Promise<Buffer> {
  return plain.length <= PACKED_AT_ONCE_BYTES ? gzipSync(plain, FAST) : packElsewhere(plain, FAST);
}

/** An answer as it is sent. */
class Rendered {
  readonly etag: string;
  readonly plain: Buffer;
  private packing: Promise<Buffer> | null = null;

  constructor(plain: Buffer) {
    this.plain = plain;
    this.etag = `W/"${createHash('sha1').update(plain).digest('base64url')}"`;
  }

  /** Compressed when it is first asked for. */
  packed(): Promise<Buffer> {
    this.packing ??= packed(this.plain);
    return this.packing;
  }
}

/** Those who wait for one answer; emits `close` when the last of them has gone. */
export class Waiting extends EventEmitter {
  private count = 0;

  /** Gives a function that ends the waiting. */
  join(response: Response): () => void {
    const leave = () => {
      response.off('close', leave);
      this.count--;
      if (this.count === 0) this.emit('close');
    };
    this.count++;
    response.on('close', leave);
    return () => response.off('close', leave);
  }
}

interface Entry {
  readonly answer: Promise<Rendered>;
  readonly waiting: Waiting;
  bytes: number;
}

export class AnswerCache {
  private readonly version: () => string;
  private readonly entries = new Map<string, Entry>();
  private current = '';
  private bytes = 0;

  /** Whenever `version` gives another text, what was kept is worked out anew. */
  constructor(version: () => string) {
    this.version = version;
  }

  /**
   * Answers a request with what `work` gives, or gave to another one with the same address; `work` is given up when
   * `waiting` closes. Failures are not kept. @throws what `work` throws
   */
  async answer(request: Request, response: Response, work: (waiting: Waiting) => Promise<unknown>): Promise<void> {
    const entry = this.entryOf(request.originalUrl, work);
    const done = entry.waiting.join(response);
    const rendered = await entry.answer.finally(done);
    await send(request, response, rendered);
  }

  private entryOf(key: string, work: (waiting: Waiting) => Promise<unknown>): Entry {
    this.renew();
    const known = this.entries.get(key);
    if (known) return known;
    const waiting = new Waiting();
    const entry: Entry = { waiting, bytes: 0, answer: work(waiting).then(render) };
    this.entries.set(key, entry);
    waiting.on('close', () => this.drop(key, entry));
    entry.answer.then(
      ({ plain }) => this.weigh(key, entry, plain.length),
      () => this.drop(key, entry),
    );
    return entry;
  }

  private renew(): void {
    const version = this.version();
    if (version === this.current) return;
    this.current = version;
    this.entries.clear();
    this.bytes = 0;
  }

  private weigh(key: string, entry: Entry, bytes: number): void {
    if (this.entries.get(key) !== entry) return;
    if (bytes > LARGEST_KEPT_BYTES) this.drop(key, entry);
    entry.bytes = bytes;
    this.bytes += this.entries.get(key) === entry ? bytes : 0;
    for (const [oldest, { bytes: known }] of this.entries) {
      if (this.bytes <= MOST_KEPT_BYTES && this.entries.size <= MOST_KEPT) return;
      if (known > 0) this.drop(oldest, this.entries.get(oldest));
    }
  }

  private drop(key: string, entry: Entry | undefined): void {
    if (entry === undefined || this.entries.get(key) !== entry) return;
    this.entries.delete(key);
    this.bytes -= entry.bytes;
  }
}

/** JSON in slices, so that scrapes and other requests come in between. */
async function render(value: unknown): Promise<Rendered> {
  const slices = new Slices();
  const chunks: Buffer[] = [];
  let text = '';
  for (const piece of piecesOf(value, 0)) {
    text += piece;
    if (text.length < CHUNK_CHARACTERS) continue;
    chunks.push(Buffer.from(text));
    text = '';
    await slices.pause();
  }
  chunks.push(Buffer.from(text));
  return new Rendered(Buffer.concat(chunks));
}

/** Browsers keep an answer, and ask each time whether it still holds; nobody in between keeps it. */
async function send(request: Request, response: Response, rendered: Rendered): Promise<void> {
  response.set({ 'cache-control': 'private, no-cache', etag: rendered.etag, vary: 'accept-encoding' });
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  response.set('content-type', 'application/json; charset=utf-8');
  const isPacked =
    rendered.plain.length >= LEAST_PACKED_BYTES && request.acceptsEncodings(['gzip', 'identity']) === 'gzip';
  const body = isPacked ? await rendered.packed() : rendered.plain;
  if (isPacked) response.set('content-encoding', 'gzip');
  response.set('content-length', String(body.length)).end(body);
}
