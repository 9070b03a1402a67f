/** Stands between a collector and a receiver of remote write, keeps what was sent, and fails as it is told to. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type DecodedRequest, decodedRequest } from '../exporter/remote-write/decoded.ts';
import { listening } from './answering-server.ts';

/** `pass`: asks the receiver. A status: answers that. `hang`: never answers. `reset`: cuts connections off. */
export type Fault = 'pass' | 'hang' | 'reset' | { readonly status: number; readonly headers?: Record<string, string> };

export interface SentRequest extends DecodedRequest {
  /** When it came, Unix milliseconds. */
  readonly cameAt: number;
  readonly headers: IncomingMessage['headers'];
  readonly fault: Fault;
  /** Of the receiver; 0 where it was not asked or did not answer. */
  status: number;
}

export interface FakeFaults {
  readonly url: string;
  readonly sent: readonly SentRequest[];
  set(fault: Fault): void;
  stop(): Promise<void>;
}

/** @param receiver address that requests are passed on to; none: they are taken. */
export async function startFakeFaults(receiver?: string): Promise<FakeFaults> {
  const sent: SentRequest[] = [];
  let fault: Fault = 'pass';
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const one: SentRequest = {
      ...decodedRequest(body),
      cameAt: Date.now(),
      headers: request.headers,
      fault,
      status: 0,
    };
    sent.push(one);
    if (fault === 'hang') return;
    if (fault === 'reset') {
      request.socket.destroy();
      return;
    }
    if (fault !== 'pass') {
      response.writeHead(fault.status, fault.headers).end('this is\nwhy');
      return;
    }
    const { status, said } = receiver ? await passOn(receiver, request, body) : { status: 204, said: '' };
    one.status = status;
    response.writeHead(status).end(said);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const { port, stop } = await listening(server, () => server.closeAllConnections());
  return {
    url: `http://127.0.0.1:${port}/api/v1/write`,
    sent,
    set(wanted) {
      fault = wanted;
    },
    stop,
  };
}

async function passOn(receiver: string, request: IncomingMessage, body: Buffer) {
  const names = ['content-type', 'content-encoding', 'x-prometheus-remote-write-version', 'user-agent'];
  const headers = Object.fromEntries(names.map((name) => [name, String(request.headers[name] ?? '')]));
  const answer = await fetch(receiver, { method: 'POST', headers, body: new Uint8Array(body) });
  return { status: answer.status, said: await answer.text() };
}
