/** Unary gRPC over HTTP/2 without TLS, with JSON messages: as little as a mesh of Envoys needs to see real gRPC. */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Running } from '../../server/demo/mesh.ts';

export interface GrpcAnswer {
  /** Of HTTP: 200 even when the call failed. */
  status: number;
  grpcStatus: number;
  headers: IncomingHttpHeaders;
  /** Empty where the answer is trailers only. */
  message: string;
  /** Milliseconds from before the call was sent until its trailers were here. */
  tookMs: number;
}

export interface GrpcCall {
  /** On loopback. */
  port: number;
  /** Names the called service, where the port is a proxy's. */
  authority: string;
  /** `/package.Service/Method` */
  path: string;
  message: string;
}

const contentType = 'application/grpc+json';

/** One connection per port, kept and used for all calls at once. */
export class GrpcClient {
  readonly #sessions = new Map<number, ClientHttp2Session>();

  /** Rejects only when no complete answer came; nothing is ever retried. */
  async call({ port, authority, path, message }: GrpcCall): Promise<GrpcAnswer> {
    const started = performance.now();
    const stream = this.#session(port).request({
      ':method': 'POST',
      ':path': path,
      ':authority': authority,
      'content-type': contentType,
      te: 'trailers',
    });
    stream.end(frame(message));
    return { ...(await answerOf(stream)), tookMs: performance.now() - started };
  }

  destroy(): void {
    for (const session of this.#sessions.values()) session.destroy();
  }

  #session(port: number): ClientHttp2Session {
    const known = this.#sessions.get(port);
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => this.#sessions.delete(port)); // its calls are told of it by their own streams
    session.on('goaway', () => this.#sessions.delete(port));
    this.#sessions.set(port, session);
    return session;
  }
}

async function answerOf(stream: ClientHttp2Stream): Promise<Omit<GrpcAnswer, 'tookMs'>> {
  let headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (received) => (headers = received));
  stream.on('trailers', (received) => (trailers = received));
  const body = await bodyOf(stream);
  const grpcStatus = trailers['grpc-status'] ?? headers['grpc-status'];
  if (grpcStatus === undefined) throw new Error(`HTTP ${headers[':status'] ?? 0} without a gRPC status`);
  return { status: headers[':status'] ?? 0, grpcStatus: Number(grpcStatus), headers, message: unframe(body) };
}

export interface GrpcReply {
  grpcStatus: number;
  message: string;
}

/** Resolves to a reply for the call at this path. Must not reject. */
export type GrpcHandler = (path: string, message: string) => Promise<GrpcReply>;

/**
 * Serves on loopback; rejects when the port is taken. A failed call is answered by trailers only, as gRPC servers do;
 * its message goes into the header `x-message`, percent-encoded.
 */
export async function serveGrpc(port: number, handle: GrpcHandler): Promise<Running> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {}); // the caller gave up
    void respond(stream, headers[':path'] ?? '/', handle);
  });
  await listening(server, port);
  return {
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

async function respond(stream: ServerHttp2Stream, path: string, handle: GrpcHandler): Promise<void> {
  const { grpcStatus, message } = await handle(path, unframe(await bodyOf(stream)));
  if (stream.destroyed) return;
  const headers = { ':status': 200, 'content-type': contentType };
  if (grpcStatus !== 0) {
    const failure = { 'grpc-status': grpcStatus, 'x-message': encodeURIComponent(message) };
    stream.respond({ ...headers, ...failure }, { endStream: true });
    return;
  }
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond(headers, { waitForTrailers: true });
  stream.end(frame(message));
}

function listening(server: Http2Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve).once('error', reject);
    server.listen(port, '127.0.0.1');
  });
}

function bodyOf(stream: ClientHttp2Stream | ServerHttp2Stream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.once('error', reject);
    stream.once('aborted', () => reject(new Error('the stream was cut off')));
    stream.once('end', () => resolve(Buffer.concat(parts)));
  });
}

const prefixBytes = 5;

/** A byte for "not compressed", four for the length, then the message. */
function frame(message: string): Buffer {
  const body = Buffer.from(message);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

const unframe = (body: Buffer): string => body.subarray(prefixBytes).toString();
