import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:http2';

export interface Get {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** When the client goes away before it has an answer. */
  readonly until?: Promise<unknown>;
}

/** The status of one request over a connection of its own; `cut` for an answer without its end, `gone` for none. */
export function get({ port, host, path, until }: Get): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (answer) => {
      answer.once('error', () => resolve('cut'));
      answer.resume().once('end', () => resolve(String(answer.statusCode)));
    });
    sent.once('error', () => resolve('gone'));
    void until?.then(() => sent.destroy());
    sent.end();
  });
}

/**
 * The status of a gRPC call. Its one frame of headers ends it, so that Envoy's own answers never come before its end: of
 * those Envoy's histogram has no sample.
 */
export async function grpcStatus({ port, host, path }: Get): Promise<string> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const headers = { ':method': 'POST', ':path': path, ':authority': host, 'content-type': 'application/grpc' };
    const stream = session.request({ ...headers, te: 'trailers' }, { endStream: true });
    const received: Record<string, unknown> = {};
    stream.on('response', (answer) => Object.assign(received, answer));
    stream.on('trailers', (trailers) => Object.assign(received, trailers));
    stream.resume();
    await once(stream, 'end');
    return String(received['grpc-status']);
  } finally {
    session.destroy();
  }
}
