import { GrpcClient } from './grpc.ts';
import { httpGet, keepAliveAgent } from './http-client.ts';
import type { Answer, CallResult, PlannedCall } from './plan.ts';

/** Where calls to a service are sent. */
export interface Route {
  protocol: 'http' | 'grpc';
  /** Of an Envoy on loopback (or of the application, where calls skip Envoy), without offset. */
  port: number;
  /** For the Host header or `:authority`, where the Envoy picks the service by it. Default: the port's address. */
  host?: string;
  /** Stands behind `host`, with the offset. */
  hostPort?: number;
}

/** Sends calls from one place of a mesh, over connections that are kept. */
export class Caller {
  readonly #portOffset: number;
  readonly #agent = keepAliveAgent();
  readonly #grpc = new GrpcClient();

  constructor({ portOffset }: { portOffset: number }) {
    this.#portOffset = portOffset;
  }

  /** Never rejects: a call without an answer has the status 0 and an error. */
  async call(route: Route, call: PlannedCall): Promise<CallResult> {
    const started = performance.now();
    try {
      return await (route.protocol === 'grpc' ? this.#callGrpc(route, call) : this.#callHttp(route, call));
    } catch (error) {
      const tookMs = performance.now() - started;
      return { to: call.to, status: 0, grpcStatus: null, tookMs, passed: [], answer: null, error: String(error) };
    }
  }

  destroy(): void {
    this.#agent.destroy();
    this.#grpc.destroy();
  }

  async #callHttp(route: Route, call: PlannedCall): Promise<CallResult> {
    const query = new URLSearchParams({ plan: planText(call) });
    const url = `http://127.0.0.1:${route.port + this.#portOffset}${call.path ?? '/'}?${query}`;
    const { status, headers, body, tookMs } = await httpGet(url, this.#agent, { host: this.#authority(route) });
    const answer = headers['content-type'] === 'application/json' ? parseAnswer(body) : null;
    return { to: call.to, status, grpcStatus: null, tookMs, passed: passedBy(headers['x-passed']), answer };
  }

  async #callGrpc(route: Route, call: PlannedCall): Promise<CallResult> {
    const { status, grpcStatus, headers, message, tookMs } = await this.#grpc.call({
      port: route.port + this.#portOffset,
      authority: this.#authority(route),
      path: `/demo.${call.to}/${call.path ?? 'Call'}`,
      message: planText(call),
    });
    const text = message || decodeURIComponent(String(headers['x-message'] ?? ''));
    const answer = text === '' ? null : parseAnswer(text);
    return { to: call.to, status, grpcStatus, tookMs, passed: passedBy(headers['x-passed']), answer };
  }

  #authority({ port, host = '127.0.0.1', hostPort = host === '127.0.0.1' ? port : undefined }: Route): string {
    return hostPort === undefined ? host : `${host}:${hostPort + this.#portOffset}`;
  }
}

const planText = ({ to: _to, path: _path, ...plan }: PlannedCall): string => JSON.stringify(plan);

/** Each Envoy adds its name behind those that the answer passed before. */
const passedBy = (header: string | string[] | undefined): string[] =>
  header === undefined ? [] : String(header).split(/, ?/).reverse();

function parseAnswer(text: string): Answer {
  const answer: Answer | { error: string } = JSON.parse(text);
  if ('error' in answer) throw new Error(`an application refused its plan: ${answer.error}`);
  return answer;
}
