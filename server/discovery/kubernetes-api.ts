/** Requests to the API server: an answer of bounded size, or a watch line by line. */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { ApiAccess } from './kubernetes-access.ts';
import { ApiError, type Asked, connectionError, statusError } from './kubernetes-error.ts';
import { ListSplitter } from './kubernetes-list.ts';
import { type AccessOptions, openAccess } from './kubernetes-open.ts';

export interface ApiRequest {
  /** With its query. */
  readonly path: string;
  readonly accept: string;
  /** For the words of an error. */
  readonly asked: Asked;
  /** Longest time until the answer is there, for a watch until it has ended. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface ApiLimits {
  readonly maxAnswerBytes: number;
  /** etcd takes no object above 1.5 MiB. */
  readonly maxObjectBytes: number;
}

export const API_LIMITS: ApiLimits = { maxAnswerBytes: 256 * 2 ** 20, maxObjectBytes: 8 * 2 ** 20 };

const NEWLINE = 0x0a;
const MAX_ERROR_BYTES = 65_536;

/** One API server. The access is opened when it is first needed, and anew after it was refused. */
export class ApiServer {
  private readonly open: () => Promise<ApiAccess>;
  private readonly limits: ApiLimits;
  private opened: Promise<ApiAccess> | undefined;
  /** The access that was opened last. */
  current: ApiAccess | undefined;

  constructor(options: AccessOptions, limits: ApiLimits = API_LIMITS) {
    this.open = () => openAccess(options);
    this.limits = limits;
  }

  /** @throws Error in plain words. */
  async access(): Promise<ApiAccess> {
    this.opened ??= this.open();
    try {
      this.current = await this.opened;
      return this.current;
    } catch (error) {
      this.forgetAccess();
      throw error;
    }
  }

  /** Ends idle connections. */
  close(): void {
    this.current?.close();
  }

  /** Calls `item` with each item of a list, and gives the list without them. @throws ApiError */
  async list(request: ApiRequest, item: (object: unknown) => void): Promise<unknown> {
    const { maxAnswerBytes, maxObjectBytes } = this.limits;
    const splitter = new ListSplitter((json) => item(parsed(json)), maxObjectBytes);
    let size = 0;
    await this.answered(request, async (response) => {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maxAnswerBytes) throw tooLarge('an answer', maxAnswerBytes);
        splitter.take(chunk);
      }
    });
    return parsed(splitter.left());
  }

  /** Calls `take` with the JSON of each line; ends when the API server ends the watch. @throws ApiError */
  async watch(request: ApiRequest, started: () => void, take: (event: unknown) => void): Promise<void> {
    await this.answered(request, async (response) => {
      started();
      let rest: Buffer[] = [];
      let size = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        let from = 0;
        for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
          const line = Buffer.concat([...rest, chunk.subarray(from, end)]);
          if (line.length > 0) take(parsed(line));
          [rest, size, from] = [[], 0, end + 1];
        }
        rest.push(chunk.subarray(from));
        size += chunk.length - from;
        if (size > this.limits.maxObjectBytes) throw tooLarge('an event', this.limits.maxObjectBytes);
      }
    });
  }

  private async answered(request: ApiRequest, read: (response: IncomingMessage) => Promise<void>): Promise<void> {
    let timeout: AbortSignal | undefined;
    let server = '';
    try {
      const { access, options } = await unlessAborted(this.ready(), request.signal);
      server = access.server;
      timeout = AbortSignal.timeout(request.timeoutMs);
      const signal = AbortSignal.any([request.signal, timeout]);
      const response = await send(access.server + request.path, { ...options, accept: request.accept, signal });
      if (response.statusCode !== 200) throw await this.refused(response, request.asked);
      await read(response);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (server === '') throw new ApiError(error instanceof Error ? error.message : String(error));
      if (timeout?.aborted && !request.signal.aborted)
        throw new ApiError(`the API server ${server} has not answered within ${request.timeoutMs / 1000} s`);
      this.forgetAccess();
      throw connectionError(error, server);
    }
  }

  /** Who we are may be told by a program that takes its time. */
  private async ready() {
    const access = await this.access();
    return { access, options: await access.options() };
  }

  private async refused(response: IncomingMessage, asked: Asked): Promise<ApiError> {
    const code = response.statusCode ?? 0;
    if (code === 401) this.forgetAccess();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ERROR_BYTES) break;
    }
    const status = size > MAX_ERROR_BYTES ? undefined : jsonOf(Buffer.concat(chunks));
    return statusError(code, status, asked, response.headers['retry-after']);
  }

  /** Tokens, certificates and addresses are read anew next time. */
  private forgetAccess(): void {
    this.opened = undefined;
  }
}

async function send(
  address: string,
  { accept, ...options }: RequestOptions & { accept: string },
): Promise<IncomingMessage> {
  const headers = { ...options.headers, accept, 'user-agent': 'sidelight' };
  const url = new URL(address);
  const request = url.protocol === 'http:' ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    request(url, { ...options, method: 'GET', headers }, resolve)
      .on('error', reject)
      .end();
  });
}

function unlessAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', reject, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', reject));
  });
}

function parsed(text: Buffer): unknown {
  const value = jsonOf(text);
  if (typeof value !== 'object' || value === null)
    throw new ApiError(
      "the answer is not JSON: is it really the API server's address, with no sign-in page before it?",
    );
  return value;
}

function jsonOf(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}

function tooLarge(what: string, bytes: number): ApiError {
  return new ApiError(`${what} of the API server is larger than ${bytes} bytes: it can't be read`);
}
