/** Receivers of OTLP that do as they are told: fakes, on loopback. */

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type Metadata, Server, ServerCredentials, type ServiceError, type status } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { type DecodedResource, decoded } from './decoded.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly resources: readonly DecodedResource[];
}

export type Answer = (response: ServerResponse, request: IncomingMessage) => unknown;

export const accepts: Answer = (response) => response.setHeader('content-type', 'application/x-protobuf').end();
export const answers =
  (code: number, headers: Record<string, string> = {}, body: string | Uint8Array = ''): Answer =>
  (response) =>
    response.writeHead(code, headers).end(body);
/** Reads the request and never says anything. */
export const hangs: Answer = () => {};
export const hangsUp: Answer = (_, { socket }) => socket.destroy();

export interface FakeReceiver {
  readonly url: string;
  /** Everything that was asked, accepted or not. */
  readonly received: Received[];
  /** Answers from now on, the last one again and again. */
  script(...next: Answer[]): void;
}

export async function fakeReceiver(...first: Answer[]): Promise<FakeReceiver> {
  const received: Received[] = [];
  let script = first.length > 0 ? first : [accepts];
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const resources = decoded(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    received.push({ path: request.url ?? '', headers: request.headers, resources });
    const [answer = accepts, ...rest] = script;
    if (rest.length > 0) script = rest;
    answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    script: (...next) => {
      script = next;
    },
  };
}

async function bodyOf(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

export type GrpcAnswer =
  | { readonly code: status; readonly details?: string; readonly metadata?: Metadata }
  | Uint8Array
  | 'hang';

export interface FakeGrpcReceiver {
  readonly url: string;
  readonly received: { readonly metadata: Metadata; readonly resources: readonly DecodedResource[] }[];
  script(...next: GrpcAnswer[]): void;
}

/** A server of grpc-js with the method of the published service. */
export async function fakeGrpcReceiver(
  credentials: ServerCredentials = ServerCredentials.createInsecure(),
): Promise<FakeGrpcReceiver> {
  const received: FakeGrpcReceiver['received'] = [];
  let script: GrpcAnswer[] = [new Uint8Array()];
  const server = new Server();
  const same = (bytes: Buffer) => bytes;
  const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
  const method = { path, requestStream: false, responseStream: false };
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server.addService(
    { Export: { ...method, ...codec } },
    {
      Export(
        call: { readonly metadata: Metadata; readonly request: Buffer },
        done: (error: Partial<ServiceError> | null, answer?: Buffer) => void,
      ) {
        received.push({ metadata: call.metadata, resources: decoded(call.request) });
        const [answer = new Uint8Array(), ...rest] = script;
        if (rest.length > 0) script = rest;
        if (answer === 'hang') return;
        if (answer instanceof Uint8Array) done(null, Buffer.from(answer));
        else done(answer);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  onTestFinished(() => server.forceShutdown());
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    script: (...next) => {
      script = next;
    },
  };
}
