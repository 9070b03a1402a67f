import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { constants, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { type AnsweringServer, freePort, listening, onStream } from './answering-server.ts';

/** Tells `silent` when a request came that will never be answered. */
const asked = new EventEmitter();

/** What a path below `/` of an HTTP/1 server does. */
const OVER_HTTP1: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  silent: () => asked.emit('silent'),
  reset: ({ socket }) => socket.resetAndDestroy(),
  garbage: ({ socket }) => socket.end('this is not HTTP at all\r\n\r\n'),
  partial: ({ socket }) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthe beginning', () => socket.resetAndDestroy()),
  /** Every request that is tried twice succeeds at its second try. */
  'second-try': (_, response) => response.writeHead(tries++ % 2 === 0 ? 503 : 200).end(),
};
let tries = 0;

/** The same for gRPC: `/any.Service/Method`. */
const OVER_HTTP2: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  Silent: () => {},
  Refused: (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
  Broken: (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  TrailersOnly: (stream) =>
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '13' }, { endStream: true }),
  Trailers: (stream) => endWith(stream, '5'),
  /** Of a rate limit service: code 2, over the limit, in the encoding of protocol buffers. */
  ShouldRateLimit: (stream) => endWith(stream, '0', [0x08, 0x02]),
  Ok: (stream) => endWith(stream, '0'),
};

function endWith(stream: ServerHttp2Stream, status: string, message: readonly number[] = []): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
  stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
}

export interface FailingServers {
  readonly asked: EventEmitter;
  readonly http: number;
  readonly grpc: number;
  /** Accepts connections and never says a word. */
  readonly mute: number;
  /** Nothing listens there. */
  readonly closed: number;
  stop(): Promise<void>;
}

/** Servers that fail in the way that the path names; any other path is answered with the status that it ends in. */
export async function startFailing(): Promise<FailingServers> {
  const http = createServer((request, response) => {
    request.resume();
    const kind = /[^/]*$/.exec(request.url ?? '')?.[0] ?? '';
    const fail = OVER_HTTP1[kind];
    if (fail) fail(request, response);
    else response.writeHead(Number(kind) || 200).end('answer');
  });
  const http2 = createHttp2Server();
  const streams = onStream(http2, (stream, path) => {
    stream.resume();
    (OVER_HTTP2[/[^/]*$/.exec(path)?.[0] ?? ''] ?? (() => {}))(stream);
  });
  const sockets = new Set<Socket>();
  const mute = createTcpServer((socket) => sockets.add(socket.on('error', () => {})));
  const servers = [
    await listening(http, () => http.closeAllConnections()),
    await listening(http2, () => streams.closeAll()),
    await listening(mute, () => {
      for (const socket of sockets) socket.destroy();
    }),
  ] as const;
  return {
    asked,
    http: servers[0].port,
    grpc: servers[1].port,
    mute: servers[2].port,
    closed: await freePort(),
    async stop() {
      await Promise.all(servers.map((server: AnsweringServer) => server.stop()));
    },
  };
}
