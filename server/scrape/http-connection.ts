/** One connection to a server of HTTP/1.1, one GET at a time over it, opened anew where the one before is gone. */

import { connect as connectTcp, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { BODIES } from './body-pool.ts';
import { HttpError, HttpResponse } from './http-response.ts';
import { LARGE_BYTES, LargeAnswers } from './large-bodies.ts';

export interface HttpConnectionOptions {
  /** Value of the header `host`. */
  readonly host: string;
  /** Options for Node's own connect, asked for whenever a connection is opened; `tls` where it is to be secured. */
  readonly dial: () => Promise<{ readonly tcp: NetConnectOpts; readonly tls?: ConnectionOptions }>;
}

/** Header names to values, as they are sent. */
export type Headers = Readonly<Record<string, string>>;

export interface HttpRequest {
  readonly headers: Headers;
  /** Time for a whole answer, the connection included. */
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
  /** Called when the answer's head is there. */
  readonly onHead: () => void;
}

interface Exchange {
  readonly path: string;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** Whether only the answer's size is looked at. */
  readonly isMeasured: boolean;
  timer: NodeJS.Timeout;
  resolve(response: HttpResponse): void;
  reject(error: Error): void;
}

/** What a socket has received is in here until it was looked at, before any other socket receives. */
const RECEIVED = Buffer.allocUnsafeSlow(65_536);
/** Of all targets. */
const LARGE_ANSWERS = new LargeAnswers<Exchange>();
const PROBE_AFTER_MS = 60_000;
/** Of the first answer of a target. */
const EXPECTED_BYTES = 65_536;
/** A timer that comes later than this says that the process was busy. */
const LATE_MS = 50;
const ROOM_TO_GROW = 1.1;

export class HttpConnection {
  /** How many connections were made so far. */
  opened = 0;
  private readonly options: HttpConnectionOptions;
  private socket: Socket | undefined;
  private exchange: Exchange | undefined;
  private expectedBytes = EXPECTED_BYTES;
  /** The limit that the last answer was larger than: the next one takes no memory until it is known to end within that. */
  private exceededBytes: number | undefined;
  private closed = false;

  constructor(options: HttpConnectionOptions) {
    this.options = options;
  }

  /**
   * The answer, whose body is to be released.
   * @throws an error with a code when there is none within the time, or none to be trusted: the connection is then closed.
   */
  get(path: string, request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new HttpError('CLOSED', 'the client was closed'));
      const { headers, timeoutMs, bodyLimitBytes, onHead } = request;
      const isMeasured = this.exceededBytes === bodyLimitBytes;
      const { expectedBytes } = this;
      const response = new HttpResponse({ bodyLimitBytes, pool: BODIES, expectedBytes, onlySize: isMeasured, onHead });
      const timer = setTimeout(() => this.expire(exchange, due), timeoutMs);
      const exchange = { path, request, response, isMeasured, timer, resolve, reject };
      const due = performance.now() + timeoutMs;
      this.exchange = exchange;
      const text = this.requestOf(path, headers);
      if (this.socket) this.socket.write(text, 'latin1');
      else void this.openFor(exchange, text);
    });
  }

  /** What came while this process was busy with something else is looked at first, and the time that it was is given. */
  private expire(exchange: Exchange, due: number): void {
    const lateMs = performance.now() - due;
    if (lateMs > LATE_MS) exchange.timer = setTimeout(() => this.expire(exchange, Infinity), lateMs);
    else setImmediate(() => this.exchange === exchange && this.fail(new HttpError('TIMEDOUT')));
  }

  /** Closes the connection for good. */
  close(): void {
    this.closed = true;
    this.fail(new HttpError('CLOSED', 'the client was closed'));
  }

  private requestOf(path: string, headers: Headers): string {
    let text = `GET ${path} HTTP/1.1\r\nhost: ${this.options.host}\r\n`;
    for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
    return `${text}\r\n`;
  }

  /** Opens a connection for an exchange, unless that has ended meanwhile. Never rejects. */
  private async openFor(exchange: Exchange, request: string): Promise<void> {
    try {
      const dialled = await this.options.dial();
      if (this.exchange !== exchange) return;
      this.socket = this.open(dialled, request);
    } catch (error) {
      if (this.exchange === exchange) this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private open({ tcp, tls }: Awaited<ReturnType<HttpConnectionOptions['dial']>>, request: string): Socket {
    const onread = {
      buffer: RECEIVED,
      callback: (count: number) => {
        this.receive(socket, count);
        return true;
      },
    };
    const common = { onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS };
    const socket: Socket = tls ? connectTls({ ...tcp, ...common, ...tls }) : connectTcp({ ...tcp, ...common });
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      this.opened++;
      socket.write(request, 'latin1');
    });
    socket.on('error', (error) => this.lose(socket, error));
    socket.on('close', () => this.lose(socket, new HttpError('ECONNRESET')));
    return socket;
  }

  private receive(socket: Socket, count: number): void {
    const { exchange } = this;
    if (socket !== this.socket) return;
    if (!exchange) {
      this.drop();
      return;
    }
    try {
      const taken = exchange.response.push(RECEIVED.subarray(0, count));
      const { done, received } = exchange.response;
      if (done) this.finish(exchange, taken < count);
      else if (received > LARGE_BYTES && !LARGE_ANSWERS.mayGoOn(exchange, received, () => socket.resume()))
        socket.pause();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** What comes behind an answer belongs to none: such a connection isn't used again. */
  private finish(exchange: Exchange, surplus: boolean): void {
    const { response, timer, resolve, reject } = exchange;
    clearTimeout(timer);
    LARGE_ANSWERS.ended(exchange);
    this.exchange = undefined;
    if (surplus || !response.keepAlive) this.drop();
    this.exceededBytes = undefined;
    if (exchange.isMeasured) {
      this.get(exchange.path, exchange.request).then(resolve, reject);
      return;
    }
    this.expectedBytes = Math.ceil(response.body.length * ROOM_TO_GROW);
    resolve(response);
  }

  private lose(socket: Socket, error: Error): void {
    if (socket === this.socket) this.fail(error);
  }

  private fail(error: Error): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.drop();
    if (!exchange) return;
    clearTimeout(exchange.timer);
    LARGE_ANSWERS.ended(exchange);
    const isTooLarge = error instanceof HttpError && error.code === 'BODY_TOO_LARGE';
    if (isTooLarge) this.exceededBytes = exchange.request.bodyLimitBytes;
    exchange.response.release();
    exchange.reject(error);
  }

  private drop(): void {
    const { socket } = this;
    this.socket = undefined;
    socket?.destroy();
  }
}
