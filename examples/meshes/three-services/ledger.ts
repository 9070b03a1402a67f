import type { HttpAnswer } from '../http-client.ts';
import type { Answer, CallResult } from './services.ts';

export type CodeClass = '2xx' | '3xx' | '4xx' | '5xx';

/** The exact truth about one hop: the requests that arrived at an instance, or those of a service to another one. */
export interface Hop {
  /** Completed requests. A retried request is one of the caller's, and as many as it had tries of the called. */
  requests: number;
  byClass: Record<CodeClass, number>;
  /** Requests that the sidecar of the hop itself gave up waiting for. */
  timeouts: number;
  /** Tries after the first, for what a service sent. */
  retries: number;
  /**
   * For every request, the milliseconds that the application took (the timeout, where it was too late; 0 where it was
   * never reached): what Envoy measures is never less, but for the part of a millisecond that it cuts off.
   */
  delaysMs: number[];
  /** For every request, in the same order, the milliseconds that the caller waited: Envoy never measures more. */
  observedMs: number[];
}

interface Completed {
  status: number;
  delayMs: number;
  observedMs: number;
}

/** What C's sidecar waits at least for its application: `timeout` in service-c.yaml, which may fire 1 ms early. */
const timeoutOfCMs = 254;

/** What was sent and came back, hop by hop, as every Envoy must have counted it. */
export class Ledger {
  /** Requests that the front proxy answered. */
  answered = 0;
  /** Requests without an answer (the front proxy was down); they are in no hop. */
  readonly unanswered: string[] = [];
  readonly #inbound = new Map<string, Hop>();
  readonly #outbound = new Map<string, Hop>();

  /** Requests that arrived at an instance: `front-proxy`, `service-a`, `service-b-1`, `service-b-2`, `service-c`. */
  inbound(instance: string): Hop {
    return entry(this.#inbound, instance);
  }

  /** Requests that a service sent to another: `front-proxy` to `service_a`, `service_a` to `service_b` or `service_c`. */
  outbound(service: string, peer: string): Hop {
    return entry(this.#outbound, JSON.stringify([service, peer]));
  }

  /** Records the answer to one request of the sender. */
  record({ status, headers, body, tookMs }: HttpAnswer): void {
    const answer = answerIn(headers['content-type'], body);
    const completed = { status, delayMs: answer?.delayMs ?? 0, observedMs: tookMs };
    this.answered += 1;
    add(this.inbound('front-proxy'), completed);
    add(this.outbound('front-proxy', 'service_a'), completed);
    const sidecar = headers['x-sidecar'];
    if (typeof sidecar === 'string') add(this.inbound(sidecar), completed);
    for (const call of answer?.calls ?? []) this.#recordCall(call);
  }

  #recordCall(call: CallResult): void {
    const { service, status, tookMs, sidecar, tries } = call;
    const timedOut = sidecar !== null && tries.length === 0 && status === 504;
    const delayMs = timedOut ? timeoutOfCMs : tries.reduce((sum, one) => sum + one.delayMs, 0);
    const outbound = this.outbound('service_a', service);
    if (status !== 0) add(outbound, { status, delayMs, observedMs: tookMs });
    outbound.retries += Math.max(0, tries.length - 1);
    for (const one of tries) add(this.inbound(one.instance), { ...one, observedMs: tookMs });
    if (sidecar === null || tries.length > 0) return;
    const inbound = this.inbound(sidecar);
    add(inbound, { status, delayMs, observedMs: tookMs });
    if (timedOut) inbound.timeouts += 1;
  }
}

function entry(hops: Map<string, Hop>, key: string): Hop {
  const known = hops.get(key);
  if (known !== undefined) return known;
  const byClass = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
  const hop: Hop = { requests: 0, byClass, timeouts: 0, retries: 0, delaysMs: [], observedMs: [] };
  hops.set(key, hop);
  return hop;
}

function add(hop: Hop, { status, delayMs, observedMs }: Completed): void {
  hop.requests += 1;
  hop.byClass[classOf(status)] += 1;
  hop.delaysMs.push(delayMs);
  hop.observedMs.push(observedMs);
}

function classOf(status: number): CodeClass {
  if (status >= 500) return '5xx';
  if (status >= 400) return '4xx';
  return status >= 300 ? '3xx' : '2xx';
}

/** Undefined for an answer that a sidecar made itself: plain text. */
function answerIn(contentType: string | undefined, body: string): Answer | undefined {
  if (contentType !== 'application/json') return undefined;
  const answer: Answer | { error: string } = JSON.parse(body);
  if ('error' in answer) throw new Error(`service A refused its instruction: ${answer.error}`);
  return answer;
}
