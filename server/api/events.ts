import type { Request, Response } from 'express';
import type { Tick } from './contract.ts';

/** Most browsers that may listen at once. */
const MAX_LISTENERS = 500;
const KEEP_ALIVE_MS = 15_000;

/** Sends a server-sent `tick` to every listener whenever new figures can be asked for. */
export class EventStream {
  private readonly listeners = new Set<Response>();
  private readonly keepAlive: NodeJS.Timeout;

  constructor() {
    this.keepAlive = setInterval(() => this.send(': still here\n\n'), KEEP_ALIVE_MS);
    this.keepAlive.unref();
  }

  /** Browsers that listen now. */
  get listening(): number {
    return this.listeners.size;
  }

  handle(request: Request, response: Response): void {
    if (this.listeners.size >= MAX_LISTENERS) {
      response.status(503).json({
        error: {
          code: 'too_many_listeners',
          message: `${MAX_LISTENERS} browsers are listening already: try again later`,
        },
      });
      return;
    }
    response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.flushHeaders();
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.write('retry: 2000\n\n');
    this.listeners.add(response);
    response.on('close', () => this.listeners.delete(response));
  }

  tick(tick: Tick): void {
    this.send(`event: tick\ndata: ${JSON.stringify(tick)}\n\n`);
  }

  close(): void {
    clearInterval(this.keepAlive);
    this.disconnect();
  }

  /** Ends all streams; browsers ask again. */
  disconnect(): void {
    for (const listener of this.listeners) listener.end();
    this.listeners.clear();
  }

  /** A listener that doesn't read is dropped rather than buffered for. */
  private send(text: string): void {
    for (const listener of this.listeners) {
      if (listener.writableLength > 65_536) listener.destroy();
      else listener.write(text);
    }
  }
}
