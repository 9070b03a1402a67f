import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, vi } from 'vitest';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** How a listener answers; null never does. */
export type Answering = ((response: ServerResponse) => void) | null;

export const accepting: Answering = (response) => response.writeHead(200).end();
export const answering =
  (status: number, headers: Record<string, string> = {}, body = ''): Answering =>
  (response) =>
    response.writeHead(status, headers).end(body);

/** An HTTP server that keeps what it was sent. */
export class Listener {
  readonly received: Received[] = [];
  answer: Answering = accepting;
  private server: Server | undefined;
  port = 0;

  async listen(): Promise<this> {
    this.server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const text = Buffer.concat(pieces).toString('utf8');
        this.received.push({ path: request.url ?? '', headers: request.headers, text });
        this.answer?.(response);
      });
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** As when its process dies: connections break. */
  async close(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Waits until a condition holds. */
  async until(condition: () => boolean): Promise<void> {
    await eventually(() => expect(condition(), `after ${this.received.length} requests`).toBe(true));
  }
}

/** Waits until what is expected comes true, as long as a very busy machine may need. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 20 });
}
