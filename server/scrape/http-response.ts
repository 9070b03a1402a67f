/**
 * The answer to one GET over HTTP/1.1, read as it comes (RFC 9112), and strictly: what could be understood in two ways,
 * or has no end that can be told, is an error, so that no part of an answer is ever taken for the whole.
 */

import type { BodyPool } from './body-pool.ts';

/** Bytes of a head that is taken, interim answers before it included. */
const MOST_HEAD_BYTES = 16_384;
const MOST_CHUNK_LINE_BYTES = 256;
const MOST_CHUNK_DIGITS = 8;
/** So many chunks are taken whatever their size; more of them only when they hold this many bytes on average. */
const ANY_CHUNKS = 4096;
const FEWEST_CHUNK_BYTES = 16;
/** Memory for a body that turns out longer than expected comes in pieces from this size on, and as large as the body is. */
const PIECE_BYTES = 65_536;
const LARGEST_PIECE_BYTES = 4 * 1024 * 1024;
const CR = 13;
const LF = 10;
const START = Buffer.from('HTTP/1.');
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Why an answer is refused; `code` as in the table of reasons. */
export class HttpError extends Error {
  override name = 'HttpError';
  readonly code: string;

  constructor(code: string, message = code) {
    super(message);
    this.code = code;
  }
}

const notHttp = (what: string) => new HttpError('HPE_INVALID', what);

type State = 'head' | 'sized' | 'chunk line' | 'chunk' | 'chunk end' | 'trailers' | 'done';

export interface ResponseOptions {
  readonly bodyLimitBytes: number;
  readonly pool: BodyPool;
  /** Bytes that the body probably has. */
  readonly expectedBytes: number;
  /** Whether only its size is of interest: then there is no body. */
  readonly onlySize?: boolean;
  /** Called when the head is whole. */
  readonly onHead: () => void;
}

/** Takes the bytes of one answer in any pieces. Throws at the first that is wrong; it is of no use thereafter. */
export class HttpResponse {
  status = 0;
  contentType = '';
  /** Whether the server takes another request over this connection. */
  keepAlive = true;
  private readonly options: ResponseOptions;
  private state: State = 'head';
  /** What is read of the head, of a chunk's line or of the trailers. */
  private pending: Buffer = Buffer.alloc(0);
  private headBytes = 0;
  /** Bytes left of the body or of the chunk. */
  private left = 0;
  private chunks = 0;
  /** The body so far: all pieces but the last are full. */
  private pieces: Buffer[] = [];
  private sizeBeforeLast = 0;
  private size = 0;

  constructor(options: ResponseOptions) {
    this.options = options;
  }

  get done(): boolean {
    return this.state === 'done';
  }

  /** Bytes of the body so far. */
  get received(): number {
    return this.size;
  }

  /** The body, in memory of the pool. */
  get body(): Buffer {
    if (this.pieces.length > 1) this.join();
    return this.pieces[0]?.subarray(0, this.size) ?? Buffer.alloc(0);
  }

  /** Gives the body's memory back. */
  release(): void {
    for (const piece of this.pieces) this.options.pool.release(piece);
    this.pieces = [];
    this.size = 0;
  }

  /** How many of the bytes belong to this answer: all of them until it is done. @throws HttpError */
  push(bytes: Buffer): number {
    let position = 0;
    while (position < bytes.length && this.state !== 'done') position = this.step(bytes, position);
    return position;
  }

  private step(bytes: Buffer, position: number): number {
    switch (this.state) {
      case 'head':
        return this.readHead(bytes, position);
      case 'sized':
      case 'chunk':
        return this.readBody(bytes, position);
      default:
        return this.readLine(bytes, position);
    }
  }

  private readHead(bytes: Buffer, position: number): number {
    const before = this.pending.length;
    const head = before === 0 ? bytes.subarray(position) : Buffer.concat([this.pending, bytes.subarray(position)]);
    checkStart(head);
    const end = head.indexOf(END_OF_HEAD, Math.max(0, before - END_OF_HEAD.length));
    const size = end < 0 ? head.length : end + END_OF_HEAD.length;
    if (this.headBytes + size > MOST_HEAD_BYTES) throw new HttpError('HEADERS_TOO_LARGE');
    if (end < 0) {
      this.pending = Buffer.from(head);
      return bytes.length;
    }
    this.pending = Buffer.alloc(0);
    this.headBytes += size;
    this.takeHead(head.toString('latin1', 0, end));
    return position + size - before;
  }

  private takeHead(text: string): void {
    const { status, version, headers } = parseHead(text);
    if (status === 101) throw notHttp('101 Switching Protocols');
    if (status < 200) return;
    this.status = status;
    this.contentType = headers.get('content-type') ?? '';
    this.keepAlive = version === 1 && !/\bclose\b/i.test(headers.get('connection') ?? '');
    const encoding = headers.get('content-encoding') ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') throw new HttpError('COMPRESSED', encoding);
    this.options.onHead();
    this.beginBody(headers);
  }

  private beginBody(headers: ReadonlyMap<string, string>): void {
    const coding = headers.get('transfer-encoding');
    const length = headers.get('content-length');
    if (this.status === 204 || this.status === 304) this.state = 'done';
    else if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked' || length !== undefined) throw notHttp(`transfer-encoding: ${coding}`);
      this.state = 'chunk line';
    } else if (length !== undefined) this.beginSized(length);
    else throw new HttpError('NO_END');
  }

  private beginSized(length: string): void {
    if (!/^\d{1,15}$/.test(length)) throw notHttp(`content-length: ${length}`);
    this.left = Number(length);
    this.checkSize(this.left);
    this.state = this.left === 0 ? 'done' : 'sized';
  }

  private readBody(bytes: Buffer, position: number): number {
    const count = this.options.onlySize ? Math.min(this.left, bytes.length - position) : this.keepBody(bytes, position);
    this.checkSize(this.size + count);
    this.size += count;
    this.left -= count;
    if (this.left === 0) this.state = this.state === 'sized' ? 'done' : 'chunk end';
    return position + count;
  }

  private keepBody(bytes: Buffer, position: number): number {
    const last = this.pieces.at(-1);
    const used = this.size - this.sizeBeforeLast;
    const piece = last && used < last.length ? last : this.nextPiece();
    const at = this.size - this.sizeBeforeLast;
    const count = Math.min(this.left, bytes.length - position, piece.length - at);
    this.checkSize(this.size + count);
    bytes.copy(piece, at, position, position + count);
    return count;
  }

  private nextPiece(): Buffer {
    const { pool, expectedBytes, bodyLimitBytes } = this.options;
    const isFirst = this.pieces.length === 0;
    const more = Math.min(Math.max(this.size, PIECE_BYTES), LARGEST_PIECE_BYTES);
    const piece = pool.take(isFirst ? Math.min(Math.max(expectedBytes, 1), bodyLimitBytes) : more);
    this.pieces.push(piece);
    this.sizeBeforeLast = this.size;
    return piece;
  }

  private join(): void {
    const whole = this.options.pool.take(this.size);
    let at = 0;
    for (const piece of this.pieces) {
      at += piece.copy(whole, at, 0, Math.min(piece.length, this.size - at));
      this.options.pool.release(piece);
    }
    this.pieces = [whole];
  }

  private checkSize(bytes: number): void {
    if (bytes > this.options.bodyLimitBytes) throw new HttpError('BODY_TOO_LARGE');
  }

  /** Reads a chunk's line, the end of a chunk, or a line of the trailers. */
  private readLine(bytes: Buffer, position: number): number {
    const newline = bytes.indexOf(LF, position);
    const end = newline < 0 ? bytes.length : newline + 1;
    const line =
      this.pending.length === 0
        ? bytes.subarray(position, end)
        : Buffer.concat([this.pending, bytes.subarray(position, end)]);
    if (line.length > MOST_CHUNK_LINE_BYTES && this.state !== 'trailers') throw notHttp("a chunk's line has no end");
    if (this.headBytes + line.length > MOST_HEAD_BYTES) throw new HttpError('HEADERS_TOO_LARGE');
    if (newline < 0) {
      this.pending = Buffer.from(line);
      return end;
    }
    this.pending = Buffer.alloc(0);
    if (line[line.length - 2] !== CR) throw notHttp('a line without a carriage return');
    this.takeLine(line);
    return end;
  }

  private takeLine(line: Buffer): void {
    if (this.state === 'chunk end') {
      if (line.length !== 2) throw notHttp('a chunk is longer than it says');
      this.state = 'chunk line';
    } else if (this.state === 'trailers') {
      this.headBytes += line.length;
      if (line.length === 2) this.state = 'done';
    } else {
      this.left = chunkSize(line);
      this.checkSize(this.size + this.left);
      if (++this.chunks > ANY_CHUNKS && this.size < this.chunks * FEWEST_CHUNK_BYTES) throw new HttpError('CRUMBS');
      this.state = this.left === 0 ? 'trailers' : 'chunk';
    }
  }
}

/** Fails as soon as it is plain that this is no HTTP: a server of something else may never end its line. */
function checkStart(head: Buffer): void {
  const length = Math.min(head.length, START.length);
  if (START.compare(head, 0, length, 0, length) !== 0) throw notHttp('no status line');
}

function chunkSize(line: Buffer): number {
  const [, digits = ''] = /^([0-9a-fA-F]+)[\t ]*(?:;[^\r\n]*)?\r\n$/.exec(line.toString('latin1')) ?? [];
  if (digits === '' || digits.length > MOST_CHUNK_DIGITS) throw notHttp("not a chunk's length");
  return Number.parseInt(digits, 16);
}

interface Head {
  readonly status: number;
  /** 0 or 1: the last digit of HTTP/1.0 or 1.1. */
  readonly version: number;
  /** By names in small letters; of those that may stand only once. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Headers that are looked at. */
const LOOKED_AT: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'connection',
]);

/** What was read last: targets that answer in the same second mostly send the same head. */
let lastHead: { readonly text: string; readonly head: Head } | undefined;

function parseHead(text: string): Head {
  if (lastHead?.text === text) return lastHead.head;
  const head = parsedHead(text);
  lastHead = { text, head };
  return head;
}

function parsedHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, version, status] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\n\r\0]*)?$/.exec(statusLine) ?? [];
  if (version === undefined) throw notHttp('not a status line');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):[\t ]*([^\n\r\0]*)$/.exec(line) ?? [];
    if (name === '') throw notHttp('not a header');
    const key = name.toLowerCase();
    if (!LOOKED_AT.has(key)) continue;
    const known = headers.get(key);
    if (known !== undefined && key !== 'connection') throw notHttp(`${key} twice`);
    headers.set(key, known === undefined ? value.trimEnd() : `${known}, ${value}`);
  }
  return { status: Number(status), version: Number(version), headers };
}
