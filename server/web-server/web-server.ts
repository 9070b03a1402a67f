import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { isIPv4 } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { WebLimits, WebTlsConfig } from '../config/web-config.ts';
import { askingOptions, isLetIn } from './client-certificates.ts';
import type { TlsMaterial } from './tls-files.ts';

/** Slow clients are cut off: how long the head of a request may take, all of it, and a connection without one. */
const TIMES = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
  /** A connection on which nothing moves, such as that of a client that does not read. */
  idleTimeout: 60_000,
};
/** A request's line and headers in all. */
const HEAD_BYTES = 16_384;
const HANDSHAKE_MS = 10_000;

export interface WebServerOptions {
  readonly handler: RequestListener;
  readonly limits: Pick<WebLimits, 'connections'>;
  /** TLS as it is when the server starts, and its files. */
  readonly tls?: { readonly config: WebTlsConfig; readonly material: TlsMaterial } | undefined;
  /** In place of the defaults, in milliseconds. */
  readonly times?: Partial<typeof TIMES>;
}

/** Serves HTTP or HTTPS at one address, within limits of sizes and times. */
export class WebServer {
  private readonly server: Server | TlsServer;
  private readonly secure: TlsServer | undefined;
  private tls: WebTlsConfig | undefined;

  constructor({ handler: inner, limits, tls, times }: WebServerOptions) {
    const handler = readableOnly(inner);
    const { idleTimeout, ...others } = { ...TIMES, ...times };
    const options = { ...others, maxHeaderSize: HEAD_BYTES };
    this.tls = tls?.config;
    this.secure =
      tls &&
      createTlsServer(
        {
          ...options,
          ...tls.material.options,
          ...askingOptions(tls.config),
          handshakeTimeout: HANDSHAKE_MS,
          ALPNProtocols: ['http/1.1'],
        },
        handler,
      );
    this.secure?.prependListener('secureConnection', (socket) => this.refuse(socket));
    this.server = this.secure ?? createServer(options, handler);
    this.server.timeout = idleTimeout;
    this.server.maxConnections = limits.connections;
    // No body is waited for, so none is asked for: Node would write "100 Continue" behind the header of an answer that
    // waits for its turn on the connection, and whoever reads it would lose count.
    this.server.on('checkContinue', handler);
  }

  /** @throws the error of `listen`. */
  listen({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
  }

  /** The IP address that is listened on. */
  get address(): string {
    return this.bound().address;
  }

  /** Where a browser on this machine finds it. */
  get url(): string {
    const { address, port } = this.bound();
    const host = address === '::' || address === '0.0.0.0' ? 'localhost' : address;
    return `http${this.secure ? 's' : ''}://${isIPv4(host) || !host.includes(':') ? host : `[${host}]`}:${port}`;
  }

  /** For connections from now on. */
  setLimits({ connections }: Pick<WebLimits, 'connections'>): void {
    this.server.maxConnections = connections;
  }

  /** For connections from now on; what asks for certificates stays. */
  setTls(config: WebTlsConfig, material: TlsMaterial): void {
    this.tls = config;
    this.secure?.setSecureContext(material.options);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private refuse(socket: TLSSocket): void {
    if (this.tls && !isLetIn(socket, this.tls)) socket.destroy();
  }

  private bound(): { address: string; port: number } {
    const address = this.server.address();
    return address === null || typeof address === 'string' ? { address: '', port: 0 } : address;
  }
}

const UNREADABLE = JSON.stringify({ error: { code: 'bad_request', message: 'the address can not be read' } });

/** Addresses that routers make nothing of are refused before they see them. */
function readableOnly(handler: RequestListener): RequestListener {
  return (request, response) => {
    const { url = '' } = request;
    if (url.startsWith('/') || url === '*' || (/^https?:/i.test(url) && URL.canParse(url))) {
      handler(request, response);
      return;
    }
    const headers = { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff' };
    response.writeHead(400, { ...headers, 'cache-control': 'no-store', 'content-length': UNREADABLE.length });
    response.end(UNREADABLE);
  };
}
