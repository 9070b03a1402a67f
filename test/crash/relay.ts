/** Stands between the collector and a server that it asks, and goes away as a process does that dies. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { finished } from 'node:stream';

export class Relay {
  /** Where the server is. */
  private readonly server: URL;
  private listener: Server | undefined;
  private readonly open = new Set<Socket>();
  private port = 0;

  constructor(server: string) {
    this.server = new URL(server);
  }

  /** Where it is to be asked for; the same each time. */
  get url(): string {
    const { protocol, pathname } = this.server;
    return `${protocol}//127.0.0.1:${this.port}${pathname}`;
  }

  async start(): Promise<this> {
    const listener = createServer((socket) => this.join(socket));
    listener.listen(this.port, '127.0.0.1');
    await once(listener, 'listening');
    this.port = (listener.address() as AddressInfo).port;
    this.listener = listener;
    return this;
  }

  private join(socket: Socket): void {
    const onward = connect(Number(this.server.port), this.server.hostname);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.open.add(one);
      one.pipe(other);
      finished(one, () => {
        this.open.delete(one);
        other.destroy();
      });
    }
  }

  /** Connections are refused, and those that are open break. */
  async stop(): Promise<void> {
    const { listener } = this;
    this.listener = undefined;
    if (!listener) return;
    listener.close();
    for (const socket of this.open) socket.destroy();
    await once(listener, 'close');
  }
}
