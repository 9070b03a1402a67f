import { addToHop, type Hop, Hops } from '../hop.ts';
import type { HttpAnswer } from '../http-client.ts';
import type { Answer, CallResult } from './services.ts';

export type { Hop } from '../hop.ts';

/** What C's sidecar waits at least for its application: `timeout` in service-c.yaml, which may fire 1 ms early. */
const timeoutOfCMs = 254;

/** What was sent and came back, hop by hop, as every Envoy must have counted it. */
export class Ledger {
  /** Requests that the front proxy answered. */
  answered = 0;
  /** Requests without an answer (the front proxy was down); they are in no hop. */
  readonly unanswered: string[] = [];
  readonly #inbound = new Hops();
  readonly #outbound = new Hops();

  /** Requests that arrived at an instance: `front-proxy`, `service-a`, `service-b-1`, `service-b-2`, `service-c`. */
  inbound(instance: string): Hop {
    return this.#inbound.get(instance);
  }

  /** Requests that a service sent to another: `front-proxy` to `service_a`, `service_a` to `service_b` or `service_c`. */
  outbound(service: string, peer: string): Hop {
    return this.#outbound.get(service, peer);
  }

  /** Records the answer to one request of the sender. */
  record({ status, headers, body, tookMs }: HttpAnswer): void {
    const answer = answerIn(headers['content-type'], body);
    const completed = { status, delayMs: answer?.delayMs ?? 0, observedMs: tookMs };
    this.answered += 1;
    addToHop(this.inbound('front-proxy'), completed);
    addToHop(this.outbound('front-proxy', 'service_a'), completed);
    const sidecar = headers['x-sidecar'];
    if (typeof sidecar === 'string') addToHop(this.inbound(sidecar), completed);
    for (const call of answer?.calls ?? []) this.#recordCall(call);
  }

  #recordCall(call: CallResult): void {
    const { service, status, tookMs, sidecar, tries } = call;
    const timedOut = sidecar !== null && tries.length === 0 && status === 504;
    const delayMs = timedOut ? timeoutOfCMs : tries.reduce((sum, one) => sum + one.delayMs, 0);
    const outbound = this.outbound('service_a', service);
    if (status !== 0) addToHop(outbound, { status, delayMs, observedMs: tookMs });
    outbound.retries += Math.max(0, tries.length - 1);
    for (const one of tries) addToHop(this.inbound(one.instance), { ...one, observedMs: tookMs });
    if (sidecar === null || tries.length > 0) return;
    const inbound = this.inbound(sidecar);
    addToHop(inbound, { status, delayMs, observedMs: tookMs });
    if (timedOut) inbound.timeouts += 1;
  }
}

/** Undefined for an answer that a sidecar made itself: plain text. */
function answerIn(contentType: string | undefined, body: string): Answer | undefined {
  if (contentType !== 'application/json') return undefined;
  const answer: Answer | { error: string } = JSON.parse(body);
  if ('error' in answer) throw new Error(`service A refused its instruction: ${answer.error}`);
  return answer;
}
