import { randomUUID } from 'node:crypto';
import { type Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { MeshApp, MeshServices } from '../../../server/demo/mesh.ts';
import { httpGet, keepAliveAgent } from '../http-client.ts';
import { close, listen } from '../http-server.ts';
import { type CalledService, type PlannedCall, type PlannedRequest, parseRequest } from './instructions.ts';

/** One try of a call, as the application that answered it measured it. */
export interface Try {
  instance: string;
  status: number;
  /** Milliseconds from the request's arrival at the application to its answer. */
  delayMs: number;
}

/** What came back from a call of service A. */
export interface CallResult {
  service: CalledService;
  /** 0 when no answer came at all. */
  status: number;
  /** Milliseconds that A waited. */
  tookMs: number;
  /** The instance whose sidecar the answer passed through; null when it was made by A's own sidecar. */
  sidecar: string | null;
  /** Every try that an application answered, the last one last; empty when the answer was made by a sidecar. */
  tries: Try[];
}

/** The JSON body of every answer of an application. */
export interface Answer extends Try {
  calls: CallResult[];
  /** This try and those before it. */
  tries: Try[];
}

/** `GET /ledger` on an application's own port: what it answered, by status, and what its sidecar gave up waiting for. */
export interface AppLedger {
  instance: string;
  byStatus: Record<string, number>;
  aborted: number;
}

interface App extends MeshApp {
  service: string;
  /** Ports of the sidecar's egress listeners. */
  egress?: Record<CalledService, number>;
  /** Milliseconds added to every delay asked for. */
  slowerByMs?: number;
}

/** The applications behind the sidecars; each port is the endpoint of a local cluster. */
export const apps: readonly App[] = [
  { service: 'service_a', instance: 'service-a', port: 18012, egress: { service_b: 18788, service_c: 18791 } },
  { service: 'service_b', instance: 'service-b-1', port: 18022 },
  { service: 'service_b', instance: 'service-b-2', port: 18032, slowerByMs: 60 },
  { service: 'service_c', instance: 'service-c', port: 18042 },
];

/** Starts all applications on loopback. */
export const startServices: MeshServices['startServices'] = async ({ portOffset }) => {
  const agent = keepAliveAgent();
  const earlierTries = new Map<string, Try[]>();
  const servers = await Promise.all(
    apps.map((app) => listen(createServer(handler({ app, portOffset, agent, earlierTries })), app.port + portOffset)),
  );
  return {
    async stop() {
      agent.destroy();
      await Promise.all(servers.map(close));
    },
  };
};

interface Context {
  app: App;
  portOffset: number;
  agent: Agent;
  /** Tries of calls that are to be retried, by the call's id. Shared, since a retry may go to the other instance. */
  earlierTries: Map<string, Try[]>;
}

function handler(context: Context): (request: IncomingMessage, response: ServerResponse) => void {
  const ledger: AppLedger = { instance: context.app.instance, byStatus: {}, aborted: 0 };
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app');
    if (pathname === '/ledger') return sendJson(response, 200, ledger);
    response.on('close', () => {
      if (!response.writableFinished) ledger.aborted += 1;
      else ledger.byStatus[response.statusCode] = (ledger.byStatus[response.statusCode] ?? 0) + 1;
    });
    answer(context, searchParams).then(
      (body) => sendJson(response, body.status, body),
      (error: unknown) => sendJson(response, 400, { error: String(error) }),
    );
    return undefined;
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

async function answer(context: Context, query: URLSearchParams): Promise<Answer> {
  const started = performance.now();
  const planned = parseRequest(query);
  const calls: CallResult[] = [];
  for (const call of planned.calls ?? []) calls.push(await makeCall(context, call));
  const waitMs = (planned.delayMs ?? 0) + (context.app.slowerByMs ?? 0);
  if (waitMs > 0) await delay(waitMs);
  const callId = query.get('id');
  const earlier = callId === null ? [] : (context.earlierTries.get(callId) ?? []);
  const status = statusOf({ planned, calls, retry: query.get('retry'), isFirstTry: earlier.length === 0 });
  const own: Try = { instance: context.app.instance, status, delayMs: performance.now() - started };
  if (callId !== null) rememberTry(context.earlierTries, callId, own);
  return { ...own, calls, tries: [...earlier, own] };
}

interface StatusInput {
  planned: PlannedRequest;
  calls: readonly CallResult[];
  retry: string | null;
  isFirstTry: boolean;
}

function statusOf({ planned, calls, retry, isFirstTry }: StatusInput): number {
  if (retry === 'exhausted' || (retry === 'recovers' && isFirstTry)) return 503;
  const failed = calls.some((call) => call.status === 0 || call.status >= 500);
  return planned.status ?? (failed ? 502 : 200);
}

/** There is one retry at most, so the second try ends what must be remembered. */
function rememberTry(earlierTries: Map<string, Try[]>, callId: string, own: Try): void {
  if (!earlierTries.delete(callId)) earlierTries.set(callId, [own]);
}

async function makeCall({ app, portOffset, agent }: Context, call: PlannedCall): Promise<CallResult> {
  const port = app.egress?.[call.service];
  if (port === undefined) throw new Error(`${app.instance} calls no other service`);
  const { service, status = 200, delayMs = 0, retry } = call;
  const query = new URLSearchParams({ status: String(status), delay: String(delayMs) });
  if (retry !== undefined) {
    query.set('retry', retry);
    query.set('id', randomUUID());
  }
  const path = retry === undefined ? '/' : '/retried';
  const started = performance.now();
  try {
    const got = await httpGet(`http://127.0.0.1:${port + portOffset}${path}?${query}`, agent);
    const sidecar = got.headers['x-sidecar'];
    const tries = triesIn(got.headers['content-type'], got.body);
    return { service, status: got.status, tookMs: got.tookMs, sidecar: String(sidecar ?? '') || null, tries };
  } catch {
    return { service, status: 0, tookMs: performance.now() - started, sidecar: null, tries: [] };
  }
}

/** Applications answer JSON, sidecars that answer in their place plain text. */
function triesIn(contentType: string | undefined, body: string): Try[] {
  if (contentType !== 'application/json') return [];
  const answered: Partial<Answer> = JSON.parse(body);
  return answered.tries ?? [];
}

if (import.meta.main) await startServices({ portOffset: 0 });
