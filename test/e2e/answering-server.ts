import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';

export interface AnsweringServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Answers over HTTP/1 with the status that the path ends in: `/any/503`. */
export function startAnswering(): Promise<AnsweringServer> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(Number(/\d+$/.exec(request.url ?? '')?.[0] ?? 200)).end('answer');
  });
  return listening(server, () => server.closeAllConnections());
}

/** Answers gRPC calls over HTTP/2 with the status that the method ends in: `/shop.Cart/Get13`. */
export function startAnsweringGrpc(): Promise<AnsweringServer> {
  const server = createHttp2Server();
  const streams = onStream(server, (stream, path) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': /\d+$/.exec(path)?.[0] ?? '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  });
  return listening(server, streams.closeAll);
}

/** Calls back for every stream; sessions are kept to be closed at the end. */
export function onStream(
  server: Http2Server,
  answer: (stream: ServerHttp2Stream, path: string) => void,
): { closeAll(): void } {
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {}); // a stream that is reset on purpose
    answer(stream, String(headers[':path']));
  });
  return {
    closeAll() {
      for (const session of sessions) session.destroy();
    },
  };
}

/** Resolves when the server listens on a free port of loopback. */
export async function listening(server: Server, closeConnections: () => void): Promise<AnsweringServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      closeConnections();
      await closed;
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { port, stop } = await listening(createTcpServer(), () => {});
  await stop();
  return port;
}
