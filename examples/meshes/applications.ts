import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { MeshApp, Running } from '../../server/demo/mesh.ts';
import { Caller, type Route } from './caller.ts';
import { type GrpcReply, serveGrpc } from './grpc.ts';
import { close, listen } from './http-server.ts';
import { type Answer, type CallResult, isFailure, type Plan, parsePlan } from './plan.ts';

/** An application that does what the plan in a request tells it. */
export interface App extends MeshApp {
  protocol: 'http' | 'grpc';
  /** Where its calls go, by service. */
  routes?: Readonly<Record<string, Route>>;
  /** Milliseconds added to every delay asked for. */
  slowerByMs?: number;
  /** gRPC methods that fail whatever the plan says, with their status. */
  failingMethods?: Readonly<Record<string, number>>;
}

/** Starts all of them on loopback. */
export async function startApplications(apps: readonly App[], portOffset: number): Promise<Running> {
  const caller = new Caller({ portOffset });
  const servers = await Promise.all(apps.map((app) => serve({ app, caller }, app.port + portOffset)));
  return {
    async stop() {
      caller.destroy();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

interface Context {
  app: App;
  caller: Caller;
}

function serve(context: Context, port: number): Promise<Running> {
  return context.app.protocol === 'grpc'
    ? serveGrpc(port, (path, message) => grpcReply(context, path, message))
    : serveHttp(context, port);
}

async function serveHttp(context: Context, port: number): Promise<Running> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://app');
    void httpReply(context, searchParams.get('plan') ?? '').then(({ status, body }) => {
      if (response.destroyed) return;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await listen(server, port);
  return { stop: () => close(server) };
}

async function httpReply(context: Context, text: string): Promise<{ status: number; body: unknown }> {
  try {
    const plan = parsePlan(text);
    const answer = await carryOut(context, plan);
    return { status: plan.status ?? (answer.calls.some(isFailure) ? 502 : 200), body: answer };
  } catch (error) {
    return { status: 400, body: { error: String(error) } };
  }
}

const invalidArgument = 3;
const unavailable = 14;

async function grpcReply(context: Context, path: string, text: string): Promise<GrpcReply> {
  try {
    const plan = parsePlan(text);
    const answer = await carryOut(context, plan);
    const failing = context.app.failingMethods?.[path.slice(path.lastIndexOf('/') + 1)];
    const grpcStatus = failing ?? plan.grpcStatus ?? (answer.calls.some(isFailure) ? unavailable : 0);
    return { grpcStatus, message: JSON.stringify(answer) };
  } catch (error) {
    return { grpcStatus: invalidArgument, message: JSON.stringify({ error: String(error) }) };
  }
}

async function carryOut({ app, caller }: Context, { calls = [], delayMs = 0 }: Plan): Promise<Answer> {
  const started = performance.now();
  const results: CallResult[] = [];
  for (const call of calls) {
    const route = app.routes?.[call.to];
    if (route === undefined) throw new Error(`${app.instance} knows no way to ${call.to}`);
    results.push(await caller.call(route, call));
  }
  const waitMs = delayMs + (app.slowerByMs ?? 0);
  if (waitMs > 0) await delay(waitMs);
  return { instance: app.instance, delayMs: performance.now() - started, calls: results };
}
